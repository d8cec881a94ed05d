"""What `make run` prints when everything is up: lines that can be pasted and run."""

from __future__ import annotations

from collections.abc import Mapping

from dev.configuration import Configuration


def text(settings: Configuration, stack: Mapping[str, str]) -> str:
    """Return the walk-through for this run."""
    door, key = stack["api_url"], stack["api_key"]
    zoom = "the simulated Zoom" if settings.simulated else settings.zoom_url
    lines = [
        "",
        f"The gateway runs at {door} and talks to {zoom}.",
        "",
        "1. Connect a Zoom account: open this in a browser.",
        f"     {door}/local/connect",
        f"   Or sign in to the web client (`make web` builds it): {door}/app/",
        "",
        "2. Call Zoom through the gateway.",
        f"     export KEY={key}",
        f'     curl -H "Authorization: Bearer $KEY" {door}/connections',
        '     curl -H "Authorization: Bearer $KEY" -H "Content-Type: application/json" \\',
        '       -d \'{"topic": "First meeting", "type": 2, "start_time": "2030-01-01T10:00:00Z", "duration": 30}\' \\',
        f"       {door}/v2/users/me/meetings",
        f'     curl -H "Authorization: Bearer $KEY" {door}/v2/users/me/meetings',
        "",
        "3. Watch the events that your programs get from the integration queue, in another terminal.",
        "     make events",
        "",
    ]
    if settings.simulated:
        lines += [
            "4. Let the simulated Zoom live: its page starts meetings and sends people in.",
            f"     {stack['zoom_url']}/",
            "   Or watch the whole story run by itself: make demo",
        ]
    else:
        lines += [
            "4. Register your address at Zoom (Zoom accepts no localhost: use a tunnel, see the README).",
            f"     redirect URL          {settings.redirect_uri}",
            f"     event notification    {settings.settings['PUBLIC_BASE_URL']}/webhooks/zoom",
        ]
        if not settings.redirect_uri.startswith("https://"):
            lines += [
                "   Zoom will refuse this redirect URL: set PUBLIC_BASE_URL in .env to your tunnel's https address."
            ]
    lines += ["", "Ctrl-C stops everything and keeps what was stored.", ""]
    return "\n".join(lines)
