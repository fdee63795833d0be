"""Outputs that are laid out otherwise than the inputs: a fault of the target, not a way in which it is called.

Each fault is a hypothesis about what the target does, which is tried with the inputs or outputs arranged so that it
would be undone: only where the target then computes forward in time, row by row, is it that fault.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from rnn_harness.arithmetic.assumptions import STRUCTURAL
from rnn_harness.errors import UsageError
from rnn_harness.validation.cells.calling_convention import CallingConvention, target_result
from rnn_harness.validation.cells.state_form import result_leaves
from rnn_harness.validation.loading.dependence import ROW, Reach, reach_of_steps
from rnn_harness.validation.loading.result_reading import TrialSizes

if TYPE_CHECKING:
    from torch import Tensor, nn

_ORDER = {"TBn": "time first", "BTn": "batch first"}
_SHAPES = {"TBn": "(T, B, n)", "BTn": "(B, T, n)"}
_ROWS_NAME = r"(b|n|bs|bsz|batch\w*|n_?batch)"
_TIME_NAME = r"(t|l|s|seq\w*|time\w*|steps?|n_?steps|length)"


class WrongLayout(UsageError):
    """The outputs of a target are laid out otherwise than its inputs: the message is the finding."""


@dataclass(frozen=True)
class _Hypothesis:
    """A fault that a target may have.

    Attributes:
        wording: What is wrong.
        prepared: Arranges inputs (T, B, n) so that the fault is undone.
        read: Reads outputs (T, B, d) off what came back; None if its shape does not fit.
        is_met: Whether the reach of the steps is as it is where this is the fault.
    """

    wording: str
    prepared: Callable[[Tensor], Tensor]
    read: Callable[[Tensor], Tensor | None]
    is_met: Callable[[Reach], bool] = Reach.is_forward


def layout_fault(
    module: Callable[..., object], convention: CallingConvention, x: Tensor, states: list[Tensor], sizes: TrialSizes
) -> str:
    """Name the fault in the layout of a target's outputs; empty if there is none that is known.

    Args:
        module: The target, as it is called.
        convention: A way of calling it for a sequence that gave tensors which do not fit.
        x: The inputs (T, B, n).
        states: The states (B, d).
        sizes: The sizes of the call.
    """
    import torch

    if convention.axes_of_input not in _ORDER or convention.input_form != "tensor":
        return ""
    for hypothesis in _hypotheses(convention, sizes):
        try:
            with torch.no_grad():
                base = _outputs(module, convention, hypothesis, x, states)
                moved = [_outputs(module, convention, hypothesis, _moved(x, step), states) for step in range(len(x))]
        except (Exception, SystemExit):  # then it is not that fault
            continue
        if base is None or any(outputs is None for outputs in moved):
            continue
        reach = reach_of_steps(base, [outputs for outputs in moved if outputs is not None])
        if not reach.reaches_other_rows and hypothesis.is_met(reach):
            return hypothesis.wording
        if reach.is_of_first_step_alone() and _goes_on_with_first_input(module, convention, hypothesis, x, states):
            return "the input of the first step is used at every step: those of the later steps have no influence"
    return _last_row_fault(module, convention, x, states, sizes)


def mixed_features_fault(
    module: Callable[..., object], convention: CallingConvention, x: Tensor, states: list[Tensor]
) -> str:
    """Name the fault of a target that reads inputs (B, n, T) as (B, T, n) with a view; empty where it does not.

    Args:
        module: The target, as it is called.
        convention: A way of calling it for a sequence that gave outputs (B, d, T).
        x: The inputs (T, B, n).
        states: The states (B, d).
    """
    import torch

    if convention.axes_of_input != "BnT" or convention.input_form != "tensor":
        return ""
    steps, rows, n = x.shape

    def outputs(values: Tensor) -> Tensor:
        return _called(module, convention, values, states)

    def unviewed(values: Tensor) -> Tensor:
        """Inputs that are as wanted after the memory of (B, n, T) was read as (B, T, n)."""
        return values.transpose(0, 1).reshape(rows, n, steps).permute(2, 0, 1)

    def viewed(values: Tensor) -> Tensor:
        """Outputs of which the memory of (B, d, T) is that of (B, T, d)."""
        return values.permute(1, 2, 0).reshape(rows, steps, -1).transpose(0, 1)

    with torch.no_grad():
        if reach_of_steps(outputs(x), [outputs(_moved(x, step)) for step in range(steps)]).is_forward():
            return ""
        base, moved = outputs(unviewed(x)), [outputs(unviewed(_moved(x, step))) for step in range(steps)]
    for arranged in (lambda values: values, viewed):
        reach = reach_of_steps(arranged(base), [arranged(value) for value in moved])
        if reach.is_forward() and not reach.reaches_other_rows:
            return "features and time are mixed up: inputs (B, n, T) are read as (B, T, n) with a view or reshape"
    return ""


def _called(module: Callable[..., object], convention: CallingConvention, x: Tensor, states: list[Tensor]) -> Tensor:
    """Copies of the outputs (T, B, d) of a call."""
    outputs, _ = convention.call(module, x, states)
    assert outputs is not None, "a sequence has outputs"
    return outputs.clone()


def _goes_on_with_first_input(
    module: Callable[..., object],
    convention: CallingConvention,
    hypothesis: _Hypothesis,
    x: Tensor,
    states: list[Tensor],
) -> bool:
    """Whether the later outputs are those of a call that starts from an earlier output, with the first input again.

    What takes its own outputs for inputs, as a decoder may, goes on with another input than the first one.
    """
    import torch

    if len(states) != 1 or len(x) < 3:
        return False
    with torch.no_grad():
        complete = _outputs(module, convention, hypothesis, x, states)
        if complete is None or complete[0].shape != states[0].shape:
            return False
        later = torch.cat([x[:1], x[2:], x[:1]])
        goes_on = _outputs(module, convention, hypothesis, later, [complete[0].clone()])
    if goes_on is None:
        return False
    gap, scale = float((goes_on[:-1] - complete[1:]).abs().max()), float(complete.abs().max())
    return gap <= STRUCTURAL[str(complete.dtype).removeprefix("torch.")] * scale


def _moved(x: Tensor, step: int) -> Tensor:
    """The inputs with one row of one step changed."""
    moved = x.clone()
    moved[step, ROW] += 1
    return moved


def _outputs(
    module: Callable[..., object],
    convention: CallingConvention,
    hypothesis: _Hypothesis,
    x: Tensor,
    states: list[Tensor],
) -> Tensor | None:
    """The first tensor that comes back and that a hypothesis can read."""
    result = target_result(convention, module, hypothesis.prepared(x), states)
    readings = (hypothesis.read(leaf.tensor) for leaf in result_leaves(result))
    outputs = next((outputs for outputs in readings if outputs is not None), None)
    return None if outputs is None else outputs.clone()


def _hypotheses(convention: CallingConvention, sizes: TrialSizes) -> Iterator[_Hypothesis]:
    """List the faults that are known."""
    axes = convention.axes_of_input
    swapped = "BTn" if axes == "TBn" else "TBn"
    time_first, batch_first = sizes.shape("TBd"), sizes.shape("BTd")

    def straight(outputs: Tensor) -> Tensor | None:
        if tuple(outputs.shape) == sizes.shape(axes.replace("n", "d")):
            return outputs if axes == "TBn" else outputs.transpose(0, 1)
        return None

    def turned(outputs: Tensor) -> Tensor | None:
        if tuple(outputs.shape) == sizes.shape(swapped.replace("n", "d")):
            return outputs if swapped == "TBn" else outputs.transpose(0, 1)
        return None

    def viewed(outputs: Tensor) -> Tensor | None:
        """Outputs (T, B, d) whose memory was read as (B, T, d), or the other way round."""
        if tuple(outputs.shape) not in (time_first, batch_first):
            return None
        other = batch_first if tuple(outputs.shape) == time_first else time_first
        arranged = outputs.reshape(other)
        return arranged if other == time_first else arranged.transpose(0, 1)

    def unchanged(x: Tensor) -> Tensor:
        return x

    def unviewed(x: Tensor) -> Tensor:
        """Inputs that are as wanted after their memory was read as if the first two axes were exchanged."""
        steps, rows = x.shape[:2]
        if axes == "BTn":
            return x.reshape(rows, steps, -1).transpose(0, 1)
        return x.transpose(0, 1).reshape(steps, rows, -1)

    yield _Hypothesis(f"the outputs are {_ORDER[swapped]} though the inputs are {_ORDER[axes]}", unchanged, turned)
    mixed = f"batch and time are mixed up: inputs {_SHAPES[axes]} are read as {_SHAPES[swapped]} with a view or reshape"
    yield _Hypothesis(f"{mixed} where a transpose is meant", unviewed, straight)
    yield _Hypothesis(f"{mixed} where a transpose is meant", unviewed, turned)
    yield _Hypothesis(
        "batch and time are mixed up in the outputs: they are given another shape with a view or reshape where a "
        "transpose is meant",
        unchanged,
        viewed,
    )
    yield _Hypothesis(
        "the outputs run backwards in time: the first of them is the state after the last step that is read",
        unchanged,
        straight,
        Reach.is_reversed,
    )
    yield _Hypothesis(
        "the outputs are one step late: each of them is the state before its step, not the one after it",
        unchanged,
        straight,
        Reach.is_late,
    )


def _last_row_fault(
    module: Callable[..., object], convention: CallingConvention, x: Tensor, states: list[Tensor], sizes: TrialSizes
) -> str:
    """Name the fault of a target that gives all steps of the last row, where the last step of all rows is meant."""
    import torch

    def last_row(values: Tensor) -> Tensor:
        results = result_leaves(target_result(convention, module, values, states))
        fitting = [leaf.tensor for leaf in results if tuple(leaf.tensor.shape) == sizes.shape("Td")]
        return fitting[0].clone()

    moved_last, moved_others = x.clone(), x.clone()
    moved_last[:, -1] += 1
    moved_others[:, :-1] += 1
    try:
        with torch.no_grad():
            base, after_last, after_others = last_row(x), last_row(moved_last), last_row(moved_others)
    except (Exception, SystemExit):  # then it is not that fault
        return ""
    if not torch.equal(base, after_others) or torch.equal(base, after_last):
        return ""
    return (
        "it gives back (T, d), the outputs of the last row of the batch, where (B, d), those of the last step, are "
        f"meant: the last place of the wrong axis is taken, for the inputs are {_ORDER[convention.axes_of_input]}"
    )


def documents_both_orders(module: nn.Module) -> bool:
    """Say whether a module's documentation names shapes with the batch first and shapes with the time first.

    Args:
        module: The module; docstrings of its class and of its forward are read.
    """
    text = f"{type(module).__doc__ or ''}\n{module.forward.__doc__ or ''}".lower()
    batch_first = re.search(rf"[(\[]\s*{_ROWS_NAME}\s*,\s*{_TIME_NAME}\s*[,)\]]", text)
    time_first = re.search(rf"[(\[]\s*{_TIME_NAME}\s*,\s*{_ROWS_NAME}\s*[,)\]]", text)
    return batch_first is not None and time_first is not None


def in_declared_order(convention: CallingConvention) -> CallingConvention:
    """Return the convention with outputs in the other order of batch and time than the inputs.

    Args:
        convention: The convention of a layer that takes (T, B, n) or (B, T, n).
    """
    swapped = "BTd" if convention.axes_of_input == "TBn" else "TBd"
    return replace(convention, output_axes=swapped)
