"""Learning curves: the loss of fresh sequences over the steps of training, one plot a task."""

from __future__ import annotations

from collections.abc import Sequence

from rnn_harness.records.measurement import LearningMeasurement
from rnn_harness.reports.page.plots import as_svg, line_style, new_figure


def learning_plot(rows: Sequence[LearningMeasurement]) -> str:
    """Draw the losses of one task over the steps of training, logarithmic, with chance and the best possible loss.

    Args:
        rows: The measurements of one task, each with a curve; at least one.

    Returns:
        The plot as an SVG element.
    """
    with new_figure(6, 4.2) as (figure, axes):
        for k, row in enumerate(rows):
            steps, losses = zip(*row.loss_curve, strict=True)
            axes.plot(steps, losses, marker="os^Dv"[k % 5], markersize=3.5, label=row.subject, **line_style(k))
        axes.axhline(rows[0].chance, color="#777777", linewidth=1, linestyle=(0, (1, 2)), label="without memory")
        if rows[0].best:
            axes.axhline(rows[0].best, color="#222222", linewidth=1, linestyle=(0, (4, 2)), label="at best")
        axes.set_yscale("log")
        axes.set_xlabel("steps of training")
        axes.set_ylabel("loss")
        axes.grid(alpha=0.3, which="both")
        figure.legend(fontsize=9, ncols=2, loc="outside lower center", frameon=False)
        return as_svg(figure)


def describe_learning(title: str, rows: Sequence[LearningMeasurement]) -> str:
    """Describe the plot in words, for readers who do not see it.

    Args:
        title: The task and its conditions.
        rows: The measurements in the plot, at least one.
    """
    ends = "; ".join(f"{row.subject} {row.median:.4f}" for row in rows)
    return f"Learning curves, {title}. Loss at the end: {ends}. Without memory {rows[0].chance:.4f}."
