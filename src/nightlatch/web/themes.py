"""A style sheet made of one colour: buttons, links and marks in a product's own, readable in light and dark.

The colour is moved towards black (light pages) or white (dark ones) until text in it stands out from every ground that
it is put on by 4.5 to 1, and text on it does so too (WCAG 2.2, 1.4.3). What tells good from bad keeps its own colours.
"""

from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256

from nightlatch.colours import BLACK, READABLE, WHITE, Rgb, contrast, mix, rgb, text

_STEPS = 64


@dataclass(frozen=True, slots=True)
class _Ground:
    """One of the two schemes: what text stands on, where a colour is moved to, how strong a tint of it is."""

    surfaces: tuple[str, ...]
    towards: Rgb
    tint: float
    strong: float


# The grounds of nightlatch.css: --surface first, then --paper and --sunken.
_LIGHT = _Ground(("#fffefc", "#faf7f1", "#f3efe6"), BLACK, 0.1, 0.22)
_DARK = _Ground(("#171c2c", "#0f1320", "#1e2438"), WHITE, 0.16, 0.3)


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
    accent, tint = _readable(rgb(colour), ground)
    strong = mix(accent, ground.towards, ground.strong)
    on_accent = BLACK if dark else WHITE
    return Shades(text(accent), text(strong), text(on_accent), text(tint))


def _readable(base: Rgb, ground: _Ground) -> tuple[Rgb, Rgb]:
    """The colour, moved as little as it takes to be read on every ground, its own tint included; and that tint."""
    grounds = [rgb(each) for each in ground.surfaces]
    for step in range(_STEPS):
        accent = mix(base, ground.towards, step / _STEPS)
        tint = mix(grounds[0], accent, ground.tint)
        if all(contrast(accent, each) >= READABLE for each in (*grounds, tint)):
            return accent, tint
    return ground.towards, mix(grounds[0], ground.towards, ground.tint)


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


def _variables(shades: Shades) -> str:
    return (
        f"--night: {shades.accent}; --night-deep: {shades.strong}; --on-night: {shades.on_accent}; "
        f"--link: {shades.accent}; --brand-tint: {shades.tint};"
    )
