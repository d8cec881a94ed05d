"""`make erase`: delete everything stored about a person or a tenant, with `--yes`, and print a receipt.

`--dry-run` prints what would be deleted, and changes nothing. An erasure may be run again at any time: one that was
interrupted deletes the rest, and a second one finds nothing.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ops.deployed import Deployed, add_arguments, deployed, run
from ops.key_table import NoStack
from zoom_common.archive.ledger import Ledger
from zoom_common.archive.retention import Copies
from zoom_common.aws.s3 import StoredObject
from zoom_common.aws.table import EVENTS, Table
from zoom_common.connections.model import Publish
from zoom_common.connections.queues import RevokeQueue
from zoom_common.erasure.runner import Erasure
from zoom_common.erasure_target import ErasureTarget
from zoom_common.errors import DependencyFailed, InvalidRequest
from zoom_common.events.bus import BusPublisher
from zoom_common.events.connection_events import to_event
from zoom_common.jobs.engine_client import JobFiles


def main(given: list[str] | None = None) -> int:
    """Return the exit status: 1 when the erasure is not complete and has to be run again."""
    parser = argparse.ArgumentParser(prog="make erase", description=__doc__)
    parser.add_argument("tenant")
    parser.add_argument("--zoom-user", help="one person of the tenant, by Zoom user id")
    parser.add_argument("--email", help="one person by e-mail address; with --zoom-user, the same person")
    parser.add_argument("--whole-tenant", action="store_true", help="everything of the tenant, its API keys too")
    parser.add_argument("--dry-run", action="store_true", help="count what would be deleted, and change nothing")
    parser.add_argument("--yes", action="store_true", help="do it")
    add_arguments(parser)
    arguments = parser.parse_args(given)
    if arguments.whole_tenant == bool(arguments.zoom_user or arguments.email):
        parser.error("name a person (--zoom-user, --email or both) or give --whole-tenant")
    target = _target(parser, arguments)
    if not (arguments.yes or arguments.dry_run):
        print("Nothing is deleted without --yes; --dry-run counts. It cannot be undone.", file=sys.stderr)
        return 1
    try:
        stack = deployed(arguments)
        erasure = Erasure(
            dynamodb=stack.client("dynamodb"),
            connections_table=stack.resource("ConnectionsTable"),
            events_table=stack.resource("EventsTable"),
            coordination_table=stack.resource("CoordinationTable"),
            publish=_publisher(BusPublisher(stack.resource("EventBus"), stack.client("events"))),
            revokes=RevokeQueue(stack.client("sqs"), stack.resource("EscrowQueue")),
            clock=time.time,
            copies=_copies(stack),
            files=JobFiles(stack.client("s3"), stack.resource("JobsBucket")) if stack.has("JobsBucket") else None,
        )
        dry = arguments.dry_run
        answer = erasure.dry_run(target, should_stop=lambda: False) if dry else erasure.erase(target)
        print(json.dumps(answer, indent=2))
    except (NoStack, DependencyFailed) as problem:
        print(problem, file=sys.stderr)
        return 1
    return 0


def _target(parser: argparse.ArgumentParser, arguments: argparse.Namespace) -> ErasureTarget:
    if arguments.whole_tenant:
        return ErasureTarget.tenant_as_a_whole(arguments.tenant)
    try:
        return ErasureTarget.person(arguments.tenant, zoom_user_id=arguments.zoom_user, email=arguments.email)
    except InvalidRequest as wrong:
        parser.error("; ".join(f"{each.field}: {each.message}" for each in wrong.fields))


def _copies(stack: Deployed) -> Copies | None:
    """Return the copies of recordings in the archive, if the stack has one."""
    if not stack.has("ArchiveBucket"):
        return None
    ledger = Ledger(Table(stack.client("dynamodb"), stack.resource("EventsTable"), EVENTS))
    return Copies(ledger, _Objects(stack.client("s3"), stack.resource("ArchiveBucket")), time.time)


@dataclass(frozen=True, slots=True)
class _Objects:
    """The bucket, by boto3 with the operator's own credentials: the part of `retention.Storage` that erasures need."""

    s3: Any
    bucket: str

    def head(self, key: str) -> StoredObject | None:
        raise NotImplementedError(key)

    def versions(self, prefix: str) -> Iterator[tuple[str, str]]:
        for page in self.s3.get_paginator("list_object_versions").paginate(Bucket=self.bucket, Prefix=prefix):
            for each in (*page.get("Versions", []), *page.get("DeleteMarkers", [])):
                yield each["Key"], each["VersionId"]

    def delete(self, key: str, version: str) -> None:
        self.s3.delete_object(Bucket=self.bucket, Key=key, VersionId=version)

    def uploads(self, prefix: str) -> Iterator[tuple[str, str, float]]:
        for page in self.s3.get_paginator("list_multipart_uploads").paginate(Bucket=self.bucket, Prefix=prefix):
            for each in page.get("Uploads", []):
                yield each["Key"], each["UploadId"], each["Initiated"].timestamp()

    def abort(self, key: str, upload_id: str) -> None:
        self.s3.abort_multipart_upload(Bucket=self.bucket, Key=key, UploadId=upload_id)


def _publisher(bus: BusPublisher) -> Publish:
    return lambda change: bus.publish([to_event(change)])


if __name__ == "__main__":
    run(main)
