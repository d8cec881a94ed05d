"""The pages a person sees while linking an account."""

from __future__ import annotations

from zoom_common.edge import pages
from zoom_common.errors import LinkRefused


def test_a_failure_leads_back_to_where_the_connection_starts() -> None:
    """Where the operator has such a page; else it says to ask for a new link."""
    denied = LinkRefused("access_denied", status=400)
    page = pages.failure_page(denied, "request-1", connect_page='https://app.example/connect?a=1&b="2"')
    assert b'<a href="https://app.example/connect?a=1&amp;b=&quot;2&quot;">Start again</a>' in page.body
    assert b"<a " not in pages.failure_page(denied, "request-1").body


def test_a_failure_repeats_nothing_that_came_with_the_request() -> None:
    """A reason that nobody knows gets fixed words; the reference is escaped."""
    page = pages.failure_page(LinkRefused("<script>", status=400), "<b>")
    assert b"<script>" not in page.body
    assert b"&lt;b&gt;" in page.body
