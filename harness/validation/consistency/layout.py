"""A layer that cannot be driven because its outputs lie otherwise than its inputs: in which way do they?

Rows of a batch do not touch each other, whatever a layer computes. So of its two first axes the one along which a
changed number stays in its place is that of the rows, and the other one is time.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from rnn_harness.arithmetic.assumptions import STRUCTURAL
from rnn_harness.records.validation import Diagnosis
from rnn_harness.validation.cells.calling_convention import CallingConvention, distinct_batch_size, flat_tensors
from rnn_harness.validation.consistency.driven_cell import STATE_SCALE, draw_normal
from rnn_harness.validation.consistency.reach_of_inputs import ReadingOrder, changed_places, reading_order
from rnn_harness.validation.loading.target import TRIAL_SIZES, Target

STEPS = 5
PART = "layout of the outputs"


@dataclass(frozen=True)
class _Call:
    """A call that a layer took.

    Attributes:
        module: The layer.
        convention: How it was called.
        inputs: The inputs (T, B, n).
        states: The states (B, d).
        outputs: What came back first with three axes, two of them T and B long.
        dtype: The dtype.
    """

    module: nn.Module
    convention: CallingConvention
    inputs: Tensor
    states: list[Tensor]
    outputs: Tensor
    dtype: str

    @property
    def input_axes(self) -> str:
        """The first two axes of the inputs, in words."""
        return "batch first" if self.convention.batch_first else "time first"

    @property
    def output_axes(self) -> str:
        """The first two axes of the outputs by their lengths, in words."""
        return "time first" if self.outputs.shape[0] == STEPS else "batch first"

    def reached(self, step: int, row: int, threshold: float = 0.0) -> frozenset[tuple[int, int]]:
        """The (step, row) of the outputs, by their lengths, that one step's inputs of one row change."""
        moved = self.inputs.clone()
        moved[step, row] += 0.5
        after = _outputs(self.module, self.convention, moved, self.states)
        if after is None or after.shape != self.outputs.shape:
            return frozenset()
        places = changed_places(self.outputs, after, threshold)
        return frozenset((a, b) if self.output_axes == "time first" else (b, a) for a, b, *_ in places)


def diagnose_layout(target: Target) -> Diagnosis | None:
    """Say how the outputs of a layer lie where that is why it cannot be driven.

    Args:
        target: A target that takes no known call in which outputs lie as inputs do.

    Returns:
        The diagnosis; None where the outputs lie as they should, or nothing shows how they lie.
    """
    sentences = [_describe(call) for call in _calls(target)]
    if not sentences or not all(sentences):
        return None
    return Diagnosis(spec="a recurrent layer", part=f"forward: {PART}", difference=sentences[0])


def _calls(target: Target) -> Iterator[_Call]:
    """Yield every call with an initial state that the target takes: a state's shape says how many rows there are."""
    n, d = target.capabilities.fixed_sizes or TRIAL_SIZES
    dtype = target.capabilities.dtypes[0]
    module = target.make_module(n, d).to(getattr(torch, dtype)).eval()
    rows = distinct_batch_size(n, d, STEPS)
    inputs = draw_normal(1, (STEPS, rows, n), dtype)
    for states, packed, layered, state_first, batch_first in itertools.product(
        (1, 2), (True, False), (True, False), (False, True), (False, True)
    ):
        if states == 1 and not packed:
            continue
        convention = CallingConvention(True, states, packed, state_first, layered, batch_first)
        given = [STATE_SCALE * draw_normal(2 + k, (rows, d), dtype) for k in range(states)]
        outputs = _outputs(module, convention, inputs, given)
        if outputs is not None and outputs.shape[-1] == d:
            yield _Call(module, convention, inputs, given, outputs, dtype)


def _outputs(module: nn.Module, convention: CallingConvention, inputs: Tensor, states: list[Tensor]) -> Tensor | None:
    """What comes back first with the axes of time and batch, in any order; None where nothing does, or it raises."""
    copies = [state.clone() for state in states]
    try:
        with torch.no_grad():
            result = module(*convention.arguments(inputs.clone(), copies))
        tensors = [tensor.clone() for tensor in flat_tensors(result)]
    except (Exception, SystemExit):  # a module that is called in a wrong way may raise anything
        return None
    lengths = sorted(inputs.shape[:2])
    return next((value for value in tensors if value.dim() == 3 and sorted(value.shape[:2]) == lengths), None)


def _describe(call: _Call) -> str:
    """Say what is wrong with the outputs of a call; empty if nothing is, or nothing is known."""
    if not torch.isfinite(call.outputs).all():
        return ""
    row = 1
    reached = [call.reached(step, row) for step in range(STEPS)]
    if any(not places for places in reached[:-1]):
        return ""
    clearly = (call.reached(step, row, STRUCTURAL[call.dtype]) for step in range(STEPS))
    if any(other != row for places in clearly for _, other in places):
        return (
            "batch and time are mixed: a number of one row reaches outputs of other rows, as where view or reshape "
            f"stands in the place of transpose (inputs {call.input_axes}, outputs {call.output_axes})"
        )
    if any(other != row for places in reached for _, other in places):
        return ""
    if call.input_axes != call.output_axes:
        return f"the outputs are {call.output_axes}, though the inputs are {call.input_axes}"
    order = reading_order(tuple(frozenset(step for step, _ in places) for places in reached))
    starts_with_state = any(torch.equal(_step(call, 0), state) for state in call.states)
    if order is ReadingOrder.ONE_LATE and starts_with_state:
        return "the outputs are one step late: the output of a step is the state before it"
    if order is ReadingOrder.REVERSED:
        return "the outputs run backwards in time: the output of the last step comes first"
    return ""


def _step(call: _Call, step: int) -> Tensor:
    """The outputs (B, d) of one step."""
    return call.outputs[step] if call.output_axes == "time first" else call.outputs[:, step]
