"""Find out how a torch step is called that is given an encoder's outputs, contexts or masks beside its states."""

from __future__ import annotations

import heapq
import inspect
import itertools
import re
from collections.abc import Iterator
from dataclasses import replace

import torch
from torch import Tensor, nn

from rnn_harness.validation.cells.capabilities import CellSizes
from rnn_harness.validation.cells.distinct_sizes import distinct_batch_size
from rnn_harness.validation.cells.state_form import result_leaves
from rnn_harness.validation.loading.context_inputs import ContextArgument, ContextStep
from rnn_harness.validation.loading.dependence import rows_are_independent
from rnn_harness.validation.loading.find_convention import find_convention
from rnn_harness.validation.loading.forward_signature import INPUT_NAME, STATE_NAME
from rnn_harness.validation.loading.parameter_exchange import in_evaluation

_CONTEXT_NAME = re.compile(
    r"(\w*enc(oder|oded|s)?(_\w+)?|\w*encodings?|\w*memory(_bank)?|\w*ctx\w*|\w*contexts?(_\w+)?|annotations?|keys?|"
    r"values?|src\w*|source\w*|\w*feat(ure)?s?|img\w*|images?\w*|attn\w*|attention\w*|att_\w+)$",
    re.I,
)
_MASK_NAME = re.compile(r"\w*mask\w*$", re.I)
_INPUT_FIRST = re.compile(r"(y|y_\w+|\w*tok(en)?s?|\w*words?|\w*ids?|\w*inputs?\w*|\w*emb\w*|x\w*)$", re.I)
_MOST_CALLS, _MOST_WIDTHS, _MOST_ARGUMENTS, _MOST_FORMS = 4000, 6, 7, 400
_POSITIONS_OF_ITS_OWN, _MOST_SIZES = 3, 4
_CALLS_AFTER_MIXING = 600
"""What takes rows for something else mixes them too, so that others are tried as well."""


def context_step(cell: nn.Module, sizes: CellSizes) -> ContextStep | None:
    """Find how a step with contexts is called; None if it gives back no states, or has no contexts.

    Args:
        cell: A torch module that cannot be called with an input and states alone.
        sizes: The sizes that it was made for.
    """
    if isinstance(cell, torch.jit.ScriptModule):
        return None
    called = in_evaluation(cell)
    for takes_rows in (True, False):
        mixing: ContextStep | None = None
        after_mixing = 0
        for joined in itertools.islice(_possible(called, sizes, takes_rows), _MOST_CALLS):
            after_mixing += mixing is not None
            if after_mixing > _CALLS_AFTER_MIXING:
                break
            if not _gives_states(called, joined):
                continue
            with_masks = _with_neutral_masks(called, joined)
            verdict = _rows_are_apart(called, with_masks)
            if verdict and (mixing is None or _positions(with_masks) >= _positions(mixing)):
                return with_masks
            if verdict is False:
                mixing = mixing or with_masks
        if mixing is not None:  # what mixes the rows of a batch runs on one row, too
            return mixing
    return None


def _positions(joined: ContextStep) -> int:
    """How many contexts have positions: over one position alone, what mixes rows may keep them apart."""
    return sum("S" in context.axes for context in joined.contexts)


def _rows_are_apart(cell: nn.Module, joined: ContextStep) -> bool | None:
    """Say whether a step keeps the rows of a batch apart; None if it cannot be called as a cell."""
    wrapped = joined.wrap(cell)
    try:
        convention = find_convention(wrapped, *joined.sizes)
        if convention.sequence:
            return None
        x, states = _drawn(cell, joined, distinct_batch_size(*joined.sizes))
        return rows_are_independent(wrapped, convention, x[None], states[: convention.states])
    except Exception:  # a module that is called in a wrong way may raise anything
        return None


def _gives_states(cell: nn.Module, joined: ContextStep) -> bool:
    """Say whether a call goes through, and a tensor of the shape of a state comes back."""
    rows = distinct_batch_size(*joined.sizes) if joined.takes_rows else 1
    if joined.takes_rows and joined.positions == rows:  # then rows could be taken for positions
        return False
    x, states = _drawn(cell, joined, rows)
    if not joined.takes_rows:
        x, states = x[0], [state[0] for state in states]
    try:
        with torch.no_grad():
            apart = states if len(joined.states) == 2 else [states[0]]
            leaves = list(result_leaves(joined.call(cell, x, apart)))
    except Exception:  # a module that is called in a wrong way may raise anything
        if len(joined.states) == 2:
            return False
        try:
            with torch.no_grad():
                leaves = list(result_leaves(joined.call(cell, x, [tuple(states)])))
        except Exception:  # the same
            return False
    wanted = (rows, joined.widths.hidden_size) if joined.takes_rows else (joined.widths.hidden_size,)
    return any(tuple(leaf.tensor.shape) == wanted for leaf in leaves)


def _drawn(cell: nn.Module, joined: ContextStep, rows: int) -> tuple[Tensor, list[Tensor]]:
    """Inputs (B, N) and two states (B, d) in the format of a module."""
    first = next((value for value in cell.parameters() if value.is_floating_point()), None)
    dtype = torch.get_default_dtype() if first is None else first.dtype
    generator = torch.Generator().manual_seed(7)

    def draw(width: int) -> Tensor:
        return torch.randn(rows, width, generator=generator, dtype=torch.float64).to(dtype)

    return draw(joined.sizes.input_size), [draw(joined.sizes.hidden_size) / 2 for _ in range(2)]


def _with_neutral_masks(cell: nn.Module, joined: ContextStep) -> ContextStep:
    """The step with masks that let every position count: ones, or zeros where ones hide everything."""
    if not joined.masks:
        return joined
    x, states = _drawn(cell, joined, 1)
    if not joined.takes_rows:
        x, states = x[0], [state[0] for state in states]
    hides_by_name = any("pad" in mask.name.lower() for mask in joined.masks)
    for neutral in (0.0, 1.0) if hides_by_name else (1.0, 0.0):
        candidate = replace(joined, neutral=neutral)
        for given in ([tuple(states)], [states[0]]) if len(joined.states) == 1 else (states,):
            try:
                with torch.no_grad():
                    leaves = list(result_leaves(candidate.call(cell, x, given)))
            except Exception:  # a module that is called in a wrong way may raise anything
                continue
            if all(bool(torch.isfinite(leaf.tensor).all()) for leaf in leaves):
                return candidate
    return joined


def _possible(cell: nn.Module, sizes: CellSizes, takes_rows: bool) -> Iterator[ContextStep]:
    """Every way of telling the arguments apart and of shaping them, likely ones first."""
    try:
        arguments = list(inspect.signature(cell.forward).parameters.values())
    except (TypeError, ValueError):
        return
    if any(argument.kind in (argument.VAR_POSITIONAL, argument.POSITIONAL_ONLY) for argument in arguments):
        return
    names = [argument.name for argument in arguments if argument.default is argument.empty]
    names += [a.name for a in arguments if a.name not in names and _is_state_name(a.name) and a.default is None][:1]
    if not 3 <= len(names) <= _MOST_ARGUMENTS or not any(_CONTEXT_NAME.match(name) for name in names):
        return
    for x, states in _told_apart(names):
        further = [name for name in names if name != x and name not in states]
        yield from _shaped(cell, x, states, further, sizes, takes_rows)


def _is_state_name(name: str) -> bool:
    """Whether a name is that of a state, and of no context."""
    return STATE_NAME.match(name) is not None and not _CONTEXT_NAME.match(name) and not _MASK_NAME.match(name)


def _told_apart(names: list[str]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """The input and the states, by their names: two states, or one argument for one or two."""
    likely = [name for name in names if _is_state_name(name)]
    likely = [name for name in likely if not _INPUT_FIRST.match(name)] or likely
    likely = likely or [name for name in names[1:] if not _MASK_NAME.match(name) and not _CONTEXT_NAME.match(name)][:1]
    for states in (*itertools.combinations(likely, 2), *((name,) for name in likely)):
        inputs = [n for n in names if n not in states and not _MASK_NAME.match(n) and not _CONTEXT_NAME.match(n)]
        inputs.sort(key=lambda name: not (_INPUT_FIRST.match(name) or INPUT_NAME.match(name)))
        yield from ((x, tuple(states)) for x in inputs[:1])


def _shaped(
    cell: nn.Module, x: str, states: tuple[str, ...], further: list[str], sizes: CellSizes, takes_rows: bool
) -> Iterator[ContextStep]:
    """Every choice of axes and widths; the fewer unlikely ones it takes, the sooner it comes."""
    axes = sorted({size for value in cell.parameters() for size in value.shape})
    embedded = {part.embedding_dim for _, part in cell.named_modules() if isinstance(part, nn.Embedding)}
    layouts = _layouts(takes_rows, tokens=len(embedded) == 1)
    hidden = _hidden_widths(cell, axes, sizes)
    inputs = [*embedded] if len(embedded) == 1 else _first_of([sizes.input_size, *axes])
    masks = [name for name in further if _MASK_NAME.match(name)]
    contexts = [name for name in further if name not in masks]
    mask_forms = list(_mask_forms(masks, takes_rows))
    shapes = ("BSe", "SBe", "Be", "1Be") if takes_rows else ("Se", "S1e", "1Se", "e", "1e")
    free = next(size for size in itertools.count(3) if size not in {*axes, *inputs, *hidden})
    positions = [free, *axes[-_POSITIONS_OF_ITS_OWN:]]
    forms_of = {(d, n): _forms_of_sizes(len(contexts), shapes, axes, n, d) for d in hidden for n in inputs}
    ways = (
        (8 * (i + j) + 4 * layout + form / 8 + mask + 12 * position, (i, j, layout, form, mask, position))
        for (i, d), (j, n) in itertools.product(enumerate(hidden), enumerate(inputs))
        for layout, form, mask, position in itertools.product(
            *(range(len(choices)) for choices in (layouts, forms_of[d, n], mask_forms, positions))
        )
    )
    for _, ranks in heapq.nsmallest(_MOST_CALLS, ways):
        d, n = hidden[ranks[0]], inputs[ranks[1]]
        (x_axes, state_axes), form = layouts[ranks[2]], forms_of[d, n][ranks[3]]
        numbers = [ContextArgument(name, *shape) for name, shape in zip(contexts, form, strict=True)]
        axes_of_mask, dtype = mask_forms[ranks[4]]
        mask_arguments = [ContextArgument(name, axes_of_mask, is_mask=True, dtype=dtype) for name in masks]
        ordered = tuple(sorted((*numbers, *mask_arguments), key=lambda argument: further.index(argument.name)))
        yield ContextStep(x, x_axes, states, state_axes, ordered, CellSizes(n, d), positions[ranks[5]])


def _forms_of_sizes(
    count: int, shapes: tuple[str, ...], axes: list[int], n: int, d: int
) -> list[tuple[tuple[str, int], ...]]:
    """The axes and widths that so many contexts may have beside an input and states of these widths."""
    beside = [size - width for size in axes for width in (n, d) if size > width]
    lengths = list(dict.fromkeys([d, n, 2 * d, *axes, *beside]))[: 2 * _MOST_WIDTHS]
    return list(itertools.islice(_context_forms(count, shapes, lengths), _MOST_FORMS))


def _layouts(takes_rows: bool, tokens: bool) -> tuple[tuple[str, str], ...]:
    """The axes of an input and of a state."""
    if tokens and takes_rows:
        return ("B", "Bd"), ("B1", "1Bd"), ("1B", "1Bd"), ("B", "1Bd"), ("B1", "Bd")
    if tokens:
        return ("1", "1d"), ("11", "11d"), ("1", "11d")
    if takes_rows:
        return ("Bn", "Bd"), ("B1n", "1Bd"), ("1Bn", "1Bd"), ("Bn", "1Bd"), ("B1n", "Bd")
    return ("n", "d"), ("1n", "1d"), ("11n", "11d")


def _first_of(widths: list[int]) -> list[int]:
    """The first widths of a list, each once."""
    return list(dict.fromkeys(widths))[:_MOST_SIZES]


def _hidden_widths(cell: nn.Module, axes: list[int], sizes: CellSizes) -> list[int]:
    """The widths that a state may have: those of its recurrent parts, or what its parameters allow."""
    parts = [part.hidden_size for _, part in cell.named_modules() if isinstance(part, nn.RNNBase | nn.RNNCellBase)]
    if parts:
        return _first_of(parts)
    allowed = [size // gates for gates in (4, 3, 1) for size in axes if size % gates == 0]
    return _first_of([sizes.hidden_size, *allowed])


def _context_forms(count: int, shapes: tuple[str, ...], lengths: list[int]) -> Iterator[tuple[tuple[str, int], ...]]:
    """The axes and widths of so many contexts: those of one width first, then those of one shape."""
    for width in lengths:
        yield from (tuple((shape, width) for shape in several) for several in itertools.product(shapes, repeat=count))
    if count > 1:
        for shape, widths in itertools.product(shapes, itertools.product(lengths[:_MOST_WIDTHS], repeat=count)):
            if len(set(widths)) > 1:
                yield tuple((shape, width) for width in widths)


def _mask_forms(names: list[str], takes_rows: bool) -> Iterator[tuple[str, torch.dtype]]:
    """The axes and formats of masks over positions; one choice where there is no mask."""
    axes = ("BS", "B1S", "SB") if takes_rows else ("S", "1S")
    yield from itertools.product(axes if names else axes[:1], (torch.bool, torch.float32) if names else (torch.bool,))
