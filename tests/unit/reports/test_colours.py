"""Colours of the page are told apart by colour-blind readers, and texts stand out from what is behind them."""

from __future__ import annotations

import itertools
import math
import re
from importlib import resources

import pytest

STYLE = resources.files("rnn_harness.reports.page").joinpath("style.css.j2").read_text(encoding="utf-8")
LIGHT, DARK = (dict(re.findall(r"--([a-z]+): (#[0-9a-f]{6})", part)) for part in STYLE.split("@media", 2)[:2])
SCHEMES = {"light": LIGHT, "dark": DARK}
# Machado, Oliveira & Fernandes 2009, table 1, severity 1.0: rows give red, green and blue of linear RGB.
DEFICIENCIES = {
    "protanopia": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)),
    "deuteranopia": ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.011820, 0.042940, 0.968881)),
    "tritanopia": ((1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602), (0.004733, 0.691367, 0.303900)),
}
NORMAL = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))
Numbers = tuple[float, float, float]


def linear(colour: str) -> Numbers:
    """Return linear red, green and blue of a colour as #rrggbb, by the curve of sRGB."""
    shares = (int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5))
    red, green, blue = (s / 12.92 if s <= 0.04045 else ((s + 0.055) / 1.055) ** 2.4 for s in shares)
    return red, green, blue


def times(matrix: tuple[Numbers, Numbers, Numbers], numbers: Numbers) -> Numbers:
    """Multiply a matrix and a vector."""
    first, second, third = (sum(a * b for a, b in zip(row, numbers, strict=True)) for row in matrix)
    return first, second, third


def lab(numbers: Numbers) -> Numbers:
    """Return CIE L*a*b* of linear RGB, for the white of D65."""
    to_xyz = ((0.4124564, 0.3575761, 0.1804375), (0.2126729, 0.7151522, 0.0721750), (0.0193339, 0.1191920, 0.9503041))
    red, green, blue = (min(max(number, 0.0), 1.0) for number in numbers)
    scaled = (
        value / white for value, white in zip(times(to_xyz, (red, green, blue)), (0.95047, 1.0, 1.08883), strict=True)
    )
    x, y, z = (math.cbrt(s) if s > (6 / 29) ** 3 else s / (3 * (6 / 29) ** 2) + 4 / 29 for s in scaled)
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


def distance(first: str, second: str, sight: tuple[Numbers, Numbers, Numbers]) -> float:
    """Return the CIE 1976 distance of two colours as they are seen; about 2.3 is just noticed."""
    return math.dist(*(lab(times(sight, linear(colour))) for colour in (first, second)))


def contrast(first: str, second: str) -> float:
    """Return the contrast of two colours by WCAG 2."""
    dark, light = sorted(0.2126 * r + 0.7152 * g + 0.0722 * b for r, g, b in map(linear, (first, second)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("sight", ["all colours", *DEFICIENCIES])
def test_the_colours_of_the_families_are_told_apart(scheme: str, sight: str) -> None:
    colours, seen = SCHEMES[scheme], DEFICIENCIES.get(sight, NORMAL)
    for first, second in itertools.combinations(("rnn", "gru", "lstm"), 2):
        apart = distance(colours[first], colours[second], seen)
        assert apart > 15, f"{first} and {second} are {apart:.1f} apart in the {scheme} for {sight}"
    assert distance(colours["above"], colours["below"], seen) > 30


def test_colours_that_a_deficiency_confuses_are_noticed_by_the_simulation() -> None:
    """A red and a green of the same brightness: far apart for most readers, close for those who miss the red cones."""
    assert distance("#d62728", "#4f7f1f", NORMAL) > 60
    assert distance("#b3590a", "#7a6b1f", DEFICIENCIES["protanopia"]) < 15


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("name", ["ink", "dim", "link", "good", "bad", "warn"])
def test_texts_stand_out_from_what_is_behind_them(scheme: str, name: str) -> None:
    colours = SCHEMES[scheme]
    for behind in ("back", "card", "soft"):
        assert contrast(colours[name], colours[behind]) >= 4.5, f"{name} on {behind}"


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("family", ["rnn", "gru", "lstm"])
def test_lines_stand_out_from_their_figure(scheme: str, family: str) -> None:
    assert contrast(SCHEMES[scheme][family], SCHEMES[scheme]["card"]) >= 3
