"""A world for the archive: Zoom with its downloads, S3, DynamoDB, a queue, and workers, on one clock and one seed.

The archive's own code runs in it unchanged. Every effect (a request to Zoom, S3 or DynamoDB) is a step. Before and
after it a worker may be killed, its answer may be lost, time passes, and another worker may go on. Workers that run at
once are threads, of which exactly one runs at any moment: the seed decides which.
"""

from __future__ import annotations

import random
import struct
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError, EndpointConnectionError

from tests.fakes import tables
from tests.fakes.s3 import Answer, MemoryS3
from zoom_common.archive.discovery import Discovery, FilePlace, link_of
from zoom_common.archive.downloads_client import Download, DownloadBroken, Link, LinkEnded
from zoom_common.archive.ledger import Ledger, Settling
from zoom_common.archive.model import ArchivedFile, ArchivedRecording, FileState
from zoom_common.archive.policy import Policy, PolicyStore
from zoom_common.archive.retention import Retention
from zoom_common.archive.transfer import Moved, Transfer, of_message, to_message
from zoom_common.aws.table import CONNECTIONS, EVENTS, Table
from zoom_common.connections.tombstones import Tombstones
from zoom_common.deadline import Deadline
from zoom_common.errors import Unavailable
from zoom_common.events.bus import CloudEvent
from zoom_common.events.reconciliation.zoom_reader import AccessDenied

TENANT, CONNECTION = "acme", "con_1"
PART = 64
RUN_SECONDS = 300.0
DAY = 86_400.0


class Killed(BaseException):
    """A worker is gone, in the middle of whatever it did."""


class Clock:
    def __init__(self, now: float = 1_790_000_000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


@dataclass
class Stage:
    """Decides, at every step, what happens: nothing, a fault, a kill, or another worker's turn."""

    rng: random.Random
    clock: Clock
    kills: float = 0.0
    faults: float = 0.0
    slowest: float = 0.0
    """How long a step takes at most, in seconds."""
    steps: int = 0
    killed: int = 0
    faulted: int = 0
    _waiting: dict[int, threading.Semaphore] = field(default_factory=dict)

    def step(self) -> None:
        """Let time pass, another worker go on, or kill this one."""
        self.steps += 1
        self.clock.now += self.rng.uniform(0.0, self.slowest)
        self._turn()
        if self.rng.random() < self.kills and threading.get_ident() in self._waiting:
            self.killed += 1
            raise Killed

    def fault(self, share: float = 1.0) -> bool:
        """Whether a fault happens here."""
        struck = self.rng.random() < self.faults * share
        self.faulted += struck
        return struck

    def run(self, workers: Sequence[Callable[[], None]]) -> None:
        """Run workers, each until it ends or is killed. An exception of one is raised here."""
        raised: list[BaseException] = []

        def work(job: Callable[[], None], mine: threading.Semaphore) -> None:
            mine.acquire()
            try:
                job()
            except Killed:
                pass
            except BaseException as error:  # noqa: BLE001 - the test raises it
                raised.append(error)
            finally:
                del self._waiting[threading.get_ident()]
                self._wake()

        threads = []
        for job in workers:
            mine = threading.Semaphore(0)
            thread = threading.Thread(target=work, args=(job, mine), daemon=True)
            threads.append(thread)
            thread.start()
            assert thread.ident is not None
            self._waiting[thread.ident] = mine
        self._wake()
        for thread in threads:
            thread.join()
        if raised:
            raise raised[0]

    def _turn(self) -> None:
        mine = self._waiting.get(threading.get_ident())
        if mine is None or len(self._waiting) < 2:
            return
        self._wake()
        mine.acquire()

    def _wake(self) -> None:
        if self._waiting:
            self._waiting[self.rng.choice(sorted(self._waiting))].release()


class SteppingTable:
    """DynamoDB whose every request is a step, may throttle, and may lose its answer."""

    def __init__(self, dynamodb: Any, stage: Stage) -> None:
        self._dynamodb, self._stage = dynamodb, stage

    def __getattr__(self, name: str) -> Any:
        operation = getattr(self._dynamodb, name)

        def call(**request: Any) -> Any:
            self._stage.step()
            if self._stage.fault(0.3):
                raise ClientError({"Error": {"Code": "ThrottlingException", "Message": ""}}, name)
            answer = operation(**request)
            if self._stage.fault(0.3):
                raise EndpointConnectionError(endpoint_url="https://dynamodb.example")
            self._stage.step()
            return answer

        return call


class SteppingS3:
    """A line to S3 whose every request is a step, with the faults that S3 has."""

    def __init__(self, s3: MemoryS3, stage: Stage) -> None:
        self._s3, self._stage = s3, stage

    def exchange(
        self, method: str, target: str, headers: Mapping[str, str], body: bytes | bytearray | memoryview, seconds: float
    ) -> Answer:
        self._stage.step()
        failed: Answer = 200, {}, b"<Error><Code>InternalError</Code></Error>"
        completes = method == "POST" and "uploadId" in target
        if self._stage.fault(0.5):
            if completes:
                return failed
            raise OSError("no connection")
        if self._stage.fault(0.1) and self._s3.pending:
            self._s3.pending.pop(min(self._s3.pending))  # an upload that S3 does not know any more
        if self._stage.fault(0.2):
            return 503, {}, b"<Error><Code>SlowDown</Code></Error>" if method != "HEAD" else b""
        answer = self._s3.exchange(method, target, headers, bytes(body), seconds)
        if self._stage.fault(0.5):
            if completes and answer[0] == 200:
                return failed
            raise OSError("the answer was lost")
        self._stage.step()
        return answer


@dataclass
class FilmAtZoom:
    """A file at Zoom: its content, the size that Zoom tells of it, and how it is served."""

    file_id: str
    file_type: str
    recording_type: str
    extension: str
    content: bytes
    declared: int | None
    etag: str = '"1"'
    ranges: bool = True
    tells_length: bool = True
    versions: list[bytes] = field(default_factory=list)


@dataclass
class RecordingAtZoom:
    uuid: str
    number: int
    topic: str
    begun: str
    files: list[FilmAtZoom]
    hidden: list[FilmAtZoom] = field(default_factory=list)
    """Files that come later."""
    trashed: bool = False
    deleted: bool = False

    def name_of(self, file: FilmAtZoom) -> str:
        """What the archive calls a file: Zoom's lists have no ids for timelines."""
        return f"TIMELINE@{self.begun}" if file.file_type == "TIMELINE" else file.file_id


class BodyOf:
    """A body of `content` that may break off after `cut` bytes."""

    def __init__(self, content: bytes, stage: Stage, cut: int | None = None) -> None:
        self._content, self._stage, self._cut, self._at = content, stage, cut, 0

    def readinto(self, buffer: memoryview, /) -> int:
        self._stage.step()
        end = self._at + min(len(buffer), 48)
        if self._cut is not None and end > self._cut:
            raise DownloadBroken("cut")
        part = self._content[self._at : end]
        buffer[: len(part)] = part
        self._at += len(part)
        return len(part)

    def close(self) -> None:
        pass


class ZoomWithFaults:
    """Zoom's list of recordings, and the downloads behind it."""

    def __init__(self, stage: Stage) -> None:
        self.recordings: dict[str, RecordingAtZoom] = {}
        self.stage = stage
        self.served: list[tuple[str, int, int]] = []
        """What was served: file, first byte, bytes."""
        self._links = 0

    def row(self, recording: RecordingAtZoom, files: Sequence[FilmAtZoom] | None = None) -> dict[str, Any]:
        """A recording as events and lists show it."""
        return {
            "uuid": recording.uuid,
            "id": recording.number,
            "host_id": "host-0123456789abcdef",
            "host_email": "jill@example.com",
            "topic": recording.topic,
            "type": 2,
            "start_time": recording.begun,
            "duration": 30,
            "recording_files": [
                {
                    "id": file.file_id,
                    "file_type": file.file_type,
                    "file_extension": file.extension,
                    "recording_type": file.recording_type,
                    "recording_start": recording.begun,
                    "status": "completed",
                    "download_url": f"https://zoom.us/rec/download/{recording.uuid}/{file.file_id}",
                    **({} if file.declared is None else {"file_size": file.declared}),
                }
                for file in (recording.files if files is None else files)
            ],
        }

    def read(self, path: str) -> Mapping[str, Any] | None:
        """`GET /v2/meetings/<uuid>/recordings`."""
        self.stage.step()
        if self.stage.fault(0.4):
            raise Unavailable(reason="rate_limited")
        if self.stage.fault(0.1):
            raise AccessDenied("missing_scopes")
        if self.stage.fault(0.1):
            return None
        uuid = path.split("/")[3].replace("%253D", "=")
        recording = self.recordings.get(uuid)
        if recording is None or recording.trashed or recording.deleted:
            return None
        self._links += 1
        self.stage.step()
        return self.row(recording) | {"download_access_token": f"token-{self._links}"}

    def get(self, link: Link, first: int, last: int) -> Download:
        """A range of a file, as it should be or as it should not."""
        assert link.token is not None
        self.stage.step()
        uuid, file_id = link.url.split("/")[-2:]
        recording = self.recordings[uuid]
        file = next(each for each in (*recording.files, *recording.hidden) if each.file_id == file_id)
        if self.stage.fault(0.3):
            raise LinkEnded("http_401")
        if self.stage.fault(0.3):
            raise DownloadBroken("no_answer")
        if self.stage.fault(0.2):
            return self._wrong(file)
        content = file.content
        if first >= len(content) > 0:
            raise DownloadBroken("shorter_than_told")
        whole = not file.ranges or self.stage.fault(0.2)
        part = content if whole else content[first : last + 1]
        cut = self.stage.rng.randrange(len(part) + 1) if self.stage.fault(0.4) else None
        self.served.append((file_id, 0 if whole else first, len(part)))
        length = len(part) if file.tells_length or not whole else None
        total = len(content) if length is not None else None
        return Download(0 if whole else first, length, total, file.etag, "", BodyOf(part, self.stage, cut))

    def _wrong(self, file: FilmAtZoom) -> Download:
        pages = (
            b"<!doctype html><html>Sign in to watch this recording.</html>",
            b'{"status":false,"errorCode":124,"errorMessage":"Forbidden"}',
            b"\x00" * min(14, len(file.content)),
        )
        body = self.stage.rng.choice(pages[:2] if file.extension not in {"MP4", "M4A"} else pages)
        kind = "text/html" if body[:1] == b"<" else "application/json" if body[:1] == b"{" else ""
        return Download(0, len(body), len(body), "", kind, BodyOf(body, self.stage))


def film(rng: random.Random, size: int, brand: bytes = b"isom") -> bytes:
    """A film of `size` bytes: boxes that add up, with noise in them."""
    head = struct.pack(">I", 16) + b"ftyp" + brand + b"\x00" * 4
    if size < 40:
        return head + struct.pack(">I", 8) + b"free"
    body = rng.randbytes(size - 32)
    return head + struct.pack(">I", size - 24) + b"mdat" + body + struct.pack(">I", 8) + b"free"


@dataclass
class Message:
    body: str
    visible_at: float
    receives: int = 0


class World:
    """All of it. `settle` works until nothing is left to do."""

    def __init__(self, seed: int, *, kills: float = 0.0, faults: float = 0.0, slowest: float = 0.0) -> None:
        self.rng = random.Random(seed)  # noqa: S311 - a schedule
        self.clock = Clock()
        self.stage = Stage(self.rng, self.clock, kills=kills, faults=faults, slowest=slowest)
        self.zoom = ZoomWithFaults(self.stage)
        self.s3 = MemoryS3(smallest_part=PART, clock=self.clock)
        self.bucket = self.s3.bucket()
        object.__setattr__(self.bucket, "line", SteppingS3(self.s3, self.stage))
        dynamodb: Any = SteppingTable(tables.in_memory().client(), self.stage)
        self.dynamodb = dynamodb
        events = Table(dynamodb, tables.EVENTS, EVENTS, sleep=lambda _: None)
        self.ledger = Ledger(events)
        self.policies = PolicyStore(events)
        self.published: list[CloudEvent] = []
        self.messages: list[Message] = []
        self.runs: list[Moved] = []
        self.trashed: list[str] = []
        self._owners = 0
        self.settling = Settling(ledger=self.ledger, policies=self.policies, publish=self._publish, clock=self.clock)
        tombstones = Tombstones(Table(dynamodb, tables.CONNECTIONS, CONNECTIONS, sleep=lambda _: None))
        self.discovery = Discovery(
            ledger=self.ledger,
            policies=self.policies,
            settling=self.settling,
            tombstones=tombstones,
            enqueue=self.enqueue,
            clock=self.clock,
        )
        self.transfer = Transfer(
            ledger=self.ledger,
            settling=self.settling,
            storage=self.bucket,
            downloads=self.zoom,
            links=lambda recording, file, _: link_of(self.zoom.read, recording, file),
            clock=self.clock,
            new_owner=self._owner,
            report=lambda _, moved: self.runs.append(moved),
            least_part=PART,
        )
        self.retention = Retention(
            ledger=self.ledger,
            settling=self.settling,
            storage=self.bucket,
            at_zoom=self,
            enqueue=self.enqueue,
            clock=self.clock,
        )

    def use(self, policy: Policy) -> None:
        """Set the tenant's policy."""
        with self.calm():
            self.policies.put(TENANT, policy, connection=None, now=self.clock())

    @contextmanager
    def calm(self) -> Iterator[None]:
        """No kill and no fault."""
        before = self.stage.kills, self.stage.faults
        self.stage.kills = self.stage.faults = 0.0
        try:
            yield
        finally:
            self.stage.kills, self.stage.faults = before

    def tell(self, recording: RecordingAtZoom, files: Sequence[FilmAtZoom], name: str = "recording.completed") -> None:
        """Deliver an event of Zoom's until it is taken note of, as its queue does."""
        event = CloudEvent(
            "evt_" + "0" * 32,
            "/zoom/app",
            f"zoom.{name}",
            "2026-11-30T10:00:00Z",
            TENANT,
            connection_id=CONNECTION,
            data={"payload": {"object": self.zoom.row(recording, files)}},
        )
        self._until_done(lambda: self.discovery.event(event, lambda *_: None, self.zoom.read))

    def enqueue(self, files: Sequence[FilePlace]) -> None:
        for file in files:
            self.messages.append(Message(to_message(*file), self.clock()))

    def files(self, _: ArchivedRecording) -> Mapping[str, Any] | None:
        """As `retention.AtZoom` has it."""
        return self.zoom.read(f"/v2/meetings/{_.uuid}/recordings")

    def remove(self, recording: ArchivedRecording, *, for_ever: bool) -> None:
        """Zoom's trash: at this moment every file has to be in S3, byte for byte."""
        at_zoom = self.zoom.recordings[recording.uuid]
        self.stage.step()
        for file in at_zoom.files:
            kept = self.object_of(recording.recording_id, at_zoom.name_of(file))
            assert kept in {file.content, *file.versions}, "trashed before proof"
            assert file.declared in {None, len(file.content)}, "a doubtful file was trashed"
        at_zoom.trashed = True
        at_zoom.deleted = at_zoom.deleted or for_ever
        self.trashed.append(recording.uuid)
        if self.stage.fault(0.5):
            raise Unavailable(reason="lost_answer")

    def object_of(self, recording_id: str, file_id: str) -> bytes | None:
        """What S3 has of a file of Zoom's."""
        with self.calm():
            file = self.ledger.file(TENANT, recording_id, file_id)
        return None if file is None else self.s3.body(file.key)

    def archived(self) -> list[ArchivedFile]:
        """Every file of the ledger."""
        with self.calm():
            entries, _ = self.ledger.page(TENANT, since_ms=0, until_ms=10**13 - 1, limit=300)
            found = [self.ledger.read(TENANT, entry["recording_id"]) for entry in entries]
            return [file for each in found if each is not None for file in each[1]]

    def known(self) -> list[ArchivedRecording]:
        """Every recording of the list."""
        with self.calm():
            entries, _ = self.ledger.page(TENANT, since_ms=0, until_ms=10**13 - 1, limit=300)
            found = [self.ledger.read(TENANT, entry["recording_id"]) for entry in entries]
            return [each[0] for each in found if each is not None]

    def work(self, most_at_once: int = 1) -> bool:
        """Let workers take some of the messages that are due, at once; False when none is."""
        due = [message for message in self.messages if message.visible_at <= self.clock()]
        if not due:
            return False
        taken = self.rng.sample(due, min(len(due), self.rng.randint(1, most_at_once)))
        if len(taken) == 1 and most_at_once > 1 and self.rng.random() < 0.3:
            taken *= 2  # SQS may deliver a message twice
        self.stage.run([lambda message=message: self._worked(message) for message in taken])  # type: ignore[misc]
        return True

    def advance(self) -> bool:
        """Let time pass until the next message can be seen; False when there is none."""
        if not self.messages:
            return False
        self.clock.now = max(self.clock.now, min(message.visible_at for message in self.messages) + 0.001)
        return True

    def sweep(self) -> None:
        """The schedule's work, again and again until it is done."""
        self._until_done(lambda: self.retention.sweep(lambda: False, lambda *_: None))

    def settle(self, *, most: int = 4000) -> None:
        """Work until no file is open. Raises when that does not come to an end."""
        for _ in range(most):
            if not self.work() and not self.advance():
                if not any(file.state in {FileState.PENDING, FileState.MOVING} for file in self.archived()):
                    return
                self.clock.now += 6.5 * 3600
                self.sweep()
        raise AssertionError([(file.file_id, file.state, file.reason, file.tries) for file in self.archived()])

    def _worked(self, message: Message) -> None:
        message.receives += 1
        message.visible_at = self.clock() + 360.0
        work = of_message(message.body)
        assert work is not None
        deadline = Deadline(self.clock() + RUN_SECONDS, self.clock)
        try:
            again = self.transfer.work(work["tenant"], work["recording_id"], work["file_id"], deadline)
        except Unavailable:
            message.visible_at = self.clock() + 60.0
            return
        if again is not None:
            message.visible_at = self.clock() + again.seconds
        elif message in self.messages:
            self.messages.remove(message)

    def _until_done(self, job: Callable[[], object]) -> None:
        for _ in range(60):
            done: list[bool] = []

            def once(done: list[bool] = done) -> None:
                try:
                    job()
                except Unavailable:
                    return
                done.append(True)

            self.stage.run([once])
            if done:
                return
            self.clock.now += 30.0
        with self.calm():
            job()

    def _publish(self, events: Sequence[CloudEvent]) -> None:
        self.stage.step()
        if self.stage.fault(0.2):
            raise Unavailable(reason="event_bus")
        self.published += events
        self.stage.step()

    def _owner(self) -> str:
        self._owners += 1
        return f"worker-{self._owners}"
