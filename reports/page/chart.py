"""A figure of the page: a chart with logarithmic and linear axis, what it shows in words, and its numbers."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class LegendEntry:
    """A line of a chart in its legend.

    Attributes:
        number: The number of the line, from 0.
        name: What it is.
        colour: A colour of CSS, that of the family.
    """

    number: int
    name: str
    colour: str


@dataclass(frozen=True)
class Chart:
    """What a figure is made of.

    Attributes:
        title: What stands below it; empty where the description does.
        description: What it shows in words, for readers who do not see it.
        svg: The chart as an SVG element; empty where there is nothing to draw.
        other_svg: The same with a linear axis, or at another stage; empty where there is none.
        other_label: What the button that shows it says.
        legend: Its lines; empty for charts without.
        csv: Its numbers as CSV.
        file_name: How files of it are called, without an ending.
    """

    title: str
    description: str
    svg: str
    csv: str
    file_name: str
    other_svg: str = ""
    other_label: str = "linear axis"
    legend: tuple[LegendEntry, ...] = ()
