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
