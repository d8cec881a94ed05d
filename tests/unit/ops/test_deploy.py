"""The short way to deploy: what samconfig.toml and .env.<stage> say together."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from ops import deploy as aws_deploy
from ops.console import Stop

ROOT = Path(__file__).parents[3]
CONFIGURED: dict[str, Any] = tomllib.loads((ROOT / "samconfig.toml").read_text())


def test_names_of_env_and_of_the_template_mean_the_same() -> None:
    """An empty line says nothing."""
    values = {"ZOOM_CLIENT_ID": "abc", "AlarmEmail": "ops@example.com", "ZOOM_SDK_KEY": "", "RETURN_URLS": None}
    found = aws_deploy.named(values, ["ZoomClientId", "AlarmEmail", "ZoomSdkKey"])
    assert found == {"ZoomClientId": "abc", "AlarmEmail": "ops@example.com"}


def test_a_misspelt_name_is_no_silent_default() -> None:
    """It is named."""
    with pytest.raises(Stop, match=r"Nobody knows ZOOM_CLIENT\."):
        aws_deploy.named({"ZOOM_CLIENT": "abc"}, ["ZoomClientId"])


@pytest.mark.parametrize("stage", aws_deploy.STAGES)
def test_the_stage_keeps_what_samconfig_says(stage: str) -> None:
    """Command-line overrides would replace its list; here they are added to it, and win."""
    written = aws_deploy.configuration(stage, {"ZoomClientSecret": 'a"b\\c', "LogRetentionDays": "3"}, CONFIGURED)
    found = tomllib.loads(written)["default"]["deploy"]["parameters"]
    own = CONFIGURED[stage]["deploy"]["parameters"]
    assert {name: value for name, value in found.items() if name != "parameter_overrides"} == {
        name: value for name, value in own.items() if name != "parameter_overrides"
    }
    assert f'Stage="{stage}"' in found["parameter_overrides"]
    assert 'ZoomClientSecret="a"b\\c"' in found["parameter_overrides"]
    assert [each for each in found["parameter_overrides"] if "LogRetentionDays" in each] == ['LogRetentionDays="3"']


def test_a_first_deploy_says_what_is_missing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Before anything is built or sent."""
    (tmp_path / "template.yaml").write_bytes((ROOT / "template.yaml").read_bytes())
    (tmp_path / ".env.prod").write_text("ZOOM_CLIENT_ID=abc\n")
    monkeypatch.setattr(aws_deploy, "ROOT", tmp_path)
    monkeypatch.setattr("sys.argv", ["deploy", "prod"])
    assert aws_deploy.main() == 1
    said = capsys.readouterr().out
    assert "does not say ZoomClientSecret, ZoomWebhookSecretToken" in said
    assert "--update" in said
