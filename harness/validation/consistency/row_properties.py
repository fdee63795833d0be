"""Properties of the rows of a batch: each is computed by itself, whatever stands next to it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import torch
from torch import nn

from rnn_harness.arithmetic.assumptions import STRUCTURAL, TINY_INPUT
from rnn_harness.errors import NotRun
from rnn_harness.validation.consistency.consistency_property import (
    ROWS,
    Draw,
    Property,
    Violation,
    differs,
    needs_rows,
    relative_gap,
)
from rnn_harness.validation.consistency.driven_cell import CellArguments

READABLE_ROWS = (11, 13, 17, 19, 23, 29, 31)
"""Numbers of rows of which the first that is the length of no axis of a parameter tells the axis of the rows."""
FEW = 3
"""Steps of a run on special rows."""
GROWTH = 4.0
"""How much larger than for usual inputs the results for large ones may be where they count as bounded."""
SCALES = (2.0**3, 2.0**6, 2.0**9, 2.0**12)
"""By how much the inputs of a row are enlarged, one after the other."""


def _rows_apart(draw: Draw) -> Violation | None:
    """Put other numbers, NaN and huge numbers into one row: the other rows must stay."""
    needs_rows(draw.cell)
    arguments = draw.arguments(FEW)
    usual = draw.cell.run(arguments).rows(slice(1, None))
    changes: dict[str, Callable[[CellArguments], CellArguments]] = {
        "other numbers": lambda a: _first_row(a, 1.0),
        "NaN": lambda a: _first_row(a, float("nan")),
        "numbers of 2^12": lambda a: _first_row(a, SCALES[-1]),
    }
    for words, change in changes.items():
        try:
            run = draw.cell.run(change(arguments))
        except Exception:  # a target may raise anything
            if words == "other numbers":
                raise
            continue  # it refuses such numbers, which is no mixing of rows
        if differs(draw, run.rows(slice(1, None)), usual, arguments):
            return Violation("behaviour: rows", f"{words} in the first row of the batch change other rows")
    return None


def _first_row(arguments: CellArguments, amount: float) -> CellArguments:
    """Add a number to everything in the first row."""
    copied = arguments.copied()
    copied.inputs[:, 0] += amount
    for state in copied.states:
        state[0] += amount
    return copied


def _order_of_rows(draw: Draw) -> Violation | None:
    """Put the rows in another order, and some of them twice: the results must come in that order."""
    needs_rows(draw.cell)
    arguments, order = draw.arguments(FEW), [2, 0, 1, 0]
    expected = draw.cell.run(arguments)
    computed = draw.cell.run(arguments.rows(order))
    index = torch.tensor(order)
    expected = replace(
        expected,
        outputs=tuple(value[:, index] for value in expected.outputs),
        finals=tuple(value[index] for value in expected.finals),
    )
    if differs(draw, computed, expected, arguments):
        sentence = "rows in another order, one of them twice, do not give the same numbers in that order"
        return Violation("behaviour: rows", sentence)
    return None


def _batch_of_one(draw: Draw) -> Violation | None:
    """Run each row by itself: shapes and numbers must be those it has in the batch."""
    needs_rows(draw.cell)
    arguments = draw.arguments(FEW)
    expected = draw.cell.run(arguments)
    for row in range(ROWS):
        alone = draw.cell.run(arguments.rows([row]))
        for name, computed, value in zip(draw.cell.result_names(alone), alone.tensors, expected.tensors, strict=True):
            shape = tuple(1 if axis == value.dim() - 2 else size for axis, size in enumerate(value.shape))
            if tuple(computed.shape) != shape:
                sentence = f"for a batch of one row {name} have shape {tuple(computed.shape)}, not {shape}"
                return Violation("forward: shape", sentence)
        if differs(draw, alone, expected.rows(slice(row, row + 1)), arguments):
            return Violation("behaviour: rows", "a row alone gives other numbers than in a batch")
    return None


def _special_rows(draw: Draw) -> Violation | None:
    """Try rows of zeros, of tiny and of growing numbers: what is bounded, or grows as they do, must not become NaN."""
    arguments = draw.arguments(FEW)
    expected = draw.cell.run(arguments)
    usual = max(float(value.abs().max()) for value in expected.tensors)
    for words, scale in (("zeros", 0.0), (f"numbers of 2^{math.log2(TINY_INPUT):.0f}", TINY_INPUT)):
        run = draw.cell.run(replace(arguments, inputs=arguments.inputs * scale))
        if any(bool(torch.isnan(value).any()) for value in run.tensors):
            return Violation("forward: NaN", f"inputs that are {words} give NaN")
    is_bounded, steady = True, draw.cell.result_names(expected)
    for scale in SCALES:
        run = draw.cell.run(replace(arguments, inputs=arguments.inputs * scale))
        results = dict(zip(draw.cell.result_names(run), run.tensors, strict=True))
        if is_bounded and any(bool(torch.isnan(value).any()) for value in run.tensors):
            return Violation(
                "forward: NaN",
                f"inputs of {scale:g} times the usual size give NaN, and smaller ones numbers of usual size",
            )
        # In float64 nothing overflows that grows by a few multiplications: an exponential does.
        lost = [name for name in steady if bool(torch.isnan(results[name]).any())]
        # A state that is itself too large for the format leaves nothing to compute what follows from it.
        too_large = [name for name in results if name not in steady and not bool(torch.isfinite(results[name]).all())]
        if lost and not too_large and draw.cell.arithmetic == "float64":
            return Violation(
                "forward: NaN",
                f"inputs of {scale:g} times the usual size give NaN in {lost[0]}, which grow no faster than the inputs "
                "where these are smaller: an exponential overflows before it is divided out",
            )
        steady = tuple(name for name in steady if float(results[name].abs().max()) <= GROWTH * scale * (1 + usual))
        is_bounded &= all(float(value.abs().max()) <= GROWTH * (1 + usual) for value in run.tensors)
        if not (is_bounded or steady):
            raise NotRun(
                f"its states grow with the inputs ({scale:g} times the usual size), so larger ones may give anything"
            )
    if not is_bounded:
        raise NotRun("its states grow with the inputs, and no faster than they do")
    return None


def _rows_of_every_result(draw: Draw) -> Violation | None:
    """Put other numbers into one row: of every tensor that comes back, a read-out too, the other rows must stay."""
    cell = draw.cell
    needs_rows(cell)
    if any(isinstance(part, nn.modules.batchnorm._BatchNorm) for part in cell.module.modules()):  # noqa: SLF001
        raise NotRun("it normalises over the rows of a batch, as it says")
    sizes = {size for value in cell.parameters.values() for size in value.shape} | {cell.input_size, cell.hidden_size}
    rows = next(size for size in READABLE_ROWS if size not in sizes)
    arguments = draw.arguments(FEW if cell.convention.sequence else 1, rows)
    usual, moved = cell.every_result(arguments), cell.every_result(_first_row(arguments, 1.0))
    if [value.shape for value in usual] != [value.shape for value in moved]:
        raise NotRun("the shapes of what comes back depend on the numbers")
    for computed, expected in zip(moved, usual, strict=True):
        axes = [axis for axis, size in enumerate(expected.shape) if size == rows]
        if len(axes) != 1 or not expected.is_floating_point():
            continue  # a sum over the rows, or what is about two rows at a time
        others = [value.movedim(axes[0], 0)[1:] for value in (computed, expected)]
        if relative_gap(others[0], others[1]) > STRUCTURAL[cell.arithmetic]:
            sentence = (
                "other numbers in the first row of the batch change other rows of a tensor of shape "
                f"{tuple(expected.shape)} that comes back, rows along its axis {axes[0]}"
            )
            return Violation("forward: rows of a read-out", sentence)
    return None


ROW_PROPERTIES = (
    Property("rows-apart", _rows_apart),
    Property("order-of-rows", _order_of_rows),
    Property("batch-of-one", _batch_of_one),
    Property("special-rows", _special_rows),
    Property("rows-of-every-result", _rows_of_every_result, for_identified=True),
)
