"""What is judged: a cell over a sequence, in the reference's terms, tied to the spec it should compute."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from rnn_harness import references
from rnn_harness.arithmetic import Values
from rnn_harness.array_types import Array, IndexArray
from rnn_harness.errors import UsageError
from rnn_harness.references import Gradients, OutputLayer, Reference, Run
from rnn_harness.references.bidirectional import Bidirectional
from rnn_harness.runtime.target_call import call_subject
from rnn_harness.specs import Spec
from rnn_harness.specs.dimensions import Dimension
from rnn_harness.subjects.parameter_map import MappedBlock, assemble, expand, parse_map, scatter
from rnn_harness.subjects.parameter_role import OUTPUT_LAYER

LAYERS = 2


@dataclass(frozen=True)
class Subject:
    """`cell` with its output layer, if the spec has one, and the spec it is held against.

    Attributes:
        spec: what it should compute.
        cell: what computes the states.
        output: the output layer on top of it, if the spec has one.
        construct: the lines that define ``cell``, for printed programs; without it the spec's own reference is meant.
        absent: what the reference has and the cell has not, and that is zero: parameters, ``states.h`` for a state that
            cannot be given, and ``finals.h`` for one that does not come back, so that it has no gradient either.
    """

    spec: Spec
    cell: Reference
    output: OutputLayer | None = None
    construct: str | None = None
    absent: tuple[str, ...] = ()

    @classmethod
    def of(cls, spec: Spec, cell: Reference | None = None, absent: tuple[str, ...] = ()) -> Subject:
        """Return the subject of a spec that names a reference.

        Args:
            spec: what it should compute.
            cell: what is judged; by default the spec's own reference.
            absent: what the reference has and `cell` has not.

        Raises:
            UsageError: the spec names no reference.
        """
        link = spec.reference
        if link is None:
            raise UsageError(f"spec {spec.id} names no reference")
        judged = cell if cell is not None else references.get_reference(link.name, **link.options)
        return cls(spec, judged, OutputLayer(link.output) if link.output else None, absent=absent)

    @functools.cached_property
    def reference(self) -> Reference:
        """The spec's own reference, with its options; the cell itself where the spec names none that is registered."""
        link = self.spec.reference
        if link is None or link.name not in references.reference_names():
            return self.cell
        return references.get_reference(link.name, **link.options)

    @property
    def width(self) -> int:
        """The number of hidden states an output layer reads, in multiples of d."""
        return 2 if isinstance(self.reference, Bidirectional) and self.reference.merge == "concat" else 1

    def parameter_shapes(self, sizes: Mapping[str, int]) -> dict[str, tuple[int, ...]]:
        """Return the shapes of all parameters, the output layer's included, at these named sizes.

        Args:
            sizes: n, d and, with an output layer, k.
        """
        shapes = self.cell.parameter_shapes(sizes["n"], sizes["d"])
        if self.output:
            shapes |= self.output.parameter_shapes(self.width * sizes["d"], sizes["k"])
        return shapes

    def state_sizes(self, sizes: Mapping[str, int]) -> dict[str, int]:
        """Return the size of every state by reference name, at these named sizes.

        Args:
            sizes: every named size of the spec, such as n and d.
        """
        shapes = {state.name: state.shape for state in self.spec.program(LAYERS).states}
        return {source: shapes[name][0].size(sizes) for name, source in self.states.items()}

    def forward(
        self,
        parameters: Mapping[str, Array],
        inputs: Array,
        states: Mapping[str, Array] | None = None,
        lengths: IndexArray | None = None,
    ) -> Run:
        """Run the cell and its output layer.

        Args:
            parameters: by reference name, the output layer's among them.
            inputs: (T, B, n).
            states: initial states by reference name, each (B, .); None for zeros.
            lengths: number of steps of every row (B,), or None.

        Returns:
            The cell's run; where there is an output layer, with its output (T, B, k) in place of the hidden state.
        """
        below, top = _split(parameters) if self.output else (dict(parameters), {})
        run = call_subject(self.cell.forward, below, inputs, states, lengths)
        if not self.output:
            return run
        y = masked(self.output.forward(top, run.outputs), lengths)
        return Run(y, run.finals, {**run.trace, "output": y}, (run, top, lengths))

    def backward(self, run: Run, d_outputs: Array, d_finals: Mapping[str, Array] | None = None) -> Gradients:
        """Run the backward pass, through the output layer if there is one.

        Args:
            run: what `forward` gave.
            d_outputs: cotangent of its outputs.
            d_finals: cotangents of the final states by reference name; None for zeros.
        """
        if not self.output:
            return call_subject(self.cell.backward, run, d_outputs, d_finals)
        inner, top, lengths = run.saved
        d_outputs = masked(d_outputs, lengths)
        d_hidden, top_gradients = self.output.backward(top, inner.outputs, run.outputs, d_outputs)
        below = call_subject(self.cell.backward, inner, d_hidden, d_finals)
        return Gradients(below.inputs, below.states, below.parameters | top_gradients)

    @functools.cached_property
    def _layers(self) -> int | None:
        return LAYERS if self.spec.model.layers else None

    @functools.cached_property
    def blocks(self) -> dict[str, tuple[MappedBlock, ...]]:
        """The map of every spec parameter; without a reference the subject uses the spec's own names."""
        if self.spec.reference is None:
            return {symbol.name: parse_map(symbol.name) for symbol in self.spec.program(LAYERS).parameters}
        return {k: parse_map(v) for k, v in expand(self.spec.reference.parameters, self._layers).items()}

    @functools.cached_property
    def states(self) -> dict[str, str]:
        """Reference state by spec state."""
        if self.spec.reference is None:
            return {state.name: state.name for state in self.spec.program(LAYERS).states}
        return expand(self.spec.reference.states, self._layers)

    @functools.cached_property
    def trace(self) -> dict[str, str]:
        """The name in `Run.trace` of each spec symbol."""
        if self.spec.reference is None:
            return {}
        return expand(self.spec.reference.trace, self._layers)

    @property
    def input_name(self) -> str:
        """The spec's name of the input sequence; of the first one where it has several."""
        return next(iter(self.spec.model.inputs))

    @property
    def input_names(self) -> tuple[str, ...]:
        """The spec's names of the inputs, in the order in which the subject has them side by side."""
        return tuple(name for name, _ in self._inputs)

    @functools.cached_property
    def _inputs(self) -> tuple[tuple[str, Dimension], ...]:
        """The spec's inputs with their lengths."""
        return tuple((symbol.name, symbol.shape[0]) for symbol in self.spec.program(LAYERS).inputs)

    def input_size(self, sizes: Mapping[str, int]) -> int:
        """Return the length of all inputs of a step together.

        Args:
            sizes: the named sizes; n is that of one input.
        """
        return sum(length.size(sizes) for _, length in self._inputs) if len(self._inputs) > 1 else sizes["n"]

    def one_input_size(self, together: int) -> int:
        """Return n, the inverse of `input_size`.

        Args:
            together: the length of all inputs of a step together.
        """
        return together // len(self._inputs) if self._inputs else together

    @property
    def output_name(self) -> str:
        """The name of the program's output."""
        return self.spec.program(LAYERS).outputs[0].name

    def values(
        self,
        parameters: Mapping[str, Array],
        inputs: Array,
        states: Mapping[str, Array],
        sizes: Mapping[str, int],
    ) -> Values:
        """Put numbers under the spec's names.

        Args:
            parameters: by reference name.
            inputs: (T, B, n).
            states: initial states by reference name, each (B, .).
            sizes: the named sizes.
        """
        return Values(
            {name: assemble(blocks, parameters) for name, blocks in self.blocks.items()},
            self.inputs_apart(inputs, sizes),
            {name: states[source] for name, source in self.states.items()},
            dict(sizes),
        )

    def inputs_apart(self, inputs: Array, sizes: Mapping[str, int]) -> dict[str, Array]:
        """Cut the inputs that the subject has side by side into those of the spec, by its names.

        Args:
            inputs: (T, B, .), all inputs of a step together.
            sizes: the named sizes.
        """
        if len(self._inputs) <= 1:
            return {self.input_name: inputs}
        ends = np.cumsum([length.size(sizes) for _, length in self._inputs])[:-1]
        names = (name for name, _ in self._inputs)
        return dict(zip(names, np.split(inputs, ends, axis=-1), strict=True))

    def gradients(self, by_symbol: Mapping[str, Array], parameters: Mapping[str, Array]) -> dict[str, Array]:
        """Gather gradients by reference parameter.

        Args:
            by_symbol: gradients by spec parameter.
            parameters: the reference's parameters, for their shapes.
        """
        gathered: dict[str, Array] = {}
        for name, gradient in by_symbol.items():
            scatter(self.blocks[name], gradient, parameters, gathered)
        return gathered


def masked(values: Array, lengths: IndexArray | None) -> Array:
    """Return `values` (T, B, .) with zeros past every row's length.

    Args:
        values: time first; not changed, but returned itself where `lengths` is None.
        lengths: the number of steps of every row (B,); None for all.
    """
    if lengths is None:
        return values
    alive = np.arange(len(values))[:, None] < lengths
    cleared: Array = np.where(alive[:, :, None], values, np.zeros((), values.dtype))
    return cleared


def _split(parameters: Mapping[str, Array]) -> tuple[dict[str, Array], dict[str, Array]]:
    below = {name: value for name, value in parameters.items() if name not in OUTPUT_LAYER}
    return below, {name: value for name, value in parameters.items() if name in OUTPUT_LAYER}
