"""How a claim is decided by measurements: one function for each name that a claim's evidence may give.

Each takes all measurements, of any kind and in any order, and returns None where those that it needs are missing.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from rnn_harness.records.measurement import (
    DecayMeasurement,
    LearningMeasurement,
    Measurement,
    ParameterCount,
    SpeedMeasurement,
)
from rnn_harness.specs.claims import Verdict


@dataclass(frozen=True)
class ClaimVerdict:
    """What measurements say about a claim.

    Attributes:
        is_supported: Whether it is as the claim says.
        verdict: The verdict that follows.
        numbers: The numbers that it rests on, in words.
    """

    is_supported: bool
    verdict: Verdict
    numbers: str


MeasuredClaim = Callable[[Sequence[Measurement]], ClaimVerdict | None]
"""Takes all measurements; returns None where those that it needs are missing."""
_START = "torch"
"""The initialisation that torch gives a cell."""


class _Decays:
    """The measurements of decay by cell and initialisation; those that are not right are left out."""

    def __init__(self, measurements: Sequence[Measurement]) -> None:
        decays = [row for row in measurements if isinstance(row, DecayMeasurement) and row.agrees is not False]
        self.rows = {(row.subject, row.initialisation): row for row in decays}

    def of(self, *names: tuple[str, str]) -> list[DecayMeasurement] | None:
        """Return the measurements of all (cell, initialisation) of `names`; None where one is missing."""
        rows = [self.rows[name] for name in names if name in self.rows]
        return rows if len(rows) == len(names) else None

    def horizons(self) -> list[tuple[str, float]]:
        """Return the names of cells with the steps after which float32 sees no gradient, the fewest first."""
        horizons = [
            (f"{row.subject} ({row.initialisation})", math.inf if row.float32_horizon is None else row.float32_horizon)
            for row in self.rows.values()
        ]
        return sorted(horizons, key=lambda horizon: horizon[1])


def _counts(measurements: Sequence[Measurement]) -> Mapping[str, int]:
    """Return the numbers of parameters that were confirmed, by what was counted."""
    return {row.subject: row.count for row in measurements if isinstance(row, ParameterCount) and row.agrees}


def _learners(measurements: Sequence[Measurement], task: str) -> Mapping[str, LearningMeasurement]:
    """Return the measurements of learning one task, by learner."""
    return {row.subject: row for row in measurements if isinstance(row, LearningMeasurement) and row.task == task}


def fewer_parameters(measurements: Sequence[Measurement]) -> ClaimVerdict | None:
    """Decide whether a GRU has fewer parameters than an LSTM."""
    counts = _counts(measurements)
    if not {"gru.keep.column", "lstm.column"} <= set(counts):
        return None
    gru, lstm = counts["gru.keep.column"], counts["lstm.column"]
    is_supported = gru < lstm
    return ClaimVerdict(
        is_supported, "true" if is_supported else "false", f"{gru} against {lstm} at n = 3, d = 4: {gru / lstm:.2f}"
    )


def closed_forms(measurements: Sequence[Measurement]) -> ClaimVerdict | None:
    """Decide whether the numbers of parameters are what the closed forms say."""
    counts = [row for row in measurements if isinstance(row, ParameterCount) and row.origin == "spec"]
    if not counts:
        return None
    is_supported = all(count.agrees for count in counts)
    formula = next((count.formula for count in counts if count.subject == "lstm.column"), "")
    numbers = f"{len(counts)} closed forms held; the LSTM's is {formula}"
    return ClaimVerdict(is_supported, "true" if is_supported else "false", numbers)


def twice_the_parameters(measurements: Sequence[Measurement]) -> ClaimVerdict | None:
    """Decide whether two directions have twice the parameters of one."""
    counts = _counts(measurements)
    if not {"lstm.bidirectional", "lstm.column"} <= set(counts):
        return None
    ratio = counts["lstm.bidirectional"] / counts["lstm.column"]
    return ClaimVerdict(ratio == 2, "true under conditions", f"{ratio:g} times the parameters of one direction")


@dataclass(frozen=True)
class _Point:
    """Sizes and dtype at which cells were timed."""

    sizes: tuple[tuple[str, int], ...]
    dtype: str


def faster_than_lstm(family: str) -> MeasuredClaim:
    """Return the decision whether a family is faster than the LSTM, each by its fastest implementation.

    Args:
        family: The family's name; points of the grid where both were timed are compared.
    """

    def decide(measurements: Sequence[Measurement]) -> ClaimVerdict | None:
        fastest: dict[_Point, dict[str, float]] = {}
        for row in measurements:
            if not isinstance(row, SpeedMeasurement) or row.median is None:
                continue
            counts = row.device == "cpu" and row.phase == "both" and row.agrees
            if counts and row.sizes["n"] == row.sizes["d"]:
                seconds = fastest.setdefault(_Point(tuple(sorted(row.sizes.items())), row.dtype), {})
                family_of_row = row.spec.partition(".")[0]
                seconds[family_of_row] = min(seconds.get(family_of_row, math.inf), row.median)
        ratios = {
            point: seconds[family] / seconds["lstm"]
            for point, seconds in fastest.items()
            if {family, "lstm"} <= set(seconds)
        }
        if not ratios:
            return None
        text = ", ".join(f"{ratio:.2f} at d = {dict(point.sizes)['d']}" for point, ratio in ratios.items())
        is_faster = [ratio < 1 for ratio in ratios.values()]
        verdict: Verdict = "true" if all(is_faster) else "depends" if any(is_faster) else "false"
        numbers = f"time over the LSTM's, fastest implementation of each: {text}"
        return ClaimVerdict(all(is_faster), verdict, numbers)

    return decide


def long_dependencies(measurements: Sequence[Measurement]) -> ClaimVerdict | None:
    """Decide whether a cell with gates learns a task that a simple RNN does not."""
    learners = _learners(measurements, "adding")
    if not {"RNN", "GRU", "LSTM"} <= set(learners):
        return None
    losses = ", ".join(f"{name} {learner.median:.4f}" for name, learner in learners.items())
    rnn = learners["RNN"]
    gated = max(learner.seeds_solved for name, learner in learners.items() if name != "RNN")
    is_supported = rnn.seeds_solved == 0 and gated > 0
    numbers = f"adding over {rnn.sizes['T']} steps, loss (chance {rnn.chance:.4f}): {losses}"
    return ClaimVerdict(is_supported, "true under conditions" if is_supported else "depends", numbers)


def gates_keep(measurements: Sequence[Measurement]) -> ClaimVerdict | None:
    """Decide whether gates that keep let the gradient reach further than any cell at torch's initialisation."""
    names = (("RNN", _START), ("GRU", _START), ("LSTM", _START), ("LSTM", "chrono"))
    rows = _Decays(measurements).of(*names)
    if rows is None:
        return None
    rnn, gru, lstm, chrono = (row.rate for row in rows)
    rates = (
        f"per step {rnn:.3f} (RNN), {gru:.3f} (GRU), {lstm:.3f} (LSTM) at torch's initialisation; {chrono:.3f} chrono"
    )
    is_supported = chrono > max(rnn, gru, lstm)
    verdict: Verdict = "true under conditions" if is_supported else "false"
    return ClaimVerdict(is_supported, verdict, f"{rates}; only with gates that keep")


def rnn_vanishes(measurements: Sequence[Measurement]) -> ClaimVerdict | None:
    """Decide whether the gradient of a simple RNN vanishes."""
    rows = _Decays(measurements).of(("RNN", _START), ("sigmoid RNN", _START))
    if rows is None:
        return None
    is_supported = all(row.ci_high is not None and row.ci_high < 1 for row in rows)
    rates = "; ".join(f"{row.subject} {row.rate:.3f} per step" for row in rows)
    verdict: Verdict = "true under conditions" if is_supported else "false"
    return ClaimVerdict(is_supported, verdict, f"{rates}, at torch's initialisation")


def short_range_learnt(measurements: Sequence[Measurement]) -> ClaimVerdict | None:
    """Decide whether a cell learns a task although its gradient decays fast before training."""
    learners = [
        row
        for row in measurements
        if isinstance(row, LearningMeasurement) and row.rate_before is not None and row.rate_before < 0.75
    ]
    if not learners:
        return None
    solved = [row for row in learners if row.seeds_solved > 0]
    names = ", ".join(f"{row.subject} on {row.task} from {row.rate_before:.3f} per step" for row in solved[:3])
    verdict: Verdict = "false" if solved else "depends"
    return ClaimVerdict(bool(solved), verdict, f"solved all the same: {names}" if solved else "none solved")


def gradient_explodes(measurements: Sequence[Measurement]) -> ClaimVerdict | None:
    """Decide whether large recurrent weights make the gradient explode."""
    rows = _Decays(measurements).of(("RNN", "gain-3"))
    if rows is None:
        return None
    is_supported = rows[0].ci_low is not None and rows[0].ci_low > 1
    return ClaimVerdict(is_supported, "true" if is_supported else "false", f"gain 3: {rows[0].rate:.3f} per step")


def eight_to_ten_steps(measurements: Sequence[Measurement]) -> ClaimVerdict | None:
    """Decide whether the gradient of a sigmoid RNN reaches eight or ten steps."""
    horizons = _Decays(measurements).horizons()
    steps = dict(horizons).get(f"sigmoid RNN ({_START})")
    if steps is None:
        return None
    is_supported = 6 <= steps <= 12
    further = ", ".join(f"{name} {horizon:.0f}" for name, horizon in horizons[1:4])
    verdict: Verdict = "true under conditions" if is_supported else "false"
    return ClaimVerdict(is_supported, verdict, f"float32 sees {steps:.0f} steps of it; {further}")


def depends_on_initialisation(measurements: Sequence[Measurement]) -> ClaimVerdict | None:
    """Decide whether how far the gradient reaches depends on the initialisation."""
    horizons = _Decays(measurements).horizons()
    if len(horizons) < 3:
        return None
    (nearest, fewest), (furthest, most) = horizons[0], horizons[-1]
    end = "no end" if most == math.inf else f"{most:.0f} steps"
    return ClaimVerdict(most > 100, "depends", f"float32 sees {fewest:.0f} steps ({nearest}) to {end} ({furthest})")


def geometric_decay(measurements: Sequence[Measurement]) -> ClaimVerdict | None:
    """Decide whether the gradient of a simple RNN decays by a constant factor per step."""
    rows = _Decays(measurements).of(("RNN", _START), ("LSTM without forget gate", _START))
    if rows is None:
        return None
    rnn, lstm = rows
    points = [point for point in rnn.log10_norms if point.step in (8, 10, 16, 32, 64, 100)]
    if len(points) < 2:
        return None
    lags, norms = zip(*points, strict=True)
    r_squared = float(np.corrcoef(lags, norms)[0, 1] ** 2)
    numbers = f"log-linear with R^2 = {r_squared:.4f} (RNN); {lstm.rate:.3f} per step without a forget gate, no decay"
    return ClaimVerdict(r_squared > 0.98, "true under conditions", numbers)


def gru_keeps(measurements: Sequence[Measurement]) -> ClaimVerdict | None:
    """Decide whether a GRU whose update gate keeps the past lets the gradient reach far."""
    rows = _Decays(measurements).of(("GRU", _START), ("GRU", "keep"))
    if rows is None:
        return None
    start, keep = rows
    numbers = f"{keep.rate:.3f} per step with an update gate that keeps, {start.rate:.3f} at initialisation"
    return ClaimVerdict(keep.rate > 0.9, "true under conditions", numbers)


def only_these_learn(task: str, able: str, unable: str = "") -> MeasuredClaim:
    """Return the decision whether only some learners solve a task.

    Args:
        task: The task's name.
        able: The end of the names of those that solve it.
        unable: The end of the names of those that do not; empty for all whose names do not end in `able`.
    """

    def decide(measurements: Sequence[Measurement]) -> ClaimVerdict | None:
        learners = _learners(measurements, task)
        solving = [row for name, row in learners.items() if name.endswith(able)]
        failing = [
            row for name, row in learners.items() if (name.endswith(unable) if unable else not name.endswith(able))
        ]
        if not solving or not failing:
            return None
        is_supported = all(row.seeds_solved for row in solving) and not any(row.seeds_solved for row in failing)
        losses = ", ".join(f"{row.subject} {row.median:.4f}" for row in (*solving, *failing))
        numbers = f"{solving[0].task_title}, loss (chance {solving[0].chance:.3f}): {losses}"
        return ClaimVerdict(is_supported, "true" if is_supported else "depends", numbers)

    return decide


MEASURED_CLAIMS: Mapping[str, MeasuredClaim] = {
    "fewer parameters": fewer_parameters,
    "parameters": closed_forms,
    "twice the parameters": twice_the_parameters,
    "rnn faster": faster_than_lstm("rnn"),
    "gru faster": faster_than_lstm("gru"),
    "long dependencies": long_dependencies,
    "gates keep": gates_keep,
    "rnn vanishes": rnn_vanishes,
    "short range learnt": short_range_learnt,
    "explodes": gradient_explodes,
    "eight or ten": eight_to_ten_steps,
    "depends on initialisation": depends_on_initialisation,
    "geometric": geometric_decay,
    "gru keeps": gru_keeps,
    "sees ahead": only_these_learn("ahead", "both directions"),
    "stateful learns": only_these_learn("carry", "stateful", "stateless"),
}
"""How claims are measured, by the name that their evidence gives."""
