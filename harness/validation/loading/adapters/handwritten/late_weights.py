"""Objects of NumPy arrays whose weights a method makes, or the first forward, and not their constructor."""

from __future__ import annotations

import copy
import functools
import inspect
import itertools
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from rnn_harness.array_types import Array
from rnn_harness.attributes import member
from rnn_harness.runtime.target_call import call_target
from rnn_harness.validation.loading.adapters.handwritten.argument_names import required_arguments
from rnn_harness.validation.loading.adapters.handwritten.stored_arrays import possible_parameters, stored_arrays
from rnn_harness.validation.loading.size_arguments import size_names

_MAKES_WEIGHTS = re.compile(
    r"_*(init(iali[sz]e)?|build|make|create|reset|set_?up|compile)(_?(params?|parameters|weights|layers?|variables))?_*$"
)
_OPTIMIZER = re.compile(r"opt(imi[sz]er)?$", re.IGNORECASE)
_SHAPE = re.compile(r"_?(input_shape|in_shape)$")
_ROWS, _STEPS, _MOST_STATES = 2, 3, 2


class DescendsByGradient:
    """An optimiser that takes a gradient off its weights, whose step is the gradient then."""

    def update(self, weights: Array, gradient: Array) -> Array:
        """Return the weights after a step.

        Args:
            weights: A weight.
            gradient: The slope of the loss along each of its numbers.
        """
        return weights - gradient


class _WeightsAreMade(BaseException):
    """The weights are there: what follows is no part of making them."""


def with_weights(cell: Any, input_size: int, forwards: Sequence[str]) -> Any:
    """Return an object with its weights: the object itself, where it has any or where nothing makes them.

    A copy is asked to make its weights by its methods that are called so, else by its forward, which is stopped as
    soon as the weights are there: it shall not leave behind what it computed.

    Args:
        cell: The object, as its constructor made it.
        input_size: n, which it learns then.
        forwards: The names of its methods that may be its forward.
    """
    if has_weights(cell):
        return cell
    for prepared in itertools.chain(_made_by_methods(cell, input_size), _made_by_forward(cell, input_size, forwards)):
        if has_weights(prepared):
            return prepared
    return cell


def has_weights(cell: object) -> bool:
    """Say whether an object keeps arrays that may be weights.

    Args:
        cell: The object.
    """
    return bool(possible_parameters(stored_arrays(cell)))


def _made_by_methods(cell: Any, input_size: int) -> Iterator[Any]:
    """Copies of an object, each after one of its methods that may make weights."""
    for name in _method_names(type(cell)):
        if not _MAKES_WEIGHTS.match(name):
            continue
        for shape in (None, (_STEPS, input_size), (input_size,)):
            prepared = copy.deepcopy(cell)
            shaped = [key for key in vars(prepared) if _SHAPE.match(key)]
            if shape is not None and not shaped:
                continue
            vars(prepared).update(dict.fromkeys(shaped, shape) if shape is not None else {})
            try:
                call_target(member(prepared, name), **_filled(member(prepared, name), input_size))
            except Exception:  # a method that is called in a wrong way may raise anything
                continue
            yield prepared


def _filled(method: Callable[..., Any], input_size: int) -> dict[str, object]:
    """Values for the arguments of a method that makes weights: an optimiser, and the input size."""
    names = [argument.name for argument in required_arguments(method)]
    values: dict[str, object] = {name: DescendsByGradient() for name in names if _OPTIMIZER.search(name)}
    return values | dict.fromkeys(size_names(names).inputs, input_size)


def _made_by_forward(cell: Any, input_size: int, forwards: Sequence[str]) -> Iterator[Any]:
    """Copies of an object, each after a forward that was stopped when it had its weights; else after a whole one."""
    shapes = ((_ROWS, input_size), (_ROWS, _STEPS, input_size), (input_size,), (input_size, 1))
    for forward, shape in itertools.product(forwards, shapes):
        states = len(required_arguments(member(cell, forward))) - 1
        if not 0 <= states <= _MOST_STATES or (states and len(shape) == 3):
            continue
        prepared = copy.deepcopy(cell)
        state = np.zeros(tuple(_units(cell) if size == input_size else size for size in shape))
        arguments = [np.random.default_rng(5).standard_normal(shape), *[state] * states]
        names = [name for name in _method_names(type(prepared)) if name != forward]
        vars(prepared).update({name: functools.partial(_watched, member(prepared, name), prepared) for name in names})
        watched = [_first_operation_stops(value, prepared) for value in arguments]
        try:
            with np.errstate(all="ignore"):
                call_target(member(prepared, forward), *watched)
        except _WeightsAreMade:
            pass
        except Exception:  # a method that is called in a wrong way may raise anything
            continue
        for name in names:
            del vars(prepared)[name]
        yield prepared


def _units(cell: object) -> int:
    """The width of a state that an object says; 1 where it says none."""
    integers = {name: value for name, value in vars(cell).items() if type(value) is int}
    names = size_names(integers)
    return next((integers[name] for name in (*names.hidden, *integers)), 1)


def _watched(method: Callable[..., Any], cell: object, *arguments: object, **named: object) -> object:
    """What a method gives; where the object has its weights after it, the forward that called it goes no further."""
    result: object = method(*arguments, **named)
    if has_weights(cell):
        raise _WeightsAreMade
    return result


def _method_names(written_class: type) -> list[str]:
    """The names of the methods of a class, special ones aside, in the order in which they are written."""
    classes = (base for base in written_class.__mro__ if base is not object)
    names = dict.fromkeys(name for base in classes for name in vars(base) if not name.startswith("__"))
    return [name for name in names if inspect.isfunction(inspect.getattr_static(written_class, name))]


def _first_operation_stops(x: Array, cell: object) -> Array:
    """An input of which the first operation ends the call of an object that has its weights by then."""

    class Input(np.ndarray):
        def _stop(self) -> None:
            if has_weights(cell):
                raise _WeightsAreMade

        def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
            self._stop()
            plain = [value.view(np.ndarray) if isinstance(value, Input) else value for value in inputs]
            return member(ufunc, method)(*plain, **kwargs)

        def dot(self, *operands: Any) -> Any:
            self._stop()
            return self.view(np.ndarray).dot(*operands)

    return x.view(Input)
