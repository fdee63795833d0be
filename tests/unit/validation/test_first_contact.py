"""What a new user tries first ends in an answer or in a message, and never in a wrong refutation."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

import rnn_harness
from rnn_harness.cli._app import app
from rnn_harness.errors import UsageError
from rnn_harness.validation import Limits, ValidationRequest, collect_validation, run_validation_isolated
from rnn_harness.validation.cells.capabilities import CellSizes
from rnn_harness.validation.loading.construct import constructions
from rnn_harness.validation.loading.size_arguments import size_names
from tests.helpers import HELPERS
from tests.helpers.run_program import run_until_its_assertion
from tests.helpers.run_pytest import run_pytest, run_pytest_process

pytestmark = pytest.mark.usefixtures("in_process", "in_float64")
CELLS = HELPERS / "first_contact.py"
RUN = CliRunner()


def test_a_numpy_step_on_vectors_is_driven_a_row_at_a_time() -> None:
    result = RUN.invoke(app, ["identify", f"{CELLS}:rnn_vector", "--init", "params=make_vector"])
    assert result.exit_code == 0, result.output
    assert "rnn.tanh" in result.stdout
    assert "one vector at a time" in result.stdout


def test_an_object_that_does_not_say_its_sizes_is_tried_in_those_it_has() -> None:
    result = RUN.invoke(app, ["identify", f"{CELLS}:MADE"])
    assert result.exit_code == 0, result.output
    assert "lstm.column: LSTM: gates stacked output, candidate, input, forget" in result.stdout


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ((f"{CELLS}:LazyRNN",), "x.weight has no shape before it is called"),
        ((f"{CELLS}:LongOnly",), "it raised IndexError: list index out of range"),
        ((f"{CELLS}:Exits",), "SystemExit: 0"),
        ((".:X",), "'.' is no module and no file"),
    ],
    ids=["lazy", "only long sequences", "exits", "no module"],
)
def test_what_cannot_be_driven_is_wrong_use_and_not_refuted(target: tuple[str, ...], message: str) -> None:
    result = RUN.invoke(app, ["validate", *target])
    assert result.exit_code == 2, result.output
    assert message in result.stderr
    assert "Traceback" not in result.output


@pytest.mark.parametrize("target", ["Overwrites", "overwriting"])
def test_a_cell_that_writes_into_its_state_is_reported(target: str) -> None:
    options = ["--init", "params=make_vector"] if target == "overwriting" else []
    result = RUN.invoke(app, ["validate", f"{CELLS}:{target}", *options])
    assert result.exit_code == 1
    assert "it writes into the state that it is given" in result.stdout


def test_a_cell_without_gradients_agrees_forward() -> None:
    options = ["--init", "params=make_vector", "--examples", "0"]
    result = RUN.invoke(app, ["validate", f"{CELLS}:rnn_vector", *options])
    assert result.exit_code == 0, result.output
    assert "agrees with rnn.tanh, forward; no gradient was decided" in result.stdout


def test_a_cell_of_a_benchmark_that_is_not_there_is_wrong_use() -> None:
    result = RUN.invoke(app, ["bench", "parameters", "--cell", "nofile.py:X"])
    assert result.exit_code == 2
    assert "there is no file nofile.py" in result.stderr


@pytest.mark.process
@pytest.mark.deep("tests/cli/test_isolation.py::test_what_a_target_prints_does_not_reach_standard_output")
def test_the_output_of_a_cell_is_not_in_the_json() -> None:
    command = [sys.executable, "-m", "rnn_harness", "identify", f"{CELLS}:Prints", "--json", "-"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    assert json.loads(done.stdout)[0]["spec"] == "rnn.tanh"
    assert "hello" in done.stderr


@pytest.mark.process
def test_where_the_time_is_up_nothing_is_blamed() -> None:
    validation = collect_validation(
        "it", run_validation_isolated(ValidationRequest(f"{CELLS}:FusedLSTM", {}), Limits(total=0.3))
    )
    assert validation.outcome == "undecided"
    assert validation.diagnosis is None
    assert "(--total)" in validation.checks[0].reason


@pytest.mark.process
@pytest.mark.deep("tests/unit/validation/test_first_contact.py::test_where_the_time_is_up_nothing_is_blamed")
def test_a_worker_that_has_too_little_time_for_a_call_decides_nothing() -> None:
    request = ValidationRequest(f"{CELLS}:FusedLSTM", {}, examples=0, dtypes=("float64",))
    validation = collect_validation("it", run_validation_isolated(request, Limits(case=0.1)))
    assert validation.outcome == "undecided"
    ended = [record.reason for record in validation.checks if record.check == "process.ended"]
    assert ended
    assert all("--timeout" in reason for reason in ended)


def test_the_program_of_a_detached_state_shows_that_no_gradient_comes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    program = tmp_path / "detached.py"
    result = RUN.invoke(app, ["validate", f"{CELLS}:DetachedLSTM", "--examples", "0", "--repro", str(program)])
    assert result.exit_code == 1, result.output
    run_until_its_assertion(program)
    assert capsys.readouterr().out.startswith("found 0.0 expected")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"spec": "nosuch"}, "there is no spec 'nosuch'"),
        ({"seed": -1}, "seed is -1, expected 0 or more"),
        ({"examples": -1}, "examples is -1, expected 0 or more"),
    ],
    ids=["spec", "seed", "examples"],
)
def test_the_function_refuses_what_the_command_refuses(arguments: dict[str, object], message: str) -> None:
    import torch

    with pytest.raises(UsageError, match=message):
        rnn_harness.validate(torch.nn.GRUCell, **arguments)  # type: ignore[arg-type]


def test_an_empty_name_does_not_mean_everything() -> None:
    result = RUN.invoke(app, ["verify", ""])
    assert result.exit_code == 2
    assert "leave it out to mean all of them" in result.stderr


def test_a_file_in_which_nothing_is_decided_replays_to_nothing_decided(tmp_path: Path) -> None:
    (tmp_path / "empty.jsonl").write_text("", encoding="utf-8")
    assert RUN.invoke(app, ["replay", str(tmp_path / "empty.jsonl")]).exit_code == 3


def test_a_comparison_with_nothing_in_common_decides_nothing(tmp_path: Path) -> None:
    folder = ["--keep-in", str(tmp_path)]
    assert RUN.invoke(app, ["bench", "parameters", "--save", "one", *folder]).exit_code == 0
    result = RUN.invoke(app, ["bench", "parameters", "--compare", "one", "--fail-on", "1%", *folder])
    assert result.exit_code == 3
    assert "have no measured times or rates in common" in result.stderr


@pytest.mark.parametrize(
    ("target", "message"),
    [
        pytest.param("Nobody", "has no 'Nobody'", id="wrong name"),
        pytest.param(
            "LazyRNN",
            "has no shape before",
            id="unknown cell",
            marks=pytest.mark.deep(
                "tests/unit/validation/test_first_contact.py::"
                "test_pytest_fails_once_for_a_name_that_is_wrong_or_a_cell_that_is_unknown"
            ),
        ),
    ],
)
def test_pytest_fails_once_for_a_name_that_is_wrong_or_a_cell_that_is_unknown(
    target: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = run_pytest(tmp_path, monkeypatch, "--rnn-cell", f"{CELLS}:{target}")
    assert run.exit_code == 1, run.stdout
    assert "1 failed" in run.stdout
    assert message in run.stdout


@pytest.mark.process
def test_pytest_refuses_a_spec_that_there_is_not(tmp_path: Path) -> None:
    run = run_pytest_process(tmp_path, "--rnn-cell", f"{CELLS}:MADE", "--rnn-spec", "nosuch")
    assert run.exit_code == 4
    assert "there is no spec 'nosuch'" in run.stderr


@pytest.mark.parametrize(
    ("names", "inputs", "hidden"),
    [
        (("d", "n"), ("d",), ("n",)),
        (("n", "d"), ("n",), ("d",)),
        (("D", "H"), ("D",), ("H",)),
    ],
)
def test_single_letters_are_sizes_in_the_usual_order(
    names: tuple[str, ...], inputs: tuple[str, ...], hidden: tuple[str, ...]
) -> None:
    assert size_names(names) == (inputs, hidden)


class WithAKey:
    """A cell that wants a source of random numbers, which is no text."""

    def __init__(self, input_size: int, hidden_size: int, key: object) -> None:
        if isinstance(key, str):
            raise TypeError("a text is no key")
        self.sizes = (input_size, hidden_size)


def test_a_text_typed_for_what_a_library_gives_is_not_handed_over() -> None:
    ways = constructions("cell", WithAKey, CellSizes(5, 3), {"key": "PRNGKey(0)"}, {"key": object()})
    _, cell = next(ways)
    assert cell.sizes == (5, 3)
    with pytest.raises(UsageError, match="a text is no key"):
        next(constructions("cell", WithAKey, CellSizes(5, 3), {"key": "PRNGKey(0)"}, {}))
