"""What the functions are told that serve Zoom's REST API."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from zoom_common.edge.settings import ZOOM_API, optional, require
from zoom_common.gateway.budget import BudgetRules
from zoom_common.zoom.allowances import Plan

SHARE, RESERVE = "0.9", "0.1"


@dataclass(frozen=True, slots=True)
class ZoomApiSettings:
    """Where connections and Zoom are, who refreshes, where people reconnect, and what part of Zoom's limits is ours.

    Base URLs end without a slash.
    """

    connections_table: str
    data_key_id: str
    token_refresh_function: str
    public_base_url: str
    connect_page_url: str = ""
    zoom_api_base_url: str = ZOOM_API
    coordination_table: str = ""
    budget: BudgetRules = field(default_factory=BudgetRules)
    read_cache_seconds: float = 0.0

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> ZoomApiSettings:
        """Read the settings. Raises MissingSetting."""
        return cls(
            connections_table=require(environ, "CONNECTIONS_TABLE"),
            data_key_id=require(environ, "DATA_KEY_ID"),
            token_refresh_function=require(environ, "TOKEN_REFRESH_FUNCTION"),
            public_base_url=require(environ, "PUBLIC_BASE_URL").rstrip("/"),
            connect_page_url=optional(environ, "CONNECT_PAGE_URL"),
            zoom_api_base_url=optional(environ, "ZOOM_API_BASE_URL", ZOOM_API).rstrip("/"),
            coordination_table=require(environ, "COORDINATION_TABLE"),
            budget=budget_rules(environ),
            read_cache_seconds=float(optional(environ, "READ_CACHE_SECONDS", "0")),
        )


def budget_rules(environ: Mapping[str, str]) -> BudgetRules:
    """What part of which limits is ours. ZOOM_ACCOUNT_PLANS is `account=plan,...`, for accounts of another plan."""
    pairs = (pair.partition("=") for pair in optional(environ, "ZOOM_ACCOUNT_PLANS").split(",") if pair.strip())
    return BudgetRules(
        plan=Plan(optional(environ, "ZOOM_PLAN", Plan.PRO)),
        plans={account.strip(): Plan(plan.strip()) for account, _, plan in pairs},
        share=float(optional(environ, "ZOOM_RATE_SHARE", SHARE)),
        reserve=float(optional(environ, "ZOOM_RATE_RESERVE", RESERVE)),
    )
