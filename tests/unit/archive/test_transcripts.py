"""Transcripts and chats as people and programs read them."""

from __future__ import annotations

from zoom_common.archive.content import Cue, cues, messages, plain, turns

WEBVTT = """WEBVTT

1
00:00:01.000 --> 00:00:02.500
Jill Chill: Welcome, everybody.

2
00:00:03.000 --> 00:00:05.000
Jill Chill: Let us
begin &amp; end.

NOTE nothing

3
00:01:00.000 --> 00:01:02.000
<v Grace Hopper>Thank you.</v>

4
01:00:00.000 --> 01:00:01.000
[music]
"""


def test_cues_have_times_and_speakers() -> None:
    """Zoom's form and WebVTT's own; notes are no cues."""
    assert list(cues(WEBVTT)) == [
        Cue(1000, 2500, "Jill Chill", "Welcome, everybody."),
        Cue(3000, 5000, "Jill Chill", "Let us begin & end."),
        Cue(60_000, 62_000, "Grace Hopper", "Thank you."),
        Cue(3_600_000, 3_601_000, "", "[music]"),
    ]
    assert list(cues(WEBVTT.replace("\n", "\r\n")))[1].text == "Let us begin & end."
    assert list(cues("no transcript at all")) == []


def test_a_turn_is_what_one_speaker_says_in_a_row() -> None:
    """With the participant of that name, unless two people have it."""
    people = [
        {"name": "jill  chill", "user_id": "u1", "email": "jill@zoom.example"},
        {"name": "Grace Hopper", "user_id": "u2"},
        {"name": "Grace Hopper", "user_id": "u3"},
    ]
    found = turns(WEBVTT, people)
    assert [(each["speaker"], each["start"], each["end"]) for each in found] == [
        ("Jill Chill", 1000, 5000),
        ("Grace Hopper", 60_000, 62_000),
        ("", 3_600_000, 3_601_000),
    ]
    assert found[0]["text"] == "Welcome, everybody. Let us begin & end."
    assert found[0]["participant"] == {"name": "jill  chill", "user_id": "u1", "email": "jill@zoom.example"}
    assert "participant" not in found[1]


def test_as_text_each_turn_is_a_paragraph() -> None:
    """Each paragraph begins with the time since the recording began."""
    assert plain(WEBVTT) == (
        "[00:00:01] Jill Chill: Welcome, everybody. Let us begin & end.\n\n"
        "[00:01:00] Grace Hopper: Thank you.\n\n[01:00:00] [music]\n"
    )
    assert plain("WEBVTT\n") == ""


def test_a_chat_is_a_list_of_messages() -> None:
    """A line that begins none belongs to the one before."""
    chat = "00:00:05\tJill Chill:\tHello\r\nthere\r\n00:01:00\t From Grace : \tBye\r\nx"
    assert messages(chat)[0] == {"time": "00:00:05", "sender": "Jill Chill", "text": "Hello\nthere"}
    assert messages("00:01:00\t From Grace :\tBye") == [{"time": "00:01:00", "sender": "Grace", "text": "Bye"}]
    assert messages("nothing") == []
