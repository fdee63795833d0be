"""A backward that somebody wrote by hand: how it is called and what it gives back are found out by calling it.

Dimension legend: B batch rows, n input size, d hidden size.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from rnn_harness.array_types import Array
from rnn_harness.errors import NotRun

_INPUT = ("x", "dx", "dxt", "dx_t", "inputs", "dinputs", "dinput", "input")
_PREFIXES = ("d_", "grad_", "d", "")


def method_of(module: Any, names: Sequence[str]) -> str | None:
    """The first of these methods that the object's own class has."""
    for name in names:
        owner = next((one for one in type(module).__mro__ if name in vars(one)), None)
        if owner is not None and owner is not object:
            return name
    return None


class Backward:
    """`method` of an object, called after its forward. `names`: its parameters, in its order."""

    def __init__(self, method: str, names: tuple[str, ...]) -> None:
        self.method, self.names = method, names
        self._way: int | None = None

    def __call__(
        self,
        module: Any,
        parameters: Mapping[str, Array],
        arguments: tuple[Any, ...],
        found: Any,
        rows: Sequence[Array],
        cotangents: Sequence[Array],
    ) -> tuple[dict[str, Array], list[Array]]:
        """The cotangents of parameters and arguments. Raises NotRun if it cannot be called in any known way."""
        caches = [one for one in found if not isinstance(one, np.ndarray)] if isinstance(found, tuple | list) else []
        ways = list(_ways(list(cotangents), caches[-1:]))
        told = ""
        for number, way in enumerate(ways):
            if self._way is not None and number != self._way:
                continue
            before = {name: np.array(value) for name, value in _held(module).items()}
            try:
                given = getattr(module, self.method)(*way)
            except TypeError as error:
                told = told or str(error)
                continue
            self._way = number
            return self._sorted(module, before, given, parameters, _arrays(arguments))
        raise NotRun(f"its {self.method} cannot be called with the gradients of what forward gives back: {told}")

    def _sorted(
        self, module: Any, before: dict[str, Array], given: Any, parameters: Mapping[str, Array], arguments: list[Array]
    ) -> tuple[dict[str, Array], list[Array]]:
        """What came back, and what was left in attributes, by what it is the gradient of."""
        named, listed = _split(given)
        changed = {k: v for k, v in _held(module).items() if k not in before or not np.array_equal(before[k], v)}
        named = {**changed, **named}
        own = {}
        for name in self.names:
            value = _named(name.rpartition("/")[2], named, _PREFIXES, parameters[name].shape)
            if value is None:  # an attribute that was zero before, and is zero again
                value = _named(name.rpartition("/")[2], _held(module), _PREFIXES[:-1], parameters[name].shape)
            if value is not None:
                own[name] = value
        back: list[Array | None] = [None] * len(arguments)
        for key in _INPUT:
            if key in named and back[0] is None and named[key].shape == arguments[0].shape:
                back[0] = named[key]
        open_ones = [("argument", i) for i in range(len(arguments)) if back[i] is None]
        places: list[tuple[str, Any]] = [*open_ones, *(("parameter", name) for name in self.names if name not in own)]
        rest = [*listed, *(v for k, v in named.items() if not any(v is one for one in (*own.values(), *back)))]
        for value in rest:
            fitting = next((one for one in places if _shape(one, parameters, arguments) == value.shape), None)
            if fitting is None:
                continue
            places.remove(fitting)
            if fitting[0] == "argument":
                back[fitting[1]] = value
            else:
                own[fitting[1]] = value
        missing = [name for kind, name in places if kind == "parameter"]
        if missing:
            raise NotRun(f"its {self.method} gives no gradient for {', '.join(missing)}")
        if any(one is None for one in back):
            raise NotRun(f"its {self.method} does not give the gradients of the inputs and of every state")
        return own, [one for one in back if one is not None]


def _ways(cotangents: list[Array], cache: list[Any]) -> Iterator[list[Any]]:
    """Argument lists, likely ones first."""
    packed: list[Any] = [tuple(cotangents)] if len(cotangents) > 1 else []
    ways: tuple[list[Any], ...] = (list(cotangents), packed)
    for gradients, order in itertools.product(ways, (0, 1)):
        if gradients and cache:
            own = list(gradients)
            yield own + cache if order == 0 else cache + own
    for gradients in ways:
        if gradients:
            yield gradients


def _held(module: Any) -> dict[str, Array]:
    """ArrayObjectAdapter among an object's attributes and in dictionaries among them, by their last name."""
    found: dict[str, Array] = {}
    for name, value in vars(module).items() if hasattr(module, "__dict__") else ():
        if isinstance(value, np.ndarray):
            found[name] = value
        elif isinstance(value, dict):
            found |= {str(key): one for key, one in value.items() if isinstance(one, np.ndarray)}
    return found


def _split(given: Any) -> tuple[dict[str, Array], list[Array]]:
    named: dict[str, Array] = {}
    listed: list[Array] = []
    for one in given if isinstance(given, tuple | list) else (given,):
        if isinstance(one, dict):
            named |= {str(key): value for key, value in one.items() if isinstance(value, np.ndarray)}
        elif isinstance(one, np.ndarray):
            listed.append(one)
        elif isinstance(one, tuple | list):
            inner, rows = _split(one)
            named |= inner
            listed += rows
    return named, listed


def _named(name: str, named: Mapping[str, Array], prefixes: tuple[str, ...], shape: tuple[int, ...]) -> Array | None:
    for prefix in prefixes:
        value = named.get(f"{prefix}{name}")
        if value is not None and value.shape == shape:
            return value
    return None


def _arrays(arguments: tuple[Any, ...]) -> list[Array]:
    found: list[Array] = []
    for one in arguments:
        found += _arrays(one) if isinstance(one, tuple) else [one]
    return found


def _shape(place: tuple[str, Any], parameters: Mapping[str, Array], arguments: list[Array]) -> tuple[int, ...]:
    kind, which = place
    return arguments[which].shape if kind == "argument" else parameters[which].shape
