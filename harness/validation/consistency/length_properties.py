"""Lengths and masks: what stands past a row's length matters to nothing."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterator
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from rnn_harness.arithmetic.assumptions import STRUCTURAL
from rnn_harness.errors import NotRun
from rnn_harness.validation.cells.capabilities import PaddingArgument
from rnn_harness.validation.cells.documented_mask import kept_state_in_texts
from rnn_harness.validation.cells.own_documentation import documentation_texts
from rnn_harness.validation.cells.row_exchange import ORDER_OF_ROWS, exchange_in_words, exchanged_rows
from rnn_harness.validation.consistency.consistency_property import Draw, Property, Violation, differs
from rnn_harness.validation.consistency.driven_cell import CellArguments, CellRun, DrivenCell
from rnn_harness.validation.consistency.optional_arguments import optional_arguments, run_with
from rnn_harness.validation.consistency.time_properties import is_equal

LENGTHS = (5, 4, 2, 1)
"""The lengths of the rows: the longest first, as `pack_padded_sequence` wants them, and as long as the sequence."""
_ORDER = (2, 0, 3, 1)
"""The same rows in an order that is sorted by another permutation than its inverse."""
LENGTH_NAMES = frozenset(
    [
        "lengths",
        "length",
        "lens",
        "seq_lens",
        "seq_len",
        "seqlens",
        "seq_lengths",
        "seq_length",
        "sequence_length",
        "sequence_lengths",
        "x_len",
        "x_lens",
        "x_lengths",
        "input_lengths",
        "input_lens",
        "src_len",
        "src_lengths",
    ]
)
MASK_NAMES = frozenset(["mask", "masks", "padding_mask", "pad_mask", "sequence_mask", "seq_mask", "input_mask"])


_VIOLATION_OF_LIBRARY_MASK = Violation(
    "forward: mask",
    "with a mask that is true at every step the outputs are not those without a mask: as its library defines masks, "
    "they are true where a step counts",
)


@dataclass(frozen=True)
class LengthForm:
    """A way of saying how long rows are.

    Attributes:
        name: The argument.
        is_mask: Whether it says so step by step.
        is_batch_first: Whether a mask is (B, T).
        is_padding: Whether a mask is 1 where a row has ended.
        is_relative: Whether lengths are shares of the longest.
        dtype: The format in which lengths or a mask are handed over.
    """

    name: str
    dtype: torch.dtype
    is_mask: bool = False
    is_batch_first: bool = False
    is_padding: bool = False
    is_relative: bool = False

    def keywords(self, lengths: tuple[int, ...], steps: int = max(LENGTHS)) -> dict[str, Tensor]:
        """Return the argument for rows of these lengths.

        Args:
            lengths: The lengths of the rows.
            steps: The number of steps, padding included.
        """
        sizes = torch.tensor(lengths)
        if not self.is_mask:
            return {self.name: (sizes / steps if self.is_relative else sizes).to(self.dtype)}
        inside = (torch.arange(steps)[:, None] < sizes) != self.is_padding
        return {self.name: (inside.T if self.is_batch_first else inside).to(self.dtype)}


def forms_of_lengths(cell: DrivenCell, dtype: torch.dtype) -> Iterator[LengthForm]:
    """Yield the ways that a layer may take; which of them it takes is tried.

    Args:
        cell: The layer.
        dtype: The format of its numbers.
    """
    if cell.capabilities.has_library_mask:
        yield LengthForm("mask", torch.bool, is_mask=True, is_batch_first=True)
    if (padding := cell.capabilities.padding) is not None:
        yield from _forms_of(padding, dtype)
    for name in (parameter.name for parameter in optional_arguments(cell)):
        if name.lower() in LENGTH_NAMES:
            yield LengthForm(name, torch.int64)
            yield LengthForm(name, dtype, is_relative=True)
        elif name.lower() in MASK_NAMES:
            for kind in (torch.bool, dtype):
                for is_padding in (False, True):
                    yield LengthForm(name, kind, True, True, is_padding)
                    yield LengthForm(name, kind, True, False, is_padding)


def _forms_of(padding: PaddingArgument, dtype: torch.dtype) -> Iterator[LengthForm]:
    """Yield the ways in which the argument of a function may be given."""
    if padding.counting is None:
        yield LengthForm(padding.name, torch.int64)
        return
    for kind, is_batch_first in itertools.product((torch.bool, dtype), (True, False)):
        yield LengthForm(padding.name, kind, True, is_batch_first, is_padding=padding.counting == 0)


def _lengths(draw: Draw) -> Violation | None:
    """Give rows of several lengths: their outputs and last states must be those of the rows alone."""
    cell = draw.cell
    if not cell.convention.sequence:
        raise NotRun("it is called step by step, so a row ends with its last call")
    arguments = cell.arguments(max(LENGTHS), len(LENGTHS), draw.seed)
    usual = cell.run(arguments)
    complete = (max(LENGTHS),) * len(LENGTHS)
    forms = list(forms_of_lengths(cell, arguments.inputs.dtype))
    if not forms:
        raise NotRun("it takes no lengths and no mask")
    for form in forms:
        with contextlib.suppress(Exception):  # a form that it need not take
            of_complete = run_with(cell, arguments, form.keywords(complete))
            if violation := _violation_of_complete_rows(draw, usual, of_complete, form, arguments):
                return violation
            if differs(draw, of_complete, usual, arguments):
                if form.is_mask and cell.capabilities.has_library_mask:
                    return _VIOLATION_OF_LIBRARY_MASK
                continue
            computed = _run_with_lengths(cell, arguments, form)
            if form.is_mask and not differs(draw, computed, _last_as_final(cell, usual), arguments):
                continue
            if cell.capabilities.padding is not None and not cell.capabilities.padding.is_documented:
                return _violation_of_mask(draw, arguments, form.name, computed)
            return _violation(draw, arguments, form, computed)
    raise NotRun(f"no way of giving {forms[0].name} is known in which complete rows are as without it")


def _violation_of_complete_rows(
    draw: Draw, usual: CellRun, of_complete: CellRun, form: LengthForm, arguments: CellArguments
) -> Violation | None:
    """Where complete rows have their usual outputs: their last state must not be that of an earlier step."""
    outputs = [replace(run, finals=()) for run in (of_complete, usual)]
    if form.is_mask or form.is_relative or differs(draw, outputs[0], outputs[1], arguments):
        return None
    last = [is_equal(final, usual.outputs[0][-1], draw.cell.arithmetic) for final in usual.finals]
    for final in itertools.compress(of_complete.finals, last):
        steps = [is_equal(final, output, draw.cell.arithmetic) for output in usual.outputs[0]]
        if any(steps) and not steps[-1]:
            sentence = f"the state that comes back is that of step {steps.index(True) + 1} of {len(steps)}"
            return Violation("forward: lengths", f"with {form.name} for complete rows, {sentence}")
    return None


def _violation(draw: Draw, arguments: CellArguments, form: LengthForm, computed: CellRun) -> Violation | None:
    """Compare with other numbers past the lengths, and with every row alone."""
    cell, name = draw.cell, form.name
    ended = torch.arange(max(LENGTHS))[:, None] >= torch.tensor(LENGTHS)
    padded = replace(arguments, inputs=arguments.inputs + ended[..., None])
    other = _run_with_lengths(cell, padded, form)
    if differs(draw, _within(other), _within(computed), arguments):
        return Violation("forward: lengths", f"with {name}, outputs before a row's end depend on what stands past it")
    if differs(draw, _finals(other), _finals(computed), arguments):
        sentence = (
            f"with {name}, the state that comes back is that of the padded end: it depends on what stands past it"
        )
        return Violation("forward: lengths", sentence)
    if violation := _violation_of_order(draw, arguments, form, computed):
        return violation
    if form.is_mask:
        return _violation_of_mask(draw, arguments, name, computed)
    for row, length in enumerate(LENGTHS):
        chosen = arguments.rows([row])
        alone = _last_as_final(cell, cell.run(chosen.steps(slice(0, length), chosen.states)))
        there = computed.rows(slice(row, row + 1))
        if differs(draw, _finals(there), _finals(alone), arguments):
            sentence = f"with {name}, the state that comes back is not that of a row's last step"
            return Violation("forward: lengths", sentence)
        outputs = replace(there, outputs=tuple(value[:length] for value in there.outputs), finals=())
        if differs(draw, outputs, replace(alone, finals=()), arguments):
            return Violation("forward: lengths", f"with {name}, a row's outputs are not those that it has alone")
    return None


def _violation_of_order(draw: Draw, arguments: CellArguments, form: LengthForm, computed: CellRun) -> Violation | None:
    """Put the rows in another order, whose inverse is another one still: each must give what it gave before.

    What wants falling lengths need not take them; what comes back in the order of the lengths may be meant so.
    """
    cell = draw.cell
    lengths = tuple(LENGTHS[row] for row in _ORDER)
    try:
        run = _last_as_final(cell, run_with(cell, arguments.rows(list(_ORDER)), form.keywords(lengths)))
    except Exception:  # a target may raise anything
        return None
    order = list(_ORDER)
    expected = CellRun(tuple(a[:, order] for a in computed.outputs), tuple(a[order] for a in computed.finals))
    if not differs(draw, run, expected, arguments):
        return None
    tensors = [(a.transpose(0, 1), b.transpose(0, 1)) for a, b in zip(run.outputs, expected.outputs, strict=True)]
    tensors += list(zip(run.finals, expected.finals, strict=True))
    in_order_of_lengths = sorted(range(len(lengths)), key=lambda row: -lengths[row])
    for first, second in tensors:
        places = exchanged_rows(first, second, STRUCTURAL[cell.arithmetic])
        if places and places != in_order_of_lengths:
            sentence = f"with {form.name} in another order than falling, {exchange_in_words(places)}"
            return Violation(ORDER_OF_ROWS, sentence)
    return None


def _run_with_lengths(cell: DrivenCell, arguments: CellArguments, form: LengthForm) -> CellRun:
    """Run with rows of several lengths."""
    return _last_as_final(cell, run_with(cell, arguments, form.keywords(LENGTHS)))


def _last_as_final(cell: DrivenCell, run: CellRun) -> CellRun:
    """Take the last output for a final state where nothing but the last output comes back."""
    return CellRun((), (run.outputs[0][-1],)) if cell.convention.prefixes else run


def _violation_of_mask(draw: Draw, arguments: CellArguments, name: str, computed: CellRun) -> Violation | None:
    """Where a mask keeps one state past a row's end, it must keep the other; else a row alone says nothing of it.

    A mask may also zero inputs or outputs, and the states may go on, unless its documentation says that they do not.
    """
    cell = draw.cell
    kept: list[bool] = []
    for k in range(len(computed.finals)):
        is_kept = True
        for row, length in enumerate(LENGTHS[1:], start=1):
            chosen = arguments.rows([row])
            alone = cell.run(chosen.steps(slice(0, length), chosen.states)).finals[k]
            there = computed.finals[k][row : row + 1]
            is_kept = is_kept and not differs(draw, CellRun((), (there,)), CellRun((), (alone,)), arguments)
        kept.append(is_kept)
    if len(set(kept)) < 2:
        words = kept_state_in_texts(documentation_texts(cell.module), name) if not all(kept) else ""
        sentence = f"with {name}, the state past a row's end is not what it was at its last step, and its documentation"
        return Violation("forward: mask", f'{sentence} says "{words}"') if words else None
    held, lost = cell.state_name(kept.index(True)), cell.state_name(kept.index(False))
    sentence = f"with {name}, the {held} past a row's end stays what it was, and the {lost} does not"
    return Violation("forward: mask", sentence)


def _within(run: CellRun) -> CellRun:
    """The outputs before every row's end."""
    rows = [value[:length, row] for value in run.outputs for row, length in enumerate(LENGTHS)]
    return CellRun(tuple(rows), ())


def _finals(run: CellRun) -> CellRun:
    return CellRun((), run.finals)


LENGTH_PROPERTIES = (Property("lengths", _lengths, for_identified=True),)
