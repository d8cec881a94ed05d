"""`make dlq`: lists dead letters, and, once the cause is gone, moves one or all back, or discards them.

Nothing is changed without `--yes`: every command first says what it would do. Only `show` shows bodies, which hold
personal data.
"""

from __future__ import annotations

import argparse
import json
import sys
from datetime import UTC, datetime

from ops.deployed import Deployed, add_arguments, deployed, run
from ops.key_table import NoStack
from zoom_common.console.dead_letters import QUEUES, DeadLetter, DeadLetters


def main(given: list[str] | None = None) -> int:
    """Return the exit status: 1 when there was no such message or nothing was changed."""
    arguments = _parser().parse_args(given)
    try:
        stack = deployed(arguments)
        if arguments.command == "list":
            return _list(stack)
        source, dead = (stack.resource(name) for name in QUEUES[arguments.queue])
        with DeadLetters(stack.client("sqs"), source, dead) as letters:
            found = [each for each in letters.read() if arguments.id in {"all", each.id}]
            for letter in found:
                _act(arguments, letters, letter)
    except NoStack as problem:
        print(problem, file=sys.stderr)
        return 1
    if not found:
        print("No such message.", file=sys.stderr)
    elif arguments.command != "show" and not arguments.yes:
        print("Nothing was changed. The same with --yes does it.", file=sys.stderr)
    return 0 if found else 1


def _act(arguments: argparse.Namespace, letters: DeadLetters, letter: DeadLetter) -> None:
    if arguments.command == "show":
        print(json.dumps({"id": letter.id, **letter.about}), letter.message["Body"], sep="\n")
        return
    done = {"redrive": "redriven", "discard": "discarded"}[arguments.command]
    line = {"at": datetime.now(UTC).isoformat(timespec="seconds"), "queue": arguments.queue, "id": letter.id}
    line |= {done: arguments.yes, **letter.about}
    if arguments.command == "discard":
        line["reason"] = arguments.reason
    if arguments.yes:
        getattr(letters, arguments.command)(letter)
    print(json.dumps(line))


def _list(stack: Deployed) -> int:
    for name, (source, dead) in QUEUES.items():
        if not stack.has(dead):
            continue
        with DeadLetters(stack.client("sqs"), stack.resource(source), stack.resource(dead)) as letters:
            found = list(letters.read())
        print(f"{name}: {len(found)}")
        for letter in found:
            print("  " + json.dumps({"id": letter.id, **letter.about}))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="make dlq", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("list", help="list every dead-letter queue")
    for name, text in (
        ("show", "a message with its body"),
        ("redrive", "move back to the queue it came from"),
        ("discard", "take off for good, with a reason; the line printed is the record of it"),
    ):
        command = commands.add_parser(name, help=text)
        command.add_argument("queue", choices=QUEUES)
        command.add_argument("id", help="a message's id, or all")
        if name != "show":
            command.add_argument("--yes", action="store_true", help="do it; without, only say what would be done")
        if name == "discard":
            command.add_argument("--reason", required=True, help="why it may be lost")
        add_arguments(command)
    add_arguments(commands.choices["list"])
    return parser


if __name__ == "__main__":
    run(main)
