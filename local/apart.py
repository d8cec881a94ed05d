"""`make apart`: events that are signed by Zoom and belong to nobody, or cannot be read: what they are, and one in full.

They were published to no one. Typical causes: a person whose connection is gone, an app subscribed for a whole account
whose other users never connected, and events that name no user at all.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter

from local.deployed import add_arguments, deployed
from local.key_table import NoStack
from zoom_common.events.log_entry import malformed, unrouted
from zoom_common.events.log_index_store import LogIndex
from zoom_common.events.log_query import LARGEST_PAGE, LogQuery
from zoom_common.events.log_store import EventLog


def main(given: list[str] | None = None) -> int:
    """Exit status 1 when the event asked for does not exist."""
    parser = argparse.ArgumentParser(prog="make apart", description=__doc__)
    parser.add_argument("app", help="the Zoom app's client id")
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--show", metavar="ID", help="one of them with its content, which holds personal data")
    add_arguments(parser)
    arguments = parser.parse_args(given)
    try:
        stack = deployed(arguments)
        table, dynamodb = stack.resource("EventsTable"), stack.client("dynamodb")
    except NoStack as problem:
        print(problem, file=sys.stderr)
        return 1
    if arguments.show:
        log = EventLog(table, dynamodb, clock=time.time)
        owners = unrouted(arguments.app), malformed(arguments.app)
        found = next((entry for owner in owners if (entry := log.get(owner, arguments.show))), None)
        print(found.content.decode(errors="replace") if found else "No such event.")
        return 0 if found else 1
    for owner in (unrouted(arguments.app), malformed(arguments.app)):
        _list(owner, LogIndex(table, dynamodb), arguments.days)
    return 0


def _list(owner: str, index: LogIndex, days: int) -> None:
    types: Counter[str] = Counter()
    token: str | None = ""
    while token is not None:
        asked = {"page_size": str(LARGEST_PAGE), "next_page_token": token}
        page = index.search(owner, LogQuery.from_mapping(asked, now=time.time(), retention_days=days))
        for line in page.lines:
            types[line.type] += 1
            received = time.strftime("%FT%TZ", time.gmtime(line.received_at_ms / 1000))
            about = {"id": line.event_id, "type": line.type, "subject": line.subject, "received_at": received}
            print(json.dumps(about))
        token = page.next_page_token
    print(f"{owner}: {sum(types.values())}", *(f"  {count} {name}" for name, count in types.most_common()), sep="\n")


if __name__ == "__main__":
    sys.exit(main())
