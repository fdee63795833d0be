"""A recurrent layer of a model goes into a cell, and a cell into a model that is one layer, or it is said why not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn
from typer.testing import CliRunner

from rnn_harness.cli._app import app
from rnn_harness.conversion.weight_files import read_weights
from tests.helpers import HELPERS
from tests.helpers.models_with_layers import StartsElsewhere, TwoKinds, Wrapped
from tests.helpers.padded_models import MeanOfTokens

pytestmark = pytest.mark.usefixtures("in_process")
MODELS = HELPERS / "models_with_layers.py"
TWO_KINDS = f"{MODELS}:TwoKinds"
deep = pytest.mark.deep(
    "tests/unit/conversion/test_convert_layer_of_model.py::test_the_named_layer_of_a_model_goes_into_a_cell"
)


def convert(tmp_path: Path, module: nn.Module, *arguments: str) -> tuple[int, str, Path]:
    """Convert the weights of a module; the exit code, what was printed on one line, and the file that is written."""
    weights, output = tmp_path / "in.pt", tmp_path / "out.npz"
    torch.save(module.state_dict(), weights)
    command = ["convert", *arguments, "--weights", str(weights), "--output", str(output)]
    result = CliRunner().invoke(app, command)
    return result.exit_code, " ".join(result.output.split()), output


def at_described_sizes(kind: type[nn.Module]) -> nn.Module:
    """A model of the sizes at which it is described: input size 5, hidden size 3."""
    torch.manual_seed(3)
    return kind(5, 3)


def test_the_named_layer_of_a_model_goes_into_a_cell(tmp_path: Path) -> None:
    module = at_described_sizes(TwoKinds)
    code, text, output = convert(tmp_path, module, TWO_KINDS, "torch.nn:LSTM", "--layer", "second")
    assert code == 0, text
    assert "second (n = 3, d = 3); outputs " in text
    assert "Not converted, since it is of no layer that was: first.weight_ih_l0 (9, 5)" in text
    written, held = read_weights(output), {k: v.numpy() for k, v in module.state_dict().items()}
    assert set(written) == {name for name, _ in nn.LSTM(3, 3).named_parameters()}
    np.testing.assert_array_equal(written["weight_ih_l0"], held["second.weight_ih_l0"])
    np.testing.assert_array_equal(written["weight_hh_l0"], held["second.weight_hh_l0"])
    biases = held["second.bias_ih_l0"].astype(np.float64) + held["second.bias_hh_l0"]
    np.testing.assert_allclose(written["bias_ih_l0"] + written["bias_hh_l0"], biases, rtol=0, atol=2.0**-23)


def test_of_several_layers_one_must_be_named(tmp_path: Path) -> None:
    code, text, output = convert(tmp_path, at_described_sizes(TwoKinds), TWO_KINDS, "torch.nn:LSTM")
    assert code == 2, text
    assert "is a model (first of n = 5, d = 3, second of n = 3, d = 3) and torch.nn:LSTM is one layer" in text
    assert "name the layer with --layer, one of first, second" in text
    assert not output.exists()


@deep
def test_a_layer_that_is_not_there_is_told_with_those_that_are(tmp_path: Path) -> None:
    module = at_described_sizes(TwoKinds)
    code, text, _ = convert(tmp_path, module, TWO_KINDS, "torch.nn:LSTM", "--layer", "third")
    assert code == 2, text
    assert "expected one of first, second" in text


@deep
def test_a_layer_of_another_family_is_refused_and_nothing_is_written(tmp_path: Path) -> None:
    module = at_described_sizes(TwoKinds)
    code, text, output = convert(tmp_path, module, TWO_KINDS, "torch.nn:LSTM", "--layer", "first")
    assert code == 1, text
    assert "they are cells of two families: gru and lstm" in text
    assert not output.exists()


@deep
def test_a_cell_goes_into_a_model_that_has_no_other_weights(tmp_path: Path) -> None:
    torch.manual_seed(4)
    layer = nn.LSTM(5, 3)
    code, text, output = convert(tmp_path, layer, "torch.nn:LSTM", f"{MODELS}:Wrapped")
    assert code == 0, text
    model, x = Wrapped(5, 3), torch.randn(2, 6, 5)
    model.load_state_dict({name: torch.from_numpy(value) for name, value in read_weights(output).items()})
    expected = torch.relu(layer(x.transpose(0, 1))[0]).transpose(0, 1)
    torch.testing.assert_close(model(x), expected)


@deep
def test_a_cell_does_not_go_into_a_model_with_other_weights(tmp_path: Path) -> None:
    code, text, output = convert(tmp_path, nn.LSTM(3, 3), "torch.nn:LSTM", TWO_KINDS, "--layer", "second")
    assert code == 2, text
    assert "head.bias besides second, for which a file of torch.nn:LSTM has no weights" in text
    assert not output.exists()


@deep
def test_a_layer_that_begins_elsewhere_is_not_called_checked(tmp_path: Path) -> None:
    module = at_described_sizes(StartsElsewhere)
    code, text, output = convert(tmp_path, module, f"{MODELS}:StartsElsewhere", "torch.nn:GRU")
    assert code == 3, text
    assert "begins with a state that is not zero" in text
    assert not output.exists()


@deep
def test_a_cell_of_other_sizes_than_the_model_is_refused(tmp_path: Path) -> None:
    code, text, output = convert(tmp_path, nn.LSTM(5, 7), "torch.nn:LSTM", f"{MODELS}:Wrapped")
    assert code == 1, text
    assert "make it of the sizes of the file with --init-b" in text
    assert not output.exists()


@deep
def test_between_two_cells_no_layer_is_named(tmp_path: Path) -> None:
    code, text, _ = convert(tmp_path, nn.LSTM(5, 3), "torch.nn:LSTM", "torch.nn:LSTMCell", "--layer", "rnn")
    assert code == 2, text
    assert "names a layer of a model where the other target is one layer, and neither of these is a model" in text


def test_an_option_that_one_of_the_two_does_not_take_names_init_b(tmp_path: Path) -> None:
    module = at_described_sizes(Wrapped)
    code, text, _ = convert(tmp_path, module, f"{MODELS}:Wrapped", "torch.nn:LSTM", "--init", "num_layers=2")
    assert code == 2, text
    assert "--init counts for both: give with --init-b key=value what torch.nn:LSTM alone takes" in text
    of_tokens = f"{HELPERS / 'padded_models.py'}:MeanOfTokens"
    code, text, _ = convert(tmp_path, MeanOfTokens(), of_tokens, "torch.nn:RNN", "--init", "vocabulary=11")
    assert code == 2, text
    assert "--init counts for both: give torch.nn:RNN its own with --init-b key=value, or none with --init-b=" in text


@pytest.mark.deep(
    "tests/unit/conversion/test_convert_layer_of_model.py::"
    "test_an_option_that_one_of_the_two_does_not_take_names_init_b"
)
def test_weights_of_other_sizes_say_how_each_of_the_two_is_made_of_them(tmp_path: Path) -> None:
    torch.manual_seed(3)
    code, text, _ = convert(tmp_path, Wrapped(5, 4), f"{MODELS}:Wrapped", "torch.nn:LSTM")
    assert code == 2, text
    assert (
        "of the sizes of the file with --init (--init-b gives the second its own options, and --init-b= none)" in text
    )
