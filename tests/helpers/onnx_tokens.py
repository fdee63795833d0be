"""ONNX models of tokens and the lengths of rows: a right one, and the same that reads past the end of short rows."""

from __future__ import annotations

from typing import Any

import numpy as np
from onnx import TensorProto, helper, numpy_helper

VOCABULARY, WIDTH, UNITS = 9, 3, 4


def _model(reads_last_row: bool) -> Any:
    rng = np.random.default_rng(0)
    shapes = {
        "table": (VOCABULARY, WIDTH),
        "W": (1, 3 * UNITS, WIDTH),
        "R": (1, 3 * UNITS, UNITS),
        "B": (1, 6 * UNITS),
        "head": (UNITS, 2),
    }
    initializers = [
        numpy_helper.from_array(rng.standard_normal(shape).astype(np.float32) / 2, name)
        for name, shape in shapes.items()
    ]
    initializers += [
        numpy_helper.from_array(np.array(-1), "last"),
        numpy_helper.from_array(np.array([0]), "direction"),
    ]
    nodes = [
        helper.make_node("Gather", ["table", "tokens"], ["x"]),
        helper.make_node(
            "GRU", ["x", "W", "R", "B", "lengths"], ["Y", "Y_h"], hidden_size=UNITS, linear_before_reset=1
        ),
        helper.make_node("Gather", ["Y", "last"], ["of_last_row"], axis=0),
        helper.make_node("Squeeze", ["of_last_row" if reads_last_row else "Y_h", "direction"], ["state"]),
        helper.make_node("MatMul", ["state", "head"], ["scores"]),
    ]
    inputs = [
        helper.make_tensor_value_info("tokens", TensorProto.INT64, ["T", "B"]),
        helper.make_tensor_value_info("lengths", TensorProto.INT32, ["B"]),
    ]
    outputs = [helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["B", 2])]
    graph = helper.make_graph(nodes, "tokens", inputs, outputs, initializers)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)


def last_states() -> Any:
    """Return the scores of the last state of every row."""
    return _model(reads_last_row=False)


def last_row() -> Any:
    """Return the scores of the last row of the outputs, which is zero where a row has ended."""
    return _model(reads_last_row=True)
