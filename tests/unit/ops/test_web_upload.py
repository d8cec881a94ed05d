"""What goes into the bucket, in which order, and how long browsers keep it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ops.console import Stop
from ops.web_upload import ASKED_FOR, KEPT, files, settings_from, upload

STACK: dict[str, Any] = {
    "Outputs": [
        {"OutputKey": "WebClientId", "OutputValue": "web-1"},
        {"OutputKey": "WebSignInScope", "OutputValue": "openid gateway/meetings:read"},
        {"OutputKey": "WebSignInParameters", "OutputValue": "?audience=https%3A%2F%2Fgateway&prompt=login"},
    ],
    "Parameters": [
        {"ParameterKey": "OidcIssuer", "ParameterValue": "https://id.example.com"},
        {"ParameterKey": "ZoomClientId", "ParameterValue": "app-1"},
        {"ParameterKey": "ZoomOauthUrl", "ParameterValue": "https://zoom.us/oauth"},
        {"ParameterKey": "ZoomClientSecret", "ParameterValue": "****"},
    ],
}


class Bucket:
    """Keeps what it is given, in order."""

    def __init__(self) -> None:
        self.objects: dict[str, dict[str, Any]] = {}

    def put_object(self, *, Bucket: str, Key: str, **given: Any) -> None:  # noqa: N803 - boto3's names
        assert Bucket == "bucket"
        self.objects[Key] = given


def test_the_page_comes_last_and_is_never_kept(tmp_path: Path) -> None:
    """It must not name what is not there yet; assets change their names, so they stay for good."""
    for name in ("index.html", "icon.svg", "assets/index-abc.js", "zoom-sdk/6.2.0/av/net.wasm"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    bucket = Bucket()
    assert upload(bucket, "bucket", tmp_path, settings_from(STACK)) == 5
    assert list(bucket.objects)[-1] == "app/index.html"
    kept = {key: given["CacheControl"] for key, given in bucket.objects.items()}
    assert kept == {
        "app/settings.json": ASKED_FOR,
        "app/icon.svg": ASKED_FOR,
        "app/assets/index-abc.js": KEPT,
        "app/zoom-sdk/6.2.0/av/net.wasm": KEPT,
        "app/index.html": ASKED_FOR,
    }
    assert bucket.objects["app/zoom-sdk/6.2.0/av/net.wasm"]["ContentType"] == "application/wasm"


def test_the_settings_are_the_stacks_own(tmp_path: Path) -> None:
    """And hold no secret of it."""
    (tmp_path / "index.html").touch()
    bucket = Bucket()
    upload(bucket, "bucket", tmp_path, settings_from(STACK))
    assert json.loads(bucket.objects["app/settings.json"]["Body"]) == {
        "api_url": "",
        "oidc": {
            "issuer": "https://id.example.com",
            "client_id": "web-1",
            "scope": "openid gateway/meetings:read",
            "parameters": {"audience": "https://gateway", "prompt": "login"},
        },
        "VITE_ZOOM_CLIENT_ID": "app-1",
        "VITE_ZOOM_OAUTH_URL": "https://zoom.us/oauth/authorize",
    }


def test_a_stack_that_has_no_client_is_said() -> None:
    """With the parameter that changes it."""
    with pytest.raises(Stop) as stopped:
        settings_from({"Outputs": [], "Parameters": STACK["Parameters"]})
    assert "WebClient=on" in stopped.value.fix


def test_a_client_that_nobody_can_sign_in_to_is_not_uploaded() -> None:
    """An issuer has to be set."""
    with pytest.raises(Stop) as stopped:
        settings_from({"Outputs": STACK["Outputs"], "Parameters": []})
    assert "OidcIssuer" in stopped.value.fix


def test_nothing_is_uploaded_before_it_is_built(tmp_path: Path) -> None:
    """Half a client is worse than the former one."""
    with pytest.raises(Stop, match="not built"):
        list(files(tmp_path))
