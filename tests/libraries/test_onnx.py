"""ONNX nodes in two runtimes: right where they are, refuted where a runtime leaves an attribute aside."""

from __future__ import annotations

import importlib
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import rnn_harness
from rnn_harness.errors import UsageError
from rnn_harness.records.verdict import Outcome
from rnn_harness.validation import (
    Target,
    Validation,
    ValidationRequest,
    collect_validation,
    identify,
    load_target,
    run_validation,
    target_of,
)
from rnn_harness.validation.consistency.consistency_property import Draw
from rnn_harness.validation.consistency.driven_cell import make_cell, numbered_states
from rnn_harness.validation.consistency.time_properties import TIME_PROPERTIES
from rnn_harness.validation.identification.probe import probe_target

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")
node = importlib.import_module("tests.helpers.onnx_nodes").node

SEEDS = range(int(os.environ.get("RNN_HARNESS_SEEDS", "1")))
EXAMPLES = 2 if len(SEEDS) > 1 else 0
DeclaredNode = tuple[str, dict[str, Any]]
"""An operator and the arguments of `onnx_nodes.node`."""

NODES: dict[str, tuple[DeclaredNode, str, str]] = {
    "RNN": (("RNN", {}), "rnn.tanh", "two biases"),
    "GRU": (("GRU", {}), "gru.keep.column", "update, reset, candidate"),
    "GRU, linear before reset": (("GRU", {"linear_before_reset": 1}), "gru.reset_after", "update, reset, candidate"),
    "LSTM": (("LSTM", {}), "lstm.column", "input, output, forget, candidate"),
    "LSTM with peepholes": (("LSTM", {"peephole": True}), "", "diagonal peepholes"),
}
ATTRIBUTES: dict[str, tuple[DeclaredNode, str, str]] = {
    "activations": (
        ("LSTM", {"activations": ["HardSigmoid", "Tanh", "Relu"]}),
        "hard sigmoid (a/5 + 1/2) gates",
        "the gates have sigmoid in the place of hard sigmoid",
    ),
    "clip": (("LSTM", {"clip": 0.5}), "arguments clipped at 0.5", "arguments are clipped at 0, not 0.5"),
    "input_forget": (("LSTM", {"input_forget": 1}), "coupled to the input gate", "not coupled to the input gate"),
}


def _target(declared: DeclaredNode, runtime: str) -> Target:
    op, attributes = declared
    return target_of(op, node(op, **attributes), {"runtime": runtime})


def _validated(declared: DeclaredNode, runtime: str, seed: int = 0) -> Validation:
    request = ValidationRequest(seed=seed, examples=EXAMPLES)
    return collect_validation("node", run_validation(_target(declared, runtime), request))


def _refuted(validation: Validation) -> list[str]:
    return [
        f"{record.check} {record.dtype}: {record.reason}"
        for record in validation.checks
        if record.outcome is Outcome.REFUTED
    ]


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("runtime", ["reference", "onnxruntime"])
@pytest.mark.parametrize("name", NODES)
def test_a_node_is_identified_exactly_and_nothing_about_it_is_refuted(name: str, runtime: str, seed: int) -> None:
    declared, spec, phrase = NODES[name]
    validation = _validated(declared, runtime, seed)
    identification = validation.identification
    assert identification is not None
    assert (identification.answer, identification.spec) == ("unique", spec or "candidate")
    assert phrase in identification.sentence
    assert _refuted(validation) == []
    assert validation.outcome == "agrees"


@pytest.mark.parametrize("name", ATTRIBUTES)
def test_onnxruntime_does_what_the_attribute_says(name: str) -> None:
    declared, phrase, _ = ATTRIBUTES[name]
    validation = _validated(declared, "onnxruntime")
    assert validation.identification is not None
    assert phrase in validation.identification.sentence
    assert _refuted(validation) == []


@pytest.mark.parametrize("name", ATTRIBUTES)
def test_the_reference_evaluators_lstm_leaves_the_attribute_aside_and_is_refuted(name: str) -> None:
    declared, _, difference = ATTRIBUTES[name]
    validation = _validated(declared, "reference")
    assert validation.outcome == "refuted"
    assert validation.diagnosis is not None
    assert difference in validation.diagnosis.difference


def test_onnxruntime_follows_lengths_and_the_reference_evaluator_does_not() -> None:
    declared = ("LSTM", {"lengths": True})
    assert _refuted(_validated(declared, "onnxruntime")) == []
    validation = _validated(declared, "reference")
    assert validation.diagnosis is not None
    assert validation.diagnosis.difference == "what stands past a row's length is read"


def test_a_model_in_a_file_is_a_target_and_a_node_is_one_in_python(tmp_path: Path) -> None:
    from rnn_harness.validation.loading.adapters.onnx_graphs import model_of_node

    path = tmp_path / "gru.onnx"
    onnx.save(model_of_node(node("GRU")), path)
    (match,) = identify(load_target(str(path)))
    assert match.spec == "gru.keep.column"
    (again,) = rnn_harness.identify(node("GRU"))
    assert again.spec == "gru.keep.column"


def test_a_file_that_is_no_model_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "broken.onnx"
    path.write_bytes(b"not a model")
    with pytest.raises(ValueError, match=r"broken.onnx is no ONNX model"):
        load_target(str(path))
    with pytest.raises(ValueError, match=r"there is no file nowhere\.onnx"):
        load_target("nowhere.onnx")


def test_an_unknown_runtime_is_refused() -> None:
    with pytest.raises(ValueError, match="runtime is 'tvm'; expected onnxruntime or reference"):
        _target(("GRU", {}), "tvm")


def graph_that_reads_backwards(turned_back: bool) -> Any:
    """A GRU node over a reversed sequence, in a graph that turns its outputs back, or does not."""
    from onnx import TensorProto, helper, numpy_helper

    rng = np.random.default_rng(1)
    arrays = {"W": (1, 9, 5), "R": (1, 9, 3), "B": (1, 18)}
    weights = [numpy_helper.from_array(rng.normal(size=size).astype("f4"), name) for name, size in arrays.items()]
    ends = {"start": -1, "end": -(2**31), "axis": 0, "step": -1}
    weights += [numpy_helper.from_array(np.array([value]), name) for name, value in ends.items()]
    last = "turned" if turned_back else "Y"
    nodes = [
        helper.make_node("Slice", ["X", *ends], ["turned_x"]),
        helper.make_node("GRU", ["turned_x", *arrays, "", "h0"], ["Y", "Y_h"], hidden_size=3, linear_before_reset=1),
        *([helper.make_node("Slice", ["Y", *ends], ["turned"])] if turned_back else []),
    ]
    sizes: dict[str, list[int | str]] = {
        "X": ["T", "B", 5],
        "h0": [1, "B", 3],
        last: ["T", 1, "B", 3],
        "Y_h": [1, "B", 3],
    }
    values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, size) for name, size in sizes.items()]
    graph = helper.make_graph(nodes, "backwards", values[:2], values[2:], weights)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)


def test_a_graph_around_one_node_has_the_sizes_of_its_weights(tmp_path: Path) -> None:
    from onnx import TensorProto, helper, numpy_helper

    rng = np.random.default_rng(1)
    arrays = {"W": (1, 16, 3), "R": (1, 16, 4), "B": (1, 32)}
    weights = [numpy_helper.from_array(rng.normal(size=size).astype("f4"), name) for name, size in arrays.items()]
    weights.append(numpy_helper.from_array(np.array([1]), "axes"))
    nodes = [
        helper.make_node("LSTM", ["X", *arrays, "", "h0", "c0"], ["Yd", "hn", "cn"], hidden_size=4),
        helper.make_node("Squeeze", ["Yd", "axes"], ["Y"]),
    ]
    state: list[int | str] = [1, "B", 4]
    sizes: dict[str, list[int | str]] = {"X": ["T", "B", 3], "h0": state, "c0": state, "Y": ["T", "B", 4]}
    sizes |= {"hn": state, "cn": state}
    values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, size) for name, size in sizes.items()]
    graph = helper.make_graph(nodes, "lstm", values[:3], values[3:], weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.save(model, path := tmp_path / "model.onnx")
    (identification,) = identify(load_target(str(path)))
    assert identification.spec == "lstm.column"
    assert identification.assignment.gate_order("x") == "iofg"


@pytest.mark.parametrize("turned_back", [True, False])
def test_a_graph_that_reads_backwards_turns_its_outputs_back(turned_back: bool, tmp_path: Path) -> None:
    onnx.save(graph_that_reads_backwards(turned_back), path := tmp_path / "model.onnx")
    target = load_target(str(path))
    probe = probe_target(target)
    states = numbered_states(probe.convention)
    cell = make_cell(target.make_module, target.capabilities, probe.convention, probe.sizes, probe.dtype, states)
    order = next(prop for prop in TIME_PROPERTIES if prop.name == "order-of-steps")
    violation = order.decide(Draw(replace(cell, arithmetic="float32"), 1))
    assert (violation is None) == turned_back


def test_a_node_that_reads_backwards_in_time_is_identified_with_its_direction() -> None:
    target = target_of("GRU", node("GRU", linear_before_reset=1, direction="reverse"), {"runtime": "onnxruntime"})
    (match,) = identify(target)
    assert match.spec == "gru.reset_after"
    assert "read backwards in time" in match.sentence()
    validation = collect_validation("node", run_validation(target, ValidationRequest(examples=0)))
    assert _refuted(validation) == []
    assert validation.outcome == "agrees"


def test_a_model_whose_outputs_are_not_turned_back_is_refuted() -> None:
    """The inputs are turned over in front of a node that reads forward, and nothing turns the outputs back."""
    model = importlib.import_module("tests.helpers.onnx_nodes").model_that_turns_inputs_over()
    validation = collect_validation("model", run_validation(target_of("model", model), ValidationRequest(examples=0)))
    assert validation.outcome == "refuted"
    assert validation.diagnosis is not None
    assert "its outputs are not turned back" in validation.diagnosis.difference


def test_what_to_write_for_a_node_of_two_directions_can_be_pasted() -> None:
    with pytest.raises(UsageError, match="direction 'bidirectional'") as refusal:
        target_of("GRU", node("GRU", direction="bidirectional"))
    assert "def make_node():" in str(refusal.value)
    assert "return node" in str(refusal.value)


def test_a_model_of_two_layers_and_both_directions_is_judged_part_by_part() -> None:
    model = importlib.import_module("tests.helpers.onnx_nodes").model_of_both_directions()
    validation = collect_validation("model", run_validation(target_of("model", model), ValidationRequest(examples=0)))
    assert [check.check for check in validation.checks if check.outcome is Outcome.REFUTED] == []
    assert validation.outcome == "agrees"


def test_a_graph_without_a_recurrent_node_is_told_in_one_sentence() -> None:
    model = importlib.import_module("tests.helpers.onnx_nodes").model_that_is_unrolled()
    with pytest.raises(UsageError, match="unrolled into the steps of one length"):
        target_of("model", model)
