"""The smallest numbers for which a candidate differs from its spec, and the program that shows it.

Dimension legend: T time steps, B batch rows, n input size, d hidden size.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from flint import arb

from rnn_harness.counterexamples.fast_difference import difference
from rnn_harness.counterexamples.program import ball_at
from rnn_harness.counterexamples.shrink import Shrunk, search, shrink
from rnn_harness.kernels import Kernel
from rnn_harness.subjects.case_arrays import draw_arrays
from rnn_harness.subjects.subject import Subject
from rnn_harness.validation.loading.driver import TargetDriver
from rnn_harness.validation.reproduction.script import Shown, program

TRIES = 24


@dataclass(frozen=True)
class Smallest:
    """`sizes`: n, d, T, B; `nonzero`: how many numbers are not zero; `place`: where `found` stands, not `expected`."""

    sizes: dict[str, int]
    nonzero: int
    place: str
    found: float
    expected: float
    bound: float
    program: str


def smallest(kernel: Kernel, text: str, options: dict[str, Any]) -> Smallest | None:
    """Found and shrunk in float64, and confirmed to lie outside the bound; None if nothing differs there."""
    setting = kernel.settings[0]
    if setting.dtype != "float64" or kernel.fixed_sizes:
        return None  # the search is made in float64, at sizes of its own
    subject = kernel.subject(setting)
    driver: TargetDriver = subject.cell.driver  # type: ignore[attr-defined]
    try:
        shrunk = _shrunk(subject, not driver.capabilities.no_gradients_reason)
        if shrunk is None:
            return None
        place = shrunk.difference
        ball = ball_at(subject, shrunk.arrays, place)
    except Exception:  # a candidate that raises has no numbers to show
        return None
    expected, bound = float(ball.mid()), float(arb(ball.rad()))
    if abs(place.found - expected) <= bound:
        return None
    steps, batch, n = shrunk.arrays.inputs.shape
    sizes = {"n": n, "d": next(iter(shrunk.arrays.states.values())).shape[1], "T": steps, "B": batch}
    where = f"{place.part} {place.name}".strip() + f"[{', '.join(map(str, place.index))}]"
    shown = Shown(text, options, subject.spec.id, driver, shrunk.arrays, place, expected, bound)
    return Smallest(sizes, shrunk.nonzero, where, place.found, expected, bound, program(shown))


def _shrunk(subject: Subject, backward: bool) -> Shrunk | None:
    for case in search(subject.spec.id, 0, TRIES):
        drawn = replace(draw_arrays(case, subject), lengths=None)
        found = difference(subject, drawn, backward)
        if found is not None:
            return shrink(subject, drawn, found)
    return None
