"""Gradients over a thousand steps: at once, and through pieces of a few steps joined by hand."""

from __future__ import annotations

import itertools
import time

import torch
from torch import Tensor

from rnn_harness.arithmetic.assumptions import STRUCTURAL
from rnn_harness.errors import NotRun
from rnn_harness.evaluation.judging_options import LONG, LONG_BY_BEGINNINGS
from rnn_harness.validation.consistency.budget import Budget
from rnn_harness.validation.consistency.consistency_property import Draw, Violation, condition_gap, relative_gap
from rnn_harness.validation.consistency.difference_quotients import has_jumps, random_like, slopes
from rnn_harness.validation.consistency.driven_cell import INPUTS, CellArguments, CellRun, DrivenCell, Leaves
from rnn_harness.validation.consistency.gradient_properties import path_of
from rnn_harness.validation.consistency.reach_of_inputs import ReadingOrder
from rnn_harness.validation.consistency.time_properties import needs_sequence, order_of

TRIAL, FEW, ROWS = 20, 3, 2
"""Steps of a short sequence that is timed, and of the pieces of a shorter one; rows."""
MOST_NAMED = 3
"""Steps that are named where a gradient is cut at many."""


def violation_of_long_gradients(cell: DrivenCell, seed: int, budget: Budget, piece: int) -> Violation | None:
    """Compare the gradients over a long sequence with those that single pieces give.

    Args:
        cell: The layer.
        seed: The seed of the numbers.
        budget: How long it may take.
        piece: The number of steps of a piece.

    Raises:
        NotRun: It is called step by step, has no gradients, or enlarges rounding too much over so many steps.
    """
    needs_sequence(cell)
    steps = LONG_BY_BEGINNINGS if cell.convention.prefixes else LONG
    growth = (steps / TRIAL) ** (2 if cell.convention.prefixes else 1)
    trial = cell.arguments(TRIAL, ROWS, seed)
    seconds = min(_seconds_of(cell, trial, seed) for _ in range(2))
    budget.require(3 * seconds * growth, f"gradients over {steps:,} steps")
    arguments = cell.arguments(steps, ROWS, seed)
    has_all_in_states = cell.convention.states > 0 and not cell.capabilities.has_further_inputs
    can_be_split = has_all_in_states and order_of(cell, seed) is ReadingOrder.FORWARD
    run = cell.run(trial)
    if can_be_split and len(run.finals) == cell.convention.states:
        if _violation_of_pieces(cell, cell.arguments(3 * FEW, ROWS, seed), seed, FEW) is not None:
            raise NotRun(f"its gradients over pieces do not join over {3 * FEW} steps already")
        return _violation_of_pieces(cell, arguments, seed, piece)
    return _violation_of_slope(cell, arguments, seed)


def _seconds_of(cell: DrivenCell, trial: CellArguments, seed: int) -> float:
    """Time a forward and a backward; garbage of this process that is collected meanwhile would count for it."""
    start = time.process_time()
    cell.gradients(trial, random_like(cell.run(trial).tensors, seed + 1))
    return time.process_time() - start


def _violation_of_pieces(cell: DrivenCell, arguments: CellArguments, seed: int, piece: int) -> Violation | None:
    """Differentiate the sequence at once and piece by piece, the gradient of each state handed to the piece before."""
    steps, leaves = len(arguments.inputs), cell.leaves(arguments)
    run = cell.connected_run(leaves.arguments, leaves.parameters)
    pieces = _forward_in_pieces(cell, arguments, piece)
    outputs = torch.cat([piece_run.outputs[0].detach() for _, piece_run in pieces])
    gap = relative_gap(run.outputs[0].detach(), outputs)
    if STRUCTURAL[cell.arithmetic] ** 1.5 < gap <= STRUCTURAL[cell.arithmetic]:
        raise NotRun(f"it enlarges rounding over {steps:,} steps, so that gradients cannot be told apart")
    if gap > STRUCTURAL[cell.arithmetic]:
        if condition_gap(Draw(cell, seed), arguments) > STRUCTURAL[cell.arithmetic]:
            raise NotRun(f"it enlarges rounding too much over {steps:,} steps")
        step = _first_gap(run.outputs[0].detach(), outputs, cell.arithmetic)
        sentence = (
            f"over {steps:,} steps at once the outputs differ from those of pieces of {piece}, from step {step + 1} on"
        )
        return Violation("forward: long sequences", sentence)
    cotangents = random_like([value.detach() for value in run.tensors], seed + 1)
    computed = cell.pull_back(leaves, run, cotangents)[INPUTS]
    expected = _backward_through_pieces(cell, pieces, cotangents)
    sizes, tolerance = expected.abs().flatten(1).amax(1), STRUCTURAL[cell.arithmetic]
    gaps = (computed - expected).abs().flatten(1).amax(1)
    is_wrong = ~(gaps <= tolerance * sizes)
    if not is_wrong.any():
        return None
    flags = [bool(flag) for flag in is_wrong]
    # At a cut the gap is large at once; where it fades, farther back, it crosses the tolerance to and fro.
    is_far = [bool(flag) for flag in ~(gaps <= tolerance**0.5 * sizes)]
    cuts = [t + 1 for t in range(len(flags) - 1) if is_far[t] and not flags[t + 1]]
    return Violation("backward: long sequences", _describe_cuts(cuts, flags))


def _forward_in_pieces(cell: DrivenCell, arguments: CellArguments, piece: int) -> list[tuple[Leaves, CellRun]]:
    """Run a sequence in pieces, each a graph of its own."""
    states, pieces = arguments.states, []
    for start in range(0, len(arguments.inputs), piece):
        leaves = cell.leaves(arguments.steps(slice(start, start + piece), states))
        run = cell.connected_run(leaves.arguments, leaves.parameters)
        states = tuple(final.detach() for final in run.finals)
        pieces.append((leaves, run))
    return pieces


def _backward_through_pieces(
    cell: DrivenCell, pieces: list[tuple[Leaves, CellRun]], cotangents: list[Tensor]
) -> Tensor:
    """The gradient of all inputs, from the last piece to the first."""
    outputs, *finals = cotangents
    gradients: list[Tensor] = []
    end = len(outputs)
    for leaves, run in reversed(pieces):
        start = end - len(run.outputs[0])
        by_name = cell.pull_back(leaves, run, [outputs[start:end], *finals])
        end = start
        finals = [by_name[f"the given {cell.state_name(k)}"] for k in range(len(finals))]
        gradients.append(by_name[INPUTS])
    return torch.cat(gradients[::-1])


def _first_gap(computed: Tensor, expected: Tensor, dtype: str) -> int:
    """The first step at which two sequences differ."""
    return next(
        (t for t, (a, b) in enumerate(zip(computed, expected, strict=True)) if relative_gap(a, b) > STRUCTURAL[dtype]),
        0,
    )


def _describe_cuts(cuts: list[int], flags: list[bool]) -> str:
    """Say at which steps a gradient is cut."""
    steps = len(flags)
    if not cuts:
        first = flags.index(True)
        return f"over {steps:,} steps the gradient of the inputs is wrong, at step {first + 1} and others"
    distances = {b - a for a, b in itertools.pairwise([0, *cuts])}
    if len(distances) == 1 and len(cuts) > 1:
        where = f"every {cuts[0]}th step ({', '.join(map(str, cuts[:MOST_NAMED]))}, ...)"
    else:
        where = f"step {', '.join(map(str, cuts[:MOST_NAMED]))}{', ...' if len(cuts) > MOST_NAMED else ''}"
    return f"over {steps:,} steps no gradient, or a wrong one, comes across {where}"


def _violation_of_slope(cell: DrivenCell, arguments: CellArguments, seed: int) -> Violation | None:
    """Compare the gradient with the slope along which all inputs move."""
    steps, leaves = len(arguments.inputs), cell.leaves(arguments)
    run = cell.connected_run(leaves.arguments, leaves.parameters)
    cotangents = random_like([value.detach() for value in run.tensors], seed + 1)
    gradient = cell.pull_back(leaves, run, cotangents)[INPUTS]
    (direction,) = random_like([gradient], seed + 2)
    path = path_of(cell, arguments, INPUTS, direction)
    measured = slopes(path, cotangents, cell.arithmetic)
    slope, error = sum(s.value for s in measured), sum(s.error for s in measured)
    products = gradient.double() * direction.double()
    size = float(products.abs().sum())
    if error > STRUCTURAL[cell.arithmetic] ** 0.5 * size:
        raise NotRun(f"over {steps:,} steps its slope cannot be measured: it bends too much")
    if abs(float(products.sum()) - slope) <= error + STRUCTURAL[cell.arithmetic] * size:
        return None
    if _jumps_over_few(cell, seed):
        raise NotRun("its outputs jump, as spikes do: they have no slopes that a gradient could be compared with")
    sentence = f"over {steps:,} steps the gradient of the inputs is not the slope of its own outputs, as it is over few"
    return Violation("backward: long sequences", sentence)


def _jumps_over_few(cell: DrivenCell, seed: int) -> bool:
    """Whether the outputs of a short sequence jump; over a long one even a smooth function bends too much to say so."""
    arguments = cell.arguments(TRIAL, ROWS, seed)
    cotangents = random_like([value.detach() for value in cell.run(arguments).tensors], seed + 1)
    (direction,) = random_like([arguments.inputs], seed + 2)
    return has_jumps(path_of(cell, arguments, INPUTS, direction), cotangents, cell.arithmetic)
