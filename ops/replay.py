"""`make replay`: publishes events of the log again, one or a range, with their ids. Without `--yes` it is a dry run.

Every subscriber gets them. Subscribers recognise them by the ids that they have handled.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from dataclasses import replace

from ops.deployed import add_arguments, deployed, run
from ops.key_table import NoStack
from zoom_common.aws.table import EVENTS, Table
from zoom_common.deadline import Deadline
from zoom_common.edge.own_requests import log_query_of
from zoom_common.edge.request_fields import Fields, event_id
from zoom_common.errors import InvalidRequest, NotFound
from zoom_common.events.bus import BusPublisher
from zoom_common.events.log.index import LogIndex
from zoom_common.events.log.query import LARGEST_PAGE
from zoom_common.events.log.reader import LogReader
from zoom_common.events.log.store import EventLog

_HOUR = 3600.0


def main(given: list[str] | None = None) -> int:
    """Return the exit status: 1 when there is nothing to replay."""
    parser = argparse.ArgumentParser(prog="make replay", description=__doc__)
    parser.add_argument("tenant")
    parser.add_argument("--id", help="one event")
    parser.add_argument("--from", dest="since", help="received from this moment on, as 2026-09-21T00:00:00Z")
    parser.add_argument("--to", help="until before this moment")
    parser.add_argument("--type", help="Zoom's name; a star at its end matches every name with that beginning")
    parser.add_argument("--meeting", help="of one meeting")
    parser.add_argument("--yes", action="store_true", help="do it; without, only say what would be done")
    add_arguments(parser)
    arguments = parser.parse_args(given)
    if not arguments.id and not arguments.since:
        parser.error("say which: --id, or --from and what else narrows it")
    try:
        stack = deployed(arguments)
        table = Table(stack.client("dynamodb"), stack.resource("EventsTable"), EVENTS)
        archive = LogReader(EventLog(table, clock=time.time), LogIndex(table))
        publisher = BusPublisher(stack.resource("EventBus"), stack.client("events"))
        replayed = _one(archive, publisher, arguments) if arguments.id else _range(archive, publisher, arguments)
    except (NoStack, NotFound, InvalidRequest) as problem:
        print(problem, file=sys.stderr)
        return 1
    print(f"{replayed} replayed." if arguments.yes else f"{replayed} would be replayed. The same with --yes does it.")
    return 0


def _one(archive: LogReader, publisher: BusPublisher, arguments: argparse.Namespace) -> int:
    event = archive.event(arguments.tenant, event_id(arguments.id))
    print(json.dumps({"id": event.id, "type": event.type, "time": event.time}))
    if arguments.yes:
        publisher.publish([event])
    return 1


def _range(archive: LogReader, publisher: BusPublisher, arguments: argparse.Namespace) -> int:
    asked = {"from": arguments.since, "to": arguments.to, "type": arguments.type, "meeting": arguments.meeting}
    fields = Fields({name: value for name, value in asked.items() if value})
    query = log_query_of(fields, now=time.time(), retention_days=400)
    query, replayed = replace(query, page_size=LARGEST_PAGE), 0
    while True:
        if arguments.yes:
            done = archive.replay(arguments.tenant, query, publisher.publish, Deadline.after(_HOUR))
            count, after = done.count, done.after
        else:
            found = archive.page(arguments.tenant, query)
            count, after = len(found.events), found.after
        replayed += count
        if after is None:
            return replayed
        query = replace(query, after=after)


if __name__ == "__main__":
    run(main)
