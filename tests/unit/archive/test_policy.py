"""What a policy may say, and what a file is called."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest

from zoom_common.archive.policy import KEY_TEMPLATE, KINDS, FileName, Policy, readable, template_fault
from zoom_common.errors import InvalidRequest

NAME = FileName(
    tenant="acme",
    connection="con_1",
    host="host",
    meeting_id="85123456789",
    uuid="uuid==",
    topic="Weekly: sync / Q3 Übersicht",
    begun_ms=1_790_000_000_000,
    file_id="file-1",
    file_type="gallery_view",
    kind="video",
    extension="MP4",
)


def test_an_empty_body_turns_the_archive_on_with_defaults() -> None:
    """Everything is kept for ever, and stays at Zoom."""
    policy = Policy.of_request({})
    assert policy == Policy()
    assert (policy.enabled, tuple(policy.kinds), policy.trash_after_days) == (True, KINDS, None)
    assert policy.shown()["at_zoom"] == {"keep": True}


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"enabled": False},
        {"kinds": ["audio", "video"]},
        {"lifecycle": {"cold_after_days": 90}, "storage_class": "STANDARD", "retention_days": 3650},
        {"at_zoom": {"trash_after_days": 30}},
        {"at_zoom": {"keep": False, "trash_after_days": 1, "delete_after_days": 7}},
    ],
)
def test_what_is_shown_can_be_sent_back(body: dict[str, Any]) -> None:
    """A policy as it is shown can be sent back and is the same policy."""
    policy = Policy.of_request(body)
    assert Policy.of_request(policy.shown()) == policy
    assert Policy.of_item(policy.to_item()) == policy


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"colour": "red"}, "colour"),
        ({"enabled": 1}, "enabled"),
        ({"kinds": []}, "kinds"),
        ({"kinds": "video"}, "kinds"),
        ({"kinds": ["film"]}, "kinds"),
        ({"kinds": ["video"], "at_zoom": {"trash_after_days": 1}}, "kinds"),
        ({"storage_class": "DEEP_ARCHIVE"}, "storage_class"),
        ({"lifecycle": {"cold_after_days": 31}}, "lifecycle"),
        ({"lifecycle": {"cold_after_days": True}}, "lifecycle"),
        ({"retention_days": 0}, "retention_days"),
        ({"retention_days": True}, "retention_days"),
        ({"at_zoom": "trash"}, "at_zoom"),
        ({"at_zoom": {"trash_after_days": 0}}, "at_zoom.trash_after_days"),
        ({"at_zoom": {"keep": True, "trash_after_days": 3}}, "at_zoom.keep"),
        ({"at_zoom": {"keep": False}}, "at_zoom.keep"),
        ({"at_zoom": {"delete_after_days": 3}}, "at_zoom.delete_after_days"),
        ({"key_template": "{topic}"}, "key_template"),
        ({"key_template": "{id}/{secret}"}, "key_template"),
    ],
)
def test_a_wrong_member_is_named(body: dict[str, Any], field: str) -> None:
    """An error names the member by its path in the body."""
    with pytest.raises(InvalidRequest) as refused:
        Policy.of_request(body)
    assert field in {each.field for each in refused.value.fields}


@pytest.mark.parametrize(
    "template",
    [
        None,
        "",
        "x" * 301,
        "{id",
        "{id!r}",
        "{id:>9}",
        "{id.__class__}",
        "{0}{id}",
        "../{id}",
        "/{id}",
        "a//{id}",
        "a\n{id}",
    ],
)
def test_a_key_template_that_could_go_astray_is_refused(template: Any) -> None:
    """Open braces, formats, attributes, other places, and paths that lead elsewhere."""
    assert template_fault(template)


def test_a_key_can_be_read_and_never_collides() -> None:
    """It begins with the tenant, has no surprising characters, and two files never have the same one."""
    key = NAME.key(KEY_TEMPLATE)
    assert re.fullmatch(
        r"acme/2026/09/21/Weekly_ sync _ Q3 Übersicht 85123456789 2026-09-21T14-13-20Z/gallery_view [0-9a-f]{20}\.mp4",
        key,
    )
    others = [replace(NAME, file_id="file-2"), replace(NAME, uuid="other"), replace(NAME, tenant="other")]
    assert len({NAME.unique(), *(each.unique() for each in others)}) == 4


@pytest.mark.parametrize("topic", ["", "...", "../../etc/passwd", "\x00\x1f", "🎉" * 200, "a" * 500, "  ", "a\\b"])
def test_no_topic_leads_out_of_its_folder(topic: str) -> None:
    """Or makes a key that is longer than S3 takes."""
    key = replace(NAME, topic=topic, host=topic).key(
        "{host}/{topic}/{topic}/{topic}/{host}/{topic}/{topic}/{topic}/{topic}/{id}"
    )
    assert len(key.encode()) <= 1024
    assert ".." not in key
    assert "//" not in key
    assert all(part.strip(" .") == part and part for part in key.split("/"))
    assert readable(topic)
