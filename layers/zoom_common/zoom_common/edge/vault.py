"""Wires the vault for the two functions that may open refresh tokens."""

from __future__ import annotations

import random
import secrets
import time
from dataclasses import dataclass

from zoom_common.aws import clients
from zoom_common.aws.table import CONNECTIONS, COORDINATION, Table
from zoom_common.connections.account_connecting import AccountConnecting
from zoom_common.connections.app_secret_client import AppSecret
from zoom_common.connections.authorization_store import AuthorizationStore
from zoom_common.connections.changes import Publish
from zoom_common.connections.cipher import Cipher
from zoom_common.connections.disconnection import Disconnection
from zoom_common.connections.linking import Linking
from zoom_common.connections.queue import EscrowQueue, RefreshQueue, RevokeQueue
from zoom_common.connections.redemption import Redemption
from zoom_common.connections.refresh_store import RefreshStore
from zoom_common.connections.refresher import Refresher
from zoom_common.connections.revocation import Revocation
from zoom_common.connections.schedule import Policy
from zoom_common.connections.seal import SealKind
from zoom_common.connections.store import ConnectionStore
from zoom_common.connections.zoom_client import ZoomOAuth
from zoom_common.edge.connection_changes import publisher
from zoom_common.edge.settings.oauth import OAuthSettings
from zoom_common.edge.settings.token_refresh import TokenRefreshSettings
from zoom_common.edge.settings.vault import VaultSettings
from zoom_common.transport import RequestsTransport
from zoom_common.zoom.oauth import Endpoints

_RANDOM = random.SystemRandom()
# A token request that meets a connection the other side is just closing has an unknown outcome, and may cost a grant. A
# handshake an hour is cheaper; only refreshes that follow one another at once share a connection. In seconds.
_LONGEST_IDLE = 1.0


@dataclass(frozen=True, slots=True)
class Linked:
    """What the OAuth routes call."""

    connections: ConnectionStore
    linking: Linking
    redemption: Redemption
    disconnection: Disconnection
    accounts: AccountConnecting


@dataclass(frozen=True, slots=True)
class Refreshing:
    """What the refresh function calls."""

    connections: ConnectionStore
    index: RefreshStore
    workers: RefreshQueue
    refresher: Refresher
    revocation: Revocation


@dataclass(frozen=True, slots=True)
class _Vault:
    """What both are made of."""

    table: Table
    connections: ConnectionStore
    cipher: Cipher
    credentials: AppSecret
    zoom: ZoomOAuth
    revocation: Revocation
    publish: Publish
    policy: Policy


def linked(settings: OAuthSettings) -> Linked:
    """The vault behind the OAuth routes."""
    vault = _vault(settings.vault)
    store = AuthorizationStore(
        Table(clients.boto3_client("dynamodb"), settings.coordination_table, COORDINATION), vault.table
    )
    linking = Linking(
        store=store,
        connections=vault.connections,
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
        publish=vault.publish,
        clock=time.time,
        chance=_RANDOM.random,
        policy=vault.policy,
    )
    disconnection = Disconnection(
        connections=vault.connections,
        revocation=vault.revocation,
        retries=RevokeQueue(clients.boto3_client("sqs"), settings.vault.escrow_queue_url),
        publish=vault.publish,
        clock=time.time,
    )
    accounts = AccountConnecting(
        connections=vault.connections,
        cipher=vault.cipher,
        zoom=vault.zoom,
        publish=vault.publish,
        clock=time.time,
        chance=_RANDOM.random,
        random_bits=lambda: secrets.randbits(80),
        policy=vault.policy,
    )
    return Linked(vault.connections, linking, redemption, disconnection, accounts)


def refreshing(settings: TokenRefreshSettings) -> Refreshing:
    """The vault behind the refresh function."""
    vault = _vault(settings.vault)
    store = RefreshStore(vault.table)
    refresher = Refresher(
        connections=vault.connections,
        store=store,
        cipher=vault.cipher,
        zoom=vault.zoom,
        escrow=EscrowQueue(clients.boto3_client("sqs"), settings.vault.escrow_queue_url),
        publish=vault.publish,
        clock=time.time,
        sleep=time.sleep,
        chance=_RANDOM.random,
        new_id=lambda: secrets.token_hex(8),
        policy=vault.policy,
    )
    workers = RefreshQueue(clients.boto3_client("sqs"), settings.refresh_queue_url)
    return Refreshing(vault.connections, store, workers, refresher, vault.revocation)


def _vault(settings: VaultSettings) -> _Vault:
    table = Table(clients.boto3_client("dynamodb"), settings.connections_table, CONNECTIONS)
    connections = ConnectionStore(table)
    credentials = AppSecret(clients.boto3_client("secretsmanager"), settings.app_secret_arn, clock=time.time)
    keys = {SealKind.ACCESS: settings.data_key_id, SealKind.REFRESH: settings.refresh_key_id}
    cipher = Cipher(clients.boto3_client("kms"), keys)
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
        revocation=Revocation(connections=connections, cipher=cipher, zoom=zoom, clock=time.time),
        publish=publisher(settings.event_bus, lambda: clients.boto3_client("events")),
        policy=Policy.of(keep_warm_hours=settings.keep_warm_hours, keep_alive_days=settings.keep_alive_days),
    )
