"""Models and nodes of ONNX: what a recurrent node declares, and models made for other sizes, dtypes and parameters."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np

from rnn_harness.array_types import Array
from rnn_harness.errors import UsageError
from rnn_harness.validation.cells.cell_model import CellModel
from rnn_harness.validation.loading.adapters.adapter import import_library

RECURRENT_OPERATORS = ("RNN", "GRU", "LSTM")
_GATE_COUNTS = {"RNN": 1, "GRU": 3, "LSTM": 4}
_DEFAULT_ACTIVATIONS = {
    "RNN": ["Tanh"],
    "GRU": ["Sigmoid", "Tanh"],
    "LSTM": ["Sigmoid", "Tanh", "Tanh"],
}
_ACTIVATION_NAMES = {
    "Sigmoid": "sigmoid",
    "Tanh": "tanh",
    "Relu": "relu",
    "HardSigmoid": "hard sigmoid 0.2",
}
LENGTHS_INPUT, PEEPHOLE_INPUT = 4, 7
"""The positions among a recurrent node's inputs: X, W, R, B, sequence_lens, initial_h, initial_c, P."""
DATA_INPUTS = (0, 5, 6)


class OnnxNode(Protocol):
    """What is read of an ``onnx.NodeProto``, whose class exists only where onnx is installed.

    Attributes:
        op_type: The operator: RNN, GRU, LSTM or any other.
        name: What the model calls it; may be empty.
        input: The names of its inputs in the operator's order; empty for those left out.
        output: The names of its outputs likewise.
        attribute: Its attributes, messages of ONNX.
    """

    op_type: str
    name: str
    input: Sequence[str]
    output: Sequence[str]
    attribute: Sequence[Any]


def node_attributes(node: OnnxNode) -> dict[str, Any]:
    """Return the attributes of a node that are set, by name.

    Args:
        node: A node of any operator.
    """
    onnx = import_library("onnx", "onnx")
    return {attribute.name: onnx.helper.get_attribute_value(attribute) for attribute in node.attribute}


def input_name(node: OnnxNode, position: int) -> str:
    """Return the name of an input; empty if the node leaves it out.

    Args:
        node: A node of any operator.
        position: The input's place in the operator's signature, from 0.
    """
    return node.input[position] if len(node.input) > position else ""


def declared_model_of(node: OnnxNode) -> CellModel:
    """Return the cell that a recurrent node declares itself to be, by its attributes.

    Args:
        node: A node of RNN, GRU or LSTM; attributes that it leaves out have ONNX's defaults.

    Raises:
        UsageError: No model of a cell has these activations.
    """
    attributes = node_attributes(node)
    activations = [
        activation.decode() if isinstance(activation, bytes) else activation
        for activation in attributes.get("activations", _DEFAULT_ACTIVATIONS[node.op_type])
    ]
    unknown = sorted(set(activations) - set(_ACTIVATION_NAMES))
    if unknown or attributes.get("activation_alpha") or attributes.get("activation_beta"):
        raise UsageError(
            f"{node.op_type} with the activations {activations} and own alpha or beta: none that is known here"
        )
    names = [_ACTIVATION_NAMES[activation] for activation in activations]
    clip = float(attributes.get("clip", 0.0))
    if node.op_type == "RNN":
        return CellModel("rnn", candidate=names[0], clip=clip)
    if node.op_type == "GRU":
        reset = "after" if attributes.get("linear_before_reset", 0) else "before"
        return CellModel("gru", gate=names[0], candidate=names[1], reset=reset, clip=clip)
    forget = "coupled" if attributes.get("input_forget", 0) else "own"
    peephole = "diagonal" if input_name(node, PEEPHOLE_INPUT) else ""
    return CellModel("lstm", names[0], names[1], names[2], forget=forget, peephole=peephole, clip=clip)


def _parameter_shapes(node: OnnxNode, n: int, d: int) -> dict[int, tuple[int, ...]]:
    """The shapes of a node's parameters W, R, B and P, by their positions among its inputs."""
    gates = _GATE_COUNTS[node.op_type]
    return {1: (1, gates * d, n), 2: (1, gates * d, d), 3: (1, 2 * gates * d), PEEPHOLE_INPUT: (1, 3 * d)}


def resized_parameter(node: OnnxNode, name: str, value: Array, n: int, d: int) -> Array:
    """Make a parameter of that name for other sizes, with small numbers; the value itself if it is none of the node's.

    Args:
        node: The recurrent node.
        name: The name of an initialiser of its model.
        value: That initialiser.
        n: The input size.
        d: The hidden size.

    Returns:
        The parameter in float32, or `value`.
    """
    shapes = _parameter_shapes(node, n, d)
    position = list(node.input).index(name) if name in node.input else -1
    if position not in shapes:
        return value
    return np.random.default_rng(position).standard_normal(shapes[position]).astype(np.float32) / 4


def model_of_node(node: OnnxNode) -> Any:
    """Make a model of one recurrent node; a parameter, which has no value, becomes an initializer of some size.

    Args:
        node: A node of RNN, GRU or LSTM.
    """
    onnx = import_library("onnx", "onnx")
    make, float32 = onnx.helper, onnx.TensorProto.FLOAT
    shapes = _parameter_shapes(node, 2, int(node_attributes(node).get("hidden_size", 3)))
    initializers, inputs = [], []
    for position, name in enumerate(node.input):
        if name and position in shapes:
            values = np.random.default_rng(position).standard_normal(shapes[position]).astype(np.float32)
            initializers.append(onnx.numpy_helper.from_array(values, name))
        elif name and position == LENGTHS_INPUT:
            inputs.append(make.make_tensor_value_info(name, onnx.TensorProto.INT32, [None]))
        elif name:
            inputs.append(make.make_tensor_value_info(name, float32, [None] * 3))
    output_ranks = (4, 3, 3)
    outputs = [
        make.make_tensor_value_info(name, float32, [None] * output_ranks[position])
        for position, name in enumerate(node.output)
        if name
    ]
    graph = make.make_graph([node], "node", inputs, outputs, initializers)
    return make.make_model(graph, opset_imports=[make.make_opsetid("", 14)], ir_version=8)


class OpenedModel(NamedTuple):
    """A model whose parameters are inputs.

    Attributes:
        model: The model, an ``onnx.ModelProto``.
        parameters: The values that they had, by name.
    """

    model: Any
    parameters: dict[str, Array]


def open_parameters(model: Any, d: int | None, fewest: int = 0) -> OpenedModel:
    """Return a copy of a model with its float initializers as inputs, and every input and output of any size.

    Args:
        model: An ONNX model, which is not changed.
        d: The hidden size that its recurrent nodes get; None to leave it.
        fewest: How many numbers an initializer must have to be a parameter: one alone may be the 1 of ``1 - z``.
    """
    onnx = import_library("onnx", "onnx")
    make, floats = onnx.helper.make_tensor_value_info, (onnx.TensorProto.FLOAT, onnx.TensorProto.DOUBLE)
    opened = copy.deepcopy(model)
    graph, parameters = opened.graph, {}
    for initializer in list(graph.initializer):
        if initializer.data_type in floats and len(initializer.dims) and np.prod(initializer.dims) >= fewest:
            parameters[initializer.name] = onnx.numpy_helper.to_array(initializer)
            graph.initializer.remove(initializer)
    data = [value for value in graph.input if value.name not in parameters]
    kinds = (value.type.tensor_type.elem_type for value in data)  # tokens and lengths say nothing of the weights
    element_type = next((kind for kind in kinds if kind in floats), onnx.TensorProto.FLOAT)
    parameter_inputs = [make(name, element_type, [None] * value.ndim) for name, value in parameters.items()]
    data_inputs, outputs = (
        [
            make(value.name, value.type.tensor_type.elem_type, [None] * len(value.type.tensor_type.shape.dim))
            for value in values
        ]
        for values in (data, graph.output)
    )
    del graph.input[:], graph.output[:], graph.value_info[:]
    graph.input.extend([*data_inputs, *parameter_inputs])
    graph.output.extend(outputs)
    for node in graph.node:
        for attribute in node.attribute if d is not None and node.op_type in RECURRENT_OPERATORS else ():
            if attribute.name == "hidden_size":
                attribute.i = d
    return OpenedModel(opened, parameters)


def model_in_dtype(model: Any, dtype: str) -> Any:
    """Return a copy of a model with every float input, output and constant in that dtype, those of loops inside too.

    Args:
        model: An ONNX model; its initialisers stay as they are.
        dtype: ``float64`` or ``float32``.
    """
    onnx = import_library("onnx", "onnx")
    element_type = {"float64": onnx.TensorProto.DOUBLE, "float32": onnx.TensorProto.FLOAT}[dtype]
    converted = copy.deepcopy(model)
    _convert_graph(onnx, converted.graph, element_type)
    return converted


def _convert_graph(onnx: Any, graph: Any, element_type: int) -> None:
    """Give every float input, output and constant of a graph another type, in place."""
    floats = (onnx.TensorProto.DOUBLE, onnx.TensorProto.FLOAT)
    for value in (*graph.input, *graph.output, *graph.value_info):
        if value.type.tensor_type.elem_type in floats:
            value.type.tensor_type.elem_type = element_type
    for attribute in (attribute for node in graph.node for attribute in node.attribute):
        if attribute.type == onnx.AttributeProto.GRAPH:
            _convert_graph(onnx, attribute.g, element_type)
        elif attribute.type == onnx.AttributeProto.TENSOR and attribute.t.data_type in floats:
            value = onnx.numpy_helper.to_array(attribute.t)
            dtype = onnx.helper.tensor_dtype_to_np_dtype(element_type)
            attribute.t.CopyFrom(onnx.numpy_helper.from_array(value.astype(dtype), attribute.t.name))
