"""Measurements for a terminal: parameters, decay of gradients, speed, and what changed."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.markup import escape
from rich.text import Text

from rnn_harness.records.measurement import (
    DecayMeasurement,
    FailedBenchmark,
    LearningMeasurement,
    Measurement,
    ParameterCount,
    SpeedMeasurement,
    SpeedPhase,
    UnrolledMeasurement,
)
from rnn_harness.records.measurement_history import MeasurementChange
from rnn_harness.reports.text.fit_table import Cell, Column, print_table

_LAGS = (1, 10, 100)
_PHASES: tuple[SpeedPhase, ...] = ("forward", "backward", "both")


def _columns(texts: Sequence[str], numbers: Sequence[str]) -> list[Column]:
    """Build columns of texts, the first of them a name and the others folded, and of numbers."""
    text_columns = [Column(name, least=20 if i else None) for i, name in enumerate(texts)]
    return [*text_columns, *(Column(name, right=True) for name in numbers)]


def _red(text: str) -> Text:
    return Text(text, style="red")


def print_bench(console: Console, measurements: Sequence[Measurement]) -> None:
    """Print a table for each kind of measurement, and the jobs that failed.

    Args:
        console: Where to.
        measurements: Of any kinds; a kind that is missing has no table.
    """
    for failure in (row for row in measurements if isinstance(row, FailedBenchmark)):
        console.print(f"[red]failed[/]: {escape(failure.subject)}: {escape(failure.reason)}")
    _print_parameters(console, [row for row in measurements if isinstance(row, ParameterCount)])
    _print_decay(console, [row for row in measurements if isinstance(row, DecayMeasurement)])
    _print_learning(console, [row for row in measurements if isinstance(row, LearningMeasurement)])
    _print_unrolled(console, [row for row in measurements if isinstance(row, UnrolledMeasurement)])
    _print_speed(console, [row for row in measurements if isinstance(row, SpeedMeasurement)])


def _print_parameters(console: Console, rows: Sequence[ParameterCount]) -> None:
    if not rows:
        return
    table = []
    for row in rows:
        against = ", ".join(row.compared_with) or "nothing: it has no reference"
        verdict = Text(against) if row.agrees else Text.assemble(("✗ ", "red"), row.reason)
        table.append((row.subject, row.formula, verdict, f"{row.count}"))
    columns = (Column("what", least=24), *_columns(("", "closed form", "compared with"), ("count",))[1:])
    print_table(console, "Parameters (of cells at n = 3, d = 4, k = 2)", columns, table)


def _print_decay(console: Console, rows: Sequence[DecayMeasurement]) -> None:
    if not rows:
        return
    sizes = rows[0].sizes
    title = f"Decay of gradients: |d h_T / d s_T-k|, d = {sizes['d']}, T = {sizes['T']}"
    lags = [f"k = {lag}" for lag in _LAGS]
    columns = (
        *(Column("cell"), Column("initialisation")),
        *(Column(name, right=True, least=99, cut=True) for name in lags),  # left out first
        *(Column(name, right=True) for name in ("per step [95 %]", "half-life", "horizon in float32", "Lyapunov")),
    )
    table: list[list[Cell]] = []
    for row in rows:
        if row.agrees is False:
            console.print(f"[red]not right[/]: {escape(row.subject)}, {escape(row.aspect)}: {escape(row.reason)}")
            continue
        norms = ["" if (norm := row.log10_norm(lag)) is None else f"{10**norm:.1e}" for lag in _LAGS]
        rate = f"{row.rate:.3f} [{row.ci_low:.3f}, {row.ci_high:.3f}]"
        half_life = "–" if row.half_life is None else f"{row.half_life:.1f}"
        lyapunov = f"{row.lyapunov_exponent:+.3f}"
        table.append([row.subject, row.initialisation, *norms, rate, half_life, row.float32_reach, lyapunov])
    print_table(console, title, columns, table)


def _print_learning(console: Console, rows: Sequence[LearningMeasurement]) -> None:
    """Print one table for each task."""
    for task in dict.fromkeys((row.task, row.sizes["T"]) for row in rows):
        learners = [row for row in rows if (row.task, row.sizes["T"]) == task]
        first = learners[0]
        trained = f"{first.training_steps} steps of 64 sequences"
        title = f"Learning: {first.task_title}, T = {task[1]}, {trained}; without a memory "
        right = ("parameters", "loss [seeds]", "solved", "after steps", "seconds", "rate before", "after")
        table = []
        for row in learners:
            loss = f"{row.median:.4f} [{min(row.samples):.4f}, {max(row.samples):.4f}]"
            solved = f"{row.seeds_solved} of {row.seeds}"
            within = f"not within {row.training_steps}"
            steps = within if row.steps_until_solved is None else f"{row.steps_until_solved:.0f}"
            rates = ["" if rate is None else f"{rate:.3f}" for rate in (row.rate_before, row.rate_after)]
            table.append((row.subject, f"{row.parameters}", loss, solved, steps, f"{row.seconds:.1f}", *rates))
        print_table(console, f"{title}{first.chance:.4f}", _columns(("cell",), right), table)


def _print_unrolled(console: Console, rows: Sequence[UnrolledMeasurement]) -> None:
    """Print one table for each cell at each stage: the means over its units at every word, and the loss's gradient."""
    for row in rows:
        title = f"{row.subject}, {row.stage}: {row.question} P({row.answer}) = {row.probability:.3f}"
        names = [quantity.name for quantity in row.quantities]
        columns = _columns(("word",), (*names, "gradient of the loss"))
        table = [
            [
                f"{step + 1} {word}",
                *(f"{sum(quantity.values[step]) / row.sizes['d']:+.2f}" for quantity in row.quantities),
                f"{row.loss_gradients[step]:.1e}",
            ]
            for step, word in enumerate(row.words)
        ]
        print_table(console, title, columns, table)


def _print_speed(console: Console, rows: Sequence[SpeedMeasurement]) -> None:
    """Print one table for each point of the grid; a subject that is not right has no time."""
    points: dict[str, list[SpeedMeasurement]] = {}
    for row in rows:
        sizes = ", ".join(f"{name} = {size}" for name, size in row.sizes.items())
        device = "" if row.device == "cpu" else f" on {row.device}"
        points.setdefault(f"Speed of {row.spec}, {sizes}, {row.dtype}{device}", []).append(row)
    for title, measured in points.items():
        columns = _columns(("implementation",), ("forward", "backward", "both", "of roofline", "memory"))
        table: list[list[Cell]] = []
        for subject in dict.fromkeys(row.subject for row in measured):
            by_phase = {row.phase: row for row in measured if row.subject == subject}
            wrong = next((row for row in by_phase.values() if row.agrees is False), None)
            if wrong is not None:
                table.append([subject, "–", "–", "–", "", "", _red(f"not right: {wrong.reason}")])
                continue
            times = [_format_time(by_phase.get(phase)) for phase in _PHASES]
            last = by_phase.get("both") or by_phase["forward"]
            memory = "" if last.peak_memory_mb is None else f"{last.peak_memory_mb:.1f} MB"
            share = "" if last.share_of_roofline is None else f"{100 * last.share_of_roofline:.0f} %"
            table.append([subject, *times, share, memory, last.profiled_ops[:60]])
        print_table(console, title, (*columns, Column("kernels that ran", least=20)), table)
        drifts = (1.0 if row.control_drift is None else row.control_drift for row in measured)
        drift = max(drifts, key=lambda value: abs(value - 1))
        console.print(f"machine drift during this run: {100 * (drift - 1):+.0f} %", style="dim")


def _format_time(measurement: SpeedMeasurement | None) -> str:
    """Write a median in suitable units, with half the width of its interval."""
    if measurement is None:
        return ""
    if measurement.median is None or measurement.ci_low is None or measurement.ci_high is None:
        return "noise"
    units = (("s", 1.0), ("ms", 1e3))
    unit, factor = next((pair for pair in units if measurement.median * pair[1] >= 1), ("µs", 1e6))
    median, spread = measurement.median * factor, (measurement.ci_high - measurement.ci_low) / 2 * factor
    digits = 0 if median >= 100 else 1 if median >= 10 else 2
    return f"{median:.{digits}f} ± {spread:.{digits}f} {unit}"


def print_changes(console: Console, changes: Sequence[MeasurementChange], name: str) -> None:
    """Print the changes beyond noise against the measurements saved as `name`.

    Args:
        console: Where to.
        changes: All changes; those within noise are only counted.
        name: The name of the older measurements.
    """
    real = [change for change in changes if change.is_real]
    if not real:
        console.print(f"compared with {escape(name)}: {len(changes)} measurements, no change beyond noise")
        return
    columns = (Column("what", least=20), *(Column(name, right=True) for name in ("old", "new", "factor")))
    rows = [
        (change.title, f"{change.old:.3g}", f"{change.new:.3g}", f"{change.factor:.2f}")
        for change in sorted(real, key=lambda change: -change.factor)
    ]
    print_table(console, f"Against {name}: {len(real)} of {len(changes)} changed", columns, rows)
