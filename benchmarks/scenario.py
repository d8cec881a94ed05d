"""The world the functions run in: one connected tenant, the secrets, the local servers, and a Lambda's environment."""

from __future__ import annotations

import base64
import contextlib
import http.client
import json
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.authority import Authority
from benchmarks.deliveries import ZOOM_SECRET
from benchmarks.events import API_KEY, CLIENT_ID, CONNECTION, TENANT
from benchmarks.workspace import ROOT
from zoom_common.access import key_store as key_items
from zoom_common.access.keys import issue
from zoom_common.aws.items import to_item
from zoom_common.connections.cipher import SealContext, SealKind, seal
from zoom_common.connections.model import Connection, Kind, State
from zoom_common.connections.store import claim_key, partition, to_values
from zoom_common.secret import Secret

ZOOM_USER, ZOOM_ACCOUNT = "30R7kT7bTIKSNUFEuH_Qlg", "AAAAAABBBB"
_DATA_KEY = bytes(range(32))
_SCOPES = frozenset(
    {
        "meeting:write:meeting",
        "meeting:read:meeting",
        "meeting:read:list_meetings",
        "webinar:read:webinar",
        "webinar:write:webinar",
    }
) | {
    "user:read:user",
    "cloud_recording:read:list_recording_files",
    "report:read:meeting:admin",
}


@dataclass(frozen=True, slots=True)
class Servers:
    """The local servers: one address, over TLS or not, and what it has counted."""

    url: str
    authority: Authority

    def counts(self, *, reset: bool = False) -> dict[str, dict[str, int]]:
        """Requests by operation, connections by service, and items read and written, since the last reset."""
        counted: dict[str, dict[str, int]] = self._asked("/_bench/reset" if reset else "/_bench/counts", None)
        return counted

    @contextlib.contextmanager
    def waiting(self, milliseconds: Mapping[str, float], *, tail: bool) -> Iterator[None]:
        """Let services take their time, by their names in `counts`; with a `tail`, some answers take much longer."""
        self._asked("/_bench/waits", {"ms": dict(milliseconds), "tail": tail})
        try:
            yield
        finally:
            self._asked("/_bench/waits", {})

    def _asked(self, path: str, body: Mapping[str, Any] | None) -> Any:
        host = self.url.partition("://")[2]
        if self.url.startswith("https"):
            context = ssl.create_default_context(cafile=str(self.authority.certificate))
            asked: http.client.HTTPConnection = http.client.HTTPSConnection(host, context=context, timeout=10)
        else:
            asked = http.client.HTTPConnection(host, timeout=10)
        with contextlib.closing(asked):
            asked.request("POST", path, None if body is None else json.dumps(body))
            return json.loads(asked.getresponse().read())


@contextlib.contextmanager
def servers(authority: Authority, *, plain: bool = False, core: int | None = None) -> Iterator[Servers]:
    """The servers, in a process of their own, stopped in the end."""
    command = ["taskset", "-c", str(core)] if core is not None else []
    command += [sys.executable, "-m", "benchmarks.backend"]
    command += ["--plain"] if plain else ["--chain", str(authority.chain), "--key", str(authority.key)]
    process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdin is not None  # noqa: S101 - it was asked for
        assert process.stdout is not None  # noqa: S101 - so was this
        json.dump(_seed(), process.stdin)
        process.stdin.close()
        port = process.stdout.readline().strip()
        if not port:
            raise RuntimeError("the servers did not start")
        yield Servers(f"{'http' if plain else 'https'}://localhost:{port}", authority)
    finally:
        process.terminate()
        process.wait()
        if process.stdout:
            process.stdout.close()


def lambda_environment(name: str, servers: Servers, *, packages: Path | None = None) -> dict[str, str]:
    """All variables of a starting Lambda with the settings that the template gives to `name`."""
    base = {
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "LANG": "en_US.UTF-8",
        "TZ": ":UTC",
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "not-a-secret",
        "AWS_SESSION_TOKEN": "not-a-token",
        "AWS_EXECUTION_ENV": "AWS_Lambda_python3.13",
        "AWS_LAMBDA_FUNCTION_NAME": name,
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "_HANDLER": "handler.handler",
        # Lambda's disk is read-only: what comes without bytecode is compiled at every start.
        "PYTHONDONTWRITEBYTECODE": "1",
        "SSL_CERT_FILE": str(servers.authority.bundle),
        "AWS_CA_BUNDLE": str(servers.authority.bundle),
        "AWS_ENDPOINT_URL": servers.url,
        "NODE_EXTRA_CA_CERTS": str(servers.authority.certificate),
    }
    return base | dict(settings(servers)) | ({"PYTHONPATH": str(packages)} if packages else {})


def settings(servers: Servers) -> Mapping[str, str]:
    """The variables that the template sets, for any function."""
    return {
        "STAGE": "local",
        "PUBLIC_BASE_URL": "https://gateway.example",
        "CONNECTIONS_TABLE": "connections",
        "EVENTS_TABLE": "events",
        "COORDINATION_TABLE": "coordination",
        "DATA_KEY_ID": "arn:aws:kms:us-east-1:000000000000:key/data",
        "REFRESH_KEY_ID": "arn:aws:kms:us-east-1:000000000000:key/refresh",
        "TOKEN_REFRESH_FUNCTION": "token-refresh",
        "EVENT_BUS": "bus",
        "INGEST_QUEUE_URL": f"{servers.url}/000000000000/ingest",
        "OPERATOR_QUEUES": "ingest=ingest,escrow=escrow",
        "REFRESH_QUEUE_URL": f"{servers.url}/000000000000/refresh",
        "ESCROW_QUEUE_URL": f"{servers.url}/000000000000/escrow",
        "ZOOM_CLIENT_ID": CLIENT_ID,
        "ZOOM_APP_SECRET_ARN": "app-secret",
        "ZOOM_WEBHOOK_SECRET_ARN": "webhook-secret",
        "ZOOM_SDK_SECRET_ARN": "sdk-secret",
        "RECONCILE_QUEUE_URL": f"{servers.url}/000000000000/reconcile",
        "ERASURE_QUEUE_URL": f"{servers.url}/000000000000/erasures",
        "ARCHIVE_QUEUE_URL": f"{servers.url}/000000000000/archive",
        "ARCHIVE_BUCKET": "archive",
        "JOBS_BUCKET": "jobs",
        "JOBS_STATE_MACHINE": "arn:aws:states:us-east-1:000000000000:stateMachine:jobs",
        "ZOOM_API_BASE_URL": f"{servers.url}/v2",
        "ZOOM_OAUTH_URL": f"{servers.url}/oauth",
        "POWERTOOLS_SERVICE_NAME": "benchmark",
        "POWERTOOLS_METRICS_NAMESPACE": "ZoomGateway/benchmark",
        "POWERTOOLS_LOG_LEVEL": "INFO",
    }


def _seed() -> dict[str, Any]:
    item = _json(to_item(to_values(a_connection(CONNECTION, due_at=time.time() + 3600))))
    claim = {"pk": claim_key(CLIENT_ID, ZOOM_USER)[0], "sk": "claim", "tenant": TENANT, "connection_id": CONNECTION}
    key = issue(API_KEY, tenant=TENANT, name="benchmark", scopes=["*"], now=time.time())
    app = {"client_id": CLIENT_ID, "client_secret": "not-a-secret"}
    return {
        "items": {
            f"{partition(TENANT)}|{CONNECTION}": item,
            f"{claim['pk']}|claim": _json(to_item(claim)),
            f"apikey#{key.key_id}|apikey": _json(key_items.to_item(key)),
        },
        "queries": {partition(TENANT): [item]},
        "data_key": base64.b64encode(_DATA_KEY).decode(),
        "secrets": {
            "webhook-secret": json.dumps({"apps": [{"app": CLIENT_ID, "secrets": [{"secret": ZOOM_SECRET}]}]}),
            "app-secret": json.dumps(app),
            "sdk-secret": json.dumps(app),
        },
    }


def a_connection(connection_id: str, *, due_at: float) -> Connection:
    """A connection of the tenant, connected now."""
    now = time.time()
    return Connection(
        tenant=TENANT,
        connection_id=connection_id,
        owner="key:benchmark",
        kind=Kind.USER,
        state=State.CONNECTED,
        reason=None,
        client_id=CLIENT_ID,
        zoom_user_id=ZOOM_USER,
        zoom_account_id=ZOOM_ACCOUNT,
        scopes=_SCOPES,
        api_url=None,
        grant_id="grant",
        version=1,
        access_expires_at=now + 864_000,
        refresh_issued_at=now,
        created_at=now,
        authorized_at=now,
        state_changed_at=now,
        last_used_at=now,
        sealed_access=_sealed(connection_id, SealKind.ACCESS),
        sealed_refresh=_sealed(connection_id, SealKind.REFRESH),
        due_at=due_at,
    )


def _sealed(connection_id: str, kind: SealKind) -> bytes:
    token = Secret(f"zoom-{kind}-" + "x" * 600)  # about as long as Zoom's are
    context = SealContext(TENANT, connection_id, kind)
    return seal(token, key=_DATA_KEY, wrapped_key=b"w" * 184, context=context, nonce=bytes(12))


def _json(item: Mapping[str, Any]) -> dict[str, Any]:
    """An item as DynamoDB writes it in JSON: bytes in base64."""

    def plain(value: Any) -> Any:
        if isinstance(value, bytes):
            return base64.b64encode(value).decode()
        if isinstance(value, Mapping):
            return {name: plain(each) for name, each in value.items()}
        if isinstance(value, list | tuple | set | frozenset):
            return [plain(each) for each in value]
        return value

    return {name: plain(value) for name, value in item.items()}
