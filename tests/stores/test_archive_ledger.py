"""What is known of archived recordings: one document each, one item for a file, a list by time, and an agenda."""

from __future__ import annotations

from dataclasses import replace

import pytest
from mypy_boto3_dynamodb import DynamoDBClient

from tests.stores import factories
from zoom_common.archive.ledger import LAST_MS, Leased, LeaseLost, settle
from zoom_common.archive.model import ArchivedFile, ArchivedRecording, FileState, recording_id_of, state_of
from zoom_common.erasure_target import ErasureTarget

pytestmark = pytest.mark.aws

NOW = 1_790_000_000.0
ID = recording_id_of("acme", "uuid-1==")


def recording(
    uuid: str = "uuid-1==", *, begun_ms: int = 1_790_000_000_123, due_at: float | None = NOW
) -> ArchivedRecording:
    return ArchivedRecording(
        tenant="acme",
        recording_id=recording_id_of("acme", uuid),
        uuid=uuid,
        meeting_id="85123456789",
        topic="Weekly sync",
        host_id="host-0123456789abcdef",
        host_email="jill@zoom.example",
        begun_ms=begun_ms,
        connections=frozenset({"con_1"}),
        due_at=due_at,
        found_at=NOW,
    )


def file(file_id: str = "file-1", **more: object) -> ArchivedFile:
    made = ArchivedFile(
        tenant="acme",
        recording_id=ID,
        file_id=file_id,
        file_type="MP4",
        recording_type="gallery_view",
        kind="video",
        extension="MP4",
        key=f"acme/{file_id}.mp4",
        storage_class="STANDARD",
        declared=100,
        host_id="host-0123456789abcdef",
        host_email="jill@zoom.example",
        found_at=NOW,
    )
    return replace(made, **more)  # type: ignore[arg-type]


def test_a_recording_is_added_once_with_its_entries(dynamodb: DynamoDBClient) -> None:
    """A second one of the same instance changes nothing; both entries lead to it."""
    ledger = factories.ledger(dynamodb)
    ledger.add(recording())
    ledger.add(replace(recording(), topic="Another"))
    assert ledger.add_file(file())
    assert not ledger.add_file(file(declared=5))
    found = ledger.read("acme", ID)
    assert found == (recording(), [file()])
    entries, after = ledger.page("acme", since_ms=0, until_ms=LAST_MS, limit=10)
    assert ([each["recording_id"] for each in entries], after) == ([ID], None)
    assert [duty.recording_id for duty in ledger.due(now=NOW)] == [ID]
    assert ledger.due(now=NOW - 1) == []
    assert ledger.read("other", ID) is None
    assert ledger.file("acme", ID, "file-2") is None


def test_a_change_wins_once(dynamodb: DynamoDBClient) -> None:
    """A change of an outdated version fails, and the agenda has one entry, at the recording's due time."""
    ledger = factories.ledger(dynamodb)
    ledger.add(recording())
    later = replace(recording(), due_at=NOW + 60, state=FileState.MOVING)
    assert ledger.change(recording(), later)
    assert not ledger.change(recording(), replace(recording(), topic="stale"))
    assert [duty.sort for duty in ledger.due(now=NOW + 60)] == [f"{int(NOW) + 60}#acme#{ID}"]
    done = settle(ledger, "acme", ID, lambda each, _: replace(each, due_at=None))
    assert done is not None
    assert ledger.due(now=NOW + 9999) == []
    assert settle(ledger, "acme", recording_id_of("acme", "none"), lambda each, _: each) is None


def test_a_deleted_recording_leaves_the_list_and_stays_known(dynamodb: DynamoDBClient) -> None:
    """So that the next event about it does not bring it back."""
    ledger = factories.ledger(dynamodb)
    ledger.add(recording(due_at=None))
    settle(ledger, "acme", ID, lambda each, _: replace(each, deleted_at=NOW))
    assert ledger.page("acme", since_ms=0, until_ms=LAST_MS, limit=10) == ([], None)
    found = ledger.read("acme", ID)
    assert found is not None
    assert found[0].deleted_at == NOW


def test_one_worker_has_a_file(dynamodb: DynamoDBClient) -> None:
    """Until its lease ends; then another may take it, and the first one cannot say anything any more."""
    ledger = factories.ledger(dynamodb)
    ledger.add_file(file())
    mine = ledger.lease(file(), owner="a", now=NOW, until=NOW + 330)
    assert (mine.state, mine.lease_owner) == (FileState.MOVING, "a")
    with pytest.raises(Leased) as leased:
        ledger.lease(file(), owner="b", now=NOW + 329, until=NOW + 999)
    assert leased.value.until == NOW + 330
    theirs = ledger.lease(file(), owner="b", now=NOW + 330, until=NOW + 999)
    with pytest.raises(LeaseLost):
        ledger.note(mine, moved=10)
    noted = ledger.note(theirs, moved=10, upload_id="u", crc=0, reason=None)
    assert (noted.moved, noted.upload_id, noted.crc) == (10, "u", 0)
    free = ledger.release(noted, state=FileState.KEPT, upload_id=None)
    assert (free.state, free.upload_id, free.lease_owner, free.lease_until) == (FileState.KEPT, "", "", 0.0)
    with pytest.raises(LeaseLost):
        ledger.lease(free, owner="c", now=NOW + 999, until=NOW + 1329)


def test_a_cancelled_file_is_nobodys(dynamodb: DynamoDBClient) -> None:
    """Its last worker can change nothing, no other can take it, and the end of the lease is returned."""
    ledger = factories.ledger(dynamodb)
    ledger.add_file(file())
    assert ledger.cancel(file("file-9"), now=NOW) == NOW
    mine = ledger.lease(file(), owner="a", now=NOW, until=NOW + 330)
    assert ledger.cancel(mine, now=NOW) == NOW + 330
    with pytest.raises(LeaseLost):
        ledger.note(mine, moved=1)
    with pytest.raises(LeaseLost):
        ledger.lease(file(), owner="b", now=NOW + 400, until=NOW + 730)
    ledger.forget(mine)
    assert ledger.file("acme", ID, "file-1") is None


def test_a_file_is_revised_only_while_nobody_has_it(dynamodb: DynamoDBClient) -> None:
    """And only from the state it was seen in."""
    ledger = factories.ledger(dynamodb)
    ledger.add_file(file(state=FileState.FAILED, reason="not_at_zoom", tries=12))
    failed = file(state=FileState.FAILED)
    assert ledger.revise(failed, now=NOW, state=FileState.PENDING, tries=0, reason=None)
    assert not ledger.revise(failed, now=NOW, state=FileState.PENDING)
    ledger.lease(file(), owner="a", now=NOW, until=NOW + 330)
    assert not ledger.revise(file(state=FileState.MOVING), now=NOW + 1, state=FileState.FAILED)
    found = ledger.file("acme", ID, "file-1")
    assert found is not None
    assert (found.state, found.reason, found.tries) == (FileState.MOVING, "", 0)


def test_the_list_is_read_by_time_in_pages(dynamodb: DynamoDBClient) -> None:
    """Newest first or oldest first, within a span, page after page."""
    ledger = factories.ledger(dynamodb)
    for at in range(5):
        ledger.add(recording(f"uuid-{at}", begun_ms=1000 + at, due_at=None))
    first, after = ledger.page("acme", since_ms=1001, until_ms=1003, limit=2)
    assert [each["begun_ms"] for each in first] == [1003, 1002]
    rest, _ = ledger.page("acme", since_ms=1001, until_ms=1003, limit=2, after=after)
    assert [each["begun_ms"] for each in rest] == [1001]
    oldest, _ = ledger.page("acme", since_ms=0, until_ms=LAST_MS, limit=1, newest=False)
    assert oldest[0]["begun_ms"] == 1000


def test_a_walk_stands_on_the_agenda_until_it_is_done(dynamodb: DynamoDBClient) -> None:
    """With the place from where it goes on."""
    ledger = factories.ledger(dynamodb)
    ledger.plan_walk("acme", at=NOW)
    (duty,) = ledger.due(now=NOW)
    assert (duty.tenant, duty.after) == ("acme", "")
    ledger.done(duty)
    assert ledger.due(now=NOW) == []


@pytest.mark.parametrize(
    ("states", "whole"),
    [
        ("", "pending"),
        ("pending pending", "pending"),
        ("pending kept", "moving"),
        ("moving failed", "moving"),
        ("kept kept", "kept"),
        ("kept doubtful", "doubtful"),
        ("doubtful failed kept", "failed"),
    ],
)
def test_a_recording_is_as_far_as_its_files(states: str, whole: str) -> None:
    """Open while one is, else the worst of them."""
    assert state_of([file(state=FileState(state)) for state in states.split()]) == whole


def test_an_erasure_takes_what_a_host_recorded(dynamodb: DynamoDBClient) -> None:
    """The recording, its files and its entry by the host's id or address; the agenda with the tenant only."""
    ledger = factories.ledger(dynamodb)
    agenda = {"pk": "archive-agenda", "sk": "1#acme#x", "tenant": "acme"}
    person = ErasureTarget.person("acme", zoom_user_id="host-0123456789abcdef")
    other = ErasureTarget.person("acme", email="jack@zoom.example")
    mine = ErasureTarget.person("acme", email="Jill@zoom.example")
    for item in (recording().to_item(), file().to_item(), recording().to_list_entry()):
        assert ledger.erases(item, person)
        assert ledger.erases(item, mine)
        assert not ledger.erases(item, other)
        assert not ledger.erases(item, ErasureTarget.tenant_as_a_whole("other"))
        assert ledger.erases(item, ErasureTarget.tenant_as_a_whole("acme"))
    assert ledger.erases(agenda, ErasureTarget.tenant_as_a_whole("acme"))
    assert not ledger.erases(agenda, person)
