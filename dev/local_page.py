"""The look of this machine's tools: like the pages on which people link accounts."""

from __future__ import annotations

import html

_STYLE = """
:root { color-scheme: light dark; font: 1.0625rem/1.6 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif;
  background: light-dark(#f5f6f8, #14161a); color: light-dark(#1b1d21, #eceef2) }
body { margin: 0; display: grid; min-height: 100vh; place-items: center; padding: 1rem; box-sizing: border-box }
main { box-sizing: border-box; width: 100%; max-width: 34rem; padding: 2rem; border-radius: .85rem;
  background: light-dark(#fff, #1e2127); border: 1px solid light-dark(#dfe3e9, #343943) }
h1 { font-size: 1.5rem; line-height: 1.3; margin: 0 0 1rem }
a { color: light-dark(#0b57d0, #9ec2ff) }
pre { overflow: auto; padding: 1rem; border-radius: .55rem; background: light-dark(#f5f6f8, #14161a);
  border: 1px solid light-dark(#dfe3e9, #343943) }
button { display: block; width: 100%; margin: .75rem 0 0; padding: .8rem 1rem; font: inherit; text-align: left;
  color: inherit; background: light-dark(#f5f6f8, #14161a); border: 1px solid light-dark(#8a919c, #767d89);
  border-radius: .55rem; cursor: pointer }
button:hover { border-color: currentcolor }
:focus-visible { outline: 3px solid light-dark(#b06000, #ffb74d); outline-offset: 2px }
"""


def page(title: str, body: str) -> str:
    """Return a page with a title, which is text, and a body, which is markup."""
    text = html.escape(title)
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{text}</title>'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><style>{_STYLE}</style>'
        f"<main><h1>{text}</h1>{body}</main></html>"
    )


def block(text: str) -> str:
    """Return text unchanged, in a box that scrolls, also by keyboard."""
    return f'<pre tabindex="0">{html.escape(text)}</pre>'
