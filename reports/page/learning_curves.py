"""Learning curves: the loss of fresh sequences over the steps of training, one plot a task."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rnn_harness.reports.page.plots import as_svg, figure_of, style


def points(one: Any) -> list[tuple[int, float]]:
    """(steps of training, loss) of a measurement of learning."""
    rows = ((name.removeprefix("loss at "), value) for name, value in one.extra.items() if name.startswith("loss at "))
    return sorted((int(step), value) for step, value in rows)


def learning_plot(rows: Sequence[Any]) -> str:
    """Loss over steps, logarithmic, with chance and what nobody goes below."""
    with figure_of(6, 4.2) as (figure, axes):
        for k, one in enumerate(rows):
            steps, losses = zip(*points(one), strict=True)
            axes.plot(steps, losses, marker="os^Dv"[k % 5], markersize=3.5, label=one.subject, **style(k))
        chance, best = rows[0].extra["chance"], rows[0].extra.get("best", 0.0)
        axes.axhline(chance, color="#777777", linewidth=1, linestyle=(0, (1, 2)), label="without memory")
        if best:
            axes.axhline(best, color="#222222", linewidth=1, linestyle=(0, (4, 2)), label="at best")
        axes.set_yscale("log")
        axes.set_xlabel("steps of training")
        axes.set_ylabel("loss")
        axes.grid(alpha=0.3, which="both")
        figure.legend(fontsize=9, ncols=2, loc="outside lower center", frameon=False)
        return as_svg(figure)


def learning_told(title: str, rows: Sequence[Any]) -> str:
    """The plot in words."""
    ends = "; ".join(f"{one.subject} {one.middle:.4f}" for one in rows)
    return f"Learning curves, {title}. Loss at the end: {ends}. Without memory {rows[0].extra['chance']:.4f}."
