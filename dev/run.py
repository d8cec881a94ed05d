"""`make run`: runs the whole gateway on this machine, until Ctrl-C."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading
import time
from pathlib import Path

from dev import configuration, emulator, walkthrough
from dev import deploy_local as deploy
from dev.configuration import Configuration
from dev.identity import provider
from dev.processes import Supervisor, port_is_free
from dev.workspace import Workspace
from ops.console import Stop, say, step
from ops.key_table import on_local_stack
from ops.project import ROOT
from zoom_common.access.keys import Credential, issue

TENANT = "local"
_LAST_PORT = 65_535


def main() -> int:
    """Start everything, print the walk-through, wait, and stop everything. Return 1 when a start failed."""
    arguments = _arguments()
    stopping = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: _interrupt(stopping))
    if arguments.until_input_ends:
        threading.Thread(target=_interrupt_when_input_ends, daemon=True).start()
    workspace = Workspace(arguments.folder.resolve())
    supervisor = Supervisor(workspace)
    try:
        with workspace.locked():
            return _run(arguments, workspace, supervisor, stopping)
    except _Interrupted:
        return 0
    except Stop as stop:
        say(f"\n{stop}\n{stop.fix}")
        return 1


class _Interrupted(BaseException):
    """Ctrl-C during the start. It unwinds like KeyboardInterrupt, once."""


def _interrupt(stopping: threading.Event) -> None:
    if not stopping.is_set():
        stopping.set()
        raise _Interrupted


def _interrupt_when_input_ends() -> None:
    while os.read(sys.stdin.fileno(), 4096):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


def _run(arguments: argparse.Namespace, workspace: Workspace, supervisor: Supervisor, stopping: threading.Event) -> int:
    if len({arguments.port, arguments.zoom_port, arguments.aws_port}) < 3:  # noqa: PLR2004
        raise Stop("Three programs need three ports.", "For example: make run PORT=3000 ZOOM_PORT=3001 AWS_PORT=4566")
    supervisor.stop_leftovers()
    if arguments.fresh:
        workspace.forget()
    settings = configuration.load(
        workspace,
        port=arguments.port,
        zoom_port=arguments.zoom_port,
        aws_port=arguments.aws_port,
        identity_port=provider.port(workspace, arguments.identity_port),
    )
    _check_ports(settings)
    try:
        say("Starting the gateway on this machine.\n")
        _start(workspace, supervisor, settings, arguments.record_requests)
        say(walkthrough.text(settings, workspace.read("stack.json")))
        while (died := supervisor.died()) is None and not stopping.wait(0.5):
            pass
        if died is not None:
            raise Stop(f"{died} stopped by itself.", f"Read {workspace.log(died)}, then start again.")
    except _Interrupted:
        pass
    finally:
        stopping.set()  # from here on a second Ctrl-C must not interrupt the saving
        say()
        with step("Saving and stopping"):
            supervisor.stop_all()
    return 0


def _start(workspace: Workspace, supervisor: Supervisor, settings: Configuration, requests: Path | None = None) -> None:
    if not emulator.is_installed():
        with step("Installing the AWS emulator (once)"):
            emulator.install(workspace)
    with step("Starting the AWS emulator"):
        emulator.start(supervisor, workspace, settings.aws_port, requests)
    if not deploy.is_current(workspace, settings):
        with step("Building the functions and their layer (sam build)"):
            deploy.build(workspace)
        with step("Deploying the template to the emulator (sam deploy)"):
            deploy.deploy(workspace, settings)
    outputs = deploy.outputs(settings.aws_port)
    if settings.identity_port is not None:
        with step("Starting the development identity provider"):
            _start_identity(workspace, supervisor, settings)
    with step("Opening the front door"):
        _start_front_door(workspace, supervisor, settings, outputs)
    stack = _stack(settings, outputs)
    with step("Making sure there is an API key"):
        stack["api_key"] = _api_key(workspace, stack)
    workspace.write("stack.json", stack)
    if settings.simulated:
        with step("Starting the simulated Zoom"):
            _start_zoom(workspace, supervisor, settings, stack)


def _start_front_door(
    workspace: Workspace, supervisor: Supervisor, settings: Configuration, outputs: dict[str, str]
) -> None:
    webhook_url_id = outputs["WebhookUrl"].removeprefix("https://").partition(".")[0]
    supervisor.start(
        "front-door",
        [sys.executable, "-m", "dev.front_door", "--port", str(settings.port)]
        + ["--emulator", emulator.url(settings.aws_port), "--api-id", outputs["HttpApiId"]]
        + ["--webhook-url-id", webhook_url_id, "--folder", str(workspace.folder)],
        _environment(),
    )
    supervisor.wait_until_answers("front-door", f"http://127.0.0.1:{settings.port}/health")


def _start_identity(workspace: Workspace, supervisor: Supervisor, settings: Configuration) -> None:
    issuer = settings.settings["OIDC_ISSUER"]
    supervisor.start(
        "identity",
        [sys.executable, "-m", "dev.identity", "--port", str(settings.identity_port)]
        + ["--folder", str(workspace.folder), "--tenant", TENANT, "--audience", settings.settings["OIDC_AUDIENCE"]]
        + ["--redirect-uri", f"{settings.front_door}/app/signed-in"],
        _environment(),
    )
    supervisor.wait_until_answers("identity", f"{issuer}/.well-known/openid-configuration")


def _start_zoom(workspace: Workspace, supervisor: Supervisor, settings: Configuration, stack: dict[str, str]) -> None:
    app = settings.settings
    supervisor.start(
        "zoom",
        [sys.executable, "-m", "zoom_simulator", "--host", "127.0.0.1", "--port", str(settings.zoom_port)]
        # With "=", because a random secret may begin with a dash.
        + [f"--client-id={app['ZOOM_CLIENT_ID']}", f"--client-secret={app['ZOOM_CLIENT_SECRET']}"]
        + [f"--webhook-secret={app['ZOOM_WEBHOOK_SECRET_TOKEN']}"]
        + ["--redirect-uri", settings.redirect_uri, "--webhook-url", stack["webhook_url"]]
        + ["--state-file", str(workspace.path("zoom-state.json"))],
        _environment(),
    )
    supervisor.wait_until_answers("zoom", f"http://127.0.0.1:{settings.zoom_port}/_sim/health")


def _stack(settings: Configuration, outputs: dict[str, str]) -> dict[str, str]:
    return {
        "api_url": settings.front_door,
        "webhook_url": f"{settings.front_door}/webhooks/zoom",
        "webhook_secret": settings.settings["ZOOM_WEBHOOK_SECRET_TOKEN"],
        "zoom_url": settings.zoom_url,
        "web_url": f"{settings.front_door}/app/",
        "oidc_issuer": settings.settings["OIDC_ISSUER"],
        "oidc_client_id": settings.settings["OIDC_WEB_CLIENT_ID"],
        "oidc_scope": settings.settings["OIDC_WEB_SCOPE"],
        "oidc_parameters": settings.settings["OIDC_WEB_PARAMETERS"],
        "zoom_client_id": settings.settings["ZOOM_CLIENT_ID"],
        "zoom_authorize_url": settings.settings["ZOOM_OAUTH_URL"].removesuffix("/") + "/authorize",
        "tenant": TENANT,
        "aws_endpoint_url": emulator.url(settings.aws_port),
        "aws_region": emulator.REGION,
        "aws_access_key_id": emulator.CREDENTIALS["AWS_ACCESS_KEY_ID"],
        "aws_secret_access_key": emulator.CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
        "stack_name": deploy.STACK,
        "integration_queue_url": outputs["IntegrationEventsQueueUrl"],
        "event_bus": outputs["EventBusName"],
        "connections_table": outputs["ConnectionsTable"],
        "events_table": outputs["EventsTable"],
        "coordination_table": outputs["CoordinationTable"],
        "token_refresh_function": outputs["TokenRefreshFunctionName"],
    }


def _api_key(workspace: Workspace, stack: dict[str, str]) -> str:
    """Return the key of the run before while its table is the same one, else a new key with every scope."""
    former = workspace.read("stack.json")
    if former.get("api_key") and former.get("connections_table") == stack["connections_table"]:
        return str(former["api_key"])
    credential = Credential.generate()
    key = issue(credential, tenant=TENANT, name="local", scopes=["*"], now=time.time())
    on_local_stack(stack).add(key)
    return credential.text().reveal()


def _check_ports(settings: Configuration) -> None:
    wanted = {"PORT": settings.port, "AWS_PORT": settings.aws_port}
    if settings.simulated:
        wanted["ZOOM_PORT"] = settings.zoom_port
    for name, port in wanted.items():
        if not port_is_free(port):
            raise Stop(
                f"Port {port} is taken by another program.",
                f"Stop that program, or choose another port: make run {name}={port + 100}",
            )


def _environment() -> dict[str, str]:
    kept = ("PATH", "HOME", "LANG", "TMPDIR")
    here = {"PYTHONUNBUFFERED": "1", "PYTHONPATH": f"{ROOT / 'layers' / 'zoom_common'}{os.pathsep}{ROOT}"}
    return {name: os.environ[name] for name in kept if name in os.environ} | here


def _port(text: str) -> int:
    """Return a port. For any other text, end the program with one sentence."""
    if not text.isascii() or not text.isdecimal() or not 1 <= int(text[:6]) <= _LAST_PORT:
        raise SystemExit(
            f"{text[:20]!r} is not a port: choose a whole number from 1 to {_LAST_PORT}, such as PORT=3000."
        )
    return int(text)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m dev.run", description=__doc__)
    parser.add_argument("--port", type=_port, default=3000, help="the front door")
    parser.add_argument("--zoom-port", type=_port, default=3001, help="the simulated Zoom")
    parser.add_argument("--aws-port", type=_port, default=4566, help="the AWS emulator")
    parser.add_argument("--identity-port", type=_port, help="the development identity provider (default: the last one)")
    parser.add_argument("--folder", type=Path, default=ROOT / ".local", help="where the run keeps its state")
    parser.add_argument("--fresh", action="store_true", help="forget what earlier runs stored in that folder")
    parser.add_argument(
        "--record-requests", type=Path, help="a file for what each function asks of AWS, which tests judge"
    )
    parser.add_argument(
        "--until-input-ends",
        action="store_true",
        help="stop when standard input ends: give it a pipe, and the run ends with the program that started it",
    )
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
