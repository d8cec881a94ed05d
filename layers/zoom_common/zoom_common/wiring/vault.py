"""Builds the vault for the two functions that may open refresh tokens."""

from __future__ import annotations

import random
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass

from zoom_common.aws import clients
from zoom_common.aws.table import CONNECTIONS, COORDINATION, Table
from zoom_common.connections.cipher import Cipher, SealKind
from zoom_common.connections.disconnecting import Disconnection, Revocation
from zoom_common.connections.link_store import AuthorizationStore
from zoom_common.connections.linking import Linking
from zoom_common.connections.oauth_client import AppSecret, ZoomOAuth
from zoom_common.connections.outbox import Outbox
from zoom_common.connections.placement import Placement
from zoom_common.connections.queues import EscrowQueue, LinkQueue, RefreshQueue, RevokeQueue
from zoom_common.connections.redemption import Redemption
from zoom_common.connections.refresh.policy import Policy
from zoom_common.connections.refresh.refusal_rate import OtherGrants, RefusalRate
from zoom_common.connections.refresh.runner import Refresher
from zoom_common.connections.refresh.store import RefreshStore
from zoom_common.connections.server_to_server import AccountConnecting
from zoom_common.connections.store import ConnectionStore
from zoom_common.events.connection_events import sender
from zoom_common.settings import ZOOM_API, optional, require
from zoom_common.transport import RequestsTransport
from zoom_common.zoom.oauth import ZOOM_OAUTH_URL, Endpoints


@dataclass(frozen=True, slots=True)
class VaultSettings:
    """The settings of the vault: tables, keys, the Zoom app, and when to refresh.

    With an empty bus nothing is published.
    """

    connections_table: str
    data_key_id: str
    refresh_key_id: str
    app_secret_arn: str
    escrow_queue_url: str
    zoom_oauth_url: str
    zoom_api_base_url: str
    event_bus: str
    keep_warm_hours: float
    keep_alive_days: float

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> VaultSettings:
        """Read the settings. Raises MissingSetting."""
        return cls(
            connections_table=require(environ, "CONNECTIONS_TABLE"),
            data_key_id=require(environ, "DATA_KEY_ID"),
            refresh_key_id=require(environ, "REFRESH_KEY_ID"),
            app_secret_arn=require(environ, "ZOOM_APP_SECRET_ARN"),
            escrow_queue_url=require(environ, "ESCROW_QUEUE_URL"),
            zoom_oauth_url=optional(environ, "ZOOM_OAUTH_URL", ZOOM_OAUTH_URL),
            zoom_api_base_url=optional(environ, "ZOOM_API_BASE_URL", ZOOM_API),
            event_bus=optional(environ, "EVENT_BUS"),
            keep_warm_hours=float(optional(environ, "KEEP_WARM_HOURS", "24")),
            keep_alive_days=float(optional(environ, "KEEP_ALIVE_DAYS", "60")),
        )


@dataclass(frozen=True, slots=True)
class OAuthSettings:
    """`redirect_uri` is sent to Zoom exactly as it is set. `return_urls` are allowed origins."""

    vault: VaultSettings
    coordination_table: str
    public_base_url: str
    redirect_uri: str
    return_urls: tuple[str, ...]
    connect_page_url: str
    zoom_client_id: str = ""

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> OAuthSettings:
        """Read the settings. Raises MissingSetting."""
        base = require(environ, "PUBLIC_BASE_URL").rstrip("/")
        listed = optional(environ, "RETURN_URLS").split(",")
        return cls(
            vault=VaultSettings.from_env(environ),
            coordination_table=require(environ, "COORDINATION_TABLE"),
            public_base_url=base,
            redirect_uri=optional(environ, "ZOOM_REDIRECT_URI", f"{base}/auth/zoom/callback"),
            return_urls=tuple(url.strip() for url in listed if url.strip()),
            connect_page_url=optional(environ, "CONNECT_PAGE_URL"),
            zoom_client_id=optional(environ, "ZOOM_CLIENT_ID"),
        )


@dataclass(frozen=True, slots=True)
class TokenRefreshSettings:
    """`from_env` raises MissingSetting."""

    vault: VaultSettings
    coordination_table: str
    refresh_queue_url: str

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> TokenRefreshSettings:
        """Return the settings in a function's environment."""
        return cls(
            vault=VaultSettings.from_env(environ),
            coordination_table=optional(environ, "COORDINATION_TABLE"),
            refresh_queue_url=require(environ, "REFRESH_QUEUE_URL"),
        )


_RANDOM = random.SystemRandom()

# A token request over a connection that the other side is just closing has an unknown outcome, and may cost a grant. A
# handshake an hour is cheaper, so only refreshes that follow one another at once share a connection. In seconds.
_LONGEST_IDLE = 1.0


@dataclass(frozen=True, slots=True)
class Linked:
    """The parts that the OAuth routes call."""

    connections: ConnectionStore
    linking: Linking
    redemption: Redemption
    disconnection: Disconnection
    accounts: AccountConnecting


@dataclass(frozen=True, slots=True)
class Refreshing:
    """The parts that the refresh function calls."""

    connections: ConnectionStore
    index: RefreshStore
    workers: RefreshQueue
    refresher: Refresher
    revocation: Revocation
    disconnection: Disconnection
    placement: Placement
    outbox: Outbox


@dataclass(frozen=True, slots=True)
class _Vault:
    """The parts that both need."""

    table: Table
    connections: ConnectionStore
    cipher: Cipher
    credentials: AppSecret
    zoom: ZoomOAuth
    revocation: Revocation
    outbox: Outbox
    queue: LinkQueue
    policy: Policy


def linked(settings: OAuthSettings) -> Linked:
    """Return the vault for the OAuth routes."""
    vault = _vault(settings.vault)
    store = _links(vault, settings.coordination_table)
    linking = Linking(
        store=store,
        connections=vault.connections,
        placement=_placement(vault, store),
        queue=vault.queue,
        cipher=vault.cipher,
        zoom=vault.zoom,
        credentials=vault.credentials,
        redirect_uri=settings.redirect_uri,
        return_urls=settings.return_urls,
        clock=time.time,
        new_secret=lambda: secrets.token_urlsafe(32),
        random_bits=lambda: secrets.randbits(80),
    )
    redemption = Redemption(
        store=store,
        connections=vault.connections,
        cipher=vault.cipher,
        outbox=vault.outbox,
        clock=time.time,
        chance=_RANDOM.random,
        policy=vault.policy,
    )
    accounts = AccountConnecting(
        connections=vault.connections,
        cipher=vault.cipher,
        zoom=vault.zoom,
        outbox=vault.outbox,
        clock=time.time,
        chance=_RANDOM.random,
        random_bits=lambda: secrets.randbits(80),
        policy=vault.policy,
    )
    return Linked(vault.connections, linking, redemption, _disconnection(vault), accounts)


def refreshing(settings: TokenRefreshSettings) -> Refreshing:
    """Return the vault for the refresh function."""
    vault = _vault(settings.vault)
    store = RefreshStore(vault.table)
    refresher = Refresher(
        connections=vault.connections,
        store=store,
        cipher=vault.cipher,
        zoom=vault.zoom,
        escrow=EscrowQueue(clients.client("sqs"), settings.vault.escrow_queue_url),
        revokes=vault.revocation.retries,
        outbox=vault.outbox,
        clock=time.time,
        sleep=time.sleep,
        chance=_RANDOM.random,
        new_id=lambda: secrets.token_hex(8),
        rate=RefusalRate(counters=store, clock=time.time, policy=vault.policy),
        others=OtherGrants(index=store, connections=vault.connections, clock=time.time, chance=_RANDOM.random),
        policy=vault.policy,
    )
    workers = RefreshQueue(clients.client("sqs"), settings.refresh_queue_url)
    placement = _placement(vault, _links(vault, settings.coordination_table))
    return Refreshing(
        connections=vault.connections,
        index=store,
        workers=workers,
        refresher=refresher,
        revocation=vault.revocation,
        disconnection=_disconnection(vault),
        placement=placement,
        outbox=vault.outbox,
    )


def _disconnection(vault: _Vault) -> Disconnection:
    return Disconnection(
        connections=vault.connections,
        revocation=vault.revocation,
        retries=vault.revocation.retries,
        outbox=vault.outbox,
        clock=time.time,
    )


def _links(vault: _Vault, coordination_table: str) -> AuthorizationStore:
    table = Table(clients.client("dynamodb"), coordination_table, COORDINATION)
    return AuthorizationStore(table, vault.table)


def _placement(vault: _Vault, links: AuthorizationStore) -> Placement:
    return Placement(
        links=links,
        connections=vault.connections,
        cipher=vault.cipher,
        zoom=vault.zoom,
        revocation=vault.revocation,
        queue=vault.queue,
        outbox=vault.outbox,
        clock=time.time,
        chance=_RANDOM.random,
        policy=vault.policy,
    )


def _vault(settings: VaultSettings) -> _Vault:
    table = Table(clients.client("dynamodb"), settings.connections_table, CONNECTIONS)
    connections = ConnectionStore(table)
    credentials = AppSecret(clients.client("secretsmanager"), settings.app_secret_arn, clock=time.time)
    keys = {SealKind.ACCESS: settings.data_key_id, SealKind.REFRESH: settings.refresh_key_id}
    cipher = Cipher(clients.client("kms"), keys)
    zoom = ZoomOAuth(
        RequestsTransport(longest_idle=_LONGEST_IDLE),
        credentials,
        endpoints=Endpoints.parse(settings.zoom_oauth_url),
        api_base_url=settings.zoom_api_base_url,
        clock=time.time,
        timeout=Policy().request,
    )
    return _Vault(
        table=table,
        connections=connections,
        cipher=cipher,
        credentials=credentials,
        zoom=zoom,
        revocation=Revocation(
            connections=connections,
            cipher=cipher,
            zoom=zoom,
            retries=RevokeQueue(clients.client("sqs"), settings.escrow_queue_url),
            clock=time.time,
        ),
        outbox=Outbox(table, sender(settings.event_bus, lambda: clients.client("events")), clock=time.time),
        queue=LinkQueue(clients.client("sqs"), settings.escrow_queue_url),
        policy=Policy.of(keep_warm_hours=settings.keep_warm_hours, keep_alive_days=settings.keep_alive_days),
    )
