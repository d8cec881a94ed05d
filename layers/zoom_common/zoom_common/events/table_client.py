"""What the stores of the Events table share: how its failures are told."""

from __future__ import annotations

from zoom_common.aws_api.failures import translated as told

translated = told("events_table")
