"""A layer that lacks a parameter is refused by name, and another kind of layer is none of the cell's."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from rnn_harness.array_types import Array
from rnn_harness.cli._app import app
from rnn_harness.conversion.weight_files import read_weights, write_weights
from rnn_harness.conversion.weight_groups import weight_groups
from rnn_harness.errors import UsageError

N, D = 4, 3
CELL = {"kernel": (N, 4 * D), "recurrent": (D, 4 * D), "bias": (4 * D,)}
NUMBERED = {str(place): shape for place, shape in enumerate(CELL.values())}


def arrays(prefix: str, shapes: Mapping[str, tuple[int, ...]], *without: str) -> dict[str, Array]:
    """Return arrays behind a prefix, but for some of them."""
    return {f"{prefix}{name}": np.zeros(shape) for name, shape in shapes.items() if name not in without}


def is_a_cell(rows: Mapping[str, Array]) -> bool:
    """Whether arrays have the shapes of a cell of any sizes."""
    return [value.ndim for value in rows.values()] == [2, 2, 1] and rows["recurrent"].shape[1] == 4 * len(
        rows["recurrent"]
    )


def prefixes(weights: Mapping[str, Array], is_numbered: bool) -> list[str]:
    """Return where the layers of the cell stand in a file."""
    return [group.prefix for group in weight_groups(weights, tuple(CELL), is_numbered, is_a_cell)]


@pytest.mark.parametrize(
    ("first", "second", "without"),
    [
        ("cells.0.", "cells.1.", ("bias",)),
        ("cells.0.", "cells.1.", ("recurrent", "bias")),
        ("forward.", "backward.", ("bias",)),
        ("encoder.", "decoder.", ("bias",)),
    ],
)
def test_a_layer_that_lacks_a_parameter_is_refused_and_a_complete_one_is_taken(
    first: str, second: str, without: tuple[str, ...]
) -> None:
    assert set(prefixes({**arrays(first, CELL), **arrays(second, CELL)}, False)) == {first, second}
    lacking = ", ".join(without)
    with pytest.raises(UsageError, match=f"{second[:-1]} lacks {lacking}, which {first[:-1]} has.*give a file"):
        prefixes({**arrays(first, CELL), **arrays(second, CELL, *without)}, False)


def test_an_incomplete_layer_of_keras_is_refused() -> None:
    first, second = "layers/lstm/cell/", "layers/lstm_1/cell/"
    with pytest.raises(UsageError, match="layers/lstm_1/cell lacks bias, which layers/lstm/cell has"):
        prefixes({**arrays(f"{first}vars/", NUMBERED), **arrays(f"{second}vars/", NUMBERED, "2")}, True)


@pytest.mark.parametrize(
    "shapes",
    [
        pytest.param(((D,),) * 4, id="batch-normalization"),
        pytest.param(((D,),) * 3, id="three-vectors"),
        pytest.param(((D,),) * 2, id="layer-normalization"),
        pytest.param(((D, 10), (10,)), id="dense"),
        pytest.param(((20, N),), id="embedding"),
        pytest.param(((N, 3 * D), (D, 3 * D), (3 * D,)), id="another-recurrent-layer"),
    ],
)
def test_another_kind_of_layer_in_a_file_of_keras_is_none_of_the_cell(shapes: tuple[tuple[int, ...], ...]) -> None:
    beside = {f"layers/beside/vars/{place}": np.zeros(shape) for place, shape in enumerate(shapes)}
    cell = arrays("layers/lstm/cell/vars/", NUMBERED)
    assert prefixes({**beside, **cell}, True) == ["layers/lstm/cell/"]
    with pytest.raises(UsageError, match="the file has no"):
        prefixes(beside, True)


def test_a_read_out_with_names_of_the_cell_is_none_of_its_layers() -> None:
    cell, read_out = arrays("0.", CELL), {"1.weight": np.zeros((2, D)), "1.bias": np.zeros(2)}
    dense = {"head.kernel": np.zeros((D, 2)), "head.bias": np.zeros(2)}
    assert prefixes({**cell, **read_out, **dense}, False) == ["0."]


def test_an_incomplete_layer_of_torch_is_refused_by_the_names_of_that_layer() -> None:
    whole = {f"rnn.{name}_l{k}": np.zeros(1) for k in (0, 1) for name in ("w", "b")}
    assert len(weight_groups(whole, ("w_l0", "b_l0"), False, is_a_cell)) == 2
    del whole["rnn.b_l1"]
    with pytest.raises(UsageError, match="layer 1 of rnn lacks b_l1, which layer 0 of rnn has; it has w_l1: give"):
        weight_groups(whole, ("w_l0", "b_l0"), False, is_a_cell)


@pytest.mark.usefixtures("in_process")
@pytest.mark.deep(
    "tests/unit/conversion/test_weight_groups.py"
    "::test_an_incomplete_layer_of_torch_is_refused_by_the_names_of_that_layer"
)
def test_the_command_refuses_a_second_layer_without_its_bias(tmp_path: Path) -> None:
    shapes = {"weight_ih": (4 * D, D), "weight_hh": (4 * D, D), "bias_ih": (4 * D,), "bias_hh": (4 * D,)}
    whole = {f"{name}_l{k}": np.ones(shape, np.float32) for k in (0, 1) for name, shape in shapes.items()}
    output = tmp_path / "out.npz"
    for absent, expected in (("", 0), ("bias_hh_l1", 2)):
        write_weights(tmp_path / "in.npz", {name: value for name, value in whole.items() if name != absent})
        arguments = ["--weights", str(tmp_path / "in.npz"), "--output", str(output)]
        result = CliRunner().invoke(app, ["convert", "torch.nn:LSTM", "torch.nn:LSTM", *arguments])
        assert result.exit_code == expected, result.output
        assert output.exists() == (not absent)
        output.unlink(missing_ok=True)
    assert "layer 1 lacks bias_hh_l1, which layer 0 has" in " ".join(result.output.split())


@pytest.mark.usefixtures("in_process")
@pytest.mark.deep(
    "tests/unit/conversion/test_weight_groups.py::test_another_kind_of_layer_in_a_file_of_keras_is_none_of_the_cell"
)
@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # of Keras on torch, with NumPy 2
def test_a_model_of_keras_with_batch_normalization_gives_its_recurrent_layers_alone(tmp_path: Path) -> None:
    keras = pytest.importorskip("keras")
    layers = [keras.layers.LSTM(D, return_sequences=True), keras.layers.BatchNormalization(), keras.layers.LSTM(D)]
    model = keras.Sequential([keras.Input((5, N)), *layers, keras.layers.Dense(2)])
    model.save_weights(tmp_path / "in.weights.h5")
    arguments = ["--weights", str(tmp_path / "in.weights.h5"), "--output", str(tmp_path / "out.npz")]
    result = CliRunner().invoke(app, ["convert", "keras.layers:LSTM", "torch.nn:LSTM", *arguments])
    assert result.exit_code == 0, result.output
    assert sorted(name for name in read_weights(tmp_path / "out.npz") if name.startswith("weight_ih")) == [
        "weight_ih_l0",
        "weight_ih_l1",
    ]
