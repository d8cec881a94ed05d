"""The pages that a person sees while linking an account: self-contained, without scripts, accessible."""

from __future__ import annotations

from base64 import b64encode
from functools import cache
from hashlib import sha256
from html import escape

from zoom_common.connections.link_store import LinkRequest
from zoom_common.connections.linking import AuthorizationResult
from zoom_common.edge.response import Response
from zoom_common.errors import GatewayError
from zoom_common.secret import Secret

_STYLE = """
:root{color-scheme:light dark;font:1.0625rem/1.6 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif;
background:light-dark(#f5f6f8,#14161a);color:light-dark(#1b1d21,#eceef2)}
body{margin:0;display:grid;min-height:100vh;place-items:center;padding:1rem;box-sizing:border-box}
main{box-sizing:border-box;width:100%;max-width:34rem;padding:2rem;border-radius:.85rem;
background:light-dark(#fff,#1e2127);border:1px solid light-dark(#dfe3e9,#343943)}
h1{font-size:1.5rem;line-height:1.3;margin:0 0 1rem}
p:last-child{margin-bottom:0}
a{color:light-dark(#0b57d0,#9ec2ff)}
dl{display:grid;grid-template-columns:auto 1fr;gap:.25rem 1rem;margin:1.5rem 0}
dt{color:light-dark(#545b66,#a6adb8)}dd{margin:0;overflow-wrap:anywhere}
small{color:light-dark(#545b66,#a6adb8)}
button{font:inherit;font-weight:600;padding:.7rem 1.4rem;border:0;border-radius:.55rem;cursor:pointer;
background:light-dark(#0b57d0,#9ec2ff);color:light-dark(#fff,#0a2145)}
button:focus-visible,a:focus-visible{outline:3px solid light-dark(#b06000,#ffb74d);outline-offset:2px}
code{display:block;padding:.8rem 1rem;border:1px solid;border-radius:.5rem;overflow-wrap:anywhere;user-select:all}
"""

_START_AGAIN = "Go back to where you came from and ask for a new link."
_TELL = "Please tell the people who run this service."
# reason: heading, what happened, what to do
_FAILURES = {
    "ticket_unknown": (
        "This link does not work any more",
        "It was used already, or it has expired: a link works once, for fifteen minutes.",
        _START_AGAIN,
    ),
    "access_denied": (
        "Nothing was connected",
        "You chose not to give access to your Zoom account.",
        "You can close this page. If that was a mistake, ask for a new link.",
    ),
    "zoom_refused": ("Zoom did not allow the connection", "Zoom reported a problem with this request.", _START_AGAIN),
    "cookie_missing": (
        "This browser did not start the connection",
        "The connection has to be finished in the browser that started it, with cookies allowed.",
        _START_AGAIN,
    ),
    "state_unknown": (
        "This step cannot be repeated",
        "It was done already, took more than ten minutes, or was started in another browser.",
        _START_AGAIN,
    ),
    "not_asked_for": (
        "Start from the application",
        "Zoom sent you here, but no application asked for the connection.",
        "Open the application that you want to use with Zoom and connect from there.",
    ),
    "code_missing": ("Zoom's answer was incomplete", "It did not contain what is needed to go on.", _START_AGAIN),
    "code_refused": ("Zoom did not accept the connection", "Its answer was used already or has expired.", _START_AGAIN),
    "other_zoom_user": (
        "This is another Zoom account",
        "The connection belongs to a different Zoom account than the one you are signed in with.",
        "Sign out of Zoom, ask for a new link, and sign in with the account that was connected before.",
    ),
    "app_at_fault": ("The Zoom app is not set up", "Zoom does not accept this application at the moment.", _TELL),
    "identity_unreadable": (
        "Zoom did not say who you are",
        "The application may lack the permission to read your user profile.",
        _TELL,
    ),
    "zoom_unavailable": (
        "Zoom does not answer",
        "Zoom could not be reached.",
        "Wait a minute, then ask for a new link.",
    ),
    "foreign_form": ("This was not sent from here", "The request came from another website.", _START_AGAIN),
}
_OTHER = (
    "This does not work right now",
    "Something on our side could not be reached.",
    "Try again in a minute; if this page comes back, ask for a new link.",
)


def start_page(link: LinkRequest, ticket: Secret) -> Response:
    """Return the page that a link opens: it says who asks for whom, and has a button. Showing it uses nothing up."""
    about = f"<dt>Asked for by</dt><dd>{escape(link.asked_by or link.tenant)}</dd>"
    person = _person(link)
    if person is not None:
        about += f"<dt>On behalf of</dt><dd>{escape(person)}</dd>"
    return _page(
        200,
        "Connect your Zoom account?",
        "<p>You will go to Zoom, sign in there, and see what access is asked for.</p>"
        f"<dl>{about}</dl>"
        "<p>Go on only if you have just asked for this yourself.</p>"
        '<form method="post" action="/auth/zoom/start">'
        f'<input type="hidden" name="ticket" value="{escape(ticket.reveal())}">'
        '<button type="submit">Continue to Zoom</button></form>',
    )


def _person(link: LinkRequest) -> str | None:
    """Return who a link is for, in words that people know: the label, or the owner that the program named.

    Ids of keys, or of the person at the identity provider, are not shown, because they mean nothing to people.
    """
    named = link.owner if link.owner != link.subject and not link.owner.startswith("key:") else None
    return link.label or link.former_label or named


def done_page(arrival: AuthorizationResult) -> Response:
    """The page with the code to copy to the program, for links without a return URL."""
    name = f"<strong>{escape(arrival.label)}</strong> " if arrival.label else ""
    return _page(
        200,
        "One step left",
        "<p>Zoom agreed. Give this code to the program that asked for the connection; it works once, for ten minutes:"
        f'</p><p><code tabindex="0" aria-label="One-time code">{escape(arrival.code.reveal())}</code></p>'
        f"<p>The connection {name}works as soon as the program has it.</p>",
    )


def failure_page(error: GatewayError, request_id: str, *, connect_page: str = "") -> Response:
    """The page that says what went wrong and what to do. It repeats nothing that came with the request.

    `connect_page` is the operator's page where the connection can be started again, if there is one.
    """
    title, happened, advice = _FAILURES.get(error.reason, _OTHER)
    again = f'<p><a href="{escape(connect_page)}">Start again</a></p>' if connect_page else ""
    body = f"<p>{happened}</p><p>{advice}</p>{again}<p><small>Reference: {escape(request_id)}</small></p>"
    return _page(error.status, title, body)


def _page(status: int, title: str, body: str) -> Response:
    html = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f'<meta name="robots" content="noindex"><title>{title}</title><style>{_STYLE}</style></head>'
        f"<body><main><h1>{title}</h1>{body}</main></body></html>"
    )
    headers = {
        "content-type": "text/html; charset=utf-8",
        "content-security-policy": _policy(),
        "x-frame-options": "DENY",
        # With `no-referrer`, browsers send `Origin: null` with the form, which would look like another site's request:
        # https://fetch.spec.whatwg.org/#append-a-request-origin-header
        "referrer-policy": "same-origin",
    }
    return Response(status, html.encode(), headers)


@cache
def _policy() -> str:
    # No form-action: browsers also apply it to the redirects after the form, which lead through Zoom's sign-in hosts,
    # and Zoom may change those. The page has one form, and nothing in it comes from outside.
    style = b64encode(sha256(_STYLE.encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{style}'; base-uri 'none'; frame-ancestors 'none'"
