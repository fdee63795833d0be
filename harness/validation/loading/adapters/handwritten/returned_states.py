"""Which arguments of a step are its states: it gives them back anew, ``return y_new, z_new`` of ``y`` and ``z``."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from rnn_harness.errors import UsageError
from rnn_harness.validation.cells.callable_facts import name_of
from rnn_harness.validation.loading.adapters.handwritten.argument_names import (
    backward_role_of,
    base_name,
    required_arguments,
    role_of,
)
from rnn_harness.validation.loading.adapters.handwritten.returned_names import returned_names
from rnn_harness.validation.loading.adapters.handwritten.weight_shapes import are_weights

_OF_A_RESULT = re.compile(r"(out|output|res|result|upd|updated|hat|nxt|n|p1)$")
"""Words of a result besides those that say of which step something is."""
_OF_A_STEP = re.compile(
    r"^([a-z]|[a-z]_?(t|tm1|t_1|prev|old|last|0|in)|(prev|old|last)_?[a-z]|\w+_(prev|old|last|tm1))$"
)
"""How a state is named whose name says nothing else: a small letter, or a word of the step before."""


_OF_NO_STATE = re.compile(
    r"alpha|beta|gamma|delta|eps|tau|lam|zeta|gain|scale|shift|decay|leak|mask|len|step|dt|mean|var|norm|param", re.I
)
"""Words of what stands beside the states before the weights."""
_OF_A_WEIGHT = re.compile("")
"""Every name may be that of a weight where the arguments behind are not all named as weights are."""
_OF_A_WORD = re.compile(r"(?!.*(weight|bias|kernel|rec|theta))[a-z]{3,}$")
"""A word that is no weight although it begins with the letter of one: ``vel``."""
_MOST_STATES = 2


class ReturnedStates(NamedTuple):
    """The states of a step.

    Attributes:
        names: The arguments that are states, in the order of the arguments.
        places: Of each of them its place among the results; empty where their order is that of the results.
    """

    names: tuple[str, ...]
    places: tuple[int, ...]


def returned_states(function: Callable[..., Any]) -> ReturnedStates | None:
    """Find the states of a step by what it calls its results.

    Where a result has no name of its own, so many arguments in front of the weights are states as there are results,
    if their names could be those of states.

    Args:
        function: A function of an input, states and parameters; its source is read, and nothing is called.

    Returns:
        The states; None where a result is no state, or where the usual names say it all.

    Raises:
        UsageError: It has more states than are driven; the message says how it can be.
    """
    results = returned_names(function)
    while len(results) > 1 and backward_role_of(results[-1]) == "cache":
        results = results[:-1]
    names = [argument.name for argument in required_arguments(function)]
    candidates = [name for name in names if role_of(name) != "x"]
    stems = {name: stem_of(name) for name in candidates}
    place_of: dict[str, int] = {}
    for place, result in enumerate(results):
        same = (
            [name for name in candidates if name not in place_of and stems[name] == stem_of(result)] if result else []
        )
        if len(same) == 1:
            place_of[same[0]] = place
    in_order = _in_front_of_weights(names, candidates, len(results))
    unmatched = [result for place, result in enumerate(results) if place not in place_of.values()]
    fits = (
        in_order is not None and set(place_of) <= set(in_order) and not any(map(_is_named, {*in_order} - {*place_of}))
    )
    if in_order is not None and fits and unmatched and (not any(unmatched) or not any(map(_is_named, place_of))):
        states = in_order
        free = iter([place for place in range(len(results)) if place not in place_of.values()])
        place_of = {name: place_of[name] if name in place_of else next(free) for name in states}
    elif not any(unmatched) and unmatched:
        return None
    else:
        states = [name for name in names if name in place_of]
    if not states or all(map(_is_named, states)):
        return None
    if len(states) > _MOST_STATES:
        raise UsageError(_too_many(name_of(function), states))
    order = sorted(place_of.values())
    places = tuple(order.index(place_of[name]) for name in states)
    return ReturnedStates(
        tuple(states), tuple(place_of[name] for name in states) if places != (*range(len(states)),) else ()
    )


def _too_many(name: str, states: Sequence[str]) -> str:
    """What is said of a function of more states than are driven, with how it can be."""
    listed = ", ".join(states)
    return (
        f"cannot drive {name}: it has the states {listed}, and of a function at most {_MOST_STATES} are driven. A "
        f"class with its weights whose forward(self, x, state) takes and gives them as one tuple, ({listed}), is driven"
    )


def _is_named(name: str) -> bool:
    """Whether an argument has a usual name of a state."""
    return role_of(name) in ("h", "c")


def _in_front_of_weights(names: Sequence[str], candidates: Sequence[str], count: int) -> list[str] | None:
    """The first arguments but for the input, so many, if each could be a state by its name; None if not."""
    inputs = [name for name in names if name not in candidates] or [*names[:1]]
    first = [name for name in names if name not in inputs][:count]
    behind = [name for name in names if name not in inputs and name not in first]
    words = _OF_NO_STATE if are_weights(behind) else _OF_A_WEIGHT
    could_be = [name for name in first if _OF_A_STEP.match(name) or not words.search(name)]
    could_be = [name for name in could_be if not are_weights([name, name]) or _OF_A_WORD.match(name)]
    is_together = names[: count + len(inputs)] == [name for name in names if name in inputs or name in first]
    return first if len(first) == count > 0 and len(could_be) == count and is_together else None


def stem_of(name: str) -> str:
    """Return what a state or a result is named for, without what says of which step it is.

    Args:
        name: Its name, as ``h_prev`` or ``new_h``.
    """
    stem = base_name(name)
    while len(stem) > 1 and (shorter := _OF_A_RESULT.sub("", stem)) and shorter != stem:
        stem = base_name(shorter)
    return stem
