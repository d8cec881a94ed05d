"""Make, list, revoke and rotate API keys: `python -m ops.api_keys --help`.

A new key is printed once, alone on standard output. All other messages go to standard error.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from time import time

from botocore.exceptions import BotoCoreError, ClientError, EndpointConnectionError, NoCredentialsError, NoRegionError

from ops.key_table import OR_ON_AWS, NoStack, local_stack, on_aws, on_local_stack
from zoom_common.access.key_store import ApiKeyStore
from zoom_common.access.keys import ApiKey, Credential, issue
from zoom_common.access.principal import OPERATOR_SCOPES, SCOPES
from zoom_common.errors import DependencyFailed, FieldError, GatewayError, InternalError, InvalidRequest, Unavailable

_DAY, _HOUR = 86_400, 3_600

type Act = Callable[[argparse.Namespace, ApiKeyStore, float], None]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return the exit status."""
    given = _parser().parse_args(arguments)
    act: Act = given.act
    try:
        if given.stack_name:
            keys = on_aws(given.stack_name, region=given.region)
        else:
            stack = local_stack(otherwise=OR_ON_AWS)
            given.tenant = getattr(given, "tenant", None) or stack.get("tenant")
            keys = on_local_stack(stack)
        act(given, keys, time())
    except (NoStack, GatewayError, BotoCoreError, ClientError) as error:
        print(f"api-key: {_explain(error)}", file=sys.stderr)
        return 1
    return 0


def create(given: argparse.Namespace, keys: ApiKeyStore, now: float) -> None:
    """Make a key and show it."""
    credential = Credential.generate()
    key = issue(
        credential,
        tenant=_tenant(given),
        name=given.name,
        scopes=_scopes(given),
        operator=given.operator is not None,
        connection=given.connection,
        now=now,
        valid_until=None if given.expires_in is None else now + given.expires_in * _DAY,
        requests_per_minute=given.requests_per_minute,
    )
    keys.add(key)
    _show(credential, f"Key {key.key_id} for tenant {key.tenant}, {_life(key, now)}.")


def _scopes(given: argparse.Namespace) -> list[str]:
    """Return the scopes of a new key. Only `--operator` adds those for the whole stack."""
    named = [scope.strip() for scope in given.scopes.split(",") if scope.strip()]
    if given.operator is None and not OPERATOR_SCOPES.isdisjoint(named):
        rule = "operator:read and operator:write are given with --operator (or --operator read) only."
        raise InvalidRequest([FieldError("scopes", rule)])
    return named + {None: [], "read": ["operator:read"], "write": sorted(OPERATOR_SCOPES)}[given.operator]


def list_keys(given: argparse.Namespace, keys: ApiKeyStore, now: float) -> None:
    """List a tenant's keys, without secrets."""
    row = "{:<12}  {:<20}  {:<26}  {:<30}  {:>10}  {}".format
    print(row("KEY", "NAME", "LIFE", "CONNECTION", "PER MINUTE", "SCOPES"))
    for key in keys.list(_tenant(given)):
        limit, scopes = key.requests_per_minute or "-", ",".join(sorted(key.scopes))
        print(row(key.key_id, key.name, _life(key, now), key.connection or "-", limit, scopes))


def revoke(given: argparse.Namespace, keys: ApiKeyStore, now: float) -> None:
    """Revoke a key."""
    keys.revoke(given.key_id, now=now)
    print(f"Key {given.key_id} is revoked. API Gateway forgets it within KeyCacheSeconds (60).", file=sys.stderr)


def limit(given: argparse.Namespace, keys: ApiKeyStore, now: float) -> None:  # noqa: ARG001 - like all commands
    """Set the rate limit of a key."""
    key = keys.limit(given.key_id, given.requests_per_minute)
    often = (
        f"{key.requests_per_minute} times a minute" if key.requests_per_minute else "as often as the gateway's default"
    )
    print(f"Key {key.key_id} may ask {often}, within a minute from now.", file=sys.stderr)


def rotate(given: argparse.Namespace, keys: ApiKeyStore, now: float) -> None:
    """Give a key a new secret and show it."""
    credential = Credential.generate(key_id=given.key_id)
    keys.rotate(given.key_id, credential, now=now, overlap=given.overlap * _HOUR)
    _show(credential, f"Key {given.key_id} has a new secret; the former one works for {given.overlap:g} more hours.")


def _show(credential: Credential, about: str) -> None:
    print(f"{about} It is shown this once:", file=sys.stderr)
    print(credential.text().reveal())


def _tenant(given: argparse.Namespace) -> str:
    if not given.tenant:
        raise NoStack("Name the tenant: --tenant.")
    return str(given.tenant)


def _life(key: ApiKey, now: float) -> str:
    if key.revoked_at is not None:
        return f"revoked {_day(key.revoked_at)}"
    if key.valid_until is None:
        return "no end"
    return f"{'expired' if key.ended(now=now) else 'until'} {_day(key.valid_until)}"


def _day(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%MZ")


def _explain(error: Exception) -> str:
    match error:
        case InvalidRequest():
            return " ".join(f"{each.field}: {each.message}" for each in error.fields)
        case Unavailable(cause=EndpointConnectionError.__name__):
            return "Nobody answers where the key table should be. If that is the local stack, start it with `make run`."
        case NoCredentialsError() | InternalError(cause=NoCredentialsError.__name__):
            return "There are no AWS credentials here: sign in, or set AWS_PROFILE."
        case DependencyFailed() if error.cause:
            return f"The key table does not answer: {error.cause}"
        case NoRegionError():
            return "Say in which region: --region."
        case _:
            return str(error)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="api-key", description="API keys of the local stack, or of one on AWS.")
    where = argparse.ArgumentParser(add_help=False)
    where.add_argument("--stack-name", metavar="NAME", help="a stack on AWS (default: the local one)")
    where.add_argument("--region", help="the stack's region (default: the configured one)")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    new = commands.add_parser("create", parents=[where], help="make a key")
    new.add_argument("--tenant", help="the tenant of the key (default: the local stack's)")
    new.add_argument("--scopes", default="", help=f"comma separated: {' '.join(sorted(SCOPES - OPERATOR_SCOPES))}")
    new.add_argument(
        "--operator",
        nargs="?",
        choices=("read", "write"),
        const="write",
        help="for who operates the stack: sees all tenants; read without write changes nothing",
    )
    new.add_argument("--name", required=True, help="what it is for")
    new.add_argument("--connection", help="bind it to one connection")
    new.add_argument("--expires-in", type=float, metavar="DAYS", help="days until it ends (default: never)")
    new.add_argument("--requests-per-minute", type=int, metavar="N", help="its rate limit (default: the gateway's)")
    new.set_defaults(act=create)

    listing = commands.add_parser("list", parents=[where], help="list a tenant's keys")
    listing.add_argument("--tenant", help="the tenant of the keys (default: the local stack's)")
    listing.set_defaults(act=list_keys)

    end = commands.add_parser("revoke", parents=[where], help="end a key for good")
    end.add_argument("key_id", metavar="ID")
    end.set_defaults(act=revoke)

    bound = commands.add_parser("limit", parents=[where], help="set the rate limit of a key")
    bound.add_argument("key_id", metavar="ID")
    bound.add_argument("--requests-per-minute", type=int, metavar="N", help="without it: the gateway's default")
    bound.set_defaults(act=limit)

    renew = commands.add_parser("rotate", parents=[where], help="give a key a new secret")
    renew.add_argument("key_id", metavar="ID")
    renew.add_argument("--overlap", type=float, default=24.0, metavar="HOURS", help="hours the old secret still works")
    renew.set_defaults(act=rotate)
    return parser


if __name__ == "__main__":
    sys.exit(main())
