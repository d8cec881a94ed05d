"""Cells of CSV files that people open in spreadsheet programs."""

from __future__ import annotations

# What a spreadsheet program takes for the beginning of a formula.
# https://owasp.org/www-community/attacks/CSV_Injection
_FORMULAS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def harmless(text: str) -> str:
    """Return a cell's text. An apostrophe before what looks like a formula makes it text."""
    return f"'{text}" if text.lstrip(" ").startswith(_FORMULAS) else text
