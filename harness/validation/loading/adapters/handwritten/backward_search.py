"""Find the way in which the backward of a cell written by hand is called, by calling it in every known way."""

from __future__ import annotations

import inspect
import itertools
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from rnn_harness.attributes import attribute
from rnn_harness.validation.loading.adapters.handwritten.argument_names import (
    all_arguments,
    backward_role_of,
    gradient_stems,
    required_arguments,
    role_of,
)
from rnn_harness.validation.loading.adapters.handwritten.backward_way import BackwardWay, ForwardCall
from rnn_harness.validation.loading.adapters.handwritten.call_errors import FailureLog, Stage
from rnn_harness.validation.loading.adapters.handwritten.call_trial import (
    INPUT,
    CallTrial,
    parameters_of,
    state_place,
)
from rnn_harness.validation.loading.adapters.handwritten.forward_way import ForwardWay
from rnn_harness.validation.loading.adapters.handwritten.gradient_entries import gradient_entries
from rnn_harness.validation.loading.adapters.handwritten.gradient_places import GradientPlaces, assign_gradients
from rnn_harness.validation.loading.adapters.handwritten.returned_names import returned_names

MAX_FILLINGS = 24


@dataclass(frozen=True)
class _Order:
    """Arguments of backward.

    Attributes:
        tokens: As `BackwardWay.order`.
        cache: Where the cache is in forward's result.
    """

    tokens: tuple[str, ...]
    cache: tuple[int, ...] = ()


def backward_ways(trial: CallTrial, log: FailureLog) -> Iterator[BackwardWay]:
    """Yield the ways of calling backward after a forward that give anything, likely ones first.

    Args:
        trial: The call of forward.
        log: Where the ways that fail are noted.
    """
    function = trial.source.backward_function
    names = returned_names(function)
    arguments = tuple(argument.name for argument in all_arguments(function)) if function is not None else ()
    for order in dict.fromkeys(_orders(trial)):
        for axes in _cotangent_axes(trial.way):
            way = BackwardWay(order.tokens, arguments[: len(order.tokens)], axes, order.cache)
            places = _places(trial, way, names, log)
            if places is not None:
                yield replace(way, places=places)


def forward_call(trial: CallTrial) -> ForwardCall:
    """Call forward on a new cell.

    Args:
        trial: A way of calling forward, with the numbers that it was tried with; they are copied.
    """
    way, values = trial.way, {place: value.copy() for place, value in trial.values.items()}
    cell = trial.source.fresh(parameters_of(values))
    states = [values[state_place(number)] for number in range(way.states)]
    result = way.call(cell, values[INPUT], states)
    return ForwardCall(cell, result, values, way.read(cell, result))


def _places(trial: CallTrial, way: BackwardWay, names: tuple[str, ...], log: FailureLog) -> GradientPlaces | None:
    """Where the gradients are if backward is called in a way; None if it raises."""
    forward = forward_call(trial)
    function = trial.source.backward_function
    words = f"{trial.way}, its {trial.source.backward_name} with {way}"
    try:
        cotangents = [cotangent.copy() for cotangent in trial.cotangents]
        returned, before = way.call(trial.source, trial.way, forward, cotangents)
        entries = gradient_entries(returned, before, forward.cell.arrays(), names)
        places = assign_gradients(trial, entries, _state_names(trial))
    except (Exception, SystemExit) as error:  # a backward that is called in a wrong way may raise anything
        log.add_error(Stage.BACKWARD_RAISED, words, error, function)
        return None
    if not places.is_complete:
        shapes = ", ".join(str(entry.value.shape) for entry in entries) or "no array"
        lacking = ", ".join(place.removeprefix("parameters.") for place in places.missing)
        reason = f"it gives no gradient for {lacking} (it gave {shapes})"
        log.add(Stage.BACKWARD_RESULT_UNFIT, words, reason, len(places.keys))
    return places


def _state_names(trial: CallTrial) -> list[str]:
    """What forward calls its states, in order; nothing where it does not say."""
    names = [argument.name for argument in all_arguments(trial.source.forward_function)]
    names = [name for name in names if role_of(name) in ("h", "c") and name not in trial.source.parameters]
    return names if len(names) == trial.way.states else list(trial.way.attributes)


def _cotangent_axes(way: ForwardWay) -> tuple[str, ...]:
    """The axes that the gradient of a state may have: those of the state; one vector may be a row or a column too."""
    return (way.state_axes,) if way.is_batched else tuple(dict.fromkeys((way.state_axes, "N", "1N", "N1")))


def _orders(trial: CallTrial) -> Iterator[_Order]:
    """Yield what the arguments of backward may be."""
    function = trial.source.backward_function
    if function is None:
        return
    everything = [argument.name for argument in all_arguments(function)]
    required = [argument.name for argument in required_arguments(function)]
    forward = forward_call(trial)
    orders = _cotangent_orders(trial.way, everything)
    if len(forward.results) > 1 and not (
        trial.way.is_sequence and np.array_equal(forward.results[0][-1], forward.results[1])
    ):
        orders = [order for order in orders if order != ("dy+",)]  # its last output is no final state
    yield from _orders_by_name(trial, required, orders, _caches(trial.way, forward.result))
    for cotangents, cache in itertools.product(orders, _caches(trial.way, forward.result)):
        cached = ("cache",) if cache else ()
        for tokens in (cotangents + cached, cached + cotangents) if cached else (cotangents,):
            if len(required) <= len(tokens) <= len(everything) or not everything:
                if _is_named_so(tokens, everything):
                    yield _Order(tokens, cache)
            elif len(tokens) < len(required):
                yield from (_Order(filled, cache) for filled in _filled(trial, tokens, required))


def _orders_by_name(
    trial: CallTrial, required: list[str], cotangents: list[tuple[str, ...]], caches: list[tuple[int, ...]]
) -> Iterator[_Order]:
    """Yield the orders of a backward whose arguments are called as those of forward are, with gradients among them.

    ``gradients(params, xs, h0, dhs)`` runs forward again, and needs no cache.
    """
    tokens = [_token_by_name(trial, name) for name in required]
    if not any(token and token != "cache" for token in tokens):
        return
    named = [place for place, name in enumerate(required) if backward_role_of(name) == "gradient" and not tokens[place]]
    free = [place for place, token in enumerate(tokens) if not token]
    if free != named and named:
        return
    for order, cache in itertools.product(cotangents, caches if "cache" in tokens else [()]):
        if len(order) == len(free):
            filled = {**dict(enumerate(tokens)), **dict(zip(free, order, strict=True))}
            yield _Order(tuple(filled[place] for place in range(len(required))), cache)


def _token_by_name(trial: CallTrial, name: str) -> str:
    """What goes in under the name that it has in forward, or comes out; empty where the name says nothing."""
    source, way = trial.source, trial.way
    shown, written = all_arguments(source.forward_function), all_arguments(inspect.unwrap(source.forward_function))
    usual_names = (
        {mine.name: usual.name for usual, mine in zip(shown, written, strict=True)}
        if len(shown) == len(written)
        else {}
    )
    usual = usual_names.get(name, name)
    if usual and usual == attribute(source, "tree_argument", str):  # functions alone have one
        return "parameters"
    if usual in source.parameters:
        return f"p:{usual}"
    tokens = dict(zip(way.keywords, way.order, strict=False))
    if usual in tokens:
        return tokens[usual] if len(tokens[usual]) == 1 else ""
    role = backward_role_of(name)
    if role == "cache":
        return "cache"
    if role in ("h", "c") and way.is_sequence and not _is_of_before(name):
        return "ry" if role == "h" else ""
    return ""


def _is_of_before(name: str) -> bool:
    """Whether a name is that of a state before the first step."""
    return "prev" in name or "0" in name or "init" in name


def _is_named_so(tokens: tuple[str, ...], names: list[str]) -> bool:
    """Whether no argument that is called a cache gets a gradient, and the other way round."""
    roles = [backward_role_of(name) for name in names]
    return all(
        (token == "cache") == (role == "cache")
        for token, role in zip(tokens, roles, strict=False)
        if role in ("cache", "gradient")
    )


def _cotangent_orders(way: ForwardWay, names: list[str]) -> list[tuple[str, ...]]:
    """The gradients that backward may take: one for every result, or fewer, in the order that its names say."""
    finals = tuple(f"d{number}" for number in range(len(way.finals)))
    if not way.is_sequence:
        orders: list[tuple[str, ...]] = [finals]
        if len(finals) == 2:
            orders += [("d01",)]
            roles = [role_of(stem) for name in names for stem in gradient_stems(name)[:1]]
            states = [role for role in roles if role in ("h", "c")]
            if states[:2] == ["c", "h"] or states[:2] not in (["h", "c"], ["c", "h"]):
                orders.insert(0 if states[:2] == ["c", "h"] else 2, ("d1", "d0"))
        return [order for order in orders if order]
    orders = [("dy", *finals), (*finals, "dy"), ("dy", "d01"), ("dy+",)]
    return [order for order in orders if _is_for(order, len(finals))]


def _is_for(order: tuple[str, ...], finals: int) -> bool:
    """Whether an order hands over the gradients of so many final states."""
    if "d01" in order:
        return finals == 2
    return finals == 1 if order == ("dy+",) else finals > 0 or order == ("dy",)


def _caches(way: ForwardWay, result: object) -> list[tuple[int, ...]]:
    """Where a cache may be in forward's result: what is no result, arrays last; empty for none."""
    if not isinstance(result, tuple | list):
        return [()]
    used = {path[0] for path, _ in way.results if path}
    unused = [position for position in reversed(range(len(result))) if str(position) not in used]
    unused.sort(key=lambda position: isinstance(result[position], np.ndarray))
    return [*((position,) for position in unused), ()]


def _filled(trial: CallTrial, tokens: tuple[str, ...], required: list[str]) -> Iterator[tuple[str, ...]]:
    """Yield the tokens with what went into forward, or came out, for the arguments that remain."""
    way = trial.way
    remaining = required[len(tokens) :]
    states = tuple(str(number) for number in range(way.states))
    results = tuple(f"r{number}" for number in range(len(way.finals)))
    choices: list[tuple[str, ...]] = []
    for name in remaining:
        role = backward_role_of(name)
        if name in trial.source.parameters:
            choices.append((f"p:{name}",))
        elif role == "tree":
            choices.append(("parameters",))
        elif role == "x":
            choices.append(("x",))
        elif role in ("h", "c"):
            choices.append((*states, *results) if _is_of_before(name) else (*results, *states))
        else:
            choices.append(("x", *states, *results))
    fillings = (filling for filling in itertools.product(*choices) if len(set(filling)) == len(filling))
    yield from ((*tokens, *filling) for filling in itertools.islice(fillings, MAX_FILLINGS))
