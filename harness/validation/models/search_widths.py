"""Calls of models with several inputs that have widths of their own: actions and observations, say, of every step."""

from __future__ import annotations

import heapq
import inspect
import itertools
import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from rnn_harness.validation.models.argument_names import is_lengths, is_mask, is_state
from rnn_harness.validation.models.model_arguments import ModelArgument, ModelArguments, Role, numbers_between
from rnn_harness.validation.models.model_sizes import ModelSizes, read_sizes
from rnn_harness.validation.models.state_forms import state_forms

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn

_IS_INPUT = re.compile(r"action|reward|obs|input|word|token|mask|done|reset|terminal", re.IGNORECASE)
"""What names of earlier inputs hold, which else begin as those of states do, as ``prev_action`` does."""
_MOST_ARGUMENTS, _MOST_OPTIONS, _FEWEST = 5, 30, 2


def calls_of_own_widths(module: nn.Module, dtype: torch.dtype) -> Iterator[ModelArguments]:
    """Yield calls in which each required argument is a sequence of its own width; likely widths of all of them first.

    Args:
        module: The model, of which no usual call is known.
        dtype: The format of its numbers.
    """
    parameters = inspect.signature(module.forward).parameters.values()
    required = [p for p in parameters if p.default is p.empty and p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]
    sequences = [p.name for p in required if not (is_lengths(p.name) or is_state(p.name) or is_mask(p.name))]
    if not (_FEWEST <= len(required) <= _MOST_ARGUMENTS) or not sequences:
        return
    sizes = read_sizes(module)
    options = [list(itertools.islice(_options(p, module, sizes, dtype), _MOST_OPTIONS)) for p in required]
    first = next(place for place, p in enumerate(required) if p.name == sequences[0])
    for chosen in _likely_first([len(its_options) for its_options in options]):
        arguments = [its_options[index] for its_options, index in zip(options, chosen, strict=True)]
        if isinstance(arguments[first].value, tuple | list) or arguments[first].value.dim() < 2:
            continue
        sequence = ModelArgument(arguments[first].name, "sequence", arguments[first].value, arguments[first].by_keyword)
        is_tokens = not sequence.value.is_floating_point()
        yield ModelArguments(
            (*arguments[:first], sequence, *arguments[first + 1 :]), (0, 1), sizes.vocabulary if is_tokens else 0
        )


def _likely_first(counts: Sequence[int]) -> Iterator[tuple[int, ...]]:
    """Yield all choices of one option each, those of small numbers together first."""
    start = (0,) * len(counts)
    queue, seen = [(0, start)], {start}
    if not all(counts):
        return
    while queue:
        total, chosen = heapq.heappop(queue)
        yield chosen
        for place, count in enumerate(counts):
            following = (*chosen[:place], chosen[place] + 1, *chosen[place + 1 :])
            if following[place] < count and following not in seen:
                seen.add(following)
                heapq.heappush(queue, (total + 1, following))


def _options(
    parameter: inspect.Parameter, module: nn.Module, sizes: ModelSizes, dtype: torch.dtype
) -> Iterator[ModelArgument]:
    """Yield what one argument may be, likely ones first."""
    import torch

    name, by_keyword = parameter.name, parameter.kind is parameter.KEYWORD_ONLY
    first, second = sizes.free_sizes
    if is_lengths(name):
        for rows, steps in ((first, second), (second, first)):
            yield ModelArgument(name, "lengths", torch.full((rows,), steps), by_keyword)
        return
    if is_state(name) and not _IS_INPUT.search(name):
        for rows in (second, first):
            for value in itertools.islice(state_forms(module, sizes, rows, dtype), _MOST_FORMS):
                yield ModelArgument(name, "state", value, by_keyword)
        for width, rows in itertools.product(_widths(name, module, sizes)[:_MOST_OF_ROWS], (second, first)):
            yield ModelArgument(name, "state", _drawn((rows, width), name).to(dtype) / 2, by_keyword)
        return
    role: Role = "mask" if is_mask(name) else "further"
    if role == "mask":
        yield ModelArgument(name, "mask", numbers_between((first, second), dtype), by_keyword)
    elif sizes.vocabulary:
        generator = torch.Generator().manual_seed(3)
        tokens = torch.randint(1, sizes.vocabulary, (first, second), generator=generator)
        yield ModelArgument(name, "further", tokens, by_keyword)
    for width in _widths(name, module, sizes):
        shape = (first, second, width)
        value = numbers_between(shape, dtype) if role == "mask" or width == 1 else _drawn(shape, name).to(dtype)
        yield ModelArgument(name, role, value, by_keyword)
    if role == "further":
        yield ModelArgument(name, role, numbers_between((first, second), dtype), by_keyword)
        for width in _widths(name, module, sizes)[:_MOST_OF_ROWS]:
            yield ModelArgument(name, role, _drawn((first, width), name).to(dtype), by_keyword)


def _drawn(shape: tuple[int, ...], name: str) -> Tensor:
    """Numbers of usual size that are others for each argument."""
    import torch

    seed = sum(map(ord, name))
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def _widths(name: str, module: nn.Module, sizes: ModelSizes) -> list[int]:
    """The widths that an argument may have, likely ones first.

    Those are what an attribute of a like name holds, what linear parts take besides what other parts give, and 1.
    """
    from torch import nn

    linear = [part for part in module.modules() if isinstance(part, nn.Linear)]
    in_features = [part.in_features for part in linear]
    attributes = {key: value for key, value in vars(module).items() if type(value) is int and 0 < value <= _LARGEST}
    computed = dict.fromkeys([*(part.out_features for part in linear), *sizes.hidden, *attributes.values()])
    differences = [size - width for size in in_features for width in computed if size > width]
    alike = [value for key, value in attributes.items() if _are_alike(name, key)]
    usual = [*(part.input_size for part in sizes.parts), *in_features, *differences, *attributes.values()]
    return list(dict.fromkeys([*([1] if is_mask(name) else []), *alike, *usual, 1]))


def _are_alike(argument: str, attribute: str) -> bool:
    """Whether the names of an argument and of a size begin alike, as those of ``actions`` and ``action_size`` do."""
    start = argument.lower().strip("_")[:_LETTERS]
    return len(start) == _LETTERS and any(part.startswith(start) for part in attribute.lower().split("_"))


_LARGEST, _LETTERS, _MOST_OF_ROWS, _MOST_FORMS = 1024, 3, 8, 4
