"""The consent page: the app, the scopes it asks for, and the choice of user."""

from __future__ import annotations

from html import escape

from zoom_simulator.authorization.grants import Grants
from zoom_simulator.authorization.requests import ScopeRequest
from zoom_simulator.model import App
from zoom_simulator.theme import THEME

STYLE = (
    THEME
    + """
body{font-size:1rem;line-height:1.5;overflow-wrap:anywhere;padding:0 1rem}
main{max-width:34rem;margin:8vh auto;background:var(--card);border:1px solid var(--line);
border-radius:.85rem;padding:2rem}
h1{font-size:1.5rem;line-height:1.3;margin:0 0 .5rem}.brand{color:var(--accent);font-weight:700}
fieldset{border:0;padding:0;margin:1rem 0}legend{padding:0}
label{display:flex;gap:.6rem;padding:.55rem .7rem;border:1px solid var(--line);border-radius:.55rem;margin:.4rem 0}
details{margin:1rem 0}summary{cursor:pointer}li{font:.8125rem/1.6 ui-monospace,monospace}
button,input:not([type=radio],[type=checkbox]){padding:.6rem 1.4rem;border-radius:.55rem}
button{font-weight:600}p.buttons{display:flex;gap:.8rem;margin:1.4rem 0 0}
"""
)
CARRIED = (
    "response_type",
    "client_id",
    "redirect_uri",
    "state",
    "scope",
    "optional_scope",
    "include_granted_scopes",
    "code_challenge",
    "code_challenge_method",
)


def consent(app: App, grants: Grants, fields: dict[str, str]) -> str:
    """Return the page. Its form posts every parameter back, with `decision` and `user`."""
    hidden = "".join(
        f'<input type="hidden" name="{name}" value="{escape(fields[name])}">' for name in CARRIED if name in fields
    )
    people = grants.people_for(app)
    choices = "".join(
        f'<label><input type="radio" name="user" value="{escape(user.id)}"{" checked" if at == 0 else ""}>'
        f"<span>{escape(user.name)}<br><small>{escape(user.email)} · {user.role}</small></span></label>"
        for at, user in enumerate(people)
    )
    wish = ScopeRequest.read(fields)
    asked = grants.scopes_for(app, people[0], wish) if people else []
    scopes = "".join(f"<li>{escape(scope)}</li>" for scope in asked if scope not in wish.optional)
    optional = "".join(
        f'<label><input type="checkbox" name="optional" value="{escape(scope)}" checked>{escape(scope)}</label>'
        for scope in asked
        if scope in wish.optional
    )
    if optional:
        optional = f'<input type="hidden" name="shown" value="1"><p>Optional</p>{optional}'
    return document(
        f"Allow {app.name}?",
        f"""<p class="brand">simulated zoom</p><h1>{escape(app.name)} wants to access your Zoom account</h1>
<p><small>After you allow it you go back to {escape(fields["redirect_uri"])}</small></p>
<form method="post" action="/oauth/authorize">{hidden}<fieldset><legend>Answer as</legend>{choices}</fieldset>
<details><summary>{len(asked)} scopes</summary><ul>{scopes}</ul></details>{optional}
<p class="buttons"><button class="go" name="decision" value="allow">Allow</button>
<button name="decision" value="deny">Deny</button></p></form>""",
    )


def error(code: int, message: str) -> str:
    """Return the page that explains why the request cannot be shown."""
    return document("Invalid request", f"<h1>{escape(message)}</h1><p>Error code {code:,d}</p>".replace(",", ""))


def document(title: str, body: str) -> str:
    """A small page of its own."""
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{STYLE}</style><main>{body}</main></html>"
    )
