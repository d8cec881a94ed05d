"""Links a Zoom account: ticket, start, callback. The connection stays pending until its code is redeemed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from urllib.parse import SplitResult, urlencode, urlsplit

from zoom_common import observability
from zoom_common.access.principal import Principal
from zoom_common.connections.cipher import Cipher, PairSealer
from zoom_common.connections.labels import label_of
from zoom_common.connections.link_store import AuthorizationStore, LinkRequest
from zoom_common.connections.model import connection_id, verifier
from zoom_common.connections.oauth_client import AppCredentials, ZoomOAuth
from zoom_common.connections.placement import LinkedGrant, Placement
from zoom_common.connections.queues import LinkQueue
from zoom_common.connections.store import ConnectionStore
from zoom_common.errors import DependencyFailed, FieldError, InvalidRequest, LinkRefused
from zoom_common.secret import Secret
from zoom_common.zoom.oauth import (
    AppAtFault,
    GrantRejected,
    IdentityUnreadable,
    TokenError,
    TokenGrant,
    ZoomUser,
    authorize_url,
)

_DEFAULT_PORTS = {"https": 443, "http": 80}

_LONGEST = 2000

_NOT_LISTED = (
    "Its scheme, host and port are not on the allow-list: RETURN_URLS in .env, the parameter ReturnUrls of a deployed"
    " stack."
)

type Origin = tuple[str, str, int]


def origin_of(url: str) -> Origin | None:
    """Return scheme, host and port of an absolute http(s) URL, or None for a URL that browsers may read differently."""
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
    """Return whether `url` has exactly the scheme, host and port of one of `origins`."""
    origin = origin_of(url)
    return origin is not None and origin in {origin_of(each) for each in origins}


def with_query(url: str, fields: Mapping[str, str]) -> str:
    """Return `url`, which may end in `?`, `&` or `#`, with `fields` added to its query."""
    base = url.partition("#")[0]
    separator = "" if base.endswith(("?", "&")) else "&" if "?" in base else "?"
    return f"{base}{separator}{urlencode(fields)}"


TICKET_SECONDS = 900

STATE_SECONDS = 600

CODE_SECONDS = 600


class LinkNotRequested(LinkRefused):
    """The person started at Zoom's Marketplace, so no program has asked for this link."""

    def __init__(self) -> None:
        super().__init__("not_asked_for", status=400)


@dataclass(frozen=True, slots=True)
class Ticket:
    """A link to be opened once, within `expires_in` seconds. `expires_at` is epoch seconds."""

    secret: Secret
    expires_at: int
    expires_in: int


@dataclass(frozen=True, slots=True)
class AuthorizationRedirect:
    """Where the browser goes, and the cookie that it has to send back."""

    authorize_url: str = field(repr=False)
    cookie: Secret
    expires_in: int


@dataclass(frozen=True, slots=True)
class AuthorizationResult:
    """A pending connection, the code that redeems it, and where the browser takes it.

    Without a return URL (None), the person copies the code to the program.
    """

    code: Secret
    connection_id: str
    return_url: str | None = field(repr=False)
    label: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Linking:
    """Serves the browser's steps of linking. `new_secret` and `random_bits` are random; `clock` is epoch seconds."""

    store: AuthorizationStore
    connections: ConnectionStore
    placement: Placement
    queue: LinkQueue
    cipher: Cipher
    zoom: ZoomOAuth
    credentials: AppCredentials
    redirect_uri: str
    return_urls: Sequence[str]
    clock: Callable[[], float]
    new_secret: Callable[[], str]
    random_bits: Callable[[], int]

    def request(
        self,
        principal: Principal,
        *,
        owner: str,
        return_url: str | None,
        reconnects: str | None = None,
        label: str | None = None,
        former_label: str | None = None,
    ) -> Ticket:
        """Return a ticket for `owner`, requested by `principal`.

        Raises InvalidRequest for a return URL not on the list. `label` is the program's name for the connection;
        without it, the label comes from the person's Zoom profile. `former_label` is that of the connection to
        reconnect, and is shown to the person.
        """
        if return_url is not None and not allowed(return_url, self.return_urls):
            raise InvalidRequest([FieldError("return_url", _NOT_LISTED)])
        link = LinkRequest(
            tenant=principal.tenant,
            subject=principal.subject,
            owner=owner,
            return_url=return_url,
            reconnects=reconnects,
            label=label,
            asked_by=principal.name,
            former_label=former_label,
        )
        secret, expires_at = Secret(self.new_secret()), int(self.clock()) + TICKET_SECONDS
        self.store.put_ticket(secret, link, expires_at=expires_at)
        return Ticket(secret, expires_at, TICKET_SECONDS)

    def look_up(self, ticket: Secret) -> LinkRequest:
        """Return the request of a ticket, without consuming it. Raises LinkRefused."""
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
        """Handle the return from Zoom.

        Raises LinkRefused for the first failing check: error, state present, cookie, state, code. Nothing is stored
        unless every check has passed. Once the code is exchanged, the pair is stored or revoked, also when this raises.
        """
        if query.get("error"):
            raise LinkRefused("access_denied" if query["error"] == "access_denied" else "zoom_refused", status=400)
        if not query.get("state"):
            # An install that started in Zoom's Marketplace: no program asked for it, so its code is never accepted.
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
            seals = self.cipher.pair_sealer(link.tenant, new_id)  # before Zoom's one-time code is used
            grant = self.zoom.exchange(code, redirect_uri=self.redirect_uri, verifier=verifier)
        except TokenError as error:
            raise _refused(error) from None
        linked = self._sealed(link, grant, seals, new_id, client_id)
        held = self._hold(linked)
        try:
            return self._arrive(link, linked, grant)
        finally:
            # The table may have stored what the queue did not. The queue's message also ends the link, so ask again.
            if not held and not self._hold(linked):
                observability.logger().critical("the pair of a link is not in escrow", connection=new_id)
                observability.count("PairsUnplaced")

    def _arrive(self, link: LinkRequest, linked: LinkedGrant, grant: TokenGrant) -> AuthorizationResult:
        try:
            user = self.zoom.identity(grant.access_token)
        except TokenError as error:
            raise _refused(error) from None
        if not self._same_person(link, user):
            self.placement.place(linked, grant, user)  # nobody gets a code for it
            raise LinkRefused("other_zoom_user", status=409)
        code, new_id = Secret(self.new_secret()), linked.connection_id
        self.placement.place(linked, grant, user, code=code, link=replace(link, connection_id=new_id))
        return AuthorizationResult(code, new_id, _return(link.return_url, code, new_id), link.label or label_of(user))

    def _sealed(
        self, link: LinkRequest, grant: TokenGrant, seals: PairSealer, new_id: str, client_id: str
    ) -> LinkedGrant:
        now = self.clock()
        if grant.refresh_token is None:
            raise LinkRefused("zoom_refused", status=502)
        return LinkedGrant(
            tenant=link.tenant,
            connection_id=new_id,
            owner=link.owner,
            client_id=client_id,
            issued_at=now,
            access_expires_at=grant.expires_at,
            redeemable_until=int(now) + CODE_SECONDS,
            scopes=grant.scopes,
            api_url=grant.api_url,
            sealed_access=seals.seal_access(grant.access_token),
            sealed_refresh=seals.seal_refresh(grant.refresh_token),
        )

    def _hold(self, linked: LinkedGrant) -> bool:
        """Return whether the queue holds the pair. When it does not, the table may still store it."""
        try:
            self.queue.hold(linked.to_message())
        except DependencyFailed:
            return False
        return True

    def _same_person(self, link: LinkRequest, user: ZoomUser) -> bool:
        former = self.connections.get(link.tenant, link.reconnects) if link.reconnects else None
        return former is None or former.zoom_user_id == user.user_id


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
