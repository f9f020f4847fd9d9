"""A product's colour, whatever it is, leaves pages readable; its style sheet holds nothing but that colour."""

import itertools
import re
from importlib.resources import files

import pytest

from nightlatch import colours
from nightlatch.web import themes

LEVELS = range(0, 256, 51)
COLOURS = ["#{:02x}{:02x}{:02x}".format(*each) for each in itertools.product(LEVELS, LEVELS, LEVELS)]
GROUNDS = {False: ("#fffefc", "#faf7f1", "#f3efe6"), True: ("#171c2c", "#0f1320", "#1e2438")}
"""--surface, --paper and --sunken of nightlatch.css."""


@pytest.mark.parametrize("dark", [False, True])
def test_every_colour_is_readable_on_every_ground_and_carries_text(dark: bool) -> None:
    for colour in COLOURS:
        shades = themes.shades(colour, dark=dark)
        for ground in (*GROUNDS[dark], shades.tint):
            assert colours.contrast(colours.rgb(shades.accent), colours.rgb(ground)) >= 4.5, (colour, ground)
        for ground in (shades.accent, shades.strong):
            assert colours.contrast(colours.rgb(shades.on_accent), colours.rgb(ground)) >= 4.5, (
                colour,
                ground,
            )


def test_the_grounds_are_those_of_the_style_sheet() -> None:
    style_sheet = files("nightlatch.web").joinpath("static", "nightlatch.css").read_text()
    for name, values in zip(("surface", "paper", "sunken"), zip(*GROUNDS.values(), strict=True), strict=True):
        assert re.findall(rf"--{name}: (#[0-9a-f]{{6}})", style_sheet)[:2] == list(values)


def test_a_colour_that_is_readable_stays_itself() -> None:
    assert themes.shades("#2f6f4f", dark=False).accent == "#2f6f4f"
    assert themes.shades("#ffe066", dark=True).accent == "#ffe066"


@pytest.mark.parametrize("colour", ["red", "#fff", "#2F6F4F", "#2f6f4f;", "", "#2f6f4\u0663"])
def test_only_a_colour_is_one(colour: str) -> None:
    with pytest.raises(ValueError, match="rrggbb"):
        themes.stylesheet(colour)
