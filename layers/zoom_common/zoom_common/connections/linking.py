"""Linking a Zoom account: ticket, start, callback. The connection stays pending until it is redeemed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from urllib.parse import SplitResult, urlencode, urlsplit

from zoom_common.access.principal import Principal
from zoom_common.connections.cipher import Cipher
from zoom_common.connections.link_store import AuthorizationStore, LinkRequest
from zoom_common.connections.model import Connection, Kind, State, connection_id, email_digest, verifier
from zoom_common.connections.oauth_client import AppCredentials, ZoomOAuth
from zoom_common.connections.store import ConnectionStore
from zoom_common.errors import FieldError, InvalidRequest, LinkRefused
from zoom_common.secret import Secret
from zoom_common.zoom.oauth import AppAtFault, GrantRejected, IdentityUnreadable, TokenError, ZoomUser, authorize_url

_DEFAULT_PORTS = {"https": 443, "http": 80}

_LONGEST = 2000

type Origin = tuple[str, str, int]


def origin_of(url: str) -> Origin | None:
    """Scheme, host and port of an absolute http(s) URL; None for anything a browser might read in another way."""
    if len(url) > _LONGEST or not url.isascii() or "\\" in url or any(each <= " " or each == "\x7f" for each in url):
        return None
    try:
        parts = urlsplit(url)
        return _origin(parts, parts.port)
    except ValueError:
        return None


def _origin(parts: SplitResult, port: int | None) -> Origin | None:
    if parts.scheme not in _DEFAULT_PORTS or not parts.hostname or "@" in parts.netloc or parts.fragment:
        return None
    return parts.scheme, parts.hostname.lower(), _DEFAULT_PORTS[parts.scheme] if port is None else port


def allowed(url: str, origins: Iterable[str]) -> bool:
    """Whether `url` has exactly the scheme, host and port of one of `origins`."""
    origin = origin_of(url)
    return origin is not None and origin in {origin_of(each) for each in origins}


def with_query(url: str, fields: Mapping[str, str]) -> str:
    """`url` with `fields` added to its query."""
    return f"{url}{'&' if urlsplit(url).query else '?'}{urlencode(fields)}"


TICKET_SECONDS = 900

STATE_SECONDS = 600

CODE_SECONDS = 600

PENDING_SECONDS = 86_400


class LinkNotRequested(LinkRefused):
    """A person came from Zoom's Marketplace: nobody here has asked for this link."""

    def __init__(self) -> None:
        super().__init__("not_asked_for", status=400)


@dataclass(frozen=True, slots=True)
class Ticket:
    """A link to be opened once, within `expires_in` seconds; `expires_at` is epoch seconds."""

    secret: Secret
    expires_at: int
    expires_in: int


@dataclass(frozen=True, slots=True)
class AuthorizationRedirect:
    """Where the browser goes, and the cookie it has to bring back."""

    authorize_url: str = field(repr=False)
    cookie: Secret
    expires_in: int


@dataclass(frozen=True, slots=True)
class AuthorizationResult:
    """A pending connection, the code that redeems it, and where to take it (None: the person carries it over)."""

    code: Secret
    connection_id: str
    return_url: str | None = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Linking:
    """The browser's way through. `new_secret` and `random_bits` are random; `clock` is epoch seconds."""

    store: AuthorizationStore
    connections: ConnectionStore
    cipher: Cipher
    zoom: ZoomOAuth
    credentials: AppCredentials
    redirect_uri: str
    return_urls: Sequence[str]
    clock: Callable[[], float]
    new_secret: Callable[[], str]
    random_bits: Callable[[], int]

    def request(
        self, principal: Principal, *, owner: str, return_url: str | None, reconnects: str | None = None
    ) -> Ticket:
        """A ticket for `owner`, asked for by `principal`. Raises InvalidRequest for a return URL not on the list."""
        if return_url is not None and not allowed(return_url, self.return_urls):
            raise InvalidRequest([FieldError("return_url", "The scheme, host and port are not on the allow-list.")])
        link = LinkRequest(
            tenant=principal.tenant,
            subject=principal.subject,
            owner=owner,
            return_url=return_url,
            reconnects=reconnects,
        )
        secret, expires_at = Secret(self.new_secret()), int(self.clock()) + TICKET_SECONDS
        self.store.put_ticket(secret, link, expires_at=expires_at)
        return Ticket(secret, expires_at, TICKET_SECONDS)

    def look_up(self, ticket: Secret) -> LinkRequest:
        """What a ticket is for; consumes nothing. Raises LinkRefused."""
        link = self.store.ticket(ticket, now=self.clock())
        if link is None:
            raise LinkRefused("ticket_unknown", status=404)
        return link

    def start(self, ticket: Secret) -> AuthorizationRedirect:
        """Consume a ticket. Raises LinkRefused."""
        client_id = self.credentials.app().client_id
        state, cookie, now = Secret(self.new_secret()), Secret(self.new_secret()), self.clock()
        link = self.store.start(ticket, state, cookie, now=now, expires_at=int(now) + STATE_SECONDS)
        if link is None:
            raise LinkRefused("ticket_unknown", status=404)
        url = authorize_url(
            self.zoom.endpoints,
            client_id=client_id,
            redirect_uri=self.redirect_uri,
            state=state,
            verifier=verifier(cookie, state),
        )
        return AuthorizationRedirect(url, cookie, STATE_SECONDS)

    def complete(self, query: Mapping[str, str], cookie: str | None) -> AuthorizationResult:
        """The way back from Zoom, checked in this order: error, state present, cookie, state, code. Raises LinkRefused.

        Nothing is stored unless every check has passed.
        """
        if query.get("error"):
            raise LinkRefused("access_denied" if query["error"] == "access_denied" else "zoom_refused", status=400)
        if not query.get("state"):
            # An install that started in Zoom's Marketplace: nobody of ours asked, so its code is never accepted.
            raise LinkNotRequested
        if not cookie:
            raise LinkRefused("cookie_missing", status=400)
        state, held = Secret(query["state"]), Secret(cookie)
        link = self.store.take_state(state, held, now=self.clock())
        if link is None:
            raise LinkRefused("state_unknown", status=400)
        if not query.get("code"):
            raise LinkRefused("code_missing", status=400)
        return self._link(link, Secret(query["code"]), verifier(held, state))

    def _link(self, link: LinkRequest, code: Secret, verifier: Secret) -> AuthorizationResult:
        new_id = connection_id(self.clock(), self.random_bits())
        client_id = self.credentials.app().client_id
        try:
            seals = self.cipher.pair_sealer(link.tenant, new_id)  # before Zoom's one-time code is spent
            grant = self.zoom.exchange(code, redirect_uri=self.redirect_uri, verifier=verifier)
            if grant.refresh_token is None:
                raise LinkRefused("zoom_refused", status=502)
            user = self.zoom.identity(grant.access_token)
        except TokenError as error:
            raise _refused(error) from None
        self._same_person(link, user)
        now = self.clock()
        pending = Connection.granted(
            grant,
            tenant=link.tenant,
            connection_id=new_id,
            owner=link.owner,
            kind=Kind.USER,
            state=State.PENDING,
            client_id=client_id,
            zoom_user_id=user.user_id,
            zoom_account_id=user.account_id,
            sealed_access=seals.seal_access(grant.access_token),
            sealed_refresh=seals.seal_refresh(grant.refresh_token),
            now=now,
            expires_at=int(now) + PENDING_SECONDS,
            own_email=email_digest(user.email.reveal()) if user.email else None,
        )
        one_time, expires_at = Secret(self.new_secret()), int(self.clock()) + CODE_SECONDS
        self.store.put_pending(pending, one_time, replace(link, connection_id=new_id), expires_at=expires_at)
        return AuthorizationResult(one_time, new_id, _return(link.return_url, one_time, new_id))

    def _same_person(self, link: LinkRequest, user: ZoomUser) -> None:
        former = self.connections.get(link.tenant, link.reconnects) if link.reconnects else None
        if former is not None and former.zoom_user_id != user.user_id:
            raise LinkRefused("other_zoom_user", status=409)


def _refused(error: TokenError) -> Exception:
    match error:
        case GrantRejected():
            return LinkRefused("code_refused", status=400)
        case AppAtFault():
            return LinkRefused("app_at_fault", status=502)
        case IdentityUnreadable():
            return LinkRefused("identity_unreadable", status=502)
        case _:
            return LinkRefused("zoom_unavailable", status=503)


def _return(return_url: str | None, code: Secret, new_id: str) -> str | None:
    if return_url is None:
        return None
    return with_query(return_url, {"code": code.reveal(), "connection": new_id})
