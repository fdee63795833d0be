"""Times side by side: a bar for forward and backward of everybody at one place of the grid."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rnn_harness.reports.page.plots import as_svg, figure_of


def timed(rows: Sequence[Any]) -> list[Any]:
    """Forward and backward together, the fastest first."""
    return sorted((one for one in rows if one.what == "both"), key=lambda one: one.middle)


def speed_plot(rows: Sequence[Any]) -> str:
    """Milliseconds of forward and backward, with their intervals; empty if there are none."""
    own = timed(rows)
    if not own:
        return ""
    with figure_of(6, 0.9 + 0.45 * len(own)) as (figure, axes):
        names = [one.subject for one in own]
        middles = [one.middle * 1e3 for one in own]
        spread = [[(one.middle - one.low) * 1e3 for one in own], [(one.high - one.middle) * 1e3 for one in own]]
        # Colour tells nothing here that the text beside the bar does not.
        axes.barh(names, middles, xerr=spread, color="#0072B2", height=0.6, error_kw={"capsize": 3})
        for place, one in enumerate(own):
            at = (one.high * 1e3, place)
            axes.annotate(f"{one.middle * 1e3:.3g}", at, (6, 0), textcoords="offset points", va="center", fontsize=9)
        axes.invert_yaxis()
        axes.margins(x=0.15)
        axes.set_xlabel("forward and backward, ms")
        axes.grid(axis="x", alpha=0.3)
        axes.set_axisbelow(True)
        return as_svg(figure)


def speed_told(place: str, rows: Sequence[Any]) -> str:
    """The plot in words."""
    times = "; ".join(f"{one.subject} {one.middle * 1e3:.3g} ms" for one in timed(rows))
    return f"Forward and backward, {place}: {times}."
