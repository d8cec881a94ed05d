"""Slack's framework for Python."""

from typing import Any

from slack_bolt import App  # type: ignore[import-not-found]
from slack_bolt.adapter.aws_lambda import SlackRequestHandler  # type: ignore[import-not-found]
from slack_bolt.authorization import AuthorizeResult  # type: ignore[import-not-found]

app = App(
    signing_secret="benchmark-slack-secret",  # noqa: S106 - made up
    authorize=lambda **_: AuthorizeResult(enterprise_id=None, team_id="T1", bot_token="t", bot_id="B1"),  # noqa: S106
    process_before_response=True,
)


@app.event("app_mention")  # type: ignore[untyped-decorator]
def mentioned() -> None:
    """Do nothing."""


def handler(event: dict[str, Any], context: object) -> Any:
    """Answer one delivery."""
    return SlackRequestHandler(app).handle(event, context)
