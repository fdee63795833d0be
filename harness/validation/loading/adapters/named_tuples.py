"""States of a function that are named tuples of its module: ``LSTMState(h, c)``, read by their fields."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator
from typing import Any

from rnn_harness.validation.cells.callable_facts import module_of, tuple_fields


def named_tuples_beside(function: Callable[..., Any]) -> list[type]:
    """Return the classes of named tuples in the module of a function: its states may be one.

    Args:
        function: The function, of which the module is read.
    """
    classes = [value for value in vars(module_of(function)).values() if isinstance(value, type)]
    return [
        value for value in classes if issubclass(value, tuple) and not hasattr(value, "apply") and tuple_fields(value)
    ]


def as_named_state(value: Any, state_class: type | None) -> Any:
    """Return a tuple of states as a named tuple, where that is what is handed over; anything else as it is.

    Args:
        value: What a function is called with.
        state_class: The class of named tuples; None for plain ones.
    """
    if state_class is None or not isinstance(value, tuple) or len(value) != len(tuple_fields(state_class)):
        return value
    return state_class(*value)


def with_named_states(function: Callable[..., Any]) -> Iterator[Callable[..., Any]]:
    """Yield a function once for each class of named tuples of one or two fields beside it, which its states become.

    Args:
        function: A function of an input, states and parameters, all under their names.
    """
    for state_class in named_tuples_beside(function):
        if len(tuple_fields(state_class)) <= 2:
            yield _with_states_as(function, state_class)


def _with_states_as(function: Callable[..., Any], state_class: type) -> Callable[..., Any]:
    """The function, with every plain tuple that it is called with as a named one."""

    @functools.wraps(function)
    def called(*values: Any, **named: Any) -> Any:
        placed = [_as_new_state(value, state_class) for value in values]
        return function(*placed, **{name: _as_new_state(value, state_class) for name, value in named.items()})

    called.__signature__ = inspect.signature(function)  # type: ignore[attr-defined]  # read by inspect.signature
    return called


def _as_new_state(value: Any, state_class: type) -> Any:
    """A plain tuple as a named one; what is a named tuple already, as parameters may be, stays."""
    return value if tuple_fields(value) else as_named_state(value, state_class)
