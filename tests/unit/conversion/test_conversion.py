"""Weights go from one cell to another: checked, refused where something would be lost, written under right names."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from rnn_harness.array_types import Array
from rnn_harness.cli._app import app
from rnn_harness.comparison.describe_cell import describe
from rnn_harness.comparison.run_cell import OwnRun, run_own
from rnn_harness.conversion.arrays_left_out import arrays_left_out
from rnn_harness.conversion.conversion_code import layers_lines
from rnn_harness.conversion.family_weights import FamilyWeights
from rnn_harness.conversion.weight_files import ensure_format_is_written, read_weights, write_weights
from rnn_harness.conversion.weight_groups import keras_name, output_name, weight_groups
from rnn_harness.errors import UsageError
from rnn_harness.validation import ValidationRequest, load_target
from tests.helpers import HELPERS
from tests.helpers.user_cells import JoinedGRU

pytestmark = pytest.mark.usefixtures("in_process")
RUN = CliRunner()
NAMES = ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0")
CELLS, VARIANTS = HELPERS / "user_cells.py", HELPERS / "variants.py"


def convert(first: str, second: str, weights: Path, output: Path, *options: str) -> tuple[int, str]:
    """Run the command, and return its exit code and what it printed."""
    arguments = ["convert", first, second, "--weights", str(weights), "--output", str(output), *options]
    result = RUN.invoke(app, arguments)
    return result.exit_code, result.output


def saved(path: Path, module: torch.nn.Module) -> Path:
    """Save the weights of a module."""
    torch.save(module.state_dict(), path)
    return path


def test_layers_and_directions_are_converted_each_and_the_function_of_the_program_does_the_same(tmp_path: Path) -> None:
    module = torch.nn.LSTM(6, 4, num_layers=2, bidirectional=True)
    weights, output, code = saved(tmp_path / "in.pt", module), tmp_path / "out.npz", tmp_path / "code.py"
    exit_code, text = convert("torch.nn:LSTM", "torch.nn:LSTM", weights, output, "--code", str(code))
    assert exit_code == 0, text
    assert "each layer on what those below it gave; the outputs of the whole are " in " ".join(text.split())
    before, after = read_weights(weights), read_weights(output)
    assert set(after) == set(before)
    for suffix in ("l0", "l0_reverse", "l1", "l1_reverse"):
        total = before[f"bias_ih_{suffix}"].astype(np.float64) + before[f"bias_hh_{suffix}"]
        np.testing.assert_array_equal(after[f"bias_ih_{suffix}"], total.astype(np.float32))
        assert not after[f"bias_hh_{suffix}"].any()
        np.testing.assert_array_equal(after[f"weight_ih_{suffix}"], before[f"weight_ih_{suffix}"])
    scope: dict[str, object] = {}
    exec(code.read_text(encoding="utf-8"), scope)
    layer = {name: value for name, value in before.items() if name.endswith("_l0")}
    function = scope["convert"]
    assert callable(function)
    for name, value in function(layer).items():
        np.testing.assert_allclose(value, after[name], rtol=1e-6)
    of_all_layers = scope["convert_layers"]
    assert callable(of_all_layers)
    made = of_all_layers(before)
    assert set(made) == set(after)
    for name, value in made.items():
        np.testing.assert_allclose(value, after[name], rtol=1e-6)


def test_the_program_numbers_layers_where_one_side_alone_has_numbers() -> None:
    scope: dict[str, Any] = {"convert": lambda layer: {"w_l0": -layer["kernel"]}}
    exec("\n".join(layers_lines(("kernel",), ("w_l0",))), scope)
    layers = [{"kernel": number} for number in (1, 2, 3, 4)]
    assert scope["convert_layers"](layers, 2) == {"w_l0": -1, "w_l0_reverse": -2, "w_l1": -3, "w_l1_reverse": -4}
    scope = {"convert": lambda layer: {"kernel": -layer["w_l0"]}}
    exec("\n".join(layers_lines(("w_l0",), ("kernel",))), scope)
    by_layer = {"l0": {"kernel": -1}, "l1_reverse": {"kernel": -2}}
    assert scope["convert_layers"]({"w_l0": 1, "w_l1_reverse": 2}) == by_layer
    assert not list(layers_lines(("kernel",), ("w",)))


@pytest.mark.parametrize(
    ("first", "second", "module"),
    [
        ("torch.nn:GRUCell", f"{CELLS}:PackedGRU", torch.nn.GRUCell(5, 3)),
        ("torch.nn:LSTMCell", f"{VARIANTS}:Interleaved", torch.nn.LSTMCell(5, 3)),
        ("torch.nn:LSTMCell", f"{VARIANTS}:Shifted", torch.nn.LSTMCell(5, 3)),
        (f"{CELLS}:JoinedGRU", "gru.write.004", JoinedGRU(5, 3)),
        (f"{CELLS}:JoinedGRU", "gru.write.concatenated", JoinedGRU(5, 3)),
    ],
)
def test_the_program_gives_what_the_command_writes(
    first: str, second: str, module: torch.nn.Module, tmp_path: Path
) -> None:
    weights, output, code = saved(tmp_path / "in.pt", module), tmp_path / "out.npz", tmp_path / "code.py"
    exit_code, text = convert(first, second, weights, output, "--code", str(code))
    assert exit_code == 0, text
    scope: dict[str, object] = {}
    exec(code.read_text(encoding="utf-8"), scope)
    function = scope["convert"]
    assert callable(function)
    made: dict[str, Array] = function(read_weights(weights))
    written = read_weights(output)
    assert set(made) == set(written)
    for name, value in written.items():
        np.testing.assert_allclose(made[name], value, rtol=1e-6, atol=1e-7, err_msg=name)
    assert len(code.read_text(encoding="utf-8").splitlines()) < 40


def test_weights_of_a_family_in_wrong_places_are_not_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    right = FamilyWeights.stored

    def exchanged(self: FamilyWeights, named: Mapping[str, Array], dtype: np.dtype[np.generic]) -> dict[str, Array]:
        return right(self, {**named, "W_xf": named["W_xi"], "W_xi": named["W_xf"]}, dtype)

    monkeypatch.setattr(FamilyWeights, "stored", exchanged)
    weights = saved(tmp_path / "in.pt", torch.nn.LSTMCell(5, 3))
    code, text = convert("torch.nn:LSTMCell", "torch.nn:LSTM", weights, tmp_path / "out.pt")
    assert code == 3, text
    assert "is not what was to be written" in text
    assert not (tmp_path / "out.pt").exists()


def test_what_cannot_be_represented_is_refused_with_its_size_and_written_as_the_nearest_where_that_is_wanted(
    tmp_path: Path,
) -> None:
    module = torch.nn.GRUCell(5, 3)
    weights, output = saved(tmp_path / "in.pt", module), tmp_path / "out.npz"
    exit_code, text = convert("torch.nn:GRUCell", f"{CELLS}:JoinedGRU", weights, output)
    assert exit_code == 1
    lost = float(module.bias_hh.detach()[6:].abs().max())
    assert f"b_hg (the recurrent bias of the candidate) is zero: broken by up to {lost:.3g}" in text
    assert not output.exists()
    assert convert("torch.nn:GRUCell", f"{CELLS}:JoinedGRU", weights, output, "--nearest")[0] == 0
    assert output.exists()


def test_weights_that_meet_the_condition_are_converted_though_others_could_not_be(tmp_path: Path) -> None:
    module = torch.nn.GRUCell(5, 3)
    with torch.no_grad():
        module.bias_hh[6:] = 0
        module.weight_hh[6:] = torch.diag(torch.tensor([0.5, -1.0, 2.0]))
    weights, output = saved(tmp_path / "in.pt", module), tmp_path / "out.npz"
    exit_code, text = convert("torch.nn:GRUCell", f"{CELLS}:JoinedGRU", weights, output)
    assert exit_code == 0, text
    other = JoinedGRU(5, 3)
    other.load_state_dict({name: torch.from_numpy(value) for name, value in read_weights(output).items()})
    x, h = torch.randn(2, 5), torch.randn(2, 3)
    torch.testing.assert_close(other(x, h), module(x, h))


def test_a_stack_is_checked_on_what_its_layers_give_to_each_other() -> None:
    """The worker's run of the layers of a stack gives what torch gives for the whole."""
    module = torch.nn.GRU(3, 2, num_layers=2, bidirectional=True, dtype=torch.float64)
    weights = {name: value.detach().numpy() for name, value in module.named_parameters()}
    request = ValidationRequest("torch.nn:GRU")
    target = load_target("torch.nn:GRU")
    sequence = np.random.default_rng(0).standard_normal((4, 2, 3))
    suffixes = ("_l0", "_l0_reverse", "_l1", "_l1_reverse")
    own = {suffix: {name: weights[name.replace("_l0", suffix)] for name in NAMES} for suffix in suffixes}
    below = (None, None, (0, 1), (0, 1))
    runs = tuple(
        OwnRun("float64", own[suffix], None if reads else sequence, 2, reads or (), suffix.endswith("reverse"))
        for suffix, reads in zip(suffixes, below, strict=True)
    )
    known_map = describe(request, target, is_measured=False).map
    given = [outputs.array() for outputs in run_own(request, runs, known_map, target).outputs if outputs is not None]
    expected = module(torch.tensor(sequence))[0].detach().numpy()
    np.testing.assert_allclose(np.concatenate(given[2:], 2), expected, rtol=1e-12, atol=1e-14)


def test_arrays_inside_a_layer_that_the_cell_lacks_are_refused_and_those_beside_it_are_told() -> None:
    rows = {f"rnn.{name}": np.zeros(1) for name in NAMES} | {"emb.weight": np.zeros((5, 3)), "h0": np.zeros(2)}
    groups = weight_groups(rows, NAMES, False, lambda _: True)
    assert arrays_left_out(rows, groups, "torch.nn:LSTM", NAMES) == ("emb.weight (5, 3)", "h0 (2,)")
    projected = {**rows, "rnn.weight_hr_l0": np.zeros((2, 3))}
    groups = weight_groups(projected, NAMES, False, lambda _: True)
    with pytest.raises(
        UsageError, match=r"weight_hr_l0 \(2, 3\) among the weights of layer 0, for which torch.nn:LSTM has"
    ):
        arrays_left_out(projected, groups, "torch.nn:LSTM", NAMES)
    bare = {"weight_ih": np.zeros(1), "weight_hh": np.zeros(1), "bias_ih": np.zeros(1)}
    groups = weight_groups(bare, ("weight_ih", "weight_hh"), False, lambda _: True)
    with pytest.raises(UsageError, match="the file has bias_ih"):
        arrays_left_out(bare, groups, "torch.nn:GRUCell", ("weight_ih", "weight_hh"))
    assert arrays_left_out(bare, groups, "Mine", ("weight_ih", "weight_hh"), ("bias_ih",)) == ("bias_ih (1,)",)


def test_a_file_that_lacks_a_parameter_is_told(tmp_path: Path) -> None:
    write_weights(tmp_path / "in.npz", {"weight_ih": np.zeros((9, 5), np.float32)})
    exit_code, text = convert("torch.nn:GRUCell", "torch.nn:GRUCell", tmp_path / "in.npz", tmp_path / "out.npz")
    assert exit_code == 2
    assert "the file has no bias_hh, bias_ih, weight_hh; it has weight_ih" in text


def test_two_families_and_formats_without_an_end_are_not_converted(tmp_path: Path) -> None:
    weights = saved(tmp_path / "in.pt", torch.nn.GRUCell(5, 3))
    exit_code, text = convert("torch.nn:GRUCell", "torch.nn:LSTMCell", weights, tmp_path / "out.npz")
    assert exit_code == 1
    assert "two families" in text
    exit_code, text = convert("torch.nn:GRUCell", "torch.nn:GRUCell", weights, tmp_path / "out.pickle")
    assert exit_code == 2
    assert "out.pickle has none of the endings" in text


@pytest.mark.parametrize(
    "ending",
    [
        ".safetensors",
        ".pt",
        ".npz",
        ".weights.h5",
        ".msgpack",
        pytest.param(
            ".orbax",
            marks=pytest.mark.deep(
                "tests/unit/conversion/test_conversion.py::test_every_format_gives_back_what_was_written"
            ),
        ),
    ],
)
def test_every_format_gives_back_what_was_written(ending: str, tmp_path: Path) -> None:
    modules = {".safetensors": "safetensors", ".weights.h5": "h5py", ".msgpack": "flax", ".orbax": "orbax.checkpoint"}
    if ending in modules:
        pytest.importorskip(modules[ending])
    weights = {"layers/cell/vars/0": np.arange(6.0).reshape(2, 3).T, "layers/cell/vars/1": np.ones(3, np.float32)}
    write_weights(tmp_path / f"a{ending}", weights)
    again = read_weights(tmp_path / f"a{ending}")
    assert set(again) == set(weights)
    for name, value in weights.items():
        np.testing.assert_array_equal(again[name], value)


def test_a_folder_is_read_only_where_it_is_a_checkpoint_and_never_written_over(tmp_path: Path) -> None:
    (tmp_path / "mine.orbax").mkdir()
    with pytest.raises(UsageError, match=r"mine\.orbax is a folder, and no checkpoint of Orbax"):
        read_weights(tmp_path / "mine.orbax")
    with pytest.raises(UsageError, match="there is something of that name; give a name that is free"):
        ensure_format_is_written(tmp_path / "mine.orbax")


def test_a_file_that_is_none_of_its_format_is_told(tmp_path: Path) -> None:
    (tmp_path / "in.npz").write_bytes(b"no archive")
    with pytest.raises(UsageError, match="cannot be read as npz"):
        read_weights(tmp_path / "in.npz")


def any_shapes(arrays: Mapping[str, Array]) -> bool:
    """Take arrays of any shapes for a layer."""
    return bool(arrays)


def test_layers_are_found_behind_prefixes_and_by_the_numbers_of_keras() -> None:
    one = np.zeros(1)
    named = {f"encoder.rnn.{name}_l{k}": one for k in (1, 0) for name in ("w", "b")}
    groups = weight_groups(named, ("w_l0", "b_l0"), False, any_shapes)
    assert [(group.prefix, group.layer) for group in groups] == [("encoder.rnn.", 0), ("encoder.rnn.", 1)]
    assert output_name("w_l0", groups[1], groups) == "encoder.rnn.w_l1"
    numbered = {
        f"layers/bidirectional{number}/{direction}_layer/cell/vars/{i}": one
        for number in ("", "_1", "_10", "_2")  # the order of a file of Keras
        for direction in ("backward", "forward")
        for i in (0, 1)
    }
    both = weight_groups(numbered, ("kernel", "bias"), True, any_shapes)
    directions = [(layer, is_reverse) for layer in range(4) for is_reverse in (False, True)]
    assert [(group.layer, group.is_reverse) for group in both] == directions
    assert both[-1].prefix == "layers/bidirectional_10/backward_layer/cell/"
    assert keras_name(1, "LSTM", both[1], both) == "layers/bidirectional/backward_layer/cell/vars/1"
    tree = {"params/GRUCell_0/in/kernel": one, "params/GRUCell_0/in/bias": one}
    (only,) = weight_groups(tree, ("in/kernel", "in/bias"), False, any_shapes)
    assert output_name("in/kernel", only, (only,)) == "in/kernel"
