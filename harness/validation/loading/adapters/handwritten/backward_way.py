"""A way of calling the backward of a cell written by hand, and of reading its gradients."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from rnn_harness.array_types import Array
from rnn_harness.errors import WrongShape
from rnn_harness.runtime.target_call import call_target
from rnn_harness.validation.loading.adapters.handwritten.axes import arrange, in_words, restore, shape_of
from rnn_harness.validation.loading.adapters.handwritten.call_trial import (
    INPUT,
    PARAMETER,
    parameters_of,
    state_place,
)
from rnn_harness.validation.loading.adapters.handwritten.cell_source import CellSource, FreshCall
from rnn_harness.validation.loading.adapters.handwritten.forward_way import ForwardWay
from rnn_harness.validation.loading.adapters.handwritten.gradient_entries import read_gradient
from rnn_harness.validation.loading.adapters.handwritten.gradient_places import GradientPlaces


@dataclass(frozen=True)
class ForwardCall:
    """A call of forward whose gradients are wanted.

    Attributes:
        cell: The cell, after the call.
        result: What forward gave back.
        values: What went in, by the name of its gradient.
        results: What came out, in the order of `ForwardWay.results`.
    """

    cell: FreshCall
    result: object
    values: Mapping[str, Array]
    results: Sequence[Array]


@dataclass(frozen=True)
class BackwardWay:
    """How backward is called.

    Attributes:
        order: Its arguments. ``dy`` is the gradient of the outputs over time, ``dy+`` the same with that of the last
            state added to its last step, ``d0`` and ``d1`` those of the states, ``d01`` both in a tuple; ``cache`` is
            what forward gave back besides; ``x``, ``0``, ``1`` are what went in, ``r0``, ``r1`` what came out, ``ry``
            the outputs over time; ``parameters`` stands for all of them, ``p:W`` for one.
        names: The names of its arguments, for messages.
        cotangent_axes: The axes of the gradient of a state.
        cache: Where the cache is in forward's result; empty if it is not needed.
        places: Where its gradients are.
    """

    order: tuple[str, ...]
    names: tuple[str, ...]
    cotangent_axes: str
    cache: tuple[int, ...] = ()
    places: GradientPlaces | None = None

    def __str__(self) -> str:
        words = {"cache": "the cache", "parameters": "the parameters", "x": "the input", "ry": "the outputs"}
        parts = []
        for token in self.order:
            if token.startswith("d"):
                parts.append(f"a gradient {in_words(self.cotangent_axes, 'd')}" if token[1] != "y" else "all gradients")
            else:
                parts.append(words.get(token, token.removeprefix("p:")))
        return ", ".join(parts)

    def call(
        self, source: CellSource, way: ForwardWay, forward: ForwardCall, cotangents: Sequence[Array]
    ) -> tuple[Any, dict[str, Array]]:
        """Call backward.

        Args:
            source: The cell.
            way: How forward was called.
            forward: That call.
            cotangents: The gradients of a loss with respect to its results.

        Returns:
            What backward returned, and copies of the cell's arrays before the call, by path.
        """
        before = {path: np.array(value) for path, value in forward.cell.arrays().items()}
        assert forward.cell.backward is not None, "a way of calling backward is searched where there is one"
        arguments = [self._argument(token, source, way, forward, cotangents) for token in self.order]
        with np.errstate(all="ignore"):
            return call_target(forward.cell.backward, *arguments), before

    def _argument(
        self, token: str, source: CellSource, way: ForwardWay, forward: ForwardCall, cotangents: Sequence[Array]
    ) -> object:
        """One argument."""
        first_state = 1 if way.is_sequence else 0
        if token == "cache":
            return _part(forward.result, self.cache)
        if token in ("dy", "dy+"):
            total = cotangents[0]
            if token == "dy+":
                total = total.copy()
                total[-1] += cotangents[1]
            return arrange(total, self._sequence_axes(way))
        if token == "d01":
            return tuple(arrange(cotangents[first_state + i], self.cotangent_axes) for i in range(2))
        if token.startswith("d"):
            return arrange(cotangents[first_state + int(token[1:])], self.cotangent_axes)
        if token == "ry":
            return arrange(forward.results[0], way.output_axes)
        if token.startswith("r"):
            return arrange(forward.results[first_state + int(token[1:])], way.state_axes)
        if token.startswith("p:"):
            return forward.values[f"{PARAMETER}{token[2:]}"].copy()
        if token == "parameters":
            return source.tree_of(parameters_of(forward.values))
        if token == "x":
            return arrange(forward.values[INPUT], way.input_axes)
        return arrange(forward.values[state_place(int(token))], way.state_axes)

    def _sequence_axes(self, way: ForwardWay) -> str:
        """The axes of the gradient of the outputs over time: those of the outputs, or a step as a row or a column."""
        if way.is_batched or self.cotangent_axes == way.state_axes:
            return way.output_axes
        return f"T{self.cotangent_axes}"

    def gradients(
        self, way: ForwardWay, forward: ForwardCall, returned: object, before: Mapping[str, Array]
    ) -> dict[str, Array]:
        """Read the gradients, by name; their axes are in the usual order.

        Args:
            way: How forward was called.
            forward: That call, after backward.
            returned: What backward returned.
            before: Copies of the cell's arrays before that.

        Raises:
            WrongShape: A gradient has another shape than what it is the gradient of.
        """
        assert self.places is not None, "a way that is used has places"
        if self.places.misshapen:
            raise WrongShape("; ".join(self.places.misshapen.values()))
        gradients, after = {}, forward.cell.arrays()
        for place, value in forward.values.items():
            key = self.places.keys.get(place)
            gradient = None if key is None else read_gradient(key, returned, before, after)
            if gradient is None:
                gradients[place] = np.zeros_like(value)
                continue
            if gradient.size != value.size:
                raise WrongShape(f"the gradient of {place} has shape {gradient.shape}, {place} has {value.shape}")
            if place.startswith(PARAMETER):
                gradients[place] = gradient.reshape(value.shape)
                continue
            axes = way.input_axes if place == INPUT else way.state_axes
            letters = dict(zip(axes.replace("1", ""), _sizes(value, axes), strict=True))
            gradients[place] = restore(gradient.reshape(shape_of(axes, letters)), axes)
        return gradients


def _sizes(value: Array, axes: str) -> list[int]:
    """The lengths of the axes, of an array whose axes are in the usual order."""
    return list(arrange(value, axes.replace("1", "")).shape)


def _part(result: object, path: tuple[int, ...]) -> object:
    """A part of a result, by its positions."""
    for position in path:
        assert isinstance(result, tuple | list), "a cache was found in a tuple"
        result = result[position]
    return result
