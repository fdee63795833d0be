"""The answer on the first screen: a row for each family of cells."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from rnn_harness.families import Family
from rnn_harness.records.measurement import (
    DecayMeasurement,
    LearningMeasurement,
    Measurement,
    ParameterCount,
    SpeedMeasurement,
)
from rnn_harness.reports.page.glossary import shown_initialisation
from rnn_harness.reports.page.interval_text import interval_text, rate_text, reach_text


@dataclass(frozen=True)
class FamilyRow:
    """What was measured of a family, in words; a text is empty where nothing was measured.

    Attributes:
        name: The family's name.
        parameters: The number of parameters in closed form.
        equal_size: The fastest forward and backward among cells of the same hidden size.
        equal_count: The fastest among cells of the same number of parameters.
        rate: The gradient's factor per step at torch's initialisation.
        horizon: The steps after which float32 does not see that gradient; this and the others that are measured stand
            with their intervals.
        best: The initialisation whose gradient reaches furthest among those whose rate's interval is below 1.
        learnt: How many seeds solved each task, or that none did within its steps of training.
    """

    name: str
    parameters: str = ""
    equal_size: str = ""
    equal_count: str = ""
    rate: str = ""
    horizon: str = ""
    best: str = ""
    learnt: str = ""


def family_row(family: Family, measurements: Sequence[Measurement]) -> FamilyRow:
    """Return the row of a family.

    Args:
        family: A cell family of the documents.
        measurements: All measurements; those that are not right are passed over.
    """
    name = family.torch_class
    counts = [row for row in measurements if isinstance(row, ParameterCount) and row.subject == family.spec]
    decays = [
        row
        for row in measurements
        if isinstance(row, DecayMeasurement) and row.subject == name and row.agrees is not False
    ]
    start = next((row for row in reversed(decays) if row.initialisation == "torch"), None)
    equal_size, equal_count = _fastest_times(family, measurements)
    return FamilyRow(
        name,
        plain_formula(counts[0].formula) if counts else "",
        equal_size,
        equal_count,
        rate_text(start) if start is not None else "",
        reach_text(start) if start is not None else "",
        _furthest_reach([row for row in decays if row.surely_decays]),
        ", ".join(filter(None, _learnt_tasks(name, measurements))),
    )


def _furthest_reach(rows: Sequence[DecayMeasurement]) -> str:
    """Say which initialisation reaches furthest and how far, and which others do so within the intervals."""
    if not rows:
        return ""
    best = max(rows, key=lambda row: (horizon_or_infinity(row.float32_horizon), row.rate))
    low = horizon_or_infinity(best.float32_horizon_low)
    as_far = [row for row in rows if row is not best and horizon_or_infinity(row.float32_horizon_high) >= low]
    text = f"{reach_text(best)} ({shown_initialisation(best.initialisation)}"
    titles = ", ".join(shown_initialisation(row.initialisation) for row in as_far)
    return f"{text}; as far within the intervals: {titles})" if titles else f"{text})"


def horizon_or_infinity(end: float | None) -> float:
    """Return a horizon or an end of its interval; infinity where the curve does not come to it.

    Args:
        end: The lag in steps; None where the curve does not cross the limit within what was measured.
    """
    return math.inf if end is None else end


def plain_formula(formula: str) -> str:
    """Write a closed form as one writes it by hand: ``4d(d + n + 1)`` for ``4*d*(d + n + 1)``.

    Args:
        formula: The form as SymPy prints it.
    """
    return re.sub(r"(?<=\d)\*|\*(?=\()", "", formula.replace("**2", "²")).replace("*", " ")


def _fastest_times(family: Family, measurements: Sequence[Measurement]) -> tuple[str, str]:
    """Return the fastest time at an equal hidden size, and at an equal number of parameters, in words.

    A cell with as many parameters as an LSTM of n units has n inputs and another hidden size.
    """
    timed = [row for row in measurements if isinstance(row, SpeedMeasurement) and row.device == "cpu"]
    resized = [row.sizes["n"] for row in timed if row.sizes["n"] != row.sizes["d"]]
    width = max(resized) if resized else min((row.sizes["d"] for row in timed), default=0)
    of_family = [row for row in timed if row.spec == family.spec and row.phase == "both" and row.agrees]
    equal_size = [row for row in of_family if row.sizes["n"] == row.sizes["d"] == width]
    equal_count = [row for row in of_family if row.sizes["n"] == width != row.sizes["d"]]
    if not equal_count and family.name == "lstm":
        equal_count = equal_size
    return _fastest(equal_size), _fastest(equal_count)


def _fastest(rows: Sequence[SpeedMeasurement]) -> str:
    """Return the fastest time with what took it; empty where there is none."""
    times = [(row.median, row) for row in rows if row.median is not None]
    if not times:
        return ""
    seconds, fastest = min(times, key=lambda time: time[0])
    low, high = (None if end is None else end * 1e3 for end in (fastest.ci_low, fastest.ci_high))
    return f"{seconds * 1e3:.2f}{interval_text(low, high, 2)} ms ({fastest.subject}, d = {fastest.sizes['d']})"


def _learnt_tasks(name: str, measurements: Sequence[Measurement]) -> list[str]:
    """Return, for each task, how many seeds of a family solved it; empty texts for tasks it was not tried on."""
    tasks: dict[str, list[LearningMeasurement]] = {}
    for row in measurements:
        if isinstance(row, LearningMeasurement):
            tasks.setdefault(learning_title(row), []).append(row)
    return [_learnt(name, rows) for rows in tasks.values()]


def learning_title(row: LearningMeasurement) -> str:
    """Return the task with the conditions under which it was learnt.

    Args:
        row: Any measurement of the task under these conditions.
    """
    return f"{row.task_title}, T = {row.sizes['T']}, {row.training_steps} steps of training"


def _learnt(name: str, rows: Sequence[LearningMeasurement]) -> str:
    """Say how many seeds of a family's best learner solved a task, and which learner that is if it is a variant."""
    learners = [row for row in rows if row.subject == name or row.subject.startswith(f"{name}, ")]
    best = max(learners, key=lambda row: row.seeds_solved, default=None)
    if best is None:
        return ""
    variant = best.subject.removeprefix(name).removeprefix(", ")
    if not best.seeds_solved:
        return f"{best.task} not within {best.training_steps} steps"
    text = f"{best.task} {best.seeds_solved} of {best.seeds}"
    return f"{text} ({variant})" if variant else text
