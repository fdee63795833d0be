"""Arguments for a class or function whose arguments are sizes of its own: vocabularies, classes, layers."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable

from rnn_harness.options import Options, OptionTable
from rnn_harness.runtime.target_call import call_target
from rnn_harness.validation.loading.size_arguments import argument_names

_SIZES: tuple[tuple[str, int | float | bool], ...] = (
    (r"bidirectional|batch_first|use_|with_", False),
    (r"drop|(^|_)p$|prob|rate", 0.0),
    (r"layers?$|depth|n_?layers|num_?layers|stacks?", 2),
    (r"heads?", 2),
    (r"^v$|vocab|ntoken|n_?tokens|n_?chars|n_?words|num_embeddings|dict|alphabet", 11),
    (r"emb|ninp|word_dim|d_model|model_dim|(^|_)dim$|width", 6),
    (r"^[coy]$|class|output|target|label|tag|n_out|out_|horizon|num_outputs|categor|pred", 4),
    (r"^h$|hid|units|nhid|rnn_size|memory|state", 8),
    (r"batch", 3),
    (r"seq|len|steps|window|time", 9),
)
"""What an argument is given, by its name; the first row that fits counts."""
_OTHER_SIZE = re.compile(
    r"^(n|d|k|m)$|^(n|num|d|dim)_|_(n|num|size|dim|in)$|size|feat|sensor|channel|input|inp|in_|nin"
)
_FURTHER_SIZES = (5, 6, 8, 4, 10, 12, 14)
"""What arguments are given, one after the other, that are sizes by their names, though not of what."""


def named_arguments(function: Callable[..., object], options: Options) -> OptionTable | None:
    """Give each argument that a constructor requires a value that its name suggests.

    Args:
        function: The class or function.
        options: What the user gives; those arguments are left out.

    Returns:
        The arguments by name; None where a name suggests nothing, so that any value would be made up.
    """
    parameters = argument_names(function)
    if not parameters and not _shows_no_arguments(function):
        return None
    further = iter(_FURTHER_SIZES)
    arguments: OptionTable = {}
    for name, parameter in parameters.items():
        is_open = parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
        if is_open or name in options or parameter.default is not parameter.empty:
            continue
        value = next((value for pattern, value in _SIZES if re.search(pattern, name.lower())), None)
        if value is None and not _OTHER_SIZE.search(name.lower()):
            return None
        arguments[name] = next(further, 5) if value is None else value
    return arguments


def _shows_no_arguments(function: Callable[..., object]) -> bool:
    """Whether a function or class says that it takes no arguments, and not only hides them."""
    try:
        return not inspect.signature(function).parameters
    except (TypeError, ValueError):
        return False


def made_with_named_arguments(written_class: type, options: Options) -> object | None:
    """Make an object of a class with values that the names of its arguments suggest.

    Args:
        written_class: The class.
        options: Further arguments, which the user gives.

    Returns:
        The object; None where a name suggests nothing, or the class does not take such values.
    """
    sizes = named_arguments(written_class, options)
    if sizes is None:
        return None
    try:
        made: object = call_target(written_class, **{**sizes, **options})
    except Exception:  # a user's constructor may raise anything
        return None
    return made
