"""How a meeting or webinar repeats.

https://developers.zoom.us/docs/api/meetings/#tag/meetings/POST/users/{userId}/meetings
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from zoom_common.errors import FieldError
from zoom_common.zoom.models.base import ZoomModel
from zoom_common.zoom.models.fields import Moment, Weekdays, whole

DAILY, WEEKLY, MONTHLY = 1, 2, 3
# Zoom's pages print less for webinars (90, 12, 3); the larger numbers are the ones that are sure to be refused beyond.
_LONGEST_INTERVAL = {DAILY: 99, WEEKLY: 50, MONTHLY: 10}


class Recurrence(ZoomModel):
    """The `recurrence` of a body. Zoom reads it for recurring meetings with a fixed time only."""

    type: Annotated[Literal[1, 2, 3], BeforeValidator(whole)]
    end_date_time: Moment = None
    end_times: Annotated[int | None, Field(ge=0, le=60), BeforeValidator(whole)] = None
    monthly_day: Annotated[int | None, Field(ge=1, le=31), BeforeValidator(whole)] = None
    monthly_week: Annotated[Literal[-1, 1, 2, 3, 4] | None, BeforeValidator(whole)] = None
    monthly_week_day: Annotated[Literal[1, 2, 3, 4, 5, 6, 7] | None, BeforeValidator(whole)] = None
    repeat_interval: Annotated[int | None, Field(ge=0), BeforeValidator(whole)] = None
    weekly_days: Weekdays = None

    def conflicts(self) -> list[FieldError]:
        """What Zoom's rules of recurrence forbid."""
        return list(self._conflicts())

    def _conflicts(self) -> Iterator[FieldError]:
        if self.end_times is not None and self.end_date_time:
            yield FieldError("recurrence.end_times", "Use end_times or end_date_time, not both.")
        if (self.repeat_interval or 0) > _LONGEST_INTERVAL[self.type]:
            limit = _LONGEST_INTERVAL[self.type]
            yield FieldError("recurrence.repeat_interval", f"Must be {limit} or less for this type of recurrence.")
        if self.type == WEEKLY and not self.weekly_days:
            yield FieldError("recurrence.weekly_days", "This field is required for a weekly recurrence.")
        if self.type == MONTHLY and (self.monthly_week is None) != (self.monthly_week_day is None):
            lacking = "monthly_week" if self.monthly_week is None else "monthly_week_day"
            yield FieldError(f"recurrence.{lacking}", "monthly_week and monthly_week_day need each other.")


def conflicts_of(recurrence: Recurrence | None, *, read: bool) -> Sequence[FieldError]:
    """What a body's recurrence conflicts with, unless there is none or Zoom does not read it."""
    return recurrence.conflicts() if recurrence is not None and read else ()
