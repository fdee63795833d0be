"""A parameter whose shape, or whose parts, are not known before it is used."""

from __future__ import annotations

import dis
import inspect
from collections import namedtuple
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from types import FrameType
from typing import Any, TypeAlias

import numpy as np

from rnn_harness.validation.loading.adapters.inferred_weights.choices import Choices
from rnn_harness.validation.loading.adapters.inferred_weights.size_terms import ROWS, lengths_of, term_of

Shape: TypeAlias = tuple[int, ...]
_WIDTHS = lengths_of((0, 1, 0), (0, 4, 0), (0, 3, 0), (0, 2, 0), (1, 0, 0), (0, 0, 1), (0, 0, 2), (1, 1, 0), (0, 5, 0))
FREE_WIDTH = lengths_of((0, 0, 2))[0]
"""The length of an axis that neither inputs nor states determine: a rank, or the size of a prediction."""
_DEPTHS = lengths_of((0, 0, 2), (0, 0, 3), (0, 0, 4))
_VECTORS = tuple((width,) for width in _WIDTHS)
_STACKS = tuple((depth, _WIDTHS[0]) for depth in _DEPTHS)
"""Rows of units, one for each of a few gates; the smallest number that suffices is the right one."""
_MATRICES = tuple(
    shape
    for gates in lengths_of(*((0, gates, 0) for gates in (1, 4, 3, 2)))
    for width in lengths_of((1, 0, 0), (0, 1, 0), (1, 1, 0))
    for shape in dict.fromkeys(((width, gates), (gates, width)))
)
_LIKELY_COUNTS = (2, 3, 4, 1, *range(5, 13))
_UNPACKS = dis.opmap["UNPACK_SEQUENCE"]


class UnknownShapeError(Exception):
    """A parameter would have a shape that no parameter has, such as one with the rows of the batch."""


class RowNumber(int):
    """The number of a row of a matrix, and not of one of several parameters: a token, whose row is looked up."""


@dataclass
class RunOfShapes:
    """One run of a function whose parameters are unknown.

    Attributes:
        choices: The decisions of this run.
        convert: From a NumPy array to an array of the library that the function computes with.
        widths: Lengths that an axis may have which nothing determines, the last chosen first.
        free: The places of the decisions about such lengths, each with the number of `FREE_WIDTH` among its options.
    """

    choices: Choices
    convert: Callable[[np.ndarray[Any, Any]], Any]
    widths: list[int] = field(default_factory=lambda: list(_WIDTHS))
    free: list[tuple[int, int]] = field(default_factory=list)
    _seed: int = 0

    def width(self) -> int:
        """Choose the length of an axis that nothing determines; whatever was chosen last is likeliest next time."""
        self.free.append((len(self.choices.taken), self.widths.index(FREE_WIDTH)))
        chosen = self.choices.choose(tuple(self.widths))
        if chosen != FREE_WIDTH:
            self.widths.remove(chosen)
            self.widths.insert(0, chosen)
        return chosen

    def draw(self, shape: Shape) -> Any:
        """Draw an array of a shape.

        Args:
            shape: Its length along every axis.

        Raises:
            UnknownShapeError: One of its axes has a length that no axis of a parameter has.
        """
        if any(term_of(length) is None for length in shape):
            raise UnknownShapeError(str(shape))
        self._seed += 1
        numbers = np.random.default_rng(self._seed).standard_normal(shape) / 4
        return self.convert(np.asarray(numbers))


class Unknown:
    """Stands for an array of a shape that is not known yet.

    A subclass says what becomes of a shape that is found; the operators are added by `operations.add_operators`.

    Args:
        run: The run that it belongs to.
    """

    __array_priority__ = 1000.0

    def __init__(self, run: RunOfShapes) -> None:
        self.run = run

    def resolve(self, shape: Shape) -> Any:
        """Return the array, which has this shape from now on.

        Args:
            shape: Its length along every axis.
        """
        raise NotImplementedError

    def known(self) -> Any:
        """Return the array if its shape is known; else None."""
        raise NotImplementedError


class Derived(Unknown):
    """An unknown parameter to which a function was applied that works number by number, or a transposition.

    Args:
        parents: What it is computed from, all of one shape.
        function: From the arrays of the parents.
        transposes: Whether the function exchanges the axes.
    """

    def __init__(self, parents: Sequence[Unknown], function: Callable[..., Any], transposes: bool = False) -> None:
        super().__init__(parents[0].run)
        self.parents, self.function, self.transposes = parents, function, transposes

    def resolve(self, shape: Shape) -> Any:
        """Return the array of this shape, out of parents of the same shape, or of the shape turned round."""
        wanted = shape[::-1] if self.transposes else shape
        return self.function(*(parent.resolve(wanted) for parent in self.parents))

    def known(self) -> Any:
        """Return the array if the shape of a parent is known."""
        first = next((value for parent in self.parents if (value := parent.known()) is not None), None)
        if first is None:
            return None
        return self.function(*(parent.resolve(tuple(first.shape)) for parent in self.parents))


class UnknownWeight(Unknown):
    """A parameter, or a structure of parameters, of which nothing is known before it is used.

    Attributes:
        array: The array, once its shape is known.
        parts: The parts by key, name or position, once it is known to have parts.
        is_named: Whether the parts are attributes.

    Args:
        run: The run that it belongs to.
    """

    def __init__(self, run: RunOfShapes) -> None:
        super().__init__(run)
        self.array: Any = None
        self.parts: dict[str | int, UnknownWeight] | None = None
        self.is_named = False

    def resolve(self, shape: Shape) -> Any:
        """Return the array; of another shape than this if an earlier use has determined it.

        Raises:
            UnknownShapeError: It is a structure, or no parameter has this shape.
        """
        if self.parts is not None:
            raise UnknownShapeError("a structure is used as an array")
        if self.array is None:
            self.array = self.run.draw(shape)
        return self.array

    def known(self) -> Any:
        """Return the array if its shape is known."""
        return self.array

    def tree(self) -> Any:
        """Return the array, or the parts as the function nests them; None for what was not used."""
        parts = self.parts
        if parts is None:
            return self.array
        if self.is_named:
            return namedtuple("Parameters", map(str, parts))(*(part.tree() for part in parts.values()))
        if all(isinstance(key, int) for key in parts):
            numbers = range(1 + max((key for key in parts if isinstance(key, int)), default=-1))
            return [parts[place].tree() if place in parts else None for place in numbers]
        return {str(key): part.tree() for key, part in parts.items()}

    def part(self, key: str | int) -> Any:
        """Return a part, or the array's, where it is one.

        Args:
            key: A key or a position.
        """
        if self.array is not None:
            return self.array[key]
        if self.parts is None:
            self.parts = {}
        return self.parts.setdefault(key, UnknownWeight(self.run))

    def keyed_parts(self) -> dict[str, UnknownWeight]:
        """Return the parts that are known by a key; empty where parts are numbered, or none are known."""
        parts = {} if self.is_named else self.parts or {}
        return {key: part for key, part in parts.items() if isinstance(key, str)}

    def __iter__(self) -> Iterator[Any]:
        if self.array is not None:
            return iter(self.array)
        if self.keyed_parts():
            return iter(self.keyed_parts())
        count = _unpacked_count(inspect.currentframe())
        if self.parts is not None and count is None:
            count = len(self.parts)
        if count is None:
            count = int(self.run.choices.choose(_LIKELY_COUNTS))
        return iter([self.part(place) for place in range(count)])

    def __len__(self) -> int:
        if self.array is not None:
            return int(self.array.shape[0])
        if self.parts:
            return len(self.parts)
        if self.run.choices.choose((False, True)):
            return int(any_shape(self).shape[0])
        count = int(self.run.choices.choose(_LIKELY_COUNTS))
        for place in range(count):
            self.part(place)
        return count


def _unpacked_count(frame: FrameType | None) -> int | None:
    """Into how many names the statement unpacks that calls the method of a frame; None if it does not unpack."""
    if frame is None or frame.f_back is None:  # Python may have no frames
        return None
    code, place = frame.f_back.f_code.co_code, frame.f_back.f_lasti
    return int(code[place + 1]) if code[place] == _UNPACKS else None


def any_shape(unknown: Unknown, axes: int | None = None) -> Any:
    """Return the array of a parameter whose shape nothing determines.

    Args:
        unknown: The parameter.
        axes: How many axes it has, where that is known.
    """
    value = unknown.known()
    if value is not None:
        return value
    by_axes: dict[int | None, Sequence[Shape]] = {1: _VECTORS, 2: (*_STACKS, *_MATRICES)}
    anything = (*_STACKS, *_MATRICES[:9], *_VECTORS, *_MATRICES[9:], ())
    return unknown.resolve(unknown.run.choices.choose(by_axes.get(axes, anything)))


def elementwise_shape(unknown: Unknown, shape: Shape) -> Any:
    """Return the array of a parameter that is combined number by number with an array.

    Args:
        unknown: The parameter.
        shape: The shape of the array.
    """
    value = unknown.known()
    if value is not None:
        return value
    options: list[Shape] = [()]
    if shape:
        last = [(shape[-1],), (1, shape[-1])] if len(shape) > 1 else [(shape[-1],)]
        column: list[Shape] = [(shape[-2], 1)] if len(shape) > 1 else []
        options = [*column, *last, ()] if shape[-1] in (1, ROWS) else [*last, *column, ()]
    return unknown.resolve(unknown.run.choices.choose(options))
