"""A backward method written by hand: how it is called, and what it gives back, is found out by calling it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np

from rnn_harness.array_types import Array
from rnn_harness.errors import NotRun
from rnn_harness.validation.loading.adapters.array_bridge import ArrayArguments, Cotangents, flat_arguments

_INPUT_GRADIENT_NAMES = ("x", "dx", "dxt", "dx_t", "inputs", "dinputs", "dinput", "input")
_GRADIENT_PREFIXES = ("d_", "grad_", "d", "")
_Place: TypeAlias = "str | int"
"""What an unnamed gradient may belong to: a parameter by its name, or an argument by its position."""


def first_method(cell: object, names: Sequence[str]) -> str | None:
    """The first of these methods that the class of the object defines or inherits, `object` aside."""
    for name in names:
        owner = next((base for base in type(cell).__mro__ if name in vars(base)), None)
        if owner is not None and owner is not object:
            return name
    return None


@dataclass(frozen=True)
class ForwardCall:
    """A call of an object's forward method, which its backward takes up.

    Attributes:
        cell: The object.
        parameters: Its parameters by name.
        arguments: What forward was called with.
        result: All that forward gave back.
        arrays: The arrays in it.
    """

    cell: object
    parameters: Mapping[str, Array]
    arguments: ArrayArguments
    result: object
    arrays: Sequence[Array]


class HandWrittenBackward:
    """The backward method of an object.

    Attributes:
        method: Its name.
        parameter_names: The object's parameters, in the object's order.
    """

    def __init__(self, method: str, parameter_names: tuple[str, ...]) -> None:
        self.method, self.parameter_names = method, parameter_names
        self._signature: int | None = None

    def __call__(self, forward: ForwardCall, cotangents: Sequence[Array]) -> Cotangents:
        """Call it after a forward.

        Args:
            forward: The call of forward.
            cotangents: The gradients of a loss with respect to its arrays.

        Raises:
            NotRun: It cannot be called in any known way, or does not give every gradient.
        """
        result = forward.result
        parts = result if isinstance(result, tuple | list) else ()
        caches = [part for part in parts if not isinstance(part, np.ndarray)]
        method = getattr(forward.cell, self.method)
        first_error = ""
        # The way of calling it that was right once is the only one tried later: wrong ones may change the object.
        for number, arguments in enumerate(_argument_lists(list(cotangents), caches[-1:])):
            if self._signature is not None and number != self._signature:
                continue
            before = {name: np.array(value) for name, value in _attribute_arrays(forward.cell).items()}
            try:
                returned = method(*arguments)
            except TypeError as error:
                first_error = first_error or str(error)
                continue
            self._signature = number
            return self._assigned(forward, before, returned)
        raise NotRun(f"its {self.method} cannot be called with the gradients of what forward gives back: {first_error}")

    def _assigned(self, forward: ForwardCall, before: dict[str, Array], returned: object) -> Cotangents:
        """Assign what came back, and what was left in attributes, to what it is the gradient of."""
        parameters, arguments = forward.parameters, flat_arguments(forward.arguments)
        gradients = _gradients_in(returned)
        attributes = _attribute_arrays(forward.cell)
        changed = {
            name: value
            for name, value in attributes.items()
            if name not in before or not np.array_equal(before[name], value)
        }
        named = {**changed, **gradients.named}
        by_parameter: dict[str, Array] = {}
        for name in self.parameter_names:
            last, shape = name.rpartition("/")[2], parameters[name].shape
            value = _prefixed(last, named, _GRADIENT_PREFIXES, shape)
            if value is None:  # an attribute that was zero before, and is zero again
                value = _prefixed(last, attributes, _GRADIENT_PREFIXES[:-1], shape)
            if value is not None:
                by_parameter[name] = value
        by_argument: dict[int, Array] = {}
        for name in _INPUT_GRADIENT_NAMES:
            if name in named and 0 not in by_argument and named[name].shape == arguments[0].shape:
                by_argument[0] = named[name]
        assigned = (*by_parameter.values(), *by_argument.values())
        unassigned = [
            *gradients.unnamed,
            *(value for value in named.values() if not any(value is array for array in assigned)),
        ]
        open_places: list[_Place] = [position for position in range(len(arguments)) if position not in by_argument]
        open_places += [name for name in self.parameter_names if name not in by_parameter]
        for value in unassigned:
            for place in open_places:
                shape = arguments[place].shape if isinstance(place, int) else parameters[place].shape
                if shape == value.shape:
                    open_places.remove(place)
                    if isinstance(place, int):
                        by_argument[place] = value
                    else:
                        by_parameter[place] = value
                    break
        missing = [place for place in open_places if isinstance(place, str)]
        if missing:
            raise NotRun(f"its {self.method} gives no gradient for {', '.join(missing)}")
        if len(by_argument) < len(arguments):
            raise NotRun(f"its {self.method} does not give the gradients of the inputs and of every state")
        return Cotangents(by_parameter, [by_argument[position] for position in range(len(arguments))])


def _argument_lists(cotangents: list[Array], caches: list[object]) -> Iterator[list[object]]:
    """Argument lists that a backward may take, likely ones first: gradients, packed or not, and a cache."""
    unpacked: list[object] = list(cotangents)
    packed: list[object] = [tuple(cotangents)] if len(cotangents) > 1 else []
    for gradients, cache_first in itertools.product((unpacked, packed), (False, True)):
        if gradients and caches:
            yield caches + gradients if cache_first else gradients + caches
    for gradients in (unpacked, packed):
        if gradients:
            yield gradients


def _attribute_arrays(cell: object) -> dict[str, Array]:
    """Arrays among an object's attributes and in dictionaries among them, by their last name."""
    arrays: dict[str, Array] = {}
    for name, value in vars(cell).items() if hasattr(cell, "__dict__") else ():
        if isinstance(value, np.ndarray):
            arrays[name] = value
        elif isinstance(value, dict):
            arrays |= {str(key): entry for key, entry in value.items() if isinstance(entry, np.ndarray)}
    return arrays


@dataclass(frozen=True)
class _ReturnedGradients:
    """The arrays that a backward gives back.

    Attributes:
        named: Those in dictionaries.
        unnamed: The remaining ones, in order.
    """

    named: dict[str, Array] = field(default_factory=dict)
    unnamed: list[Array] = field(default_factory=list)


def _gradients_in(returned: object) -> _ReturnedGradients:
    """The arrays in dictionaries, tuples and lists, at any depth."""
    gradients = _ReturnedGradients()
    for part in returned if isinstance(returned, tuple | list) else (returned,):
        if isinstance(part, dict):
            gradients.named.update({str(key): value for key, value in part.items() if isinstance(value, np.ndarray)})
        elif isinstance(part, np.ndarray):
            gradients.unnamed.append(part)
        elif isinstance(part, tuple | list):
            inner = _gradients_in(part)
            gradients.named.update(inner.named)
            gradients.unnamed.extend(inner.unnamed)
    return gradients


def _prefixed(
    name: str, arrays: Mapping[str, Array], prefixes: tuple[str, ...], shape: tuple[int, ...]
) -> Array | None:
    """The array of that name and shape, under the first of these prefixes."""
    for prefix in prefixes:
        value = arrays.get(f"{prefix}{name}")
        if value is not None and value.shape == shape:
            return value
    return None
