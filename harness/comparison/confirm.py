"""What two targets themselves give: on drawn sequences within the bounds of their equations, and where they part."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from rnn_harness.arithmetic.protocol import Values
from rnn_harness.array_types import Array
from rnn_harness.comparison.apply_rules import parameter_shapes
from rnn_harness.comparison.bounded_outputs import described_spec, measured_precision, output_bounds
from rnn_harness.comparison.cell_description import CellDescription
from rnn_harness.comparison.cells_on_rows import LayerOnRows, compare_on_rows
from rnn_harness.comparison.equality import CellNumbers, PartingPoint
from rnn_harness.comparison.in_workers import side_by_side
from rnn_harness.comparison.inputs_side_by_side import input_width, inputs_together
from rnn_harness.comparison.run_cell import DrawnRun, RunOutputs, padded_inputs
from rnn_harness.errors import NotRun
from rnn_harness.records.comparison import ComparedCell, Comparison, Counterexample, MeasuredPrecision
from rnn_harness.runtime.plain_array import PlainArray
from rnn_harness.specs.program import Program
from rnn_harness.validation.request import DTYPES

STEPS, ROWS, INPUT_SIZE, HIDDEN_SIZE = 6, 3, 5, 4
"""The sizes of the sequences that are drawn."""
LENGTHS = (6, 5, 3)
"""The lengths of the rows where these are not whole, falling."""


@dataclass(frozen=True)
class Translation:
    """How weights of the left become weights of the right.

    Attributes:
        left: The equations of the left.
        constrain: Makes its numbers meet the conditions under which the two are equal.
        right_values: Builds the right's numbers from such numbers.
    """

    left: Program
    constrain: Callable[[Values], Values]
    right_values: Callable[[Values], Values]


@dataclass(frozen=True)
class Decision:
    """What the equations of two targets say.

    Attributes:
        comparison: The result so far.
        translation: How weights go from the left to the right; None where the two are equal for none.
        parting_point: Numbers on which they differ; None where they are the same, or none were found.
    """

    comparison: Comparison
    translation: Translation | None = None
    parting_point: PartingPoint | None = None


Runner = Callable[[tuple[DrawnRun, ...]], RunOutputs]
"""Runs a target on numbers."""


@dataclass(frozen=True)
class ComparedPair:
    """Two targets that are compared.

    Attributes:
        left: What the first is.
        right: What the second is.
        run_left: Runs the first.
        run_right: Runs the second.
    """

    left: CellDescription
    right: CellDescription
    run_left: Runner
    run_right: Runner

    @property
    def sizes(self) -> tuple[int, int] | None:
        """The sizes at which both exist; None where there are none."""
        fixed = {sizes for sizes in (self.left.sizes, self.right.sizes) if sizes is not None}
        return None if len(fixed) > 1 else next(iter(fixed), (INPUT_SIZE, HIDDEN_SIZE))

    @property
    def dtypes(self) -> tuple[str, ...]:
        """The dtypes that both take."""
        return tuple(dtype for dtype in DTYPES if dtype in self.left.dtypes and dtype in self.right.dtypes)


@dataclass(frozen=True)
class _Trial:
    """Numbers on which both are run.

    Attributes:
        dtype: The dtype in which they run.
        left: The numbers of the left.
        right: The numbers of the right.
    """

    dtype: str
    left: CellNumbers
    right: CellNumbers


def confirm(decision: Decision, pair: ComparedPair) -> Comparison:
    """Run both targets on drawn numbers, and add to a comparison what they gave.

    A proof is about equations. That the targets compute them is known from their identification; here what both give
    must lie within the proved bounds of these equations, else nothing is decided.

    Args:
        decision: What the equations say.
        pair: The two targets.

    Raises:
        NotRun: One of them ended its process, or gave no answer in time.
        HarnessError: The harness itself raised an error.
    """
    trials = _drawn_trials(decision, pair)
    point = decision.parting_point
    parting = _Trial(pair.dtypes[0], point.left, point.right) if point is not None and pair.dtypes else None
    everything = [*trials, *([parting] if parting is not None and _exists_for(parting, pair) else [])]
    if not everything:
        return with_counterexample(decision)
    # What is read from the end has no common place for its padding.
    with_rows = decision.comparison.outcome == "same" and bool(trials) and not pair.left.reading
    left_side, right_side = side_by_side(
        lambda: _run(pair.run_left, [trial.left for trial in everything], everything, with_rows),
        lambda: _run(pair.run_right, [trial.right for trial in everything], everything, with_rows),
    )
    comparison = decision.comparison
    if len(everything) > len(trials):
        shown = [_shown(answer, len(trials)) for answer in (left_side, right_side)]
        comparison = with_counterexample(decision, *shown)
    elif point is not None:
        comparison = with_counterexample(decision)
    measured = _with_rounding(comparison, pair, trials, left_side, right_side)
    return _with_rows(measured, pair, trials, left_side, right_side)


def _drawn_trials(decision: Decision, pair: ComparedPair) -> list[_Trial]:
    """Draw sequences for both, in every dtype that both take; none where no weights make them equal."""
    translation, sizes = decision.translation, pair.sizes
    if translation is None or sizes is None:
        return []
    program, d = translation.left, sizes[1]
    n = input_width(program, sizes[0])
    rng = np.random.default_rng(20)
    # Numbers that float32 holds, so that both formats are given the same ones.
    draw: Callable[..., Array] = lambda *shape: rng.standard_normal(shape).astype(np.float32).astype(np.float64)  # noqa: E731
    shapes = parameter_shapes(program, {"n": n, "d": d})
    parameters = {name: draw(*shape) for name, shape in shapes.items()}
    inputs = {variable.name: draw(STEPS, ROWS, n) for variable in program.inputs}
    states = {state.name: np.zeros((ROWS, d)) for state in program.states}
    values = translation.constrain(Values(parameters, inputs, states, {"n": n, "d": d}))
    other = translation.right_values(values)
    return [_Trial(dtype, _rounded(values, dtype), _rounded(other, dtype)) for dtype in pair.dtypes]


def _rounded(values: Values, dtype: str) -> CellNumbers:
    """Return numbers as a format holds them, in float64."""
    held = {name: np.asarray(value, dtype).astype(np.float64) for name, value in values.parameters.items()}
    return CellNumbers(held, inputs_together(values.inputs), values.states)


def _exists_for(trial: _Trial, pair: ComparedPair) -> bool:
    """Say whether both targets exist for the sizes of a trial."""
    sizes = (trial.left.inputs.shape[2], next(iter(trial.left.states.values())).shape[1])
    return all(fixed is None or fixed == sizes for fixed in (pair.left.sizes, pair.right.sizes))


def _run(runner: Runner, numbers: list[CellNumbers], trials: list[_Trial], with_rows: bool) -> RunOutputs:
    """Run one target on its numbers of all trials; with those of the first also on rows of several lengths."""
    runs: list[DrawnRun] = []
    for row, trial in zip(numbers, trials, strict=True):
        parameters = {name: PlainArray.of(value) for name, value in row.parameters.items()}
        states = {name: PlainArray.of(value) for name, value in row.states.items()}
        lengths = LENGTHS if with_rows and not runs else ()
        runs.append(DrawnRun(trial.dtype, parameters, PlainArray.of(row.inputs), states, lengths))
    return runner(tuple(runs))


def _shown(answer: RunOutputs, place: int) -> str:
    """Write what a target gave on the numbers where the two part."""
    outputs = answer.outputs[place]
    if outputs is None:
        return f"not run: {answer.reasons[place]}"
    return ", ".join(f"{number:.6g}" for number in outputs.array().flat)


def with_counterexample(decision: Decision, left_side: str = "", right_side: str = "") -> Comparison:
    """Add the numbers on which the two part, if there are any.

    Args:
        decision: What the equations say.
        left_side: What the left itself gave on these numbers; empty where it was not run on them.
        right_side: What the right itself gave.
    """
    point = decision.parting_point
    if point is None:
        return decision.comparison
    example = Counterexample(point.numbers, str(point.gap), *point.equations, left_side, right_side)
    return replace(decision.comparison, counterexample=example)


def _with_rounding(
    comparison: Comparison, pair: ComparedPair, trials: list[_Trial], left_side: RunOutputs, right_side: RunOutputs
) -> Comparison:
    """Add how precise both were on the drawn sequences, and how far apart; undecided where one leaves its bound."""
    if not trials:
        return comparison
    sides = []
    sentences = []
    for place, trial in enumerate(trials):
        first, second = left_side.outputs[place], right_side.outputs[place]
        if first is not None and second is not None and first.shape == second.shape:
            gap = float(np.max(np.abs(first.array() - second.array())))
            sentences.append(f"{gap:.2g} apart at most in {trial.dtype}")
    for description, answer, cell in (
        (pair.left, left_side, comparison.left),
        (pair.right, right_side, comparison.right),
    ):
        sides.append(_measured_cell(description, answer, cell, trials, description is pair.left))
    drawn = f"{STEPS} steps of {ROWS} rows" + (", weights as the conditions say" if comparison.conditions else "")
    rounding = f"on a drawn sequence ({drawn}): {'; '.join(sentences)}" if sentences else ""
    comparison = replace(comparison, left=sides[0], right=sides[1], rounding=rounding)
    beyond = [side.target for side in sides if side.precision and not any(p.is_within_bound for p in side.precision)]
    if comparison.outcome == "same" and beyond:
        names = " and ".join(beyond)
        sentence = f"{names} gives numbers beyond the bound of the equations that it was identified by"
        return replace(comparison, outcome="undecided", sentence=f"{comparison.sentence}, but {sentence}")
    return comparison


def _measured_cell(
    description: CellDescription, answer: RunOutputs, cell: ComparedCell, trials: list[_Trial], is_left: bool
) -> ComparedCell:
    """Measure how precise a target was on the drawn sequences."""
    precision: list[MeasuredPrecision] = []
    note = cell.note
    for place, trial in enumerate(trials):
        outputs = answer.outputs[place]
        if outputs is None:
            note = "; ".join(part for part in (note, f"not run in {trial.dtype}: {answer.reasons[place]}") if part)
            continue
        bounds = output_bounds(description, trial.left if is_left else trial.right, trial.dtype)
        if outputs.shape != bounds.shape:
            raise NotRun(f"{description.target} gave outputs {outputs.shape}, expected {bounds.shape}")
        precision.append(measured_precision(outputs.array(), bounds, trial.dtype))
    return replace(cell, precision=tuple(precision), note=note)


def _with_rows(
    comparison: Comparison, pair: ComparedPair, trials: list[_Trial], left_side: RunOutputs, right_side: RunOutputs
) -> Comparison:
    """Add what two layers that are the same function of whole sequences are to each other on shorter rows."""
    if comparison.outcome != "same" or left_side.padded is None or right_side.padded is None:
        return comparison
    trial = trials[0]
    sides = [
        LayerOnRows(
            description.target,
            padded,
            output_bounds(description, replace(numbers, inputs=padded_inputs(numbers.inputs, LENGTHS)), trial.dtype),
            described_spec(description).program().outputs[0].name,
        )
        for description, padded, numbers in (
            (pair.left, left_side.padded, trial.left),
            (pair.right, right_side.padded, trial.right),
        )
    ]
    finding = compare_on_rows(sides[0], sides[1], LENGTHS, trial.dtype)
    if not finding.is_apart:
        return replace(comparison, lengths=finding.sentence)
    sentence = f"{comparison.sentence} of whole sequences; {finding.sentence}"
    return replace(comparison, outcome="different", sentence=sentence)
