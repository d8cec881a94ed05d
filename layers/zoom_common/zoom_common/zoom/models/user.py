"""The bodies that create and change users.

Zoom sells new licences more often than it prints their numbers, so the numbers of plans are not checked.

https://developers.zoom.us/docs/api/users/#tag/users/POST/users
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from zoom_common.zoom.models.fields import EMail, Flag, Text, Texts, TimeZone, Whole, ZoomModel, e_mail, whole

UserType = Annotated[Literal[1, 2, 3, 4, 99] | None, BeforeValidator(whole)]
Name = Annotated[Text, Field(max_length=64)]


class License(ZoomModel):
    """A licence from one subscription."""

    license_option: Whole = None
    license_type: Text = None
    subscription_id: Text = None


class UserFeature(ZoomModel):
    """The features of an existing user."""

    zoom_phone: Flag = None


class NewUserFeature(UserFeature):
    """The features of a new user."""

    zoom_one_type: Whole = None


class UserInfo(ZoomModel):
    """The data of a new user."""

    email: Annotated[str, AfterValidator(e_mail), Field(max_length=128)]
    type: Annotated[Literal[1, 2, 3, 4, 99], BeforeValidator(whole)]
    display_name: Annotated[Text, Field(max_length=128)] = None
    division_ids: Texts = None
    feature: NewUserFeature | None = None
    first_name: Name = None
    last_name: Name = None
    license_info_list: Annotated[list[License] | None, Field(max_length=2)] = None
    password: Annotated[Text, Field(max_length=32)] = None
    plan_united_type: Text = None


class CreateUser(ZoomModel):
    """The body of `POST /users`."""

    action: Literal["create", "autoCreate", "custCreate", "ssoCreate"]
    user_info: UserInfo | None = None


class CustomAttribute(ZoomModel):
    """One of the account's own attributes."""

    key: Text = None
    name: Text = None
    value: Text = None


class PhoneNumber(ZoomModel):
    """One telephone number."""

    code: Text = None
    country: Text = None
    label: Text = None
    number: Text = None


class UpdateUser(ZoomModel):
    """The body of `PATCH /users/{userId}`."""

    about_me: Annotated[Text, Field(max_length=150)] = None
    cms_user_id: Text = None
    company: Annotated[Text, Field(max_length=255)] = None
    cost_center: Text = None
    custom_attributes: Annotated[list[CustomAttribute] | None, Field(max_length=5)] = None
    dept: Text = None
    display_name: Annotated[Text, Field(max_length=128)] = None
    division_ids: Texts = None
    feature: UserFeature | None = None
    first_name: Name = None
    group_id: Text = None
    host_key: Annotated[Text, Field(max_length=10)] = None
    job_title: Annotated[Text, Field(max_length=128)] = None
    language: Text = None
    last_name: Name = None
    license_info_list: Annotated[list[License] | None, Field(max_length=2)] = None
    linkedin_url: Text = None
    location: Annotated[Text, Field(max_length=256)] = None
    manager: Text = None
    phone_country: Text = None
    phone_number: Text = None
    phone_numbers: Annotated[list[PhoneNumber] | None, Field(max_length=3)] = None
    plan_united_type: Text = None
    pmi: Whole = None
    pronouns: Text = None
    pronouns_option: Annotated[Literal[1, 2, 3] | None, BeforeValidator(whole)] = None
    timezone: TimeZone = None
    type: UserType = None
    use_pmi: Flag = None
    vanity_name: Text = None
    zoom_one_type: Whole = None


class UserStatus(ZoomModel):
    """The body of `PUT /users/{userId}/status`."""

    action: Literal["activate", "deactivate", "clock_in", "clock_out"]
    transfer_email: EMail = None
    transfer_events: Flag = None


class UserSettings(ZoomModel):
    """The body of `PATCH /users/{userId}/settings`: hundreds of switches, which Zoom changes every month.

    All are accepted.
    """
