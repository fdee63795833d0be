"""ONNX graphs of several recurrent nodes, of both directions, batch first, or with other nodes around them.

The graph runs as it is; each direction of each recurrent node is judged alone, as a node of one direction, time first.
"""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from rnn_harness.array_types import Array
from rnn_harness.errors import UsageError
from rnn_harness.validation.cells.capabilities import CellSizes
from rnn_harness.validation.loading.adapters.adapter import HeldPart, ModelInputs, import_library
from rnn_harness.validation.loading.adapters.array_bridge import (
    ArrayArguments,
    ArrayFunction,
    ArrayLibraryModule,
    ArrayResults,
)
from rnn_harness.validation.loading.adapters.onnx_graphs import RECURRENT_OPERATORS, OnnxNode, node_attributes
from rnn_harness.validation.loading.adapters.onnx_scans import axis_names, axis_sizes, scan_parts

_OF_DIRECTIONS = ("activations", "activation_alpha", "activation_beta")
"""Attributes that hold the values of one direction after those of the other."""


def recurrent_nodes(model: Any) -> list[OnnxNode]:
    """Return the recurrent nodes of a model, in the order in which they run.

    Args:
        model: An ONNX model.

    Raises:
        UsageError: There is none; the message says what there is instead.
    """
    nodes: list[OnnxNode] = [node for node in model.graph.node if node.op_type in RECURRENT_OPERATORS]
    if not nodes and not any(node.op_type == "Scan" for node in model.graph.node):
        counts = Counter(str(node.op_type) for node in model.graph.node)
        listed = ", ".join(f"{count} {name}" for name, count in counts.most_common(5)) or "no node"
        raise UsageError(
            f"the model has no node of {', '.join(RECURRENT_OPERATORS)}; it has {listed}: what was exported is no "
            "recurrent layer, or one that was unrolled into the steps of one length. Hand in the module that it was "
            "exported from, or export a layer (nn.LSTM, keras.layers.LSTM) that becomes one node"
        )
    return nodes


def holds_several(nodes: Sequence[OnnxNode]) -> bool:
    """Say whether recurrent nodes can be judged one by one alone: several, of both directions, or batch first.

    Args:
        nodes: The recurrent nodes of a model.
    """
    attributes = [node_attributes(node) for node in nodes]
    return len(nodes) > 1 or any(a.get("direction") == b"bidirectional" or a.get("layout", 0) for a in attributes)


class _WithStates:
    """A model that is given its sequence, and zeros for whatever else it takes."""

    def __init__(self, function: ArrayFunction, shapes: Sequence[tuple[int, ...]], rows_axis: int) -> None:
        self._function, self._shapes, self._rows_axis = function, shapes, rows_axis

    def __call__(self, parameters: Mapping[str, Array], arguments: ArrayArguments, differentiate: bool) -> ArrayResults:
        x = arguments[0]
        assert isinstance(x, np.ndarray), "a model is given one sequence"
        rows = x.shape[self._rows_axis]
        zeros = (np.zeros([length or rows for length in shape], x.dtype) for shape in self._shapes)
        return self._function(parameters, (x, *zeros), differentiate)


class OnnxGraphModule(ArrayLibraryModule):
    """A model of ONNX as a whole.

    Attributes:
        held_parts: Each direction of its recurrent nodes.
        model_inputs: What it is called with.
    """

    def __init__(self, function: ArrayFunction, parameters: Mapping[str, Array], model: Any) -> None:
        """Make the module.

        Args:
            function: The model as a function of its parameters and its inputs.
            parameters: Its float initialisers.
            model: The model.

        Raises:
            UsageError: It is no model of one sequence of numbers.
        """
        names = {initializer.name for initializer in model.graph.initializer}
        data = [value for value in model.graph.input if value.name not in names]
        shape = axis_sizes(data[0]) if data else ()
        if len(shape) != 3 or not shape[2]:
            raise UsageError(
                f"the first input of the model has the shape {shape}; expected a sequence of numbers (steps, rows, n) "
                "or (rows, steps, n), n a number in the model, with zeros elsewhere where any length will do"
            )
        floats = (import_library("onnx", "onnx").TensorProto.FLOAT, import_library("onnx", "onnx").TensorProto.DOUBLE)
        others = [value.name for value in data[1:] if value.type.tensor_type.elem_type not in floats]
        if others:
            raise UsageError(
                f"the model takes {', '.join(others)} besides its sequence, which are no states; expected a sequence "
                "of numbers, and initial states at most: export it without lengths or masks"
            )
        nodes = recurrent_nodes(model)
        is_batch_first = bool(nodes) and bool(node_attributes(nodes[0]).get("layout", 0))
        states = [axis_sizes(value) for value in data[1:]]
        of_states = {name for value in data[1:] for name in axis_names(value) if name}
        named = [axis for axis, name in enumerate(axis_names(data[0])[:2]) if name in of_states]
        rows_axis = named[0] if len(named) == 1 else 1 - is_batch_first
        super().__init__(_WithStates(function, states, rows_axis), parameters, differentiable=False)
        for parameter in self.parameters():
            parameter.requires_grad_(False)
        of_nodes = (part for number, node in enumerate(nodes) for part in _parts(node, number, parameters))
        self.held_parts = (*of_nodes, *scan_parts(model))
        self.model_inputs = ModelInputs(shape[2], lengths=(shape[0], shape[1]))


def _parts(node: OnnxNode, number: int, parameters: Mapping[str, Array]) -> list[HeldPart]:
    """One part for each direction of a node."""
    attributes = node_attributes(node)
    direction = attributes.get("direction", b"forward").decode()
    directions = ("forward", "reverse") if direction == "bidirectional" else (direction,)
    weights = parameters.get(node.input[1])
    sizes = CellSizes(0 if weights is None else int(weights.shape[2]), int(attributes.get("hidden_size", 0)))
    name = f"{node.op_type}_{number}"
    parts = []
    for place, one in enumerate(directions):
        alone = _one_direction(node, place, len(directions), one)
        shown = f"{name}_{one}" if len(directions) > 1 else name
        parts.append(HeldPart(shown, node.op_type, lambda _, alone=alone: alone, sizes))  # type: ignore[misc]
    return parts


def _one_direction(node: OnnxNode, place: int, directions: int, direction: str) -> OnnxNode:
    """A node that is one direction of another, time first."""
    helper = import_library("onnx", "onnx").helper
    alone = copy.deepcopy(node)
    changed: dict[str, Any] = {"direction": direction}
    for name in _OF_DIRECTIONS:
        values = node_attributes(node).get(name)
        if values:
            each = len(values) // directions
            changed[name] = values[place * each : (place + 1) * each]
    kept = [a for a in node.attribute if a.name not in (*changed, "layout")]
    remade: Any = alone
    del remade.attribute[:]
    remade.attribute.extend([*kept, *(helper.make_attribute(name, value) for name, value in changed.items())])
    return alone
