"""`zoom-simulator`: run the simulated Zoom on this machine."""

from __future__ import annotations

import argparse
import contextlib
import signal
import socket
import sys
from pathlib import Path

import uvicorn

from zoom_simulator import control_client, snapshot
from zoom_simulator.app import Server, create
from zoom_simulator.behaviour import Behaviour
from zoom_simulator.faults import numbers
from zoom_simulator.seed import Settings

DEFAULT_PORT = 3001


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; the exit status."""
    given = sys.argv[1:] if arguments is None else arguments
    if given and given[0] == "do":
        return control_client.main(given[1:])
    options = parser().parse_args(given)
    try:
        listener = listen(options.host, options.port)
        server = build(options)
    except ValueError as problem:
        print(f"cannot start: {problem}", file=sys.stderr)
        return 2
    print(f"simulated Zoom at {server.sim.base_url} (client id {server.sim.app.client_id})", flush=True)
    config = uvicorn.Config(
        server,
        log_level="warning",
        access_log=False,
        lifespan="on",
        timeout_graceful_shutdown=2,
        server_header=False,
    )
    signal.signal(signal.SIGTERM, lambda *_: None)  # what uvicorn raises again once it has stopped in good order
    with contextlib.suppress(KeyboardInterrupt):
        uvicorn.Server(config).run([listener])
    return 0


def listen(host: str, port: int) -> socket.socket:
    """A socket to serve on. ValueError when the port is taken or the address is not this machine's."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=2048)
    except OSError as problem:
        text = f"cannot listen on {host}, port {port} ({problem.strerror}); choose another with --port"
        raise ValueError(text) from None


def build(options: argparse.Namespace) -> Server:
    """The server these options describe. ValueError when the state file cannot be read."""
    settings = Settings(
        client_id=options.client_id,
        client_secret=options.client_secret,
        redirect_uris=tuple(options.redirect_uri),
        webhook_url=options.webhook_url,
        webhook_secret=options.webhook_secret,
        account_id=options.account_id,
        plan=options.plan,
        scopes=tuple(options.scope),
        published=options.published,
        base_url=options.base_url or f"http://localhost:{options.port}",
    )
    behaviour = Behaviour(enforce_limits=not options.no_limits)
    behaviour.change({"retry_scale": options.retry_scale})
    behaviour.change_text(_pairs(options.set))
    path = Path(options.state_file) if options.state_file else None
    state = snapshot.load(path) if path else None
    server = create(settings, state_file=path, state=state, behaviour=behaviour, seed=options.seed)
    for text in options.fault:
        name, *rest = text.split(",")
        server.sim.faults.add({"fault": name, **numbers(_pairs(rest))})
    return server


def _pairs(texts: list[str]) -> dict[str, str]:
    for text in texts:
        if "=" not in text:
            raise ValueError(f"{text} is not NAME=VALUE")
    return dict(text.split("=", 1) for text in texts)


def parser() -> argparse.ArgumentParser:
    """The options of the command line."""
    default = Settings()
    made = argparse.ArgumentParser(
        prog="zoom-simulator",
        description="A simulated Zoom on this machine.",
        epilog="`zoom-simulator do --help` drives one that runs.",
    )
    made.add_argument("--host", default="127.0.0.1", help="address to listen on (default: the loopback only)")
    made.add_argument("--port", type=int, default=DEFAULT_PORT)
    made.add_argument("--base-url", default="", help="how others reach it (default: http://localhost:PORT)")
    made.add_argument("--client-id", default=default.client_id)
    made.add_argument("--client-secret", default=default.client_secret)
    made.add_argument("--redirect-uri", action="append", default=[], metavar="URL", help="may be repeated")
    made.add_argument("--scope", action="append", default=[], help="a scope of the app (default: all); repeatable")
    made.add_argument("--webhook-url", default="", metavar="URL")
    made.add_argument("--webhook-secret", default=default.webhook_secret)
    made.add_argument("--account-id", default="", help="the id of a new account (default: a random one)")
    made.add_argument("--plan", choices=("free", "pro", "business"), default="pro")
    made.add_argument("--published", action="store_true", help="a published app: revoking notifies it")
    made.add_argument("--retry-scale", type=float, default=1.0, help="multiplies the 5, 20 and 60 minutes")
    made.add_argument("--no-limits", action="store_true", help="do not enforce rate limits")
    made.add_argument("--state-file", default="", metavar="FILE", help="load it at start, save it at the end")
    made.add_argument("--seed", type=int, default=None, help="make ids and tokens the same every time")
    made.add_argument(
        "--set", action="append", default=[], metavar="SWITCH=VALUE", help="a switch; docs/reference.md lists them"
    )
    made.add_argument(
        "--fault",
        action="append",
        default=[],
        metavar="NAME[,FIELD=VALUE...]",
        help="in force from the start; repeatable",
    )
    return made
