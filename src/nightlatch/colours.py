"""Colours as arithmetic: how two stand out from each other, and what lies between them (WCAG 2.2). Pure."""

import re
from typing import TypeAlias

READABLE = 4.5
"""The contrast that text needs, from 1 to 21 (WCAG 2.2, 1.4.3)."""
FORM = re.compile(r"#[0-9a-f]{6}", re.ASCII)
Rgb: TypeAlias = tuple[int, int, int]
BLACK: Rgb = (0, 0, 0)
WHITE: Rgb = (255, 255, 255)


def rgb(colour: str) -> Rgb:
    """The channels of `#rrggbb`, each 0 to 255. Raises ValueError for anything else."""
    if not FORM.fullmatch(colour):
        raise ValueError("a colour is #rrggbb")
    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    return red, green, blue


def text(channels: Rgb) -> str:
    """The same as `#rrggbb`."""
    return "#{:02x}{:02x}{:02x}".format(*channels)


def mix(one: Rgb, other: Rgb, share: float) -> Rgb:
    """The first with a share of the second, from 0 to 1."""
    red, green, blue = (
        round(first + (second - first) * share) for first, second in zip(one, other, strict=True)
    )
    return red, green, blue


def contrast(one: Rgb, other: Rgb) -> float:
    """How two colours stand out from each other, from 1 to 21 (WCAG 2.2, "contrast ratio")."""
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(channels: Rgb) -> float:
    """WCAG 2.2, "relative luminance"."""
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
        for part in (channel / 255 for channel in channels)
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
