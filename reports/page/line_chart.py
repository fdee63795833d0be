"""Line charts as SVG text in the colours of the page: labels at the ends of lines, a title for each point."""

from __future__ import annotations

import csv
import io
import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

WIDTH, HEIGHT = 720, 420
_LEFT, _RIGHT, _TOP, _BOTTOM = 58, 172, 14, 44
_LABEL_GAP = 13
_SUPERSCRIPTS = str.maketrans("-.0123456789", "⁻·⁰¹²³⁴⁵⁶⁷⁸⁹")
_POINT_RADIUS = 3
_MOST_DECIMALS = 3
"""Smaller numbers than 10 to the minus this are written as powers of ten."""
Placing = Callable[[float, float], tuple[float, float]]
"""Gives the place in the drawing of a point (x, y)."""


@dataclass(frozen=True)
class Line:
    """One line of a chart.

    Attributes:
        name: What its label says.
        colour: A colour of CSS.
        dashes: Its dashes as SVG writes them; empty for a full line.
        points: Its points (x, y), in the order of x; y as the axis has it.
        low: y at the lower end of a band, for each point; empty for no band.
        high: y at the upper end.
        is_thin: Whether it is a mark to compare with: thin, without points.
        is_hollow: Whether its points are hollow: a variant of the cell that has full ones.
        label: What stands at its end in the drawing; its name where empty.
    """

    name: str
    colour: str
    dashes: str
    points: tuple[tuple[float, float], ...]
    low: tuple[float, ...] = ()
    high: tuple[float, ...] = ()
    is_thin: bool = False
    is_hollow: bool = False
    label: str = ""


@dataclass(frozen=True)
class Axis:
    """A vertical axis.

    Attributes:
        title: What it shows, with its unit.
        lowest: Its lower end.
        highest: Its upper end.
        ticks: Where it has marks.
        in_powers: Whether its numbers are exponents of ten.
    """

    title: str
    lowest: float
    highest: float
    ticks: tuple[float, ...]
    in_powers: bool

    def text(self, value: float) -> str:
        """Write a number of the axis.

        Args:
            value: A tick, or the y of a point.
        """
        if not self.in_powers:
            return f"{value:.3g}"
        is_whole = abs(value - round(value)) < 1 / WIDTH
        return power_text(value) if is_whole else f"{10**value:.2g}"


def power_text(exponent: float) -> str:
    """Write a power of ten: 10⁻³, or 10⁻²·⁵ between whole ones; 0 where the exponent is minus infinity.

    Args:
        exponent: The logarithm to base ten.
    """
    if not math.isfinite(exponent):
        return "0"
    digits = f"{round(exponent, 1) + 0.0:g}"
    return f"10{digits.translate(_SUPERSCRIPTS)}"


def number_text(exponent: float) -> str:
    """Write the number with a logarithm to base ten so that it can be read in a picture: 0.25, 3 × 10⁻⁷, or 0.

    Args:
        exponent: The logarithm.
    """
    if not math.isfinite(exponent):
        return "0"
    if exponent >= -_MOST_DECIMALS:
        return f"{10**exponent:.2g}"
    digit, _, power = f"{10**exponent:.0e}".partition("e")
    return f"{digit} × 10{str(int(power)).translate(_SUPERSCRIPTS)}"


def power_axis(title: str, lowest: float, highest: float, step: int = 2) -> Axis:
    """Make an axis in powers of ten.

    Args:
        title: What it shows.
        lowest: The exponent at its lower end.
        highest: The exponent at its upper end.
        step: How far its marks are apart.
    """
    first = math.ceil(lowest / step) * step
    ticks = tuple(float(tick) for tick in range(first, math.floor(highest) + 1, step))
    return Axis(title, lowest, highest, ticks, in_powers=True)


def plain_axis(title: str, highest: float) -> Axis:
    """Make an axis from zero.

    Args:
        title: What it shows.
        highest: The largest number, positive.
    """
    rough = highest / 5
    size = 10 ** math.floor(math.log10(rough))
    step = next(factor * size for factor in (1, 2, 5, 10) if factor * size >= rough)
    count = math.ceil(highest / step)
    return Axis(title, 0.0, count * step, tuple(step * number for number in range(count + 1)), in_powers=False)


def line_chart(lines: Sequence[Line], axis: Axis, x_title: str) -> Markup:
    """Draw lines over one horizontal axis from zero.

    Args:
        lines: The lines; what lies below the axis is cut off.
        axis: The vertical axis.
        x_title: What the horizontal axis shows.

    Returns:
        An SVG element without a size of its own.
    """
    furthest = max((x for line in lines for x, _ in line.points), default=1.0) or 1.0
    right, bottom = WIDTH - _RIGHT, HEIGHT - _BOTTOM

    def place(x: float, y: float) -> tuple[float, float]:
        share = (y - axis.lowest) / (axis.highest - axis.lowest)
        return _LEFT + x / furthest * (right - _LEFT), bottom - share * (bottom - _TOP)

    parts = [*_frame(axis, x_title, furthest, place)]
    ends = {number: place(*_last_shown(line, axis)) for number, line in enumerate(lines) if line.points}
    heights = _spread(ends, bottom)
    for number, line in enumerate(lines):
        if line.points:
            parts.append(_series(number, line, axis, place, heights[number], right))
    area = f'<rect x="{_LEFT}" y="{_TOP}" width="{right - _LEFT}" height="{bottom - _TOP}"/>'
    clip = f'<clipPath id="plot-area">{area}</clipPath>'
    return Markup(
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" class="chart" aria-hidden="true">'
        f"<defs>{clip}</defs>{''.join(parts)}</svg>"
    )


def _last_shown(line: Line, axis: Axis) -> tuple[float, float]:
    """Return where a line ends: its last point, or where it leaves the drawing at the bottom."""
    for (x, y), (x_next, y_next) in itertools.pairwise(line.points):
        if y >= axis.lowest > y_next:
            return x + (x_next - x) * (axis.lowest - y) / (y_next - y), axis.lowest
    return line.points[-1]


def _frame(axis: Axis, x_title: str, furthest: float, place: Placing) -> list[str]:
    """Draw both axes, the lines at their marks, and their titles."""
    right, bottom = WIDTH - _RIGHT, HEIGHT - _BOTTOM
    parts = []
    for tick in axis.ticks:
        _, y = place(0, tick)
        parts.append(f'<line class="grid" x1="{_LEFT}" x2="{right}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(f'<text x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{axis.text(tick)}</text>')
    for tick in plain_axis("", furthest).ticks:
        if tick <= furthest:
            x, _ = place(tick, axis.lowest)
            parts.append(f'<text x="{x:.1f}" y="{bottom + 17}" text-anchor="middle">{tick:g}</text>')
    parts.append(f'<text x="{(_LEFT + right) / 2}" y="{HEIGHT - 6}" text-anchor="middle">{escape(x_title)}</text>')
    middle = (_TOP + bottom) / 2
    turned = f'transform="rotate(-90 13 {middle})"'
    parts.append(f'<text x="13" y="{middle}" text-anchor="middle" {turned}>{escape(axis.title)}</text>')
    return parts


def _series(number: int, line: Line, axis: Axis, place: Placing, label_height: float, right: float) -> str:
    """Draw one line with its band, its points and its label."""
    style = f"--series: {line.colour}"
    dashes = f' stroke-dasharray="{line.dashes}"' if line.dashes else ""
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in (place(*point) for point in line.points))
    parts = [
        f'<polyline class="{"mark" if line.is_thin else "line"}" points="{path}"{dashes} clip-path="url(#plot-area)"/>'
    ]
    if line.low:
        xs = [x for x, _ in line.points]
        edge = [place(x, y) for x, y in zip(xs, line.high, strict=True)]
        edge += [place(x, y) for x, y in reversed(list(zip(xs, line.low, strict=True)))]
        band = " ".join(f"{x:.1f},{y:.1f}" for x, y in edge)
        parts.insert(0, f'<polygon class="band" points="{band}" clip-path="url(#plot-area)"/>')
    if not line.is_thin:
        for x, y in line.points:
            if y >= axis.lowest:
                left, top = place(x, y)
                title = escape(f"{line.name}: {x:g}: {axis.text(y)}")
                mark = ' class="hollow"' if line.is_hollow else ""
                centre = f'cx="{left:.1f}" cy="{top:.1f}" r="{_POINT_RADIUS}"'
                parts.append(f"<circle{mark} {centre}><title>{title}</title></circle>")
    end, height = place(*_last_shown(line, axis))
    parts.append(f'<line class="lead" x1="{end:.1f}" y1="{height:.1f}" x2="{right + 8}" y2="{label_height:.1f}"/>')
    parts.append(
        f'<text class="label" x="{right + 11}" y="{label_height + 4:.1f}">{escape(line.label or line.name)}</text>'
    )
    return f'<g class="series" data-series="{number}" style="{style}">{"".join(parts)}</g>'


def _spread(ends: dict[int, tuple[float, float]], bottom: float) -> dict[int, float]:
    """Move the labels of lines apart that end close to each other; the order stays.

    Of lines that leave the drawing at the bottom, the last to leave has the highest label, so that no leader crosses
    another.
    """
    heights: dict[int, float] = {}
    above = float(_TOP) - _LABEL_GAP
    in_order = sorted(ends, key=lambda number: (ends[number][1], -ends[number][0]))
    for number in in_order:
        height = ends[number][1]
        above = heights[number] = max(height, above + _LABEL_GAP)
    excess = max(0.0, max(heights.values(), default=0.0) - bottom)
    below = bottom + _LABEL_GAP
    for number in reversed(in_order) if excess else ():
        below = heights[number] = min(heights[number], below - _LABEL_GAP)
    return heights


def table_of_lines(lines: Sequence[Line], x_title: str, in_powers: bool) -> str:
    """Write the points of lines as CSV.

    Args:
        lines: The lines of a chart.
        x_title: The heading of their x.
        in_powers: Whether their y are exponents of ten.
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(("line", x_title, "value"))
    for line in lines:
        writer.writerows((line.name, f"{x:g}", f"{10**y if in_powers else y:.6g}") for x, y in line.points)
    return out.getvalue()
