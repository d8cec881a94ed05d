"""The web client behind the front door."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from starlette.applications import Starlette

from dev import web
from ops.project import ROOT
from ops.web_settings import settings_of
from tests.fakes.browser import Browser

STACK = {
    "oidc_issuer": "http://localhost:3002",
    "aws_endpoint_url": "http://127.0.0.1:4566",
    "api_key": "zk_never",
    "webhook_secret": "never",
    "zoom_client_id": "app-1",
    "zoom_authorize_url": "https://zoom.us/oauth/authorize",
}


@pytest.fixture
def browser(tmp_path: Path) -> Browser:
    dist = tmp_path / "dist"
    (dist / "assets").mkdir(parents=True)
    (dist / "index.html").write_text("<title>the app</title>")
    (dist / "assets" / "index-abc.js").write_text("1")
    (tmp_path / "secret.txt").write_text("outside")
    return Browser(Starlette(routes=web.routes(lambda: STACK, dist)))


@pytest.mark.parametrize("path", ["/app/", "/app/meetings/85123456789", "/app/connected?code=x&connection=con_1"])
def test_every_place_in_the_app_is_its_one_page(browser: Browser, path: str) -> None:
    """A reload finds its way."""
    answer = browser.get(path)
    assert (answer.status_code, answer.text) == (200, "<title>the app</title>")
    assert answer.headers["cache-control"] == "no-cache"


@pytest.mark.parametrize(("path", "status"), [("/", 302), ("/app", 308)])
def test_the_bare_address_leads_to_the_app(browser: Browser, path: str, status: int) -> None:
    """Not for good, as the address is the API's as well; the app's own without its slash is."""
    answer = browser.get(path)
    assert (answer.status_code, answer.headers["location"]) == (status, "/app/")


def test_the_page_is_isolated_and_framed_by_nobody(browser: Browser) -> None:
    """What the Meeting SDK needs, and what clickjacking needs not to find."""
    headers = browser.get("/app/").headers
    assert headers["cross-origin-opener-policy"] == "same-origin"
    assert headers["cross-origin-embedder-policy"] == "require-corp"
    policy = headers["content-security-policy"]
    assert "frame-ancestors 'none'" in policy
    assert "connect-src 'self' blob: data: http://localhost:3002 http://127.0.0.1:4566 " in policy
    assert "media-src 'self' blob: http://127.0.0.1:4566;" in policy
    script = next(part for part in policy.split("; ") if part.startswith("script-src"))
    assert "'unsafe-inline'" not in script
    assert "'unsafe-eval'" not in script


def test_assets_are_kept_for_good(browser: Browser) -> None:
    """Their names change with their content."""
    assert "immutable" in browser.get("/app/assets/index-abc.js").headers["cache-control"]


@pytest.mark.parametrize("path", ["/app/assets/gone.js", "/app/..%2fsecret.txt", "/app/%2e%2e/secret.txt"])
def test_a_file_that_is_not_there_is_not_the_page(browser: Browser, path: str) -> None:
    """And nothing outside the folder is there."""
    answer = browser.get(path)
    assert answer.status_code == 404
    assert "outside" not in answer.text


def test_the_settings_hold_what_everybody_may_know(browser: Browser) -> None:
    """Issuer, client id, the guide's two names; no key and no secret of the stack."""
    answer = browser.get("/app/settings.json")
    assert answer.json() == {
        "api_url": "",
        "oidc": {
            "issuer": "http://localhost:3002",
            "client_id": "zoom-gateway-web",
            "scope": "openid profile",
            "parameters": {},
        },
        "VITE_ZOOM_CLIENT_ID": "app-1",
        "VITE_ZOOM_OAUTH_URL": "https://zoom.us/oauth/authorize",
    }
    assert "never" not in answer.text


@pytest.mark.parametrize(
    ("zoom_url", "simulated"),
    [("http://localhost:3001", "http://localhost:3001"), ("https://api.zoom.us", None), ("", None)],
)
def test_the_settings_name_the_simulated_zoom_and_no_real_one(zoom_url: str, simulated: str | None) -> None:
    """The client offers its pages for joining only where Zoom runs on this machine."""
    assert settings_of({**STACK, "zoom_url": zoom_url}).get("simulated_zoom") == simulated


def test_before_it_is_built_it_says_how(tmp_path: Path) -> None:
    """A page, not a 404."""
    answer = Browser(Starlette(routes=web.routes(lambda: STACK, tmp_path / "none"))).get("/app/")
    assert answer.status_code == 503
    assert "make web" in answer.text


def test_nothing_in_the_client_parses_html() -> None:
    """What people call their meetings stays text."""
    sources = list((ROOT / "web" / "src").rglob("*.ts"))
    assert sources
    for source in sources:
        found = re.search(
            r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function", source.read_text()
        )
        assert found is None, source.name
