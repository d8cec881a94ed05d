"""The command line that starts it."""

from __future__ import annotations

from pathlib import Path

import pytest

from zoom_simulator import cli
from zoom_simulator.app import Server


def parsed(*words: str) -> Server:
    """The server of these options."""
    return cli.build(cli.parser().parse_args(words))


def test_options_become_a_simulator(tmp_path: Path) -> None:
    """Options set the app, the webhook, the plan, switches and faults."""
    server = parsed(
        "--port", "3099", "--client-id", "me", "--client-secret", "s", "--redirect-uri", "https://a.example/cb",
        "--redirect-uri", "https://b.example/cb", "--webhook-url", "https://hook.example", "--plan", "business",
        "--retry-scale", "0.5", "--no-limits", "--set", "twin_recordings=true", "--set", "retry_minutes=1,2",
        "--fault", "429,target=users.get,count=2", "--state-file", str(tmp_path / "state.json"), "--seed", "3",
    )  # fmt: skip
    sim = server.sim
    assert sim.base_url == "http://localhost:3099"
    assert (sim.app.client_id, len(sim.app.redirect_uris)) == ("me", 2)
    assert sim.state.accounts[sim.app.account_id].plan == "business"
    assert (sim.behaviour.retry_scale, sim.behaviour.enforce_limits) == (0.5, False)
    assert (sim.behaviour.twin_recordings, sim.behaviour.retry_minutes) == (True, (1.0, 2.0))
    (rule,) = sim.faults.rules.values()
    assert (rule.status, rule.target, rule.count) == (429, "users.get", 2)
    (subscription,) = sim.state.subscriptions.values()
    assert subscription.url == "https://hook.example"


def test_only_the_loopback_unless_configured() -> None:
    """Nobody else on the network gets in."""
    assert cli.parser().parse_args([]).host == "127.0.0.1"


def test_a_second_start_takes_up_the_state(tmp_path: Path) -> None:
    """The options of the second start win over what was saved."""
    path = tmp_path / "state.json"
    first = parsed("--state-file", str(path), "--webhook-url", "https://one.example", "--client-secret", "one")
    first.save()
    second = parsed("--state-file", str(path), "--webhook-url", "https://two.example", "--client-secret", "two")
    assert second.sim.state.users.keys() == first.sim.state.users.keys()
    assert second.sim.app.client_secret == "two"
    assert [each.url for each in second.sim.state.subscriptions.values()] == ["https://two.example"]


@pytest.fixture(autouse=True)
def no_listening(monkeypatch: pytest.MonkeyPatch) -> None:
    """Unit tests open no sockets."""
    monkeypatch.setattr(cli, "listen", lambda *_: None)


@pytest.mark.parametrize(
    "words",
    [
        ["--set", "magic=1"],
        ["--set", "magic"],
        ["--set", "twin_recordings=maybe"],
        ["--retry-scale", "-1"],
        ["--fault", "gremlin"],
        ["--fault", "429,count"],
        ["--state-file", "BROKEN"],
    ],
)
def test_bad_options_are_one_clear_sentence(
    words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A bad option prints one sentence, and the exit status is 2."""
    broken = tmp_path / "broken.json"
    broken.write_text("{")
    assert cli.main([str(broken) if word == "BROKEN" else word for word in words]) == 2
    assert capsys.readouterr().err.startswith("cannot start: ")
