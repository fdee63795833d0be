"""A cell written by hand, called in the way that was found: rows (B, n) or sequences (T, B, n) on the outside."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np
from torch import Tensor

from rnn_harness.arithmetic.assumptions import SCREEN
from rnn_harness.array_types import Array
from rnn_harness.errors import Refused, first_line
from rnn_harness.validation.cells.calling_convention import CallingConvention
from rnn_harness.validation.loading.adapters.array_bridge import (
    ArrayArguments,
    ArrayLibraryModule,
    ArrayResults,
    Cotangents,
    flat_arguments,
)
from rnn_harness.validation.loading.adapters.handwritten.backward_way import ForwardCall
from rnn_harness.validation.loading.adapters.handwritten.call_trial import INPUT, PARAMETER, state_place
from rnn_harness.validation.loading.adapters.handwritten.cell_source import CellSource
from rnn_harness.validation.loading.adapters.handwritten.find_ways import CellWays
from rnn_harness.validation.loading.adapters.handwritten.forward_way import ForwardWay


class HandwrittenCell:
    """A cell as a function of its parameters and arguments.

    Attributes:
        source: The cell.
        ways: How it is called.
        padding: The argument that says which steps are padding; empty if there is none, or none is given.
    """

    def __init__(self, source: CellSource, ways: CellWays, padding: str = "") -> None:
        self.source, self.ways, self.padding = source, ways, padding

    def __call__(self, parameters: Mapping[str, Array], arguments: ArrayArguments, differentiate: bool) -> ArrayResults:
        """Call forward, and hand over how its backward is called."""
        x, *states = flat_arguments(arguments)
        if self.padding and len(states) > self.ways.forward.states:
            *states, padding = states
            results = self._batch(parameters, x, states, False, {self.padding: padding})
            return ArrayResults(results.arrays)
        if self.ways.forward.is_batched:
            return self._batch(parameters, x, states, differentiate)
        return self._rows(parameters, x, states, differentiate)

    def every_array(self, parameters: Mapping[str, Array], x: Array, states: Sequence[Array]) -> list[Array]:
        """Call forward, and return every array that comes back: a read-out too, and what it keeps for its backward.

        Args:
            parameters: All parameters, by name.
            x: The input of a step (B, n), or of a sequence (T, B, n).
            states: The states (B, d).

        Returns:
            The arrays as the cell gives them, their axes in its own order; none where it takes one row at a time.
        """
        way = self.ways.forward
        if not way.is_batched:
            return []
        return list(_arrays(way.call(self.source.fresh(parameters), x.copy(), [state.copy() for state in states])))

    def mixes_rows(self, parameters: Mapping[str, Array], x: Array, states: Sequence[Array]) -> bool:
        """Say whether a step of one vector takes rows as well, and gives for a row what depends on the others.

        Args:
            parameters: All parameters, by name.
            x: The input of a step (B, n).
            states: The states (B, d).
        """
        way = self.ways.forward
        if (way.input_axes, way.state_axes) != ("N", "N"):
            return False
        apart = self._rows(parameters, x, states, False).arrays
        of_rows = replace(way, input_axes="BN", state_axes="BN")
        cell = self.source.fresh(parameters)
        try:
            together = of_rows.read(cell, of_rows.call(cell, x.copy(), [state.copy() for state in states]))
        except (Exception, SystemExit):  # most steps of one vector take no rows
            return False
        pairs = list(zip(apart, together, strict=True))
        have_its_shape = all(a.shape == b.shape for a, b in pairs)
        return have_its_shape and not all(np.allclose(a, b, rtol=0, atol=SCREEN) for a, b in pairs)

    def _batch(
        self,
        parameters: Mapping[str, Array],
        x: Array,
        states: Sequence[Array],
        differentiate: bool,
        further: Mapping[str, Array] | None = None,
    ) -> ArrayResults:
        """One call for all rows."""
        try:
            call = self._forward(parameters, x, states, further)
        except Exception as error:
            if not self.ways.forward.is_batched or x.shape[-2]:
                raise
            raise Refused(f"refuses an empty batch: {type(error).__name__}: {first_line(error)}") from None
        if self.ways.backward is None or not differentiate:
            return ArrayResults(call.results)
        remaining = [call]

        def pull_back(cotangents: Sequence[Array]) -> Cotangents:
            # A backward may use up what forward left behind: it follows one forward once.
            forward = remaining.pop() if remaining else self._forward(parameters, x, states)
            gradients = self._backward(forward, cotangents)
            return Cotangents(
                {name: gradients[f"{PARAMETER}{name}"] for name in parameters},
                [gradients[INPUT], *(gradients[state_place(number)] for number in range(len(states)))],
            )

        return ArrayResults(call.results, pull_back)

    def _rows(
        self, parameters: Mapping[str, Array], x: Array, states: Sequence[Array], differentiate: bool
    ) -> ArrayResults:
        """One call for every row, whose gradients are added."""
        calls = [
            self._batch(parameters, x[..., row, :], [state[row] for state in states], differentiate)
            for row in range(x.shape[-2])
        ]
        axes = [1 if self.ways.forward.is_sequence and place == 0 else 0 for place in range(self._result_count)]
        if not calls:
            return ArrayResults([*self._no_rows(x, parameters, states)], lambda _: _zeros(parameters, x, states))
        arrays = [np.stack([call.arrays[place] for call in calls], axis) for place, axis in enumerate(axes)]
        if calls[0].pullback is None:
            return ArrayResults(arrays)

        def pull_back(cotangents: Sequence[Array]) -> Cotangents:
            parts = []
            for row, call in enumerate(calls):
                assert call.pullback is not None, "every row is differentiated, or none"
                parts.append(
                    call.pullback([np.take(value, row, axis) for value, axis in zip(cotangents, axes, strict=True)])
                )
            inputs = np.stack([part.arguments[0] for part in parts], x.ndim - 2)
            return Cotangents(
                {name: np.sum([part.parameters[name] for part in parts], 0) for name in parameters},
                [inputs, *(np.stack([part.arguments[1 + i] for part in parts]) for i in range(len(states)))],
            )

        return ArrayResults(arrays, pull_back)

    @property
    def _result_count(self) -> int:
        return len(self.ways.forward.results)

    def _no_rows(self, x: Array, parameters: Mapping[str, Array], states: Sequence[Array]) -> list[Array]:
        """The results of a batch without rows."""
        trial = x[..., :1, :] if x.shape[-2] else np.zeros((*x.shape[:-2], 1, x.shape[-1]), x.dtype)
        ones = [np.zeros((1, state.shape[1]), state.dtype) for state in states]
        one_row = self._rows(parameters, trial, ones, False).arrays
        return [
            array[:, :0] if self.ways.forward.is_sequence and place == 0 else array[:0]
            for place, array in enumerate(one_row)
        ]

    def _forward(
        self,
        parameters: Mapping[str, Array],
        x: Array,
        states: Sequence[Array],
        further: Mapping[str, Array] | None = None,
    ) -> ForwardCall:
        """Call forward on a new cell."""
        way = self.ways.forward
        values = {INPUT: x} | {state_place(number): state for number, state in enumerate(states)}
        values |= {f"{PARAMETER}{name}": value for name, value in parameters.items()}
        cell = self.source.fresh(parameters)
        result = way.call(cell, x, states, further)
        return ForwardCall(cell, result, values, way.read(cell, result))

    def _backward(self, forward: ForwardCall, cotangents: Sequence[Array]) -> dict[str, Array]:
        """Call backward after a forward."""
        backward, way = self.ways.backward, self.ways.forward
        assert backward is not None, "only what has a backward is differentiated"
        returned, before = backward.call(self.source, way, forward, cotangents)
        return backward.gradients(way, forward, returned, before)


class PaddedCellModule(ArrayLibraryModule):
    """The module of a cell that may be told by name which of its steps are padding; it has no gradients then."""

    def forward(self, *arguments: Tensor | tuple[Tensor, ...], **padding: Tensor) -> tuple[Tensor, ...]:
        """Run the cell with the module's parameters.

        Args:
            arguments: The inputs and states, in the order of the cell's calling convention.
            padding: A mask, or the lengths of the rows, by the name that the cell has for it.

        Raises:
            TypeError: There are more arguments than inputs and states: a state is no mask.
        """
        assert isinstance(self.function, HandwrittenCell), "it is made of one"
        if len(flat_arguments(arguments)) > 1 + self.function.ways.forward.states:
            raise TypeError("it takes its inputs and states by their places, and nothing else")
        if not padding:
            return super().forward(*arguments)
        return self._without_graph(dict(self.named_parameters()), (*arguments, *padding.values()))


def _arrays(result: object) -> Iterator[Array]:
    """Yield the arrays of floats in tuples, lists and dictionaries."""
    if isinstance(result, np.ndarray) and result.dtype.kind == "f":
        yield result
    elif isinstance(result, Mapping):
        for part in result.values():
            yield from _arrays(part)
    elif isinstance(result, tuple | list):
        for part in result:
            yield from _arrays(part)


def _zeros(parameters: Mapping[str, Array], x: Array, states: Sequence[Array]) -> Cotangents:
    """The gradients of a batch without rows."""
    return Cotangents(
        {name: np.zeros_like(value) for name, value in parameters.items()},
        [np.zeros_like(x), *(np.zeros_like(state) for state in states)],
    )


def outer_convention(way: ForwardWay) -> CallingConvention:
    """Return how the module around a cell is called, in the words of how the cell is called.

    Args:
        way: How the cell is called.
    """
    if way.shown:
        return CallingConvention(False, way.states, taken=(1,), output_place=0, wording=str(way))
    return CallingConvention(way.is_sequence, way.states, wording=str(way))
