"""What `.env` means for a local run."""

from __future__ import annotations

from pathlib import Path

import pytest
from samcli.yamlhelper import yaml_parse

from dev import configuration
from dev.configuration import Configuration, load
from dev.workspace import Workspace
from ops.console import Stop
from ops.project import PARAMETERS, ROOT


@pytest.fixture
def dotenv(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty `.env` in place of the developer's own, and none of its names in the environment."""
    monkeypatch.setattr(configuration, "ROOT", tmp_path)
    for name in PARAMETERS:
        monkeypatch.delenv(name, raising=False)
    return tmp_path / ".env"


def read(tmp_path: Path) -> Configuration:
    return load(Workspace(tmp_path / "run"), port=3000, zoom_port=3001, aws_port=4566)


def test_without_an_app_zoom_is_simulated(dotenv: Path, tmp_path: Path) -> None:
    """An app is made up, its secrets stay the same from run to run, and every address is this machine."""
    first, second = read(tmp_path), read(tmp_path)
    assert first.simulated
    assert first.settings == second.settings
    assert first.settings["ZOOM_API_BASE_URL"] == "http://localhost:3001/v2"
    assert first.redirect_uri == "http://localhost:3000/auth/zoom/callback"
    assert not dotenv.exists()


@pytest.mark.usefixtures("dotenv")
def test_made_up_secrets_are_readable_by_their_owner_only(tmp_path: Path) -> None:
    """Other users of the machine can not read the run's secrets."""
    read(tmp_path)
    assert (tmp_path / "run" / "simulated-app.json").stat().st_mode & 0o077 == 0


def test_an_app_in_dotenv_means_the_real_zoom(dotenv: Path, tmp_path: Path) -> None:
    """The guide's names are enough to talk to Zoom itself."""
    dotenv.write_text("ZOOM_CLIENT_ID=abc\nZOOM_CLIENT_SECRET=def\nZOOM_WEBHOOK_SECRET_TOKEN=ghi\n")
    run = read(tmp_path)
    assert not run.simulated
    assert run.zoom_url == "https://api.zoom.us"
    assert run.settings["ZOOM_OAUTH_URL"] == "https://zoom.us/oauth"


@pytest.mark.parametrize("missing", ["ZOOM_CLIENT_SECRET", "ZOOM_WEBHOOK_SECRET_TOKEN"])
def test_half_an_app_is_refused(dotenv: Path, tmp_path: Path, missing: str) -> None:
    """A client id without its secrets stops the run and says which line is missing."""
    lines = {"ZOOM_CLIENT_ID": "abc", "ZOOM_CLIENT_SECRET": "def", "ZOOM_WEBHOOK_SECRET_TOKEN": "ghi"}
    dotenv.write_text("".join(f"{name}={value}\n" for name, value in lines.items() if name != missing))
    with pytest.raises(Stop, match=missing) as stopped:
        read(tmp_path)
    assert f"{missing}=..." in stopped.value.fix


def test_the_redirect_uri_is_sent_as_it_is_set(dotenv: Path, tmp_path: Path) -> None:
    """Zoom compares redirect URIs character by character: a trailing slash stays."""
    dotenv.write_text("ZOOM_REDIRECT_URI=https://x.example/auth/zoom/callback/\n")
    assert read(tmp_path).redirect_uri == "https://x.example/auth/zoom/callback/"


def test_the_environment_wins_over_dotenv(dotenv: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A variable set for one run is not hidden by the file."""
    dotenv.write_text("PUBLIC_BASE_URL=https://file.example\n")
    monkeypatch.setenv("PUBLIC_BASE_URL", "https://shell.example/")
    assert read(tmp_path).settings["PUBLIC_BASE_URL"] == "https://shell.example"


def test_people_may_return_to_the_front_door(dotenv: Path, tmp_path: Path) -> None:
    """The local pages work with a tunnel too, and own return URLs are kept."""
    dotenv.write_text("PUBLIC_BASE_URL=https://t.example\nRETURN_URLS=https://app.example\n")
    assert read(tmp_path).settings["RETURN_URLS"] == "https://t.example,http://localhost:3000,https://app.example"


@pytest.mark.usefixtures("dotenv")
def test_every_setting_reaches_the_template(tmp_path: Path) -> None:
    """No setting is read and then forgotten on the way to the deploy."""
    overrides = {item.partition("=")[0] for item in read(tmp_path).parameter_overrides()}
    options = {"Jobs", "Subscriptions", "RecordingArchive"}
    assert overrides == {*PARAMETERS.values(), "Stage", "Architecture", "AwsEndpointUrl", "KeyCacheSeconds"} | options


@pytest.mark.usefixtures("dotenv")
def test_people_sign_in_at_the_development_provider(tmp_path: Path) -> None:
    """Its address is the issuer that the template is given; the claims have the template's own names."""
    run = load(Workspace(tmp_path / "run"), port=3000, zoom_port=3001, aws_port=4566, identity_port=3002)
    assert (run.settings["OIDC_ISSUER"], run.identity_port) == ("http://localhost:3002", 3002)
    assert run.settings["OIDC_AUDIENCE"] == "zoom-gateway"
    assert run.settings["CONNECT_PAGE_URL"] == "http://localhost:3000/app/connect"


def test_an_issuer_in_dotenv_takes_its_place(dotenv: Path, tmp_path: Path) -> None:
    """Nobody made up may sign in beside the company's people."""
    dotenv.write_text("OIDC_ISSUER=https://id.example.com\n")
    run = load(Workspace(tmp_path / "run"), port=3000, zoom_port=3001, aws_port=4566, identity_port=3002)
    assert (run.settings["OIDC_ISSUER"], run.identity_port) == ("https://id.example.com", None)


@pytest.mark.parametrize(
    ("lines", "number"),
    [
        ("ZOOM_CLIENT_ID abc\n", 1),
        ("# a comment\n\nRETURN URLS=https://app.example\n", 3),
        ("OIDC_TENANT=local\nOIDC_ISSUER\n", 2),
        ("OIDC_TENANT=local\n\n  not a setting\n", 3),
    ],
)
def test_a_line_that_is_no_setting_is_named_by_its_number(
    dotenv: Path, tmp_path: Path, lines: str, number: int
) -> None:
    """The run stops before it builds anything, and says how a line is written."""
    dotenv.write_text(lines)
    with pytest.raises(Stop, match=f"^Line {number} of .env") as stopped:
        read(tmp_path)
    assert "NAME=value" in stopped.value.fix


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("OIDC_TENANT", "Bad Tenant"),
        ("PUBLIC_BASE_URL", "https://t.example/path"),
        ("ZOOM_REDIRECT_URI", "https://t.example/callback"),
        ("ZOOM_SDK_KEY", "with space"),
    ],
)
def test_a_value_that_the_template_refuses_is_named_as_in_dotenv(
    dotenv: Path, tmp_path: Path, name: str, value: str
) -> None:
    """CloudFormation would refuse it minutes later, under another name. The value may be secret and is not shown."""
    dotenv.write_text(f"{name}={value}\n")
    with pytest.raises(Stop, match=f"^{name} cannot have this value") as stopped:
        read(tmp_path)
    assert f"{name}=..." in stopped.value.fix
    assert value not in str(stopped.value)


def test_an_unknown_name_is_reported_and_left_out(
    dotenv: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A typing mistake is seen, with the name that was meant; the run goes on without it."""
    dotenv.write_text("OIDC_TENENT=acme\nSOMETHING_ELSE=1\n")
    assert read(tmp_path).settings["OIDC_TENANT"] == ""
    printed = capsys.readouterr().out
    assert "OIDC_TENENT is not a setting; did you mean OIDC_TENANT?" in printed
    assert "SOMETHING_ELSE is not a setting." in printed


@pytest.mark.usefixtures("dotenv")
def test_what_nobody_sets_is_a_value_that_the_template_takes(tmp_path: Path) -> None:
    """An override takes the place of a default, so an empty one would refuse the deploy where values are listed."""
    parameters = yaml_parse((ROOT / "template.yaml").read_text())["Parameters"]
    for override in read(tmp_path).parameter_overrides():
        name, _, quoted = override.partition("=")
        allowed = parameters[name].get("AllowedValues")
        assert allowed is None or quoted.strip('"') in allowed, name
