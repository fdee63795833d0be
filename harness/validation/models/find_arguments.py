"""Find what a model can be called with, by calling it: numbers or tokens, and states, lengths or masks as needed."""

from __future__ import annotations

import inspect
import itertools
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from rnn_harness.errors import first_line
from rnn_harness.validation.cells.reset_names import RESET_NAMES
from rnn_harness.validation.models.argument_names import (
    is_context,
    is_lengths,
    is_mask,
    is_sequence_of_steps,
    is_state,
)
from rnn_harness.validation.models.example_inputs import example_arguments
from rnn_harness.validation.models.model_arguments import ModelArgument, ModelArguments, numbers_between
from rnn_harness.validation.models.model_sizes import ModelSizes, read_sizes
from rnn_harness.validation.models.run_model import run_model
from rnn_harness.validation.models.search_widths import calls_of_own_widths
from rnn_harness.validation.models.spatial_sequences import LaidOutSequence, spatial_sequences
from rnn_harness.validation.models.state_forms import state_forms

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn

MOST_ATTEMPTS = 600
"""How many ways of calling a model are tried whose arguments have the shapes of its sequence, or of its states."""
MOST_LAYOUTS = 1500
"""How many are tried of a model with convolutions, whose inputs have axes of space or channels."""
MOST_WIDTHS = 2000
"""How many are tried whose arguments have widths of their own."""


class ModelNotCalled(Exception):
    """No way of calling a model is known; the message holds what it said to the most likely ones."""


def find_arguments(module: nn.Module, watched: Sequence[str], dtype: torch.dtype) -> ModelArguments:
    """Find arguments that a model takes.

    Args:
        module: The model, in evaluation mode.
        watched: The names of its recurrent parts, one of which must be called; empty if it has none.
        dtype: The format of its numbers.

    Returns:
        Arguments with generic numbers.

    Raises:
        ModelNotCalled: It raised for all that were tried, or none of its recurrent parts was called.
    """
    errors: dict[str, None] = {}
    fallback: ModelArguments | None = None
    usual = itertools.islice(_attempts(module, dtype), MOST_ATTEMPTS)
    spatial = itertools.islice(_spatial_attempts(module, dtype), MOST_LAYOUTS)
    of_own_widths = itertools.islice(calls_of_own_widths(module, dtype), MOST_WIDTHS)
    for arguments in itertools.chain(usual, spatial, of_own_widths):
        try:
            run = run_model(module, arguments, watched)
        except (Exception, SystemExit) as error:  # a model that is called in a wrong way may raise anything
            errors.setdefault(f"{type(error).__name__}: {first_line(error)}"[:160])
            continue
        if not run.outputs:
            errors.setdefault("it gave no tensor")
        elif watched and not run.calls:
            fallback = fallback or arguments
        else:
            return arguments
    if fallback is not None:
        raise ModelNotCalled(f"it runs without calling {', '.join(watched)}")
    raise ModelNotCalled("; ".join(list(errors)[:3]) or "its forward takes no argument")


def _attempts(module: nn.Module, dtype: torch.dtype) -> Iterator[ModelArguments]:
    """Every call that is tried, likely ones first."""
    yield from (arguments.to(dtype) for arguments in example_arguments(module))
    sizes = read_sizes(module)
    for sequence, grid, vocabulary in _sequences(sizes, dtype):
        yield from _calls(module, sizes, LaidOutSequence(sequence), grid, vocabulary, dtype)


def _spatial_attempts(module: nn.Module, dtype: torch.dtype) -> Iterator[ModelArguments]:
    """The calls of a model with convolutions."""
    sizes = read_sizes(module)
    for sequence in spatial_sequences(module, sizes, dtype):
        yield from _calls(module, sizes, sequence, (0, 1), 0, dtype)


def _calls(
    module: nn.Module,
    sizes: ModelSizes,
    sequence: LaidOutSequence,
    grid: tuple[int, ...],
    vocabulary: int,
    dtype: torch.dtype,
) -> Iterator[ModelArguments]:
    """Yield every call with one sequence."""
    try:
        parameters = list(inspect.signature(module.forward).parameters.values())
    except (TypeError, ValueError):
        return
    required = [p for p in parameters if p.default is p.empty and p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]
    names = required or [p for p in parameters if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)][:1]
    if not names:
        return
    first = _place_of_sequence([parameter.name for parameter in names])
    forms = [
        [ModelArgument(p.name, "sequence", sequence.value, p.kind is p.KEYWORD_ONLY, sequence.order)]
        if index == first
        else list(_further(p, module, sizes, sequence.value, grid, dtype))
        for index, p in enumerate(names)
    ]
    for chosen in itertools.product(*forms):
        yield ModelArguments(chosen, grid, vocabulary)


def _place_of_sequence(names: Sequence[str]) -> int:
    """Which argument is the sequence: the first that is no state; of a decoder that which follows what it looks at."""
    first = next((i for i, name in enumerate(names) if not is_state(name)), 0)
    if is_context(names[first]):
        return next((i for i, name in enumerate(names) if is_sequence_of_steps(name)), first)
    return first


def _sequences(sizes: ModelSizes, dtype: torch.dtype) -> Iterator[tuple[Tensor, tuple[int, ...], int]]:
    """Yield sequences of numbers and of tokens, each with its grid and the size of its vocabulary."""
    import torch

    generator = torch.Generator().manual_seed(3)

    def numbers(*shape: int) -> Tensor:
        return torch.randn(shape, generator=generator, dtype=torch.float64).to(dtype)

    first, second = sizes.free_sizes
    if sizes.vocabulary:

        def tokens(*shape: int) -> Tensor:
            return torch.randint(1, sizes.vocabulary, shape, generator=generator)

        yield tokens(first, second), (0, 1), sizes.vocabulary
        yield tokens(first), (0,), sizes.vocabulary
    for n in sizes.features:
        yield numbers(first, second, n), (0, 1), 0
    yield numbers(first, second), (0, 1), 0
    for n in sizes.features:
        yield numbers(first, n), (0,), 0
    yield numbers(first), (0,), 0
    if sizes.vocabulary:  # one token of one row, as a decoder that is called token by token takes it
        yield tokens(1), (0,), sizes.vocabulary


def _further(
    parameter: inspect.Parameter,
    module: nn.Module,
    sizes: ModelSizes,
    sequence: Tensor,
    grid: tuple[int, ...],
    dtype: torch.dtype,
) -> Iterator[ModelArgument]:
    """Yield what an argument after the sequence may be."""
    name, by_keyword = parameter.name, parameter.kind is parameter.KEYWORD_ONLY
    lengths_of = [sequence.shape[axis] for axis in grid]

    def argument(role: Any, value: Any) -> ModelArgument:
        return ModelArgument(name, role, value, by_keyword)

    import torch

    if is_lengths(name):
        for rows, steps in itertools.permutations(lengths_of) if len(grid) == 2 else ():
            yield argument("lengths", torch.full((rows,), steps))
    elif is_mask(name):
        shapes = [tuple(lengths_of), *((size, 1) for size in lengths_of), *((size,) for size in lengths_of)]
        for shape in shapes:
            yield argument("mask", numbers_between(shape, dtype))
            yield argument("mask", torch.ones(shape, dtype=torch.bool))
    elif is_state(name):
        for rows in reversed(lengths_of):
            yield from (argument("state", value) for value in state_forms(module, sizes, rows, dtype))
    else:
        for shape in _context_shapes(sizes, lengths_of) if is_context(name) else ():
            yield argument("further", numbers_between(shape, dtype))
        yield argument("further", sequence.flip(0))
        yield from (argument("further", numbers_between(tuple(lengths_of[:k]), dtype)) for k in range(len(grid), 0, -1))
        if name.lower() in RESET_NAMES:  # what indexes with it, or negates it, takes no numbers; nothing is reset
            for shape in dict.fromkeys((tuple(lengths_of), *((size,) for size in reversed(lengths_of)))):
                yield argument("further", torch.zeros(shape, dtype=torch.bool))
        for rows in reversed(lengths_of):
            yield from (argument("state", value) for value in state_forms(module, sizes, rows, dtype))


def _context_shapes(sizes: ModelSizes, lengths: Sequence[int]) -> Iterator[tuple[int, ...]]:
    """Yield the shapes of what an encoder gives: of some steps and all rows, in either order, or of rows alone."""
    steps = next(size for size in (*sizes.free_sizes, 3) if size not in lengths)
    widths = dict.fromkeys([*sizes.hidden, *(2 * d for d in sizes.hidden), *sizes.features])
    for rows, width in itertools.product(lengths, widths):
        yield steps, rows, width
        yield rows, steps, width
    for rows, width in itertools.product(lengths, widths):
        yield rows, width
