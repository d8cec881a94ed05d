"""Links Zoom accounts and serves the resulting connections: `/auth/zoom/*` and `/connections*`."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cache, wraps
from urllib.parse import parse_qs, urlencode

from zoom_common import observability
from zoom_common.access.principal import CONNECTION_ID, Principal
from zoom_common.connections.access_tokens import reconnect_url
from zoom_common.connections.linking import LinkNotRequested, Ticket, allowed
from zoom_common.connections.model import Connection, Kind
from zoom_common.connections.selection import authorize_connection, owner_filter
from zoom_common.connections.server_to_server import AccountRequest
from zoom_common.connections.views import describe, iso
from zoom_common.edge import pages, request_fields
from zoom_common.edge.http import Router
from zoom_common.edge.own_requests import (
    account_of,
    body_of,
    cookie_name,
    label_of,
    new_label_of,
    owner_of,
    page_of,
    refuse_bound,
    text_of,
    wants_json,
)
from zoom_common.edge.request import Request
from zoom_common.edge.request_fields import PageTokens
from zoom_common.edge.response import Response, error_response, json_response
from zoom_common.errors import Conflict, GatewayError, InternalError, LinkRefused, NotFound
from zoom_common.secret import Secret
from zoom_common.wiring import vault
from zoom_common.wiring.throttle import key_limits
from zoom_common.wiring.vault import OAuthSettings


@cache
def settings() -> OAuthSettings:
    """Return this container's settings."""
    return OAuthSettings.from_env(os.environ)


router = Router(key_limits(settings))
handler = router.handle


@cache
def wiring() -> vault.Linked:
    """Return the vault, made once per container."""
    return vault.linked(settings())


def for_browsers(answer: Callable[[Request], Response]) -> Callable[[Request], Response]:
    """Show errors as a page, or as JSON to those who ask for it."""

    @wraps(answer)
    def shown(request: Request) -> Response:
        try:
            return answer(request)
        except GatewayError as error:
            if isinstance(error, InternalError):
                observability.fault(error, request_id=request.request_id)
            observability.count("LinksRefused", reason=error.reason)
            observability.logger().info("link refused", reason=error.reason, request_id=request.request_id)
            if wants_json(request):
                return error_response(error, request.request_id)
            return pages.failure_page(error, request.request_id, connect_page=settings().connect_page_url)

    return shown


@router.route("POST", "/auth/zoom/authorize", scope="connections:write")
def authorize(request: Request, principal: Principal) -> Response:
    """Make a link that a person opens."""
    refuse_bound(principal)
    body = body_of(request)
    owner, return_url = owner_of(principal, text_of(body, "owner")), text_of(body, "return_url")
    label = label_of(body)
    return _created(wiring().linking.request(principal, owner=owner, return_url=return_url, label=label))


@router.route("GET", "/auth/zoom/start", scope=None)
@for_browsers
def look(request: Request) -> Response:
    """Show who asks, and whose account is to be connected."""
    ticket = Secret(request.query.get("ticket", ""))
    return pages.start_page(wiring().linking.look_up(ticket), ticket)


@router.route("POST", "/auth/zoom/start", scope=None)
@for_browsers
def start(request: Request) -> Response:
    """Consume the ticket and redirect to Zoom."""
    if _from_elsewhere(request):
        raise LinkRefused("foreign_form", status=403)
    form = parse_qs(request.body.decode(errors="replace"))
    departure = wiring().linking.start(Secret(form.get("ticket", [""])[0]))
    cookie = _cookie(departure.cookie.reveal(), departure.expires_in)
    return Response(303, headers={"location": departure.authorize_url}, cookies=[cookie])


@router.route("GET", "/auth/zoom/callback", scope=None)
@router.route("GET", "/auth/zoom/callback/", scope=None)
@for_browsers
def callback(request: Request) -> Response:
    """Handle the return from Zoom."""
    page = settings().connect_page_url
    try:
        arrival = wiring().linking.complete(request.query, request.cookies.get(cookie_name(settings().public_base_url)))
    except LinkNotRequested:
        if page:
            return Response(303, headers={"location": page})
        raise
    spent = _cookie("", 0)
    if arrival.return_url is not None:
        return Response(303, headers={"location": arrival.return_url}, cookies=[spent])
    if wants_json(request):
        done = {"code": arrival.code.reveal(), "connection": arrival.connection_id}
        return Response(200, json_response(200, done).body, {"content-type": "application/json"}, [spent])
    shown = pages.done_page(arrival)
    return Response(shown.status, shown.body, shown.headers, [spent])


@router.route("POST", "/auth/zoom/redeem", scope="connections:write")
def redeem(request: Request, principal: Principal) -> Response:
    """Connect a linked account, for the program that asked and the owner that it named."""
    body = body_of(request)
    code, owner = Secret(text_of(body, "code") or ""), text_of(body, "owner")
    return json_response(200, _shown(wiring().redemption.redeem(principal, code, owner=owner)))


@router.route("GET", "/connections", scope="connections:read")
def list_connections(request: Request, principal: Principal) -> Response:
    """Answer the connections that the caller may use."""
    connections = wiring().connections
    if principal.connection is not None:
        bound = authorize_connection(principal, principal.connection, connections)
        return json_response(200, {"connections": [_shown(bound)], "next_page_token": ""})
    tokens = PageTokens("connections", principal.tenant, CONNECTION_ID)
    limit, cursor = page_of(request, tokens)
    owner = owner_filter(principal) or request.query.get("owner") or None
    page = connections.list(principal.tenant, owner=owner, limit=limit, cursor=cursor)
    shown = [_shown(each) for each in page.connections]
    return json_response(200, {"connections": shown, "next_page_token": tokens.encode(page.cursor)})


@router.route("POST", "/connections", scope="connections:write")
def connect_account(request: Request, principal: Principal) -> Response:
    """Connect a whole Zoom account with the credentials of its Server-to-Server app, or replace these credentials."""
    refuse_bound(principal)
    body = body_of(request)
    app, account_id = account_of(body)
    owner = owner_of(principal, text_of(body, "owner"))
    label = label_of(body)
    asked = AccountRequest(tenant=principal.tenant, owner=owner, app=app, account_id=account_id, label=label)
    connection, new = wiring().accounts.connect(asked)
    return json_response(201 if new else 200, _shown(connection))


@router.route("GET", "/connections/{connection_id}", scope="connections:read")
def show(request: Request, principal: Principal, connection_id: str) -> Response:  # noqa: ARG001 - a route's signature
    """Answer one connection."""
    return json_response(200, _shown(_reached(principal, connection_id)))


@router.route("PATCH", "/connections/{connection_id}", scope="connections:write")
def rename(request: Request, principal: Principal, connection_id: str) -> Response:
    """Set the label of a connection, or remove it."""
    found = _reached(principal, connection_id)
    label = new_label_of(body_of(request))
    renamed = wiring().connections.rename(found.tenant, found.connection_id, label)
    if renamed is None:
        raise NotFound("There is no such connection.", reason="connection_unknown")
    return json_response(200, _shown(renamed))


@router.route("DELETE", "/connections/{connection_id}", scope="connections:write")
def disconnect(request: Request, principal: Principal, connection_id: str) -> Response:  # noqa: ARG001
    """Revoke the grant at Zoom and delete the connection. A revocation without an answer is tried again for hours."""
    found = _reached(principal, connection_id)
    ended = wiring().disconnection.disconnect(found)
    if not ended.revoked:
        observability.count("RevokesUnconfirmed", queued=str(ended.queued).lower())
    revocation = {"revoked_at_zoom": ended.revoked, "revoke_queued": ended.queued}
    return json_response(200, {"id": found.connection_id, "state": "disconnected", **revocation})


@router.route("POST", "/connections/{connection_id}/reconnect", scope="connections:write")
def reconnect(request: Request, principal: Principal, connection_id: str) -> Response:
    """Make a link that gives an existing connection a new grant."""
    found = _reached(principal, connection_id)
    if found.kind is Kind.ACCOUNT:
        raise Conflict("Give new credentials with POST /connections.", reason="no_browser_needed")
    body = body_of(request)
    return _created(
        wiring().linking.request(
            principal,
            owner=found.owner,
            return_url=text_of(body, "return_url"),
            reconnects=found.connection_id,
            label=label_of(body),
            former_label=found.label,
        )
    )


def _from_elsewhere(request: Request) -> bool:
    """Return whether a browser says that a form comes from another site.

    Browsers send `Origin` with every POST, and newer ones `Sec-Fetch-Site`; programs send neither. A browser sends
    `null` where a policy hides the real origin; then the other header decides.
    """
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    if site not in {None, "same-origin", "none"}:
        return True
    if origin == "null":
        return site is None
    return origin is not None and not allowed(origin, [settings().public_base_url])


def _reached(principal: Principal, connection_id: str) -> Connection:
    return authorize_connection(principal, request_fields.connection_id(connection_id), wiring().connections)


def _created(ticket: Ticket) -> Response:
    query = urlencode({"ticket": ticket.secret.reveal()})
    return json_response(
        201,
        {
            "authorize_url": f"{settings().public_base_url}/auth/zoom/start?{query}",
            "ticket_expires_at": iso(ticket.expires_at),
            "expires_in": ticket.expires_in,
        },
    )


def _shown(connection: Connection) -> dict[str, object]:
    url = reconnect_url(settings(), connection.connection_id)
    return describe(connection, reconnect_url=url, app=settings().zoom_client_id)


def _cookie(value: str, max_age: int) -> str:
    name = cookie_name(settings().public_base_url)
    secure = "; Secure" if name.startswith("__Host-") else ""
    return f"{name}={value}; Max-Age={max_age}; Path=/; HttpOnly; SameSite=Lax{secure}"


# With the parameter SnapStart, Lambda takes its snapshot after this line: it holds modules, and nothing that was made.
if os.environ.get("AWS_LAMBDA_INITIALIZATION_TYPE") == "snap-start":
    from zoom_common.edge import snapshot

    snapshot.prepare("zoom_common.connections", "zoom_common.zoom.operations")
