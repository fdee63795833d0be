"""Are the lengths of the rows honoured: padding without influence, rows in any order?"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from rnn_harness.arithmetic.assumptions import STRUCTURAL
from rnn_harness.validation.cells.row_exchange import exchange_in_words, exchanged_rows
from rnn_harness.validation.models.argument_names import is_lengths
from rnn_harness.validation.models.layout import arrival_order
from rnn_harness.validation.models.model_arguments import ModelArgument, ModelArguments, map_tensors
from rnn_harness.validation.models.reach_of_convolutions import convolutions_reach
from rnn_harness.validation.models.run_model import ModelRun
from rnn_harness.validation.models.statement import WiringStatement, agrees, not_run, refuted
from rnn_harness.validation.models.under_test import ModelUnderTest

if TYPE_CHECKING:
    from torch import Tensor, nn

CHECK = "lengths"
FURTHER_STEPS = 3
"""By how many steps the padding is lengthened."""


@dataclass(frozen=True)
class PaddedBatch:
    """Arguments with rows of different lengths.

    Attributes:
        arguments: A call with padding beyond the rows' ends.
        lengths: The lengths of the rows, falling.
        batch_axis: The axis of the sequence that is the batch.
    """

    arguments: ModelArguments
    lengths: Tensor
    batch_axis: int

    @property
    def steps(self) -> int:
        """The number of steps, padding included."""
        return int(self.arguments.sequence.shape[1 - self.batch_axis])


def check_lengths(model: ModelUnderTest) -> Iterator[WiringStatement]:
    """Change what stands beyond the rows' ends, append more of it, and put the rows in another order.

    Args:
        model: The model; where it takes no lengths, or its batch axis is not known, nothing is yielded.
    """
    batch = _padded_batch(model)
    if batch is None:
        return
    expected = model.runs(batch.arguments)
    if expected is None:
        yield not_run(CHECK, "it raises for rows of different lengths")
        return
    checks = (_changed_padding(model, batch), _more_padding(model, batch))
    for words, changed in checks:
        run = model.runs(changed) if changed is not None else None
        row = differing_row(model, batch, run, expected) if run is not None else None
        if run is not None and row is not None:
            length = int(batch.lengths[row])
            sentence = f"{words} changes the outputs of row {row}, whose length of {length} of {batch.steps} was given"
            if convolutions_reach(model, run, expected, row, length):
                yield not_run(CHECK, f"{sentence}: convolutions reach into its padding, which is not masked")
                return
            yield refuted(CHECK, f"{sentence}: its padding is not left out")
            return
    row = _row_that_reaches_nothing(model, batch, expected)
    if row is not None:
        length = int(batch.lengths[row])
        sentence = f"no input of row {row}, whose length of {length} of {batch.steps} was given, reaches its outputs"
        yield refuted(CHECK, f"{sentence}, as those of a row without padding do: they are read past its end")
        return
    if _depends_on_other_lengths(model, batch, expected):
        row = len(batch.lengths) - 1
        sentence = f"shorter lengths of the other rows change the outputs of row {row}, whose own length stays"
        yield refuted(CHECK, f"{sentence} {int(batch.lengths[row])}: its padding up to the longest row is not left out")
        return
    if _ends_before_the_last_step(model, batch, expected):
        yield refuted(CHECK, "the last step of every row, by its length, reaches no output: each row ends a step early")
        return
    yield from _other_order(model, batch, expected)


def _depends_on_other_lengths(model: ModelUnderTest, batch: PaddedBatch, expected: ModelRun) -> bool:
    """Whether the outputs of the shortest row change where all others are made as short."""
    import torch

    shortest = int(batch.lengths[-1])
    lengths = torch.full_like(batch.lengths, shortest)
    shortened = batch.arguments.with_sequence(with_padding(model, batch.arguments.sequence, lengths, batch.batch_axis))
    run = model.runs(shortened.with_value(_lengths_argument(model)[0], lengths))
    if run is None:
        return False
    row = len(lengths) - 1
    for computed, value in zip(run.outputs, expected.outputs, strict=True):
        first, second = (_valid(output, row, shortest, batch) for output in (computed, value))
        if first is None or second is None or first.shape != second.shape:
            continue
        if bool(model.clear_difference(first, second).any()):
            return True
    return False


def _ends_before_the_last_step(model: ModelUnderTest, batch: PaddedBatch, expected: ModelRun) -> bool:
    """Whether the last steps of the rows reach nothing, though there is an output of every step, padding included."""
    of_steps = [value for value in expected.outputs if value.dim() > 1 and batch.steps in value.shape[:2]]
    if not of_steps:
        return False  # a model may predict its last input, and leave it out
    changed = batch.arguments.sequence.clone()
    for row, length in enumerate(batch.lengths.tolist()):
        _change(model, changed.select(batch.batch_axis, row)[length - 1 : length])
    run = model.runs(batch.arguments.with_sequence(changed))
    return run is not None and differing_row(model, batch, run, expected) is None


def _row_that_reaches_nothing(model: ModelUnderTest, batch: PaddedBatch, expected: ModelRun) -> int | None:
    """The first row with padding whose inputs reach no output of it, though those of a row without padding do."""
    lengths = batch.lengths.tolist()
    if lengths[0] != batch.steps or not _reaches_outputs(model, batch, expected, 0):
        return None
    padded = [row for row, length in enumerate(lengths) if length < batch.steps]
    return next((row for row in padded if _reaches_outputs(model, batch, expected, row) is False), None)


def _reaches_outputs(model: ModelUnderTest, batch: PaddedBatch, expected: ModelRun, row: int) -> bool | None:
    """Whether the inputs of a row change an output of that row; None where it raises, or no output is about rows."""
    changed = batch.arguments.sequence.clone()
    length = int(batch.lengths[row])
    _change(model, changed.select(batch.batch_axis, row)[:length])
    run = model.runs(batch.arguments.with_sequence(changed))
    if run is None:
        return None
    pairs = [
        (first, second)
        for computed, value in zip(run.outputs, expected.outputs, strict=True)
        if (first := _valid(computed, row, length, batch)) is not None
        and (second := _valid(value, row, length, batch)) is not None
        and first.shape == second.shape
    ]
    return any(not first.equal(second) for first, second in pairs) if pairs else None


def _change(model: ModelUnderTest, steps: Tensor) -> None:
    """Change the numbers of some steps of a row in place; a token becomes another one that is no padding."""
    if not model.arguments.vocabulary:
        steps += 1
        return
    for token in steps.view(-1):
        known = int(token), padding_token(model.module)
        token.fill_(next(other for other in range(model.arguments.vocabulary) if other not in known))


def _padded_batch(model: ModelUnderTest) -> PaddedBatch | None:
    """Arguments with rows of falling lengths; None where the model takes no lengths."""
    batch_axis = _batch_axis(model)
    if batch_axis is None:
        return None
    name, by_keyword = _lengths_argument(model)
    if not name:
        return None
    return falling_lengths(model, batch_axis, name, by_keyword)


def falling_lengths(model: ModelUnderTest, batch_axis: int, name: str, by_keyword: bool = False) -> PaddedBatch:
    """Return arguments with rows of falling lengths.

    Args:
        model: The model, whose usual arguments are taken.
        batch_axis: The axis of its sequence that is the batch.
        name: Its argument for the lengths; empty where its padding alone says how long the rows are.
        by_keyword: Whether the lengths are given by name, where they are not given otherwise.
    """
    import torch

    sequence = model.arguments.sequence
    rows, steps = sequence.shape[batch_axis], sequence.shape[1 - batch_axis]
    lengths = torch.tensor([max(2, steps - row) for row in range(rows)])
    padded = with_padding(model, sequence, lengths, batch_axis)
    arguments = model.arguments.with_sequence(padded)
    if any(argument.name == name for argument in arguments.arguments):
        arguments = arguments.with_value(name, lengths)
    elif name:
        arguments = arguments.with_argument(ModelArgument(name, "lengths", lengths, by_keyword))
    return PaddedBatch(arguments, lengths, batch_axis)


def _batch_axis(model: ModelUnderTest) -> int | None:
    """The axis of the sequence that is the batch, as the recurrent parts have it."""
    time_axis = arrival_order(model).time_axis if len(model.arguments.grid) == 2 else None
    if time_axis is not None:
        return 1 - time_axis
    lengths = model.arguments.of_role("lengths")
    shape = model.arguments.sequence.shape
    fitting = [axis for axis in (0, 1) if lengths and len(shape) > 1 and len(lengths[0].value) == shape[axis]]
    return fitting[0] if len(fitting) == 1 else None


def _lengths_argument(model: ModelUnderTest) -> tuple[str, bool]:
    """The name of the argument for lengths, and whether it may be left out; empty without one."""
    if lengths := model.arguments.of_role("lengths"):
        return lengths[0].name, lengths[0].by_keyword
    try:
        parameters = inspect.signature(model.module.forward).parameters
    except (TypeError, ValueError):
        return "", False
    return next((name for name in parameters if is_lengths(name)), ""), True


def with_padding(model: ModelUnderTest, sequence: Tensor, lengths: Tensor, batch_axis: int) -> Tensor:
    """Return a sequence with padding beyond the ends of the rows.

    Args:
        model: The model, which may say what stands for padding.
        sequence: Numbers or tokens over rows and steps; it is copied.
        lengths: The lengths of its rows.
        batch_axis: Its axis that is the batch.
    """
    padded = sequence.clone()
    for row, length in enumerate(lengths.tolist()):
        padded.select(batch_axis, row)[length:] = padding_token(model.module)
    return padded


def padding_token(module: nn.Module) -> int:
    """Return the token that stands for padding in the embeddings of a model, or zero.

    Args:
        module: The model.
    """
    from torch import nn

    embeddings = [embedding for embedding in module.modules() if isinstance(embedding, nn.Embedding)]
    return next((e.padding_idx for e in embeddings if e.padding_idx is not None), 0)


def _changed_padding(model: ModelUnderTest, batch: PaddedBatch) -> tuple[str, ModelArguments | None]:
    """The same rows with other numbers beyond their ends; not for tokens, where padding has a token of its own."""
    words = "what stands beyond its end"
    if model.arguments.vocabulary:
        return words, None
    changed = batch.arguments.sequence.clone()
    for row, length in enumerate(batch.lengths.tolist()):
        changed.select(batch.batch_axis, row)[length:] += 1
    return words, batch.arguments.with_sequence(changed)


def _more_padding(model: ModelUnderTest, batch: PaddedBatch) -> tuple[str, ModelArguments]:
    """The same rows with more steps of padding."""
    import torch

    sequence = batch.arguments.sequence
    shape = list(sequence.shape)
    shape[1 - batch.batch_axis] = FURTHER_STEPS
    further = torch.full(shape, padding_token(model.module), dtype=sequence.dtype)
    longer = torch.cat([sequence, further], 1 - batch.batch_axis)
    return f"padding that is {FURTHER_STEPS} steps longer", batch.arguments.with_sequence(longer)


def differing_row(model: ModelUnderTest, batch: PaddedBatch, run: ModelRun, expected: ModelRun) -> int | None:
    """Return the first row of which a valid output differs between two runs; None if there is none.

    Args:
        model: What was run; it says what is rounding.
        batch: The lengths of the rows.
        run: A run on rows of these lengths.
        expected: Another one.
    """
    for computed, value in zip(run.outputs, expected.outputs, strict=True):
        for row, length in enumerate(batch.lengths.tolist()):
            first = _valid(computed, row, length, batch)
            second = _valid(value, row, length, batch)
            if first is None or second is None or first.shape != second.shape:
                continue
            if bool(model.clear_difference(first, second).any()):
                return row
    return None


def _valid(output: Tensor, row: int, length: int, batch: PaddedBatch) -> Tensor | None:
    """The numbers of an output that are about one row and its valid steps; None where it has no axis of rows."""
    rows = len(batch.lengths)
    axis = next((k for k in _likely_axes(batch, output) if output.shape[k] == rows), None)
    if axis is None:
        return None
    of_row = output.select(axis, row)
    step_sizes = (batch.steps, batch.steps + FURTHER_STEPS)
    time = next((k for k, size in enumerate(of_row.shape[:-1] or of_row.shape) if size in step_sizes), None)
    return of_row if time is None else of_row.narrow(time, 0, length)


def _likely_axes(batch: PaddedBatch, output: Tensor) -> list[int]:
    """The axes of an output, the one that is the batch of the sequence first."""
    return sorted(range(output.dim()), key=lambda axis: axis != batch.batch_axis)


def _other_order(model: ModelUnderTest, batch: PaddedBatch, expected: ModelRun) -> Iterator[WiringStatement]:
    """Put the rows in another order: the outputs must come in that order."""
    import torch

    rows = len(batch.lengths)
    order = torch.tensor([(row + 1) % rows for row in range(rows)])  # no order that undoes itself
    arguments = _in_order(batch, order)
    if arguments is None:
        yield agrees(CHECK, "padding has no influence")
        return
    run = model.runs(arguments)
    if run is None:
        yield agrees(CHECK, "padding has no influence; rows must come in falling lengths")
        return
    for computed, value in zip(run.outputs, expected.outputs, strict=True):
        axes = [axis for axis, size in enumerate(value.shape) if size == rows]
        if len(axes) != 1 or computed.shape != value.shape:
            continue
        in_order = value.index_select(axes[0], order)
        if bool(model.clear_difference(computed, in_order).any()):
            sentence = "rows in another order, each with its length, do not give their outputs in that order"
            rows_first = (computed.transpose(0, axes[0]), in_order.transpose(0, axes[0]))
            places = exchanged_rows(*rows_first, STRUCTURAL[str(value.dtype).removeprefix("torch.")])
            yield refuted(CHECK, f"{sentence}: {exchange_in_words(places)}" if places else sentence)
            return
    yield agrees(CHECK, "padding has no influence, and rows may come in any order")


def _in_order(batch: PaddedBatch, order: Tensor) -> ModelArguments | None:
    """The arguments with all that they hold of the rows in another order; None where an axis may be rows or not."""
    rows = len(order)
    is_clear = True

    def reorder(tensor: Tensor) -> Tensor:
        nonlocal is_clear
        axes = [axis for axis, size in enumerate(tensor.shape) if size == rows]
        is_clear = is_clear and len(axes) < 2
        return tensor.index_select(axes[0], order) if axes else tensor

    arguments = (replace(a, value=map_tensors(reorder, a.value)) for a in batch.arguments.arguments)
    reordered = replace(batch.arguments, arguments=tuple(arguments))
    return reordered if is_clear else None
