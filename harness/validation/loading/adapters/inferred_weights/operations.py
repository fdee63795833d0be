"""What the operations of NumPy, JAX and torch say about the shape of a parameter that takes part in them."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from rnn_harness.attributes import array_shape, member
from rnn_harness.validation.loading.adapters.inferred_weights.unknown_weight import (
    Derived,
    RowNumber,
    Shape,
    Unknown,
    UnknownShapeError,
    UnknownWeight,
    any_shape,
    elementwise_shape,
)

_PRODUCTS = frozenset(("matmul", "dot", "mm", "mv", "inner", "addmm"))
_BINARY = ("add", "sub", "mul", "truediv", "pow")
_LIKE_ITSELF = frozenset(("copy", "astype", "clip", "double", "float", "to", "contiguous", "detach", "clone"))


def _shape(value: Any) -> Shape | None:
    """The shape of an array; of a number that of no axis; None of what is neither."""
    if isinstance(value, bool | int | float):
        return ()
    shape = array_shape(value)
    return None if shape is None else tuple(map(int, shape))


def product(left: Any, right: Any) -> Any:
    """Return a matrix product in which a parameter takes part.

    Args:
        left: An array or a parameter.
        right: An array or a parameter.
    """
    if isinstance(left, Unknown) and isinstance(right, Unknown):
        right = any_shape(right, 2)
    if isinstance(right, Unknown):
        shape = _shape(left) or ()
        right = _matrix(right, (shape[-1], None)) if shape else any_shape(right)
    elif isinstance(left, Unknown):
        shape = _shape(right) or ()
        left = _matrix(left, (None, shape[-2] if len(shape) > 1 else shape[0])) if shape else any_shape(left)
    return left @ right


def _matrix(unknown: Unknown, lengths: tuple[int | None, int | None]) -> Any:
    """The matrix of a parameter of which one length is known."""
    value = unknown.known()
    if value is not None:
        return value
    if 1 in lengths:
        raise UnknownShapeError("a product over an axis of length one")
    return unknown.resolve(tuple(unknown.run.width() if length is None else length for length in lengths))


def elementwise(function: Callable[..., Any], *values: Any) -> Any:
    """Return a function of numbers, applied to arrays of which some are parameters.

    Args:
        function: It works number by number, and spreads shorter arrays.
        values: Arrays, numbers and parameters.
    """
    unknown = [value for value in values if isinstance(value, Unknown) and value.known() is None]
    shapes = [shape for value in values if not isinstance(value, Unknown) and (shape := _shape(value))]
    shapes += [tuple(value.known().shape) for value in values if isinstance(value, Unknown) and value not in unknown]
    longest = max(shapes, key=lambda shape: (len(shape), shape), default=())
    if unknown and not longest:
        places = iter(range(len(unknown)))
        numbers = [next(places) if value in unknown else None for value in values]

        def applied(*arrays: Any) -> Any:
            return function(
                *(value if place is None else arrays[place] for value, place in zip(values, numbers, strict=True))
            )

        return Derived(unknown, applied)
    return function(*(elementwise_shape(value, longest) if isinstance(value, Unknown) else value for value in values))


def einsum(function: Callable[..., Any], rule: str, *operands: Any) -> Any:
    """Return a sum of products in which parameters take part: letters of known axes give their lengths.

    Args:
        function: What computes it.
        rule: As NumPy writes it, without an ellipsis.
        operands: Arrays and parameters.
    """
    letters: dict[str, int] = {}
    terms = rule.replace(" ", "").partition("->")[0].split(",")
    for term, operand in zip(terms, operands, strict=True):
        known = operand.known() if isinstance(operand, Unknown) else operand
        if known is not None:
            letters |= dict(zip(term, _shape(known) or (), strict=True))
    resolved = []
    for term, operand in zip(terms, operands, strict=True):
        if isinstance(operand, Unknown):
            for letter in term:
                letters[letter] = letters.get(letter) or operand.run.width()
            operand = operand.resolve(tuple(letters[letter] for letter in term))
        resolved.append(operand)
    return function(rule, *resolved)


def _resolved(value: Any) -> Any:
    """The value with every parameter in it as an array of some shape."""
    if isinstance(value, Unknown):
        return any_shape(value)
    if isinstance(value, tuple | list):
        return type(value)([_resolved(part) for part in value])
    return value


def call(name: str, function: Callable[..., Any], values: tuple[Any, ...], keywords: Mapping[str, object]) -> Any:
    """Call a function of a library in which parameters take part.

    Args:
        name: Its name, such as ``dot``.
        function: The one of that name, which knows no parameter of unknown shape.
        values: What it is called with.
        keywords: What it is called with by name.
    """
    if name in _PRODUCTS and len(values) == 2:
        return product(*values)
    if name == "einsum" and isinstance(values[0], str):
        return einsum(function, *values)
    if name == "linear" and len(values) > 1:
        summand = values[2] if len(values) > 2 else keywords.get("bias")
        outcome = product(values[0], transposed(values[1]) if isinstance(values[1], Unknown) else values[1].T)
        return outcome if summand is None else elementwise(operator.add, outcome, summand)
    if name in ("clip", "clamp", "zeros_like", "sigmoid", "tanh", "relu", "where"):
        return elementwise(lambda *arrays: function(*arrays, **keywords), *values)
    return function(*map(_resolved, values), **{key: _resolved(value) for key, value in keywords.items()})


def takes_parameters(values: Sequence[Any]) -> bool:
    """Say whether one of these values is a parameter of unknown shape, or a sequence with one.

    Args:
        values: What a function is called with.
    """
    return any(
        isinstance(value, Unknown) or (isinstance(value, tuple | list) and takes_parameters(value)) for value in values
    )


def transposed(unknown: Unknown) -> Any:
    """Return a parameter with its axes exchanged.

    Args:
        unknown: The parameter.
    """
    return Derived((unknown,), lambda array: array.T, transposes=True)


def _item(self: Unknown, key: Any) -> Any:
    """What stands at a key, a position or in a range."""
    if isinstance(key, RowNumber):
        return any_shape(self, 2)[key]
    if isinstance(self, UnknownWeight) and isinstance(key, str | int):
        return self.part(key)
    axes = sum(part is not None and part is not Ellipsis for part in key) if isinstance(key, tuple) else None
    return any_shape(self, axes)[key]


def _attribute(self: Unknown, name: str) -> Any:
    """What an attribute or a method of an array says, or a part that is kept under a name."""
    if name.startswith("__"):
        raise AttributeError(name)
    if name == "T":
        return transposed(self)
    if name in ("dot", "matmul", "mm"):
        return lambda other: product(self, other)
    if name in ("t", "transpose"):
        return lambda *_: transposed(self)
    if name in _LIKE_ITSELF:
        return lambda *values, **keywords: elementwise(lambda array: member(array, name)(*values, **keywords), self)
    if name in ("items", "keys", "values") and isinstance(self, UnknownWeight) and self.keyed_parts():
        return member(self.keyed_parts(), name)
    if name == "get" and isinstance(self, UnknownWeight):
        return lambda key, _=None: self.part(key)
    if hasattr(np.ndarray, name) or not isinstance(self, UnknownWeight) or self.array is not None:
        return member(any_shape(self), name)
    self.is_named = True
    return self.part(name)


def _universal(_self: Unknown, ufunc: Any, method: str, *values: Any, **keywords: Any) -> Any:
    """One of NumPy's functions that work number by number, or its matrix product."""
    if method != "__call__":
        return member(ufunc, method)(*map(_resolved, values), **keywords)
    if ufunc is np.matmul:
        return product(*values)
    return elementwise(lambda *arrays: ufunc(*arrays, **keywords), *values)


def _of_numpy(_self: Unknown, function: Any, _: Any, values: Any, keywords: Any) -> Any:
    """A function of NumPy."""
    return call(function.__name__, function, values, keywords)


def _as_array(self: Unknown, dtype: Any = None, **_: Any) -> Any:
    """The parameter as an array of NumPy, which asks for it."""
    return np.asarray(any_shape(self), dtype)


def _of_torch(function: Any, _: Any, values: Any = (), keywords: Any = None) -> Any:
    """A function of torch."""
    name = function.__name__.strip("_")
    if name.removeprefix("r") in (*_BINARY, "div", "matmul") or name in _BINARY:
        turned = name.startswith("r") and name != "relu"
        first, second = values[::-1] if turned else values
        plain = name.removeprefix("r") if turned else name
        if plain == "matmul":
            return product(first, second)
        return elementwise(member(operator, {"div": "truediv"}.get(plain, plain)), first, second)
    return call(name, function, tuple(values), keywords or {})


def add_operators() -> None:
    """Give parameters of unknown shape the operations of arrays."""
    members: dict[str, object] = {
        "__matmul__": product,
        "__rmatmul__": lambda self, other: product(other, self),
        "__neg__": lambda self: elementwise(operator.neg, self),
        "__getitem__": _item,
        # What is written into is a gradient that starts with zeros like a parameter: no state depends on it.
        "__setitem__": lambda _self, _key, _value: None,
        "__getattr__": _attribute,
        "__array_ufunc__": _universal,
        "__array_function__": _of_numpy,
        "__torch_function__": staticmethod(_of_torch),
        "__array__": _as_array,
        "__float__": lambda self: float(self.resolve(())),
    }
    for name in _BINARY:
        function = member(operator, name)
        members[f"__{name}__"] = lambda self, other, function=function: elementwise(function, self, other)
        members[f"__r{name}__"] = lambda self, other, function=function: elementwise(function, other, self)
    for name, method in members.items():
        setattr(Unknown, name, method)


add_operators()
