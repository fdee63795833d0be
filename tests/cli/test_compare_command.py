"""``compare``: what is said of two targets, and with which exit code it ends."""

from __future__ import annotations

import json

import pytest
import torch
from typer.testing import CliRunner

import rnn_harness
from rnn_harness.cli._app import app
from tests.helpers import HELPERS
from tests.helpers.user_cells import JoinedGRU, PackedGRU

pytestmark = pytest.mark.usefixtures("in_process")
RUN = CliRunner()
CELLS, WRONG = HELPERS / "user_cells.py", HELPERS / "wrong_torch.py"


@pytest.mark.parametrize(
    ("first", "second", "code", "words"),
    [
        ("torch.nn:GRUCell", f"{CELLS}:PackedGRU", 0, "identities of polynomials proved"),
        ("rnn.tanh", "torch.nn:RNNCell", 0, "bias_ih + bias_hh  <-  b_h"),
        ("torch.nn:GRUCell", f"{CELLS}:JoinedGRU", 1, "b_hg (the recurrent bias of the candidate) is zero"),
        ("torch.nn:GRUCell", f"{WRONG}:ResetOnTheInput", 1, "they gave themselves: left 0.231059"),
        ("torch.nn:GRUCell", "torch.nn:LSTMCell", 1, "they are cells of two families"),
        ("mgu", "torch.nn:GRUCell", 1, "66 weights of torch.nn:GRUCell change what it computes"),
        ("mgu", "mgu", 0, "  U_f  <-  U_f\n"),
        ("mgu", f"{HELPERS.parents[1]}/docs/examples/mgu.py:MGU", 0, "W_g.weight  <-  W_h"),
        ("janet", "ligru", 3, "another one may exist"),
    ],
)
def test_two_cells_end_with_the_code_of_their_relation(first: str, second: str, code: int, words: str) -> None:
    result = RUN.invoke(app, ["compare", first, second])
    assert result.exit_code == code, result.output
    assert words in result.stdout


def test_json_holds_all_of_it() -> None:
    result = RUN.invoke(app, ["compare", "torch.nn:GRUCell", "gru.reset_after", "--json", "-"])
    assert result.exit_code == 0, result.output
    document = json.loads(result.stdout)
    assert document["outcome"] == "same"
    assert all(row["is_within_bound"] for side in ("left", "right") for row in document[side]["precision"])
    assert {row["dtype"] for row in document["left"]["precision"]} == {"float64", "float32"}


def test_in_python_objects_are_compared() -> None:
    comparison = rnn_harness.compare(torch.nn.GRUCell(5, 3), JoinedGRU)
    assert comparison.outcome == "different"
    assert comparison.counterexample is not None
    assert rnn_harness.compare(PackedGRU, torch.nn.GRUCell(5, 3)).outcome == "same"


def test_options_that_only_the_first_takes_are_kept_from_the_second() -> None:
    command = ["compare", "torch.nn:RNN", "torch.nn:RNNCell", "--init", "batch_first=true"]
    refused = RUN.invoke(app, command)
    assert refused.exit_code == 2, refused.output
    assert "give torch.nn:RNNCell its own with --init-b key=value, or none with --init-b=" in refused.stderr
    compared = RUN.invoke(app, [*command, "--init-b="])
    assert compared.exit_code == 0, compared.output
    assert "--init=batch_first=true --init-b= --code FILE" in compared.stdout


def test_what_cannot_be_loaded_is_wrong_use() -> None:
    result = RUN.invoke(app, ["compare", "torch.nn:GRUCell", "no_such_module:Cell"])
    assert result.exit_code == 2
    assert "no_such_module" in result.stderr


@pytest.mark.process
@pytest.mark.deep("tests/cli/test_validate_command.py::test_identify_outlives_its_target")
def test_a_target_that_leaves_decides_nothing() -> None:
    result = RUN.invoke(app, ["compare", "torch.nn:RNNCell", f"{CELLS}:LeavingAtOnce"])
    assert result.exit_code == 3
    assert "its process ended with exit code" in result.stderr
