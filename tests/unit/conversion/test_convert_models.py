"""Weights of whole models: layers, an embedding and a head go over by name or shape, and the outputs are compared."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from typer.testing import CliRunner

from rnn_harness.cli._app import app
from rnn_harness.conversion.weight_files import read_weights
from tests.helpers import HELPERS
from tests.helpers.models_to_convert import Layers, Stack, saved_stack

pytestmark = pytest.mark.usefixtures("in_process")
RUN = CliRunner()
MODELS = HELPERS / "models_to_convert.py"


def convert(second: str, output: Path) -> tuple[int, str]:
    """Convert the weights of a stack, and return the exit code and what was printed, on one line."""
    weights = output.with_suffix(".in.pt")
    saved_stack(str(weights))
    arguments = ["convert", f"{MODELS}:Stack", second, "--weights", str(weights), "--output", str(output)]
    result = RUN.invoke(app, arguments)
    return result.exit_code, " ".join(result.output.split())


def test_a_model_with_an_embedding_and_a_head_is_converted_and_gives_the_same(tmp_path: Path) -> None:
    output = tmp_path / "out.npz"
    code, text = convert(f"{MODELS}:Layers", output)
    assert code == 0, text
    assert "2 layers and 3 other parameters converted; the outputs of the whole models are" in text
    assert "words.weight <- embedding.weight" in text
    layers, stack = Layers(), Stack()
    layers.load_state_dict({name: torch.from_numpy(value) for name, value in read_weights(output).items()})
    stack.load_state_dict(saved_stack(str(tmp_path / "again.pt")))
    tokens = torch.randint(9, (2, 5))
    torch.testing.assert_close(layers(tokens), stack(tokens.T).transpose(0, 1))


@pytest.mark.deep(
    "tests/unit/conversion/test_convert_models.py::"
    "test_a_model_with_an_embedding_and_a_head_is_converted_and_gives_the_same"
)
def test_what_has_no_counterpart_in_the_other_model_is_refused_by_its_name(tmp_path: Path) -> None:
    code, text = convert(f"{MODELS}:WithoutBias", tmp_path / "out.npz")
    assert code == 1, text
    assert "head.bias (9,) of" in text
    assert "has no counterpart in the other model" in text
    assert not (tmp_path / "out.npz").exists()


def test_a_model_that_is_wired_otherwise_gets_no_weights(tmp_path: Path) -> None:
    code, text = convert(f"{MODELS}:SumOfLayers", tmp_path / "out.npz")
    assert code == 3, text
    assert "the check failed: the outputs of the whole models are" in text
    assert not (tmp_path / "out.npz").exists()


@pytest.mark.deep(
    "tests/unit/conversion/test_convert_models.py::"
    "test_a_model_with_an_embedding_and_a_head_is_converted_and_gives_the_same"
)
def test_a_model_and_one_layer_are_told_apart_with_what_to_type(tmp_path: Path) -> None:
    code, text = convert("torch.nn:GRU", tmp_path / "out.npz")
    assert code == 2, text
    assert "is a model (layer 0 of rnn of n = 3, d = 4, layer 1 of rnn of n = 4, d = 4) and torch.nn:GRU is one" in text
