"""A cell that equals no known one: all properties are asked of it, and at large sizes those that may begin to fail."""

from __future__ import annotations

from collections.abc import Iterator

from rnn_harness.errors import first_line
from rnn_harness.validation.consistency.argument_properties import ARGUMENT_PROPERTIES
from rnn_harness.validation.consistency.budget import Budget
from rnn_harness.validation.consistency.context_properties import CONTEXT_PROPERTIES
from rnn_harness.validation.consistency.driven_cell import DrivenCell, make_cell, numbered_states
from rnn_harness.validation.consistency.gradient_properties import GRADIENT_PROPERTIES
from rnn_harness.validation.consistency.large_batches import violation_of_large_batches
from rnn_harness.validation.consistency.large_sizes import TriedSize, property_trial, violation_of_large_sizes
from rnn_harness.validation.consistency.length_properties import LENGTH_PROPERTIES
from rnn_harness.validation.consistency.long_gradients import violation_of_long_gradients
from rnn_harness.validation.consistency.method_properties import METHOD_PROPERTIES
from rnn_harness.validation.consistency.mode_properties import MODE_PROPERTIES
from rnn_harness.validation.consistency.parameter_properties import PARAMETER_PROPERTIES
from rnn_harness.validation.consistency.question import Answer, AskedCell, Question, answers, property_question, unasked
from rnn_harness.validation.consistency.real_arithmetic import with_real_arithmetic
from rnn_harness.validation.consistency.row_properties import ROW_PROPERTIES
from rnn_harness.validation.consistency.time_properties import TIME_PROPERTIES
from rnn_harness.validation.identification.probe import Probe
from rnn_harness.validation.loading.target import Target
from rnn_harness.validation.request import ValidationRequest

PROPERTIES = (
    *MODE_PROPERTIES,
    *ROW_PROPERTIES,
    *TIME_PROPERTIES,
    *PARAMETER_PROPERTIES,
    *GRADIENT_PROPERTIES,
    *ARGUMENT_PROPERTIES,
    *LENGTH_PROPERTIES,
    *CONTEXT_PROPERTIES,
    *METHOD_PROPERTIES,
)
"""What is asked at small sizes."""
_NAMES_AT_LARGE_SIZES = (
    "rows-apart",
    "batch-of-one",
    "split-sequence",
    "last-state",
    "final-state-gradients",
)
SMALL_BATCH, PIECE = 3, 7
"""Rows of the batches, and steps of the pieces, that large ones are compared with; no divisor of usual numbers."""
SECONDS = 20.0
"""What all questions may take in one dtype, so that the larger sizes are not reached by what is slow."""


def judge_unknown(target: Target, probe: Probe, request: ValidationRequest) -> Iterator[Answer]:
    """Ask every property of a cell that equals no known one.

    Args:
        target: The cell.
        probe: How it is driven, and the widest dtype in which it is.
        request: What is asked for: the dtypes, and the seed for the records.
    """
    taken = {dtype for dtype in target.capabilities.dtypes if dtype != "float64" or probe.dtype == "float64"}
    # Where it takes none of those that are asked for, nothing would be said: it is judged in the one that it takes.
    dtypes = [dtype for dtype in request.dtypes if dtype in taken] or [probe.dtype]
    for dtype in dtypes:
        asked = AskedCell(target.name, "unknown", "a recurrent cell", dtype, request.seed)
        try:
            states = numbered_states(probe.convention)
            cell = make_cell(target.make_module, target.capabilities, probe.convention, probe.sizes, dtype, states)
            cell = with_real_arithmetic(cell)
        except Exception as error:  # a module may refuse a dtype
            reason = f"it cannot be made in {dtype}: {first_line(error)}"
            yield from answers([unasked("same-call-twice", reason)], asked)
            continue
        if cell.arithmetic:
            yield from answers(_questions(cell, dtype == (request.widest_dtype(taken) or probe.dtype)), asked)
        else:
            reason = "its arithmetic is coarser than float32, so that rounding cannot be told from what is wrong"
            yield from answers([unasked("same-call-twice", reason)], asked)


def _questions(cell: DrivenCell, is_widest: bool) -> Iterator[Question]:
    """Yield the questions, from small sizes to large ones."""
    budget = Budget(SECONDS)
    for prop in PROPERTIES:
        if is_widest or prop.in_every_dtype:
            yield property_question(prop, cell)
    yield Question("large-batches", lambda seed: violation_of_large_batches(cell, seed, budget, SMALL_BATCH), 2)
    if is_widest:
        small = TriedSize(cell.input_size, cell.hidden_size)
        properties = tuple(prop for prop in PROPERTIES if prop.name in _NAMES_AT_LARGE_SIZES)
        yield Question(
            "large-sizes",
            lambda seed: violation_of_large_sizes(small, property_trial(cell, properties, seed), budget),
            1,
        )
        yield Question("long-gradients", lambda seed: violation_of_long_gradients(cell, seed, budget, PIECE), 2)
