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
from rnn_harness.errors import UsageError, named_error
from rnn_harness.validation.cells.capabilities import CellSizes
from rnn_harness.validation.loading.adapters.adapter import FurtherInput, HeldPart, ModelInputs, import_library
from rnn_harness.validation.loading.adapters.array_bridge import (
    ArrayArguments,
    ArrayFunction,
    ArrayLibraryModule,
    ArrayResults,
    flat_arguments,
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


def takes_tokens(model: Any) -> bool:
    """Say whether the first input of a model is of whole numbers.

    Args:
        model: An ONNX model.
    """
    names = {initializer.name for initializer in model.graph.initializer}
    return any(bool(_whole_dtype(value)) for value in [v for v in model.graph.input if v.name not in names][:1])


class _GraphCall:
    """A model that is given its sequence and perhaps lengths, and zeros for the states that it takes."""

    def __init__(self, function: ArrayFunction, inputs: Sequence[Any], rows_axis: int) -> None:
        self._function, self._rows_axis = function, rows_axis
        self._whole = [_whole_dtype(value) for value in inputs]
        self._shapes = [axis_sizes(value) for value in inputs]

    def __call__(self, parameters: Mapping[str, Array], arguments: ArrayArguments, differentiate: bool) -> ArrayResults:
        x, *lengths = flat_arguments(arguments)
        rows, steps = x.shape[self._rows_axis], x.shape[1 - self._rows_axis]
        dtype = next((value.dtype for value in parameters.values()), x.dtype)
        values = [x.astype(self._whole[0] or x.dtype)]
        for shape, whole in zip(self._shapes[1:], self._whole[1:], strict=True):
            if whole:
                values.append(np.asarray(lengths[0] if lengths else np.full(rows, steps)).astype(whole))
            else:
                values.append(np.zeros([length or rows for length in shape], dtype))
        return self._function(parameters, tuple(values), differentiate)


def _runnable(
    function: ArrayFunction, inputs: Sequence[Any], likely_axis: int, parameters: Mapping[str, Array]
) -> tuple[int, tuple[str, ...]]:
    """Which axis is the rows, and the dtypes in which a model runs on zeros: onnxruntime has no GRU of float64.

    Raises:
        UsageError: It runs in no dtype, whichever axis is the rows.
    """
    free = {likely_axis: 3, 1 - likely_axis: 4}
    shape = tuple(length or free.get(axis, 1) for axis, length in enumerate(axis_sizes(inputs[0])))
    last_error = ""
    for rows_axis in (likely_axis, 1 - likely_axis):
        call, dtypes = _GraphCall(function, inputs, rows_axis), list[str]()
        for dtype in ("float64", "float32"):
            values = {name: value.astype(dtype) for name, value in parameters.items()}
            try:
                call(values, (np.zeros(shape, dtype),), False)
            except Exception as error:  # onnxruntime's errors share no base class
                last_error = last_error or named_error(error)
            else:
                dtypes.append(dtype)
        if dtypes:
            return rows_axis, tuple(dtypes)
    raise UsageError(f"the model does not run on zeros of the shape {shape}: {last_error}")


def _whole_dtype(value: Any) -> str:
    """The dtype of an input of whole numbers; empty for any other."""
    kinds = import_library("onnx", "onnx").TensorProto
    return {kinds.INT64: "int64", kinds.INT32: "int32"}.get(value.type.tensor_type.elem_type, "")


def _vocabulary(model: Any, tokens: str) -> int:
    """How many rows the table has in which tokens are looked up; 0 where they are not."""
    names = {tokens}
    sizes = {initializer.name: int(initializer.dims[0]) for initializer in model.graph.initializer if initializer.dims}
    for node in model.graph.node:
        if node.op_type in ("Cast", "Transpose", "Identity") and node.input[0] in names:
            names.add(node.output[0])
        if node.op_type == "Gather" and node.input[1] in names and node.input[0] in sizes:
            return sizes[node.input[0]]
    return 0


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
            UsageError: It is no model of one sequence.
        """
        names = {initializer.name for initializer in model.graph.initializer}
        data = [value for value in model.graph.input if value.name not in names]
        shape = axis_sizes(data[0]) if data else ()
        vocabulary = _vocabulary(model, data[0].name) if len(shape) == 2 and _whole_dtype(data[0]) else 0
        if not vocabulary and (len(shape) != 3 or not shape[2]):
            raise UsageError(
                f"the first input of the model has the shape {shape}; expected a sequence of numbers (steps, rows, n) "
                "or (rows, steps, n), n a number in the model, with zeros elsewhere where any length will do, or "
                "tokens of two axes, which a Gather looks up"
            )
        floats = (import_library("onnx", "onnx").TensorProto.FLOAT, import_library("onnx", "onnx").TensorProto.DOUBLE)
        further = [value for value in data[1:] if value.type.tensor_type.elem_type not in floats]
        lengths = [value for value in further if _whole_dtype(value) and len(axis_sizes(value)) == 1]
        others = [value.name for value in further if value not in lengths[:1]]
        if others:
            raise UsageError(
                f"the model takes {', '.join(others)} besides its sequence, which are neither states nor the lengths "
                "of rows; expected a sequence, lengths (rows,) of whole numbers and initial states at most"
            )
        nodes = recurrent_nodes(model)
        is_batch_first = bool(nodes) and bool(node_attributes(nodes[0]).get("layout", 0))
        of_states = {name for value in data[1:] for name in axis_names(value) if name}
        named = [axis for axis, name in enumerate(axis_names(data[0])[:2]) if name in of_states]
        rows_axis = named[0] if len(named) == 1 else 1 - is_batch_first
        rows_axis, dtypes = _runnable(function, data, rows_axis, parameters)
        super().__init__(_GraphCall(function, data, rows_axis), parameters, differentiable=False)
        for parameter in self.parameters():
            parameter.requires_grad_(False)
        of_nodes = (part for number, node in enumerate(nodes) for part in _parts(node, number, parameters))
        self.held_parts = (*of_nodes, *scan_parts(model))
        self.model_inputs = ModelInputs(
            0 if vocabulary else shape[2],
            vocabulary,
            (shape[0], shape[1]),
            dtypes,
            tuple(FurtherInput(value.name, "lengths") for value in lengths),
            rows_axis=rows_axis,
        )


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
    changed: dict[str, object] = {"direction": direction}
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
