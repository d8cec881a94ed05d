"""Labels of connections: made of a Zoom profile, or given by a program."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.unit.connections.test_linking import PROGRAM, Linkage
from zoom_common.access.principal import Principal
from zoom_common.connections import labels
from zoom_common.errors import InvalidRequest
from zoom_common.secret import Secret
from zoom_common.zoom.http import HttpResponse
from zoom_common.zoom.oauth import ZoomUser, decipher_identity

BETA = Principal("beta", "key:b", frozenset({"*"}))


@pytest.mark.parametrize(
    ("profile", "label"),
    [
        ({"display_name": "Ada Lovelace", "email": "ada@example.com"}, "Ada Lovelace (a•••@example.com)"),
        ({"first_name": "Ada", "last_name": "Lovelace"}, "Ada Lovelace"),
        ({"first_name": "Ada", "last_name": None, "email": "ada@example.com"}, "Ada (a•••@example.com)"),
        ({"email": "ada@example.com"}, "a•••@example.com"),
        ({"display_name": "ada@example.com", "email": "ada@example.com"}, "a•••@example.com"),
        (
            {"display_name": "Ada <ada@home.example>", "email": "a@example.com"},
            "Ada <a•••@home.example> (•••@example.com)",
        ),
        ({"display_name": "Ada\u202e\n Lovelace"}, "Ada Lovelace"),
        ({"display_name": 7, "email": ["x"]}, None),
        ({}, None),
    ],
)
def test_a_profile_becomes_a_label(profile: dict[str, Any], label: str | None) -> None:
    """Name and masked address, as far as Zoom tells them; no whole address, also where it is part of the name."""
    body = json.dumps({"id": "u", "account_id": "a", **profile}).encode()
    assert labels.label_of(decipher_identity(HttpResponse(200, {}, body))) == label


def test_a_long_name_gives_way_to_the_address() -> None:
    """A label has at most a hundred characters, and the address stays whole."""
    label = labels.label_of(ZoomUser("u", "a", Secret("ada@example.com"), Secret("A" * 300)))
    assert label is not None
    assert len(label) == labels.LONGEST
    assert label.endswith("A (a•••@example.com)")


@pytest.mark.parametrize("label", ["Ada (a•••@example.com)", "a***@example.com", "Sales @ Berlin", "日本"])
def test_masked_addresses_are_labels(label: str) -> None:
    """What a program gives may have a masked address in it."""
    assert labels.checked(label) == label


@pytest.mark.parametrize("label", ["ada@example.com", "Ada (ada@example.com)", "ada@localhost", "*ada@example.com"])
def test_whole_addresses_are_no_labels(label: str) -> None:
    """They are refused, and the error does not repeat them."""
    with pytest.raises(InvalidRequest) as error:
        labels.checked(label)
    assert "ada@" not in str(error.value.fields)


def test_reconnecting_keeps_the_label_that_a_program_gave() -> None:
    """A new grant of the same Zoom user is no reason to call the connection anything else."""
    world = Linkage()
    first = world.connect()
    assert world.memory.items["acme", first].label == "Ada Lovelace (p•••@example.com)"
    world.memory.rename("acme", first, "Ada, sales")
    assert world.connect() == first
    assert world.memory.items["acme", first].label == "Ada, sales"


def test_reconnecting_gives_an_old_connection_its_label() -> None:
    """One that was linked before labels gets one from Zoom when its person consents again."""
    world = Linkage()
    first = world.connect()
    world.memory.rename("acme", first, None)
    assert world.connect() == first
    assert world.memory.items["acme", first].label == "Ada Lovelace (p•••@example.com)"


def test_another_tenant_never_gets_a_label() -> None:
    """It takes over the Zoom user, not what the former tenant called them."""
    world = Linkage()
    first = world.connect()
    world.memory.rename("acme", first, "Do not call on Mondays")
    second = world.connect(BETA)
    assert world.memory.items["beta", second].label == "Ada Lovelace (p•••@example.com)"
    assert world.memory.items["acme", first].label == "Do not call on Mondays"


def test_a_label_is_in_no_event() -> None:
    """Subscribers hear of changes by id: the label stays in the table."""
    world = Linkage()
    world.connect(PROGRAM)
    assert world.published
    assert "Lovelace" not in str(world.published)
