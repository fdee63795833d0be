"""A function whose input or state has a name of its own, under the names by which its arguments are told apart."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from rnn_harness.validation.cells.call_argument import role_of_extra
from rnn_harness.validation.loading.adapters.handwritten.argument_names import required_arguments, role_of
from rnn_harness.validation.loading.adapters.handwritten.returned_states import ReturnedStates, returned_states

_STATE_NAMES = ("h", "c", "h_prev", "c_prev", "hidden", "cell", "prev_h", "prev_c")
"""Names that say that an argument is a state."""


def with_usual_names(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return the function with an input called ``x`` and a state called ``h``, or itself where it has both.

    Without an input by name the first argument is it (``u`` in control), or where a tree takes all parameters, the
    first of those whose names say nothing. Some call the state by its place in the
    network, ``y``; next to a state of another name, targets are meant. A single capital next to a state in small
    letters is a matrix.

    Args:
        function: A function of an input, states and parameters.
    """
    returned = returned_states(function)
    if returned is not None:
        return _with_returned_states(function, returned)
    roles = {argument.name: role_of(argument.name) for argument in required_arguments(function)}
    names: dict[str, str] = {}
    unnamed = [name for name, role in roles.items() if role == "other" and role_of_extra(name) is None]
    if "x" not in roles.values() and unnamed and unnamed[0] == next(iter(roles)):
        names[unnamed[0]] = "x"
    elif "x" not in roles.values() and unnamed and list(roles.values()).count("tree") == 1:
        names[unnamed[0]] = "x"  # all parameters are in the tree
    if "h" not in roles.values():
        names |= dict.fromkeys([name for name, role in roles.items() if role == "target"][:1], "h")
    if any(role == "h" and name.islower() for name, role in roles.items()):
        names |= {
            name: f"W_{name}"
            for name, role in roles.items()
            if role in ("h", "c") and len(name) == 1 and name.isupper()
        }
    return _renamed(function, names) if names and not set(names.values()) & set(roles) else function


def _with_returned_states(function: Callable[..., Any], returned: ReturnedStates) -> Callable[..., Any]:
    """The function, its states under usual names and given back in their own order; a capital letter is a matrix."""
    arguments = [argument.name for argument in required_arguments(function)]
    names: dict[str, str] = {}
    beside = [name for name in arguments if name not in returned.names]
    if all(role_of(name) != "x" for name in beside):
        first = next((name for name in beside if role_of(name) != "tree"), None)
        names |= {} if first is None else {first: "x"}
    for name in beside:
        if name not in names and role_of(name) in ("h", "c", "target"):
            names[name] = f"W_{name}"
    taken = {*arguments, *names.values()} - set(returned.names)
    for name in returned.names:
        free = (usual for usual in _STATE_NAMES if usual not in taken)
        names[name] = name if role_of(name) in ("h", "c") else next(free)
        taken.add(names[name])
    renamed = _renamed(function, names)
    return in_order_of_states(renamed, returned.places) if returned.places else renamed


def in_order_of_states(function: Callable[..., Any], places: Sequence[int]) -> Callable[..., Any]:
    """Return the function, which gives its states in another order among its results.

    Args:
        function: A function that gives a tuple.
        places: Where each state stands among the results; the first of them goes where the first result of a state was.
    """

    @functools.wraps(function)
    def called(*values: Any, **keywords: Any) -> Any:
        results = list(function(*values, **keywords))
        states = [results[place] for place in places]
        for place, state in zip(sorted(places), states, strict=True):
            results[place] = state
        return tuple(results)

    return called


def _renamed(function: Callable[..., Any], names: dict[str, str]) -> Callable[..., Any]:
    """The function, called with other names for its arguments."""
    signature = inspect.signature(function)
    own_names = {usual: name for name, usual in names.items()}

    @functools.wraps(function)
    def called(*values: Any, **keywords: Any) -> Any:
        return function(*values, **{own_names.get(name, name): value for name, value in keywords.items()})

    parameters = [value.replace(name=names.get(name, name)) for name, value in signature.parameters.items()]
    called.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
    return called


def with_signature_of(
    called: Callable[..., Any], function: Callable[..., Any], names: Mapping[str, str], without: Sequence[str]
) -> Callable[..., Any]:
    """Return a function under the name of another, with its arguments but for some, and other names for some.

    Args:
        called: The function.
        function: The other.
        names: Other names of arguments, by its own.
        without: Arguments that are left out.
    """

    @functools.wraps(function)
    def shown(*values: Any, **keywords: Any) -> Any:
        return called(*values, **keywords)

    signature = inspect.signature(function)
    parameters = [
        value.replace(name=names.get(name, name)) for name, value in signature.parameters.items() if name not in without
    ]
    shown.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
    return shown
