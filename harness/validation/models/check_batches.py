"""Does a row give what it gives, whatever batch it stands in: alone, in another order, among hundreds?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from rnn_harness.validation.models.layout import arrival_order, row_reading
from rnn_harness.validation.models.model_arguments import ModelArguments, map_tensors
from rnn_harness.validation.models.run_model import ModelRun
from rnn_harness.validation.models.statement import WiringStatement, agrees, refuted
from rnn_harness.validation.models.under_test import ModelUnderTest

if TYPE_CHECKING:
    from torch import Tensor

CHECK = "batches"
MANY_ROWS = 260
"""Rows of a large batch: beyond the powers of two at which libraries take another path."""


def check_batches(model: ModelUnderTest) -> Iterator[WiringStatement]:
    """Run the model on one row, on the rows in another order, and on hundreds of them.

    Args:
        model: The model; where it is not known which axis is the batch, or rows are not apart, nothing is yielded.
    """
    import torch

    axis = _batch_axis(model)
    if axis is None:
        return
    rows = model.arguments.sequence.shape[axis]
    generator = torch.Generator().manual_seed(2)
    shuffled = torch.randperm(rows, generator=generator)
    large = torch.arange(MANY_ROWS) % rows
    held = []
    for words, index in (
        ("in another order", shuffled),
        ("alone", torch.tensor([rows - 1])),
        (f"in a batch of {MANY_ROWS}", large),
    ):
        arguments = _with_rows(model.arguments, index, rows)
        run = model.runs(arguments) if arguments is not None else None
        if run is None:
            continue  # the number of rows may be fixed, by a buffer say
        if sentence := _difference(model, run, index, rows, words):
            yield refuted(CHECK, sentence)
            return
        held.append(words)
    if held:
        yield agrees(CHECK, f"a row gives the same {', '.join(held)}")


def _batch_axis(model: ModelUnderTest) -> int | None:
    """The axis of the sequence that is the batch; None where that is not known, or its rows are not apart."""
    order = arrival_order(model)
    if len(model.arguments.grid) == 1:
        return 0 if order.order == "rows first" and row_reading(model, 0).kind == "apart" else None
    if order.time_axis is None:
        return None
    axis = 1 - order.time_axis
    return axis if row_reading(model, axis).kind == "apart" else None


def _with_rows(arguments: ModelArguments, index: Tensor, rows: int) -> ModelArguments | None:
    """The arguments with these rows; None where an axis may be the rows or not."""
    is_clear = True

    def chosen(tensor: Tensor) -> Tensor:
        nonlocal is_clear
        axes = [axis for axis, size in enumerate(tensor.shape) if size == rows]
        is_clear = is_clear and len(axes) < 2
        return tensor.index_select(axes[0], index) if axes else tensor

    changed = tuple(replace(a, value=map_tensors(chosen, a.value)) for a in arguments.arguments)
    return replace(arguments, arguments=changed) if is_clear else None


def _difference(model: ModelUnderTest, run: ModelRun, index: Tensor, rows: int, words: str) -> str:
    """Say how what the rows give differs from what they give in the usual batch; empty where it does not."""
    for number, (computed, usual) in enumerate(_pairs(model.baseline, run)):
        axes = [axis for axis, size in enumerate(usual.shape) if size == rows]
        if len(axes) != 1:
            continue
        expected = usual.index_select(axes[0], index)
        name = "the output" if len(run.outputs) == 1 else f"output {number}"
        if computed.shape != expected.shape:
            shapes = f"shape {tuple(computed.shape)}, not {tuple(expected.shape)}"
            return f"for {len(index)} {'row' if len(index) == 1 else 'rows'} {name} has {shapes}"
        wrong = model.clear_difference(computed, expected).movedim(axes[0], 0).flatten(1).any(1)
        if bool(wrong.any()):
            row = int(wrong.nonzero()[0])
            return f"a row {words} gives other numbers than in a batch of {rows}: {name} of row {row} differs"
    return ""


def _pairs(baseline: ModelRun, run: ModelRun) -> Sequence[tuple[Tensor, Tensor]]:
    """The outputs of two runs side by side; none where there are not as many."""
    if len(baseline.outputs) != len(run.outputs):
        return []
    return list(zip(run.outputs, baseline.outputs, strict=True))
