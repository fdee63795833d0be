"""The smallest numbers for which a candidate differs from its spec, and the program that shows it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from flint import arb

from rnn_harness.counterexamples.fast_difference import first_difference
from rnn_harness.counterexamples.program import ball_at
from rnn_harness.counterexamples.shrink import Shrunk, search, shrink
from rnn_harness.kernels import Kernel
from rnn_harness.kernels.torch_reference import TorchReference
from rnn_harness.options import Options
from rnn_harness.records.validation import CounterexampleProgram
from rnn_harness.specs import Spec, literature
from rnn_harness.subjects.case_arrays import draw_arrays
from rnn_harness.subjects.subject import Subject
from rnn_harness.validation.loading.driver import TargetDriver
from rnn_harness.validation.reproduction.script import ScriptParts, script_text

TRIES = 24
"""Cases in which a difference is searched."""


def smallest_counterexample(kernel: Kernel, target: str, options: Options) -> CounterexampleProgram | None:
    """Find and shrink a difference in float64, and confirm that it lies outside the bound.

    Args:
        kernel: The candidate as a kernel of the spec that it should be.
        target: The candidate as it is typed, for the program.
        options: What its constructor or its adapter needs besides the sizes, for the program.

    Returns:
        The counterexample; None if nothing differs in float64.
    """
    setting = kernel.settings[0]
    if setting.dtype != "float64":
        return None  # the search is made in float64
    subject = kernel.subject(setting)
    driver = _driver(subject)
    try:
        shrunk = _shrunk(subject, not driver.capabilities.no_gradients_reason, kernel.fixed_sizes or {})
        if shrunk is None:
            return None
        place = shrunk.difference
        ball = ball_at(subject, shrunk.arrays, place)
    except Exception:  # a candidate that raises has no numbers to show
        return None
    expected, bound = float(ball.mid()), float(arb(ball.rad()))
    if abs(place.computed - expected) <= bound:
        return None
    steps, batch, n = shrunk.arrays.inputs.shape
    parts = ScriptParts(
        target,
        options,
        subject.spec.id,
        driver,
        shrunk.arrays,
        place,
        expected,
        bound,
        given_spec="" if kernel.custom_spec is None else _given_spec(kernel.custom_spec),
        is_of_fixed_sizes=bool(kernel.fixed_sizes),
    )
    return CounterexampleProgram(
        sizes={"n": n, "d": parts.sizes[1], "T": steps, "B": batch},
        nonzero=shrunk.nonzero,
        place=f"{place.part} {place.name}".strip() + f"[{', '.join(map(str, place.index))}]",
        computed=place.computed,
        expected=expected,
        bound=bound,
        program=script_text(parts),
    )


def _driver(subject: Subject) -> TargetDriver:
    """Return the driver of a candidate."""
    assert isinstance(subject.cell, TorchReference), "a candidate is a kernel"
    assert isinstance(subject.cell.driver, TargetDriver), "a candidate is driven by its target"
    return subject.cell.driver


def _given_spec(spec: Spec) -> str:
    """Return what a spec without a reference is asked for by: the id of a shipped one, else its file."""
    return spec.id if any(shipped.id == spec.id for shipped in literature()) else str(spec.path.resolve())


def _shrunk(subject: Subject, backward: bool, fixed_sizes: Mapping[str, int]) -> Shrunk | None:
    """Return the first difference in a few cases, of the only sizes that there are, shrunk."""
    only = {letter: fixed_sizes[letter] for letter in "nd" if letter in fixed_sizes}
    for case in search(subject.spec.id, 0, TRIES):
        arrays = replace(draw_arrays(case.model_copy(update=only), subject), lengths=None)
        first = first_difference(subject, arrays, backward)
        if first is not None:
            return shrink(subject, arrays, first)
    return None
