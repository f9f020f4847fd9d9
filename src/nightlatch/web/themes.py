"""A style sheet made of one colour: buttons, links and marks in a product's own, readable in light and dark.

The colour is moved towards black (light pages) or white (dark ones) until text in it stands out from every ground that
it is put on by 4.5 to 1, and text on it does so too (WCAG 2.2, 1.4.3). What tells good from bad keeps its own colours.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256

READABLE = 4.5
"""WCAG 2.2, 1.4.3: contrast of text, from 1 to 21."""
COLOUR = re.compile(r"#[0-9a-f]{6}", re.ASCII)
_BLACK, _WHITE = (0, 0, 0), (255, 255, 255)
_STEPS = 64

_Rgb = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class _Ground:
    """One of the two schemes: what text stands on, where a colour is moved to, how strong a tint of it is."""

    surfaces: tuple[str, ...]
    towards: _Rgb
    tint: float
    strong: float


# The grounds of nightlatch.css: --surface first, then --paper and --sunken.
_LIGHT = _Ground(("#fffefc", "#faf7f1", "#f3efe6"), _BLACK, 0.1, 0.22)
_DARK = _Ground(("#171c2c", "#0f1320", "#1e2438"), _WHITE, 0.16, 0.3)


@dataclass(frozen=True, slots=True)
class Shades:
    """What a colour becomes in one scheme, each `#rrggbb`."""

    accent: str
    """Links, marks, and the ground of the main button."""
    strong: str
    """The same under the pointer."""
    on_accent: str
    """Text on both."""
    tint: str
    """A soft ground for text in the accent."""


def shades(colour: str, *, dark: bool) -> Shades:
    """The shades of a colour (`#rrggbb`) in one scheme."""
    ground = _DARK if dark else _LIGHT
    accent, tint = _readable(_rgb(colour), ground)
    strong = _mix(accent, ground.towards, ground.strong)
    on_accent = _BLACK if dark else _WHITE
    return Shades(_text(accent), _text(strong), _text(on_accent), _text(tint))


def _readable(base: _Rgb, ground: _Ground) -> tuple[_Rgb, _Rgb]:
    """The colour, moved as little as it takes to be read on every ground, its own tint included; and that tint."""
    grounds = [_rgb(each) for each in ground.surfaces]
    for step in range(_STEPS):
        accent = _mix(base, ground.towards, step / _STEPS)
        tint = _mix(grounds[0], accent, ground.tint)
        if all(_contrast(accent, each) >= READABLE for each in (*grounds, tint)):
            return accent, tint
    return ground.towards, _mix(grounds[0], ground.towards, ground.tint)


@lru_cache(maxsize=256)
def stylesheet(colour: str) -> str:
    """The style sheet of a colour. It stands outside the layers of nightlatch.css, so it wins over them."""
    light, dark = shades(colour, dark=False), shades(colour, dark=True)
    return (
        f":root {{ {_variables(light)} }}\n"
        f"@media (prefers-color-scheme: dark) {{ :root {{ {_variables(dark)} }} }}\n"
        f"body::before {{ background: {colour}; }}\n"
        ".avatar, .big-icon:not(.good), .tasks > li::before, .side [aria-current] "
        "{ color: var(--link); background: var(--brand-tint); }\n"
        ".btn-quiet:hover { background: var(--brand-tint); }\n"
    )


@lru_cache(maxsize=256)
def version(colour: str) -> str:
    """A short hash of the style sheet, for its address."""
    return sha256(stylesheet(colour).encode()).hexdigest()[:12]


def contrast(one: str, other: str) -> float:
    """How two colours stand out from each other, from 1 to 21 (WCAG 2.2, "contrast ratio")."""
    return _contrast(_rgb(one), _rgb(other))


def _variables(shades: Shades) -> str:
    return (
        f"--night: {shades.accent}; --night-deep: {shades.strong}; --on-night: {shades.on_accent}; "
        f"--link: {shades.accent}; --brand-tint: {shades.tint};"
    )


def _rgb(colour: str) -> _Rgb:
    if not COLOUR.fullmatch(colour):
        raise ValueError("a colour is #rrggbb")
    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    return red, green, blue


def _text(rgb: _Rgb) -> str:
    return "#{:02x}{:02x}{:02x}".format(*rgb)


def _mix(one: _Rgb, other: _Rgb, share: float) -> _Rgb:
    red, green, blue = (
        round(first + (second - first) * share) for first, second in zip(one, other, strict=True)
    )
    return red, green, blue


def _contrast(one: _Rgb, other: _Rgb) -> float:
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(rgb: _Rgb) -> float:
    """WCAG 2.2, "relative luminance"."""
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
        for part in (channel / 255 for channel in rgb)
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
