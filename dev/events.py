"""`make events`: prints each event as the integration queue gets it, one CloudEvent a line, from a queue of its own."""

from __future__ import annotations

import contextlib
import json
import sys

from dev.event_queue import event_queue
from ops.key_table import NoStack, local_stack


def main() -> int:
    """Print events until Ctrl-C. Return 1 when the gateway does not run, or stops meanwhile."""
    try:
        with contextlib.suppress(KeyboardInterrupt), event_queue(local_stack(), "events") as queue:
            print("Waiting for events. The integration queue keeps its own copies. Ctrl-C ends this.", file=sys.stderr)
            while True:
                for event in queue.receive(wait=10):
                    print(json.dumps(event, ensure_ascii=False), flush=True)
    except NoStack as problem:
        print(problem, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
