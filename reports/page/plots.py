"""Plots as SVG text: readable without colour, with a description, and the same for the same numbers."""

from __future__ import annotations

import contextlib
import io
import math
from collections.abc import Iterator, Sequence
from typing import Any

from rnn_harness.records.gradient_visibility import FLOAT32_LIMIT
from rnn_harness.records.measurement import DecayMeasurement

# Okabe and Ito's colours, told apart by colour-blind readers; line styles tell them apart without any.
_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000")
_STYLES = ("-", "--", "-.", ":")
LOWEST = -14.0
"""The lower end of the axis, in powers of ten."""
PLOTTED_DECAYS = {
    "RNN": ("torch", "orthogonal"),
    "sigmoid RNN": ("torch",),
    "GRU": ("torch", "keep"),
    "LSTM": ("torch", "forget-1", "chrono"),
    "LSTM without forget gate": ("torch",),
}
"""The initialisations that are drawn, by cell; the table has them all."""


@contextlib.contextmanager
def new_figure(width: float, height: float) -> Iterator[tuple[Any, Any]]:
    """Open a figure with settings that make the same text of the same numbers.

    Args:
        width: Its width in inches.
        height: Its height in inches.

    Yields:
        matplotlib's figure and its axes.
    """
    import matplotlib

    matplotlib.use("svg")
    from matplotlib import pyplot

    settings: dict[Any, Any] = {"svg.fonttype": "none", "svg.hashsalt": "rnn-harness", "font.size": 11}
    with matplotlib.rc_context(settings):
        figure, axes = pyplot.subplots(figsize=(width, height), layout="constrained")
        try:
            yield figure, axes
        finally:
            pyplot.close(figure)


def as_svg(figure: Any) -> str:
    """Return a figure as an ``svg`` element of a page.

    Args:
        figure: Matplotlib's figure; nothing of the date or the program is written.
    """
    out = io.StringIO()
    figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None})
    text = out.getvalue()
    return text[text.index("<svg") :]


def line_style(k: int) -> dict[str, str]:
    """Return the colour and the dashes of the k-th line.

    Args:
        k: The number of the line, from 0; colours repeat with other dashes.

    Returns:
        Keyword arguments of matplotlib's `plot`.
    """
    return {"color": _COLOURS[k % len(_COLOURS)], "linestyle": _STYLES[k // len(_COLOURS) % len(_STYLES)]}


def interval_wedge(
    measurement: DecayMeasurement, lags: Sequence[int], norms: Sequence[float]
) -> tuple[list[float], list[float]]:
    """Return where the curve would lie at the lower and the upper end of the 95 % interval of its rate per step.

    Args:
        measurement: Its rate and the interval of it; without an interval, the curve itself is returned twice.
        lags: The lags of the curve, in steps.
        norms: log10 of the gradient's norm at each lag.

    Returns:
        log10 of the norm at each lag at the lower end, and at the upper end.
    """
    if not measurement.ci_low or not measurement.ci_high:
        return list(norms), list(norms)
    ends = [math.log10(end / measurement.rate) for end in (measurement.ci_low, measurement.ci_high)]
    low, high = ([y + slope * lag for lag, y in zip(lags, norms, strict=True)] for slope in ends)
    return low, high


def decay_plot(rows: Sequence[DecayMeasurement], furthest: int = 100) -> str:
    """Draw log10 of the gradient's norm over the lag.

    The 95 % interval of the rate is a wedge, the bound from singular values is dotted.

    Args:
        rows: The measurements.
        furthest: The largest lag that is drawn.

    Returns:
        An SVG element; empty if there are no measurements.
    """
    if not rows:
        return ""
    with new_figure(8, 5.2) as (figure, axes):
        for k, row in enumerate(rows):
            points = [(0, 0.0), *(point for point in row.log10_norms if point.step <= furthest)]
            x, y = zip(*points, strict=True)
            axes.plot(x, y, marker="o", markersize=3, label=f"{row.subject}, {row.initialisation}", **line_style(k))
            low, high = interval_wedge(row, x, y)
            axes.fill_between(x, low, high, color=line_style(k)["color"], alpha=0.15, linewidth=0)
            if row.bound_per_step is not None:
                slope = math.log10(row.bound_per_step)
                axes.plot(
                    x, [slope * lag for lag in x], color=line_style(k)["color"], linestyle=(0, (1, 3)), linewidth=1
                )
        axes.axhline(FLOAT32_LIMIT, color="#888888", linewidth=1)
        axes.text(0, FLOAT32_LIMIT + LOWEST / 50, "float32 sees no further", va="top", fontsize=9, color="#666666")
        axes.set_xlabel("lag k (steps)")
        axes.set_ylabel("log10 of the gradient's norm")
        axes.set_ylim(LOWEST, 1.0)
        axes.grid(alpha=0.3)
        figure.legend(fontsize=9, ncols=3, loc="outside lower center", frameon=False)
        return as_svg(figure)


def describe_decay(rows: Sequence[DecayMeasurement]) -> str:
    """Describe the plot of decay in words, for readers who do not see it.

    Args:
        rows: The measurements in the plot.
    """
    parts = [f"{row.subject} ({row.initialisation}) {row.rate:.3f}" for row in rows]
    shaded = "Shaded: the 95 % interval of the rate; dotted: the bound from singular values."
    return f"Factor per step of the gradient's norm: {'; '.join(parts)}. {shaded}"
