"""The weights of an object that only its other methods read: of the other direction, or of a head."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from rnn_harness.validation.cells.callable_facts import code_names, name_of


def weights_of_other_methods(
    holder: object, called: Iterable[Callable[..., Any] | None], used: Sequence[str]
) -> frozenset[str]:
    """Return the attributes that a method reads which is not called and reads none of the weights that are used.

    Args:
        holder: The object; None for functions, which have no attributes.
        called: The methods that are called, such as its forward.
        used: The paths of the weights that have an influence when they are called.

    Returns:
        Names of attributes; none that a called method reads, or one that it calls.
    """
    methods = {
        name: method
        for base in reversed(type(holder).__mro__)
        for name, method in vars(base).items()
        if inspect.isfunction(method)
    }
    reached: dict[str, None] = {}
    waiting = [name_of(method, "") for method in called if method is not None]
    while waiting:
        name = waiting.pop()
        if name in methods and name not in reached:
            reached[name] = None
            waiting += code_names(methods[name])
    own_names = {read for name in reached for read in code_names(methods[name])}
    weights = {path.partition("/")[0] for path in used}
    foreign: set[str] = set()
    for name, method in methods.items():
        read = set(code_names(method))
        if name not in reached and not name.startswith("__") and not read & weights:
            foreign |= read - own_names
    return frozenset(foreign)
