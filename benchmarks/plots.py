"""Bars with their spread, as SVG that reads in light and dark."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from math import ceil

from benchmarks.rounds import Ratio

_WIDTH, _LEFT, _RIGHT, _ROW, _TOP = 860, 290, 110, 28, 44
_FONT, _RIGHT_HAND = 'font-family="system-ui, sans-serif" font-size="13"', 'text-anchor="end"'
_OURS, _OTHERS, _INK, _FAINT = "#0b6e4f", "#9aa5b1", "#1f2933", "#d5dbe1"


def bars(title: str, unit: str, values: Mapping[str, Ratio]) -> str:
    """Horizontal bars, shortest first; names that begin with "ours" stand out. `unit` says multiples of what."""
    ordered = sorted(values.items(), key=lambda item: item[1].median)
    most = max(ratio.high for ratio in values.values())
    height = _TOP + _ROW * len(ordered) + 34
    scale = (_WIDTH - _LEFT - _RIGHT) / most
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" role="img" {_FONT}>',
        f"<title>{escape(title)}</title>",
        f'<rect width="{_WIDTH}" height="{height}" rx="8" fill="#ffffff"/>',
        f'<text x="16" y="26" font-size="15" font-weight="600" fill="{_INK}">{escape(title)}</text>',
        *_grid(most, scale, height),
    ]
    for row, (name, ratio) in enumerate(ordered):
        parts += _bar(name, ratio, _TOP + row * _ROW, scale)
    parts.append(f'<text x="{_LEFT}" y="{height - 8}" font-size="11" fill="{_INK}">multiples of {escape(unit)}</text>')
    return "\n".join([*parts, "</svg>", ""])


def _grid(most: float, scale: float, height: int) -> list[str]:
    step = max(1, ceil(most / 8))
    lines = []
    for at in range(0, int(most) + 1, step):
        x = _LEFT + at * scale
        lines.append(f'<line x1="{x:.1f}" y1="{_TOP - 6}" x2="{x:.1f}" y2="{height - 30}" stroke="{_FAINT}"/>')
        lines.append(
            f'<text x="{x:.1f}" y="{height - 20}" font-size="11" text-anchor="middle" fill="{_INK}">{at}</text>'
        )
    return lines


def _bar(name: str, ratio: Ratio, y: int, scale: float) -> list[str]:
    colour = _OURS if name.startswith("ours") else _OTHERS
    weight = "600" if name.startswith("ours") else "400"
    end, low, high = (_LEFT + each * scale for each in (ratio.median, ratio.low, ratio.high))
    middle = y + 9
    return [
        f'<text x="{_LEFT - 10}" y="{y + 14}" {_RIGHT_HAND} font-weight="{weight}" fill="{_INK}">{escape(name)}</text>',
        f'<rect x="{_LEFT}" y="{y}" width="{max(1.0, end - _LEFT):.1f}" height="18" rx="3" fill="{colour}"/>',
        f'<line x1="{low:.1f}" y1="{middle}" x2="{high:.1f}" y2="{middle}" stroke="{_INK}" stroke-width="1.5"/>',
        f'<text x="{high + 8:.1f}" y="{y + 14}" fill="{_INK}">{ratio.median:.2f}</text>',
    ]
