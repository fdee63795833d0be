"""What is judged: a reference (or a mutant of one) as the spec it belongs to sees it.

Dimension legend: T time steps, B batch rows, n input size, d hidden size, k output size, L layers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnn_harness.cases import Case, Drawn, Layout
from rnn_harness.links import Link, link
from rnn_harness.references import Gradients, OutputLayer, Reference, Run, get
from rnn_harness.specs import Spec

Array = NDArray[Any]
_OUTPUT = ("W_y", "b_y")


@dataclass(frozen=True)
class Observation:
    """What a subject computed: as the reference says it, and `symbols` (T, B, .) by the program's names."""

    outputs: Array
    finals: dict[str, Array]
    symbols: dict[str, Array]
    run: Run = field(repr=False)
    hidden: Array = field(repr=False)


@dataclass(frozen=True)
class Subject:
    """A reference under judgement, with the output layer its spec puts on top (`output`: its activation)."""

    spec: Spec
    reference: Reference
    output: str | None = None
    label: str = ""

    @property
    def name(self) -> str:
        return self.label or self.reference.name

    @property
    def link(self) -> Link:
        return link(self.spec, self.layers)

    @property
    def layers(self) -> int:
        """How deep the reference is: 1 but for a stack."""
        return len(getattr(self.reference, "cells", (None,)))

    @property
    def options(self) -> dict[str, Any]:
        """The options of the reference, as the spec gives them."""
        return dict(self.spec.reference.options) if self.spec.reference is not None else {}

    @property
    def kind(self) -> str:
        """The registry's name of the reference: ``gru``, ``lstm``, ``stacked``, ..."""
        return self.spec.reference.name if self.spec.reference is not None else self.reference.name

    def layout(self, sizes: Mapping[str, int]) -> Layout:
        """Shapes of everything to be drawn, by the reference's names."""
        n, d = sizes["n"], sizes["d"]
        parameters = self.reference.parameter_shapes(n, d)
        width = 2 * d if self.kind == "bidirectional" and self._merge == "concat" else d
        if self.output is not None:
            parameters |= OutputLayer(self.output).parameter_shapes(width, sizes["k"])
            width = sizes["k"]
        return Layout(parameters, n, dict.fromkeys(self.reference.state_names, d), width)

    @property
    def _merge(self) -> str:
        return str(getattr(self.reference, "merge", "concat"))

    def run(self, drawn: Drawn) -> Observation:
        """Forward over the sequence. Whatever the reference raises comes through."""
        own = {name: value for name, value in drawn.parameters.items() if name not in _OUTPUT}
        states = drawn.states or None
        run = self.reference.forward(own, drawn.inputs, states, drawn.lengths)
        outputs, trace = run.outputs, dict(run.trace)
        if self.output is not None:
            outputs = OutputLayer(self.output).forward(self._output_parameters(drawn), run.outputs)
            trace["output"] = outputs
        symbols = {name: trace[own_name] for name, own_name in self.link.trace.items() if own_name in trace}
        return Observation(outputs, run.finals, symbols, run, run.outputs)

    def gradients(self, drawn: Drawn, seen: Observation) -> Gradients:
        """Backward of the scalar sum(outputs * d_outputs) + sum(finals * d_finals)."""
        d_outputs = drawn.d_outputs
        if self.output is None:
            return self.reference.backward(seen.run, d_outputs, drawn.d_finals or None)
        d_outputs = masked(d_outputs, drawn.lengths)
        parameters = self._output_parameters(drawn)
        layer = OutputLayer(self.output)
        d_hidden, own = layer.backward(parameters, seen.hidden, seen.outputs, d_outputs)
        found = self.reference.backward(seen.run, d_hidden, drawn.d_finals or None)
        return Gradients(found.inputs, found.states, found.parameters | own)

    @staticmethod
    def _output_parameters(drawn: Drawn) -> dict[str, Array]:
        return {name: drawn.parameters[name] for name in _OUTPUT}

    def loss(self, drawn: Drawn) -> Any:
        """The scalar whose gradient `gradients` is, in the dtype of the numbers."""
        seen = self.run(drawn)
        total = np.sum(masked(seen.outputs, drawn.lengths) * drawn.d_outputs)
        for name, value in drawn.d_finals.items():
            total = total + np.sum(seen.finals[name] * value)
        return total


def masked(values: Array, lengths: NDArray[np.intp] | None) -> Array:
    """`values` (T, B, .) with zeros past every row's length."""
    if lengths is None:
        return values
    alive = np.arange(len(values))[:, None] < lengths
    cleared: Array = np.where(alive[:, :, None], values, np.zeros((), values.dtype))
    return cleared


def subject(spec: Spec, reference: Reference | None = None, label: str = "") -> Subject:
    """The subject of a spec: its own reference, or `reference` in its place (a mutant). Raises LinkError."""
    table = spec.reference
    if reference is None:
        if table is None:
            link(spec)
        assert table is not None
        reference = get(table.name, **table.options)
    return Subject(spec, reference, table.output if table is not None else None, label)


def sizes_of(subject: Subject, case: Case) -> dict[str, int]:
    """The sizes by the program's symbols; ``k`` and ``L`` where the case leaves them out."""
    return {"k": case.sizes["d"], "L": subject.layers, **case.sizes}
