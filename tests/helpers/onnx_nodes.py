"""Recurrent nodes of ONNX, with every input that they may have."""

from __future__ import annotations

from typing import Any


def node(op: str, *, lengths: bool = False, peephole: bool = False, **attributes: Any) -> Any:
    """A node of hidden size 3 with initial states."""
    from onnx import helper

    inputs = ["X", "W", "R", "B", "lengths" if lengths else "", "initial_h"]
    inputs += ["initial_c"] if op == "LSTM" else []
    inputs += ["P"] if peephole else []
    outputs = ["Y", "Y_h", *(["Y_c"] if op == "LSTM" else [])]
    return helper.make_node(op, inputs, outputs, hidden_size=3, **attributes)


def model_that_turns_inputs_over() -> Any:
    """A model of a simple RNN, n = 5, d = 3, that reads its inputs backwards and leaves the outputs as they come."""
    import numpy as np
    from onnx import TensorProto, helper, numpy_helper

    rng = np.random.default_rng(0)
    shapes = {"W": (1, 3, 5), "R": (1, 3, 3), "B": (1, 6)}
    weights = [numpy_helper.from_array(rng.normal(size=s).astype(np.float32), name) for name, s in shapes.items()]
    ends = {"start": -1, "end": -(2**31), "axis": 0, "step": -1}
    ends_of_slice = [numpy_helper.from_array(np.array([value]), name) for name, value in ends.items()]
    turn = helper.make_node("Slice", ["X", *ends], ["turned"])
    rnn = helper.make_node("RNN", ["turned", "W", "R", "B", "", "initial_h"], ["Y", "Y_h"], hidden_size=3)
    sizes: dict[str, list[int | str]] = {
        "X": ["T", "rows", 5],
        "initial_h": [1, "rows", 3],
        "Y": ["T", 1, "rows", 3],
        "Y_h": [1, "rows", 3],
    }
    values = {name: helper.make_tensor_value_info(name, TensorProto.FLOAT, size) for name, size in sizes.items()}
    graph = helper.make_graph(
        [turn, rnn],
        "turned",
        [values["X"], values["initial_h"]],
        [values["Y"], values["Y_h"]],
        [*weights, *ends_of_slice],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)


def model_of_both_directions() -> Any:
    """A GRU of both directions, n = 5, d = 3, its outputs side by side, and an LSTM on top of them."""
    import numpy as np
    from onnx import TensorProto, helper, numpy_helper

    rng = np.random.default_rng(0)
    shapes = {"W": (2, 9, 5), "R": (2, 9, 3), "B": (2, 18), "W2": (1, 16, 6), "R2": (1, 16, 4), "B2": (1, 32)}
    weights = [numpy_helper.from_array(rng.normal(size=s).astype(np.float32), name) for name, s in shapes.items()]
    shape = numpy_helper.from_array(np.array([0, 0, 6]), "shape")
    axis = numpy_helper.from_array(np.array([1]), "axis")
    nodes = [
        helper.make_node("GRU", ["X", "W", "R", "B"], ["Y"], hidden_size=3, direction="bidirectional"),
        helper.make_node("Transpose", ["Y"], ["rows"], perm=[0, 2, 1, 3]),
        helper.make_node("Reshape", ["rows", "shape"], ["joined"]),
        helper.make_node("LSTM", ["joined", "W2", "R2", "B2"], ["Z"], hidden_size=4),
        helper.make_node("Squeeze", ["Z", "axis"], ["outputs"]),
    ]
    inputs = [helper.make_tensor_value_info("X", TensorProto.FLOAT, ["T", "rows", 5])]
    outputs = [helper.make_tensor_value_info("outputs", TensorProto.FLOAT, ["T", "rows", 4])]
    graph = helper.make_graph(nodes, "layers", inputs, outputs, [*weights, shape, axis])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)


def model_that_is_unrolled() -> Any:
    """A simple RNN of one step as nodes of its operations."""
    from onnx import TensorProto, helper

    nodes = [helper.make_node("MatMul", ["X", "W"], ["Z"]), helper.make_node("Tanh", ["Z"], ["Y"])]
    values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [3, 3]) for name in ("X", "W", "Y")]
    graph = helper.make_graph(nodes, "unrolled", values[:2], values[2:])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
