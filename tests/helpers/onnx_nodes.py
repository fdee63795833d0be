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
