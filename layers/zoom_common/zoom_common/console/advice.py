"""What an operator can do about a connection, by its state and reason. The steps are in docs/runbook-connections.md."""

from __future__ import annotations

from zoom_common.connections.model import State

_BY_STATE = {
    State.PENDING: "Nothing: the program that asked has to redeem the link, or the link ends by itself.",
    State.CONNECTED: "",
    State.REFRESH_FAILING: "Nothing while Zoom is down: the gateway tries again by itself."
    " If others work, look at the reason.",
    State.REAUTHORIZATION_REQUIRED: "The person has to connect Zoom again: their program gets a link at"
    " POST /connections/{id}/reconnect.",
    State.DISCONNECTED: "Nothing: the sweep deletes it within minutes. Older than an hour: look at the refresh queue.",
}
_BY_REASON = {
    "superseded": "Nothing here: another tenant has connected this Zoom user since then.",
    "deauthorized": "The person removed the app at Zoom. Their program can offer to connect again.",
    "app_deauthorized": "The person removed the app at Zoom. Their program can offer to connect again.",
    "app_credentials": "Check the Zoom app's client id and secret: Zoom refuses the app, not this person.",
    "invalid_client": "Check the Zoom app's client id and secret: Zoom refuses the app, not this person.",
    "invalid_grant": "The person has to connect Zoom again. If many have this reason, make try-again tries the old"
    " grants first.",
}


def advice_for(state: str, reason: str | None) -> str:
    """Return one sentence on what to do; empty where nothing is wrong."""
    if state in {State.REFRESH_FAILING, State.REAUTHORIZATION_REQUIRED} and reason in _BY_REASON:
        return _BY_REASON[reason]
    return _BY_STATE.get(State(state), "")
