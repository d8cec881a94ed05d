"""The bodies that let people into meetings and webinars: invite links, SIP addresses, panelists.

https://developers.zoom.us/docs/api/meetings/#tag/invitation-&-registration
"""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, Field

from zoom_common.zoom.models.base import ZoomModel
from zoom_common.zoom.models.fields import EMail, Flag, Text, code, whole

_NINETY_DAYS = 90 * 86_400


class Attendee(ZoomModel):
    """Someone who gets a link."""

    name: Annotated[str, Field(max_length=64)]
    disable_audio: Flag = None
    disable_video: Flag = None


class InviteLinks(ZoomModel):
    """The body of `POST .../invite_links`. `ttl` is in seconds; 0 is for ever."""

    attendees: Annotated[list[Attendee] | None, Field(min_length=1, max_length=500)] = None
    ttl: Annotated[int | None, Field(ge=0, le=_NINETY_DAYS), BeforeValidator(whole)] = None


class SipDialing(ZoomModel):
    """The body of `POST .../sip_dialing`."""

    passcode: Annotated[Text, BeforeValidator(code)] = None


class Panelist(ZoomModel):
    """Someone on the panel of a webinar."""

    email: EMail = None
    name: Text = None
    name_tag_description: Text = None
    name_tag_id: Text = None
    name_tag_name: Text = None
    name_tag_pronouns: Text = None
    virtual_background_id: Text = None


class Panelists(ZoomModel):
    """The body of `POST /webinars/{webinarId}/panelists`."""

    panelists: Annotated[list[Panelist] | None, Field(max_length=30)] = None
