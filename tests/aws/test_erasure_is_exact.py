"""An erasure takes all of a person or tenant and nothing of anybody else, over items that every store wrote."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from dataclasses import replace
from functools import partial
from itertools import count
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from mypy_boto3_dynamodb import DynamoDBClient

import zoom_common
from tests.fakes.connections import START
from tests.fakes.erasable import Held, Person, Place
from zoom_common.aws import clients
from zoom_common.erasure.queue import Job, from_message, to_message
from zoom_common.erasure.stores import STORES, TableName, kind_of
from zoom_common.erasure_target import ErasureTarget

pytestmark = pytest.mark.aws

ANN = Person(tenant="acme", zoom_user_id="annAnnAnnAnnAnn0", email="ann@x.example")
# Their id begins with hers, and their address ends with hers.
JOANN = Person(tenant="acme", zoom_user_id="annAnnAnnAnnAnn0e", email="joann@x.example")
# The same person at another tenant, connected by another app.
TWIN = replace(ANN, tenant="acme-2", app="other-app")
PEOPLE = [ANN, JOANN, TWIN]
# Every so many writes a run dies, in turn before the write and after it.
STEP = 9
# Modules named after a store whose classes keep nothing of their own.
READERS = {"LogIndex", "RefreshStore", "WholeTable"}


class Died(BaseException):
    """The process ended."""


class MortalClient:
    """A client whose process dies at its n-th write, before the write or after it."""

    def __init__(self, client: DynamoDBClient, *, at: int, applied: bool) -> None:
        self._client = client
        self._left = at
        self._applied = applied

    def __getattr__(self, name: str) -> Any:
        real = getattr(self._client, name)
        if name not in {"put_item", "update_item", "delete_item", "transact_write_items"}:
            return real

        def write(**request: Any) -> Any:
            self._left -= 1
            if self._left > 0:
                return real(**request)
            if self._left == 0 and self._applied:
                real(**request)
            raise Died

        return write


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch, connections_table: str, events_table: str, coordination_table: str) -> Held:
    """Empty tables, small pages, and bodies that come in parts."""
    monkeypatch.setattr("zoom_common.erasure.removal._PAGE", 50)
    monkeypatch.setattr("zoom_common.events.log.entries.LARGEST_PART", 3000)
    tables = [connections_table, events_table, coordination_table]
    return Held(dynamodb=clients.boto3_client("dynamodb"), tables=dict(zip(TableName, tables, strict=True)))


def finish(held: Held, job: Job, *, client: Any = None) -> dict[str, int]:
    """Run a job from where its record stands, over the second look, one page at a time; what was deleted."""
    now = START
    message = to_message(job)
    while True:
        erasure = held.erasure(client, clock=partial(float, now))
        progress = erasure.resume(from_message(message), should_stop=lambda: True)
        if progress.finished is not None:
            return dict(progress.finished.deleted)
        assert progress.wait is not None
        now += progress.wait


def expected_to_go(held: Held, target: ErasureTarget) -> set[Place]:
    """What an erasure of `target` takes, by who wrote it about whom."""
    if target.whole_tenant:
        mine = [places for person, places in held.owned.items() if person.tenant == target.tenant]
        return set().union(held.of_tenant[target.tenant], *mine)
    theirs = next(
        each
        for each in held.owned
        if each.tenant == target.tenant
        and (each.zoom_user_id in target.zoom_user_ids or each.email.casefold() == target.email)
    )
    return held.owned[theirs] | held.unrouted[theirs]


TARGETS = st.one_of(
    st.sampled_from([ErasureTarget.tenant_as_a_whole(each) for each in ("acme", "acme-2")]),
    st.builds(
        lambda person, form: ErasureTarget.person(
            person.tenant,
            zoom_user_id=person.zoom_user_id if form != "email" else None,
            email=person.email.upper() if form != "id" else None,
        ),
        st.sampled_from(PEOPLE),
        st.sampled_from(["id", "email", "both"]),
    ),
)


def test_every_store_is_represented(held: Held) -> None:
    """Each kind of item of each store is there, and no item is without an owner."""
    held.fill(*PEOPLE)
    owned = {(place[0], kind_of(place[0], item)) for place, item in held.items().items()}
    assert owned == {
        (table, (store, kind)) for table, stores in STORES.items() for store in stores for kind in store.OWNED_KEYS
    }


def test_every_store_of_the_layer_is_listed() -> None:
    """Every class that stores items has OWNED_KEYS, and the erasure goes through it."""
    found = set()
    for module in pkgutil.walk_packages(zoom_common.__path__, "zoom_common."):
        if module.name.rpartition(".")[2].rpartition("_")[2] != "store":
            continue
        for name, each in inspect.getmembers(importlib.import_module(module.name), inspect.isclass):
            if each.__module__ != module.name or issubclass(each, Exception) or name in READERS:
                continue
            if {"table", "coordination", "events", "dynamodb"} & set(inspect.signature(each).parameters):
                found.add(each)
    listed = {store for stores in STORES.values() for store in stores}
    assert found <= listed


@pytest.mark.timeout(600)  # moto takes long on a busy machine
def test_exactly_the_target_goes(held: Held) -> None:
    """A dry run changes nothing and counts the same; a run that dies at a write goes on; a second run takes nothing."""
    held.fill(*PEOPLE)
    held.keep()

    @settings(max_examples=3, phases=[Phase.explicit, Phase.generate])
    @given(target=TARGETS, dies_at=st.none() | st.integers(1, 60), applied=st.booleans())
    def erase(target: ErasureTarget, dies_at: int | None, applied: bool) -> None:  # noqa: FBT001 - drawn
        held.restore()
        items, before = held.items(), held.places()
        dry_runs = held.erasure().dry_run(target, should_stop=lambda: False)
        assert (dry_runs["dry_run"], dry_runs["complete"]) == (True, True)
        assert held.items() == items

        job = Job(target=target, run=held.erasure().begin(target).run)
        try:
            mortal = MortalClient(held.dynamodb, at=dies_at or 10_000, applied=applied)
            deleted = finish(held, job, client=mortal)
        except Died:
            finish(held, job)
        else:
            assert deleted == dry_runs["deleted"]
        gone, left = expected_to_go(held, target), held.items()
        assert before - held.places() == gone
        assert all(left[place] == items[place] for place in before - gone)

        assert not any(held.erasure().erase(target)["deleted"].values())
        assert held.places() == before - gone

    erase()


@pytest.mark.timeout(600)
def test_a_run_that_dies_at_any_write_goes_on(held: Held) -> None:
    """Between ending a connection, its keys and what hangs on them, and after each page: the rest goes all the same."""
    held.fill(ANN, JOANN)
    held.keep()
    before, gone = held.places(), held.owned[ANN] | held.unrouted[ANN]
    target = ErasureTarget.person("acme", email="ann@x.example")
    for dies_at in count(1, STEP):
        held.restore()
        job = Job(target=target, run=held.erasure().begin(target).run)
        try:
            finish(held, job, client=MortalClient(held.dynamodb, at=dies_at, applied=dies_at // STEP % 2 == 0))
        except Died:
            finish(held, job)
        else:
            break
        assert before - held.places() == gone, dies_at
    assert dies_at > 20
