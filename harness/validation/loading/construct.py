"""Construct a cell of the sizes that are wanted, from a class or function whose arguments have usual names."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping

from rnn_harness.errors import UsageError
from rnn_harness.validation.cells.capabilities import CellSizes
from rnn_harness.validation.loading.named_arguments import named_arguments

INPUT_SIZE_NAMES = (
    "input_size",
    "input_dim",
    "in_features",
    "in_size",
    "in_dim",
    "n_in",
    "nin",
    "n_inputs",
    "n",
    "embed_dim",
)
HIDDEN_SIZE_NAMES = (
    "hidden_size",
    "hidden_dim",
    "hidden_features",
    "n_hidden",
    "nhid",
    "hidden",
    "units",
    "num_units",
    "features",
    "d",
)


def argument_names(function: Callable[..., object]) -> Mapping[str, inspect.Parameter]:
    """The arguments of a function or class by name; none where it does not show them."""
    try:
        return inspect.signature(function).parameters
    except (TypeError, ValueError):
        return {}


def names_sizes(names: set[str]) -> bool:
    """Whether these are the arguments of a function that makes cells of given sizes, and not of one step."""
    return bool(names & ({*INPUT_SIZE_NAMES, *HIDDEN_SIZE_NAMES} - {"n", "d"})) or {"n", "d"} <= names


def construct_cell(
    name: str,
    maker: Callable[..., object],
    sizes: CellSizes,
    options: Mapping[str, object],
    defaults: Mapping[str, object],
) -> object:
    """Call a class or function so that it makes a cell of these sizes.

    Args:
        name: What to call it in messages.
        maker: The class or function.
        sizes: The sizes; they go in by name where the arguments have usual names, else as the first two.
        options: Further arguments that the user gives.
        defaults: Further arguments that its library needs, where the user gives none and the maker takes them.

    Raises:
        UsageError: It cannot be called with them; the message holds its error.
    """
    n, d = sizes
    known = argument_names(maker)
    takes_any = any(argument.kind is argument.VAR_KEYWORD for argument in known.values())
    unknown = sorted(set(options) - set(known)) if known and not takes_any else []
    if unknown:
        raise UsageError(f"{name} takes no {', '.join(unknown)}; it takes {', '.join(known)}")
    further = {key: value for key, value in defaults.items() if takes_any or key in known} | dict(options)
    by_name = {key: n for key in INPUT_SIZE_NAMES if key in known} | {
        key: d for key in HIDDEN_SIZE_NAMES if key in known
    }
    by_name = {key: size for key, size in by_name.items() if key not in further}
    attempts: list[Callable[[], object]] = [lambda: maker(**by_name, **further)] if by_name else []
    attempts.append(lambda: maker(n, d, **further))
    named = None if takes_any else named_arguments(maker, further)
    if named is not None:
        attempts.append(lambda: maker(**named, **further))
    errors: list[str] = []
    for attempt in attempts:
        try:
            return attempt()
        except (Exception, SystemExit) as error:  # a constructor may raise anything
            errors.append(f"{type(error).__name__}: {error}")
    shown = ", ".join(str(argument) for argument in known.values()) or "unknown arguments"
    raise UsageError(
        f"{name}({shown}) cannot be made for input size {n} and hidden size {d}: {errors[0]}; "
        "give what it needs besides with --init key=value, or name a function f(n, d) that makes it"
    )


def stated_sizes(cell: object) -> CellSizes | None:
    """The sizes of an object that has them as attributes of usual names."""
    n, d = _integer_attribute(cell, INPUT_SIZE_NAMES), _integer_attribute(cell, HIDDEN_SIZE_NAMES)
    return None if n is None or d is None else CellSizes(n, d)


def _integer_attribute(cell: object, names: tuple[str, ...]) -> int | None:
    """The first of these attributes that is a whole number."""
    for name in names:
        value = getattr(cell, name, None)  # the cell may be any object
        if isinstance(value, int):
            return value
    return None
