"""ONNX graphs without a recurrent node: a step of operations, and loops of such steps in one direction or in two."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx

_FLOAT = onnx.TensorProto.FLOAT
N, D = 3, 4


def _weights(*shapes: tuple[str, tuple[int, ...]]) -> list[Any]:
    rng = np.random.default_rng(5)
    drawn = ((name, rng.standard_normal(shape).astype(np.float32) / 2) for name, shape in shapes)
    return [onnx.numpy_helper.from_array(value, name) for name, value in drawn]


def _value(name: str, *axes: str | int) -> Any:
    return onnx.helper.make_tensor_value_info(name, _FLOAT, axes)


def _model(graph: Any) -> Any:
    return onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=8)


def _operations(x: str, h: str, new: str, suffix: str = "") -> list[Any]:
    node = onnx.helper.make_node
    return [
        node("MatMul", [x, f"W{suffix}"], [f"from_{x}"]),
        node("MatMul", [h, f"U{suffix}"], [f"from_{h}"]),
        node("Add", [f"from_{x}", f"from_{h}"], [f"sum_{x}"]),
        node("Tanh", [f"sum_{x}"], [new]),
    ]


def step() -> Any:
    weights = _weights(("W", (N, D)), ("U", (D, D)))
    inputs = [_value("x", "rows", N), _value("h", "rows", D)]
    return _model(
        onnx.helper.make_graph(_operations("x", "h", "new"), "step", inputs, [_value("new", "rows", D)], weights)
    )


def unrolled() -> Any:
    """Two steps for three rows, as a loop of Python is exported."""
    node = onnx.helper.make_node
    weights = [
        *_weights(("W", (N, D)), ("U", (D, D))),
        *(_index(name, value) for name, value in (("i0", 0), ("i1", 1))),
    ]
    nodes = [node("Gather", ["x", f"i{t}"], [f"x{t}"]) for t in range(2)]
    nodes += [*_operations("x0", "h", "h0"), *_operations("x1", "h0", "new")]
    inputs = [_value("x", 2, 3, N), _value("h", 3, D)]
    return _model(onnx.helper.make_graph(nodes, "unrolled", inputs, [_value("new", 3, D)], weights))


def _index(name: str, value: int) -> Any:
    return onnx.numpy_helper.from_array(np.array(value, np.int64), name)


def _scan(suffix: str, is_reverse: bool, is_turned_back: bool) -> Any:
    nodes = [*_operations("x_t", "h_t", "h", suffix), onnx.helper.make_node("Identity", ["h"], ["y"])]
    inputs = [_value("h_t", "rows", D), _value("x_t", "rows", N)]
    body = onnx.helper.make_graph(nodes, "body", inputs, [_value("h", "rows", D), _value("y", "rows", D)])
    directions: dict[str, Any] = {
        "scan_input_directions": [int(is_reverse)],
        "scan_output_directions": [int(is_turned_back)],
    }
    outputs = [f"last{suffix}", f"steps{suffix}"]
    return onnx.helper.make_node("Scan", ["start", "x"], outputs, body=body, num_scan_inputs=1, **directions)


def _both_directions(is_turned_back: bool) -> Any:
    weights = _weights(
        *((f"{name}{k}", (size, D)) for k in "01" for name, size in (("W", N), ("U", D))), ("V", (2 * D, 2))
    )
    node = onnx.helper.make_node
    nodes = [
        _scan("0", False, False),
        _scan("1", True, is_turned_back),
        node("Concat", ["steps0", "steps1"], ["joined"], axis=2),
        node("MatMul", ["joined", "V"], ["tags"]),
    ]
    inputs = [_value("x", "steps", "rows", N), _value("start", "rows", D)]
    return _model(onnx.helper.make_graph(nodes, "tagger", inputs, [_value("tags", "steps", "rows", 2)], weights))


def both_directions() -> Any:
    return _both_directions(True)


def not_turned_back() -> Any:
    return _both_directions(False)


def _layers(second: str) -> Any:
    node = onnx.helper.make_node
    weights = _weights(
        *((f"{name}{k}", (size, D)) for k, n in (("0", N), ("1", D)) for name, size in (("W", n), ("U", D)))
    )
    zero, one, axis = (
        onnx.numpy_helper.from_array(np.array(value, np.int64), name)
        for name, value in (("zero", 0), ("one", 1), ("axis", [0]))
    )
    nodes = [
        node("Gather", ["h", "zero"], ["h_0"], axis=0),
        node("Gather", ["h", "one"], ["h_1"], axis=0),
        *_operations("x", "h_0", "new_0", "0"),
        *_operations("new_0", "h_1", "new_1", "1"),
        node("Unsqueeze", ["new_0", "axis"], ["first"]),
        node("Unsqueeze", [second, "axis"], ["second"]),
        node("Concat", ["first", "second"], ["new"], axis=0),
        node("Identity", ["new_1"], ["y"]),
    ]
    inputs, outputs = (
        [_value("x", "rows", N), _value("h", 2, "rows", D)],
        [_value("y", "rows", D), _value("new", 2, "rows", D)],
    )
    return _model(onnx.helper.make_graph(nodes, "layers", inputs, outputs, [*weights, zero, one, axis]))


def two_layers() -> Any:
    return _layers("new_1")


def lower_state_for_both() -> Any:
    return _layers("new_0")
