"""Files that hold a model beside its weights are written where the target says the model, and give the weights back."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from rnn_harness.conversion.check_layers import dtypes_of_outputs
from rnn_harness.conversion.model_files import LayerWeights, ensure_model_is_known, write_model
from rnn_harness.conversion.weight_files import read_weights
from rnn_harness.errors import UsageError

N, D = 3, 2


@pytest.mark.parametrize(
    ("name", "target", "message"),
    [
        ("out.onnx", "torch.nn:GRU", "torch.nn:GRU is no ONNX file: give one as B"),
        ("out.keras", "torch.nn:GRU", "torch.nn:GRU is none of keras.layers: write .weights.h5"),
    ],
)
def test_a_target_that_says_no_model_is_refused_with_what_to_write_instead(
    name: str, target: str, message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        ensure_model_is_known(Path(name), target)


def test_numbers_of_float32_alone_may_meet_the_bound_of_float32() -> None:
    single = np.array([0.1, -2.5], np.float32).astype(np.float64)
    assert dtypes_of_outputs(single, "float64") == ("float64", "float32")
    assert dtypes_of_outputs(single + np.array([0, 2.0**-40]), "float64") == ("float64",)
    assert dtypes_of_outputs(single, "float32") == ("float32",)


def gru_graph(path: Path) -> Path:
    """Write a graph of one GRU whose weights are all 1."""
    onnx = pytest.importorskip("onnx")
    shapes = {"W": (1, 3 * D, N), "R": (1, 3 * D, D), "B": (1, 6 * D)}
    weights = [onnx.numpy_helper.from_array(np.ones(shape, np.float32), name) for name, shape in shapes.items()]
    make = onnx.helper
    node = make.make_node("GRU", ["X", *shapes], ["Y"], hidden_size=D)
    inputs = [make.make_tensor_value_info("X", onnx.TensorProto.FLOAT, ["T", "B", N])]
    outputs = [make.make_tensor_value_info("Y", onnx.TensorProto.FLOAT, None)]
    onnx.save(make.make_model(make.make_graph([node], "gru", inputs, outputs, weights)), path)
    return path


def layer(dtype: type[np.floating] = np.float32, **shapes: tuple[int, ...]) -> LayerWeights:
    """Draw the weights of a layer."""
    draws = np.random.default_rng(3)
    arrays = {name: draws.standard_normal(shape).astype(dtype) for name, shape in shapes.items()}
    return LayerWeights("layer 0", False, N, D, arrays)


def test_a_graph_gets_other_initializers_and_keeps_those_that_it_shares_with_no_weight(tmp_path: Path) -> None:
    graph = gru_graph(tmp_path / "in.onnx")
    weights = layer(W=(1, 3 * D, N), R=(1, 3 * D, D))
    write_model(tmp_path / "out.onnx", str(graph), {}, [weights])
    written = read_weights(tmp_path / "out.onnx")
    np.testing.assert_array_equal(written["R"], weights.arrays["R"])
    np.testing.assert_array_equal(written["B"], 1.0)


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        (layer(W=(1, 3 * D, N + 1)), r"initializer W is float32 \(1, 6, 3\), and the weights are float32 \(1, 6, 4\)"),
        (layer(np.float64, W=(1, 3 * D, N)), r"the weights are float64 \(1, 6, 3\): export a graph of those sizes"),
        (layer(P=(1, D)), "has no initializer P; it has W, R, B"),
    ],
    ids=["another size", "another format", "another name"],
)
def test_a_graph_without_a_place_for_the_weights_is_refused(
    tmp_path: Path, weights: LayerWeights, message: str
) -> None:
    graph = gru_graph(tmp_path / "in.onnx")
    with pytest.raises(UsageError, match=message):
        write_model(tmp_path / "out.onnx", str(graph), {}, [weights])
    assert not (tmp_path / "out.onnx").exists()


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # of Keras with torch and NumPy 2
@pytest.mark.deep(
    "tests/unit/conversion/test_model_files.py::"
    "test_a_graph_gets_other_initializers_and_keeps_those_that_it_shares_with_no_weight"
)
def test_an_archive_of_keras_gives_a_model_with_the_weights(tmp_path: Path) -> None:
    keras = pytest.importorskip("keras")
    rows = [layer(kernel=(N, 4 * D), recurrent=(D, 4 * D), bias=(4 * D,)) for _ in range(2)]
    rows[1] = LayerWeights("layer 1", False, D, D, layer(k=(D, 4 * D), r=(D, 4 * D), b=(4 * D,)).arrays)
    write_model(tmp_path / "out.keras", "keras.layers:LSTM", {}, rows)
    model = keras.saving.load_model(tmp_path / "out.keras")
    for part, row in zip(model.layers, rows, strict=True):
        for value, expected in zip(part.get_weights(), row.arrays.values(), strict=True):
            np.testing.assert_array_equal(value, expected)
    reverse = LayerWeights("layer 0, reverse", True, N, D, layer(k=(N, 4 * D), r=(D, 4 * D), b=(4 * D,)).arrays)
    write_model(tmp_path / "both.keras", "keras.layers:LSTM", {}, [rows[0], reverse])
    (both,) = keras.saving.load_model(tmp_path / "both.keras").layers
    for value, expected in zip(both.get_weights(), (*rows[0].arrays.values(), *reverse.arrays.values()), strict=True):
        np.testing.assert_array_equal(value, expected)
    with pytest.raises(UsageError, match="layer 0, reverse has no forward direction"):
        write_model(tmp_path / "again.keras", "keras.layers:LSTM", {}, [reverse])


@pytest.mark.process
@pytest.mark.skipif(importlib.util.find_spec("keras") is None, reason="Keras is not installed")
@pytest.mark.deep(
    "tests/unit/conversion/test_model_files.py::"
    "test_a_graph_gets_other_initializers_and_keeps_those_that_it_shares_with_no_weight"
)
def test_a_process_that_has_not_loaded_keras_writes_its_archive_without_tensorflow(tmp_path: Path) -> None:
    program = f"""
import numpy as np
from pathlib import Path
from rnn_harness.conversion.model_files import LayerWeights, write_model
arrays = {{"kernel": np.zeros((2, 12)), "recurrent_kernel": np.zeros((3, 12)), "bias": np.zeros(12)}}
path = Path({str(tmp_path / "out.keras")!r})
write_model(path, "keras.layers:LSTM", {{}}, [LayerWeights("layer 0", False, 2, 3, arrays)])
"""
    environment = {name: value for name, value in os.environ.items() if name != "KERAS_BACKEND"}
    subprocess.run([sys.executable, "-c", program], check=True, env=environment)
    assert (tmp_path / "out.keras").is_file()
