"""Cells of CSV files that people open in spreadsheet programs."""

from __future__ import annotations

# Characters that spreadsheet programs read as the beginning of a formula.
# https://owasp.org/www-community/attacks/CSV_Injection
_FORMULAS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def harmless(text: str) -> str:
    """Return a cell's text. A text that looks like a formula gets an apostrophe in front, so that it stays text."""
    return f"'{text}" if text.lstrip(" ").startswith(_FORMULAS) else text
