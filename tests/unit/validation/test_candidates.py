"""Somebody's cell is driven, named, and judged; what cannot be driven is said to be that and not to be wrong."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from rnn_harness.cli._app import app
from rnn_harness.records.record import Record
from rnn_harness.records.verdict import Outcome
from rnn_harness.validation import (
    Identification,
    ValidationRequest,
    collect_validation,
    identify,
    load_target,
    read_options,
    run_validation,
)
from tests.helpers import HELPERS

pytestmark = pytest.mark.usefixtures("in_process", "equations_alone")
BRIEF = ("--examples", "0", "--dtype", "float64")
"""The fixed cases of one format: enough to say what a cell is."""
CELLS = HELPERS / "user_cells.py"
RUN = CliRunner()


def _identify(name: str, **options: object) -> tuple[Identification, ...]:
    return identify(load_target(f"{CELLS}:{name}" if ":" not in name else name, options))


@pytest.mark.parametrize(
    ("name", "spec", "phrases"),
    [
        ("torch.nn:RNNCell", "rnn.tanh", ("tanh activation", "two biases", "one step")),
        ("torch.nn:GRUCell", "gru.reset_after", ("reset after", "reset, update, candidate", "two biases a gate")),
        ("torch.nn:LSTMCell", "lstm.column", ("input, forget, candidate, output", "two states as a tuple")),
        ("torch.nn:RNN", "rnn.tanh", ("a sequence, time first",)),
        ("torch.nn:GRU", "gru.reset_after", ("a sequence, time first",)),
        ("torch.nn:LSTM", "lstm.column", ("a sequence, time first",)),
        ("PackedGRU", "gru.reset_after", ("reset after", "two biases a gate")),
        (
            "JoinedGRU",
            "gru.write.concatenated",
            ("reset before", "z = 1 takes the candidate", "update, reset", "weights on [x, h]"),
        ),
        ("LSTMOverTime", "lstm.column", ("batch first", "the cell state comes first", "one bias a gate")),
        ("READY", "lstm.column", ("one step",)),
        ("OneBiasResetAfter", "gru.reset_after", ("update, reset, candidate", "candidate's outside the reset")),
        ("GivesADictionary", "gru.reset_after", ("one step",)),
        ("LayerwiseLSTM", "lstm.column", ("input, forget, candidate, output", "two biases a gate")),
    ],
)
def test_a_right_cell_is_named_with_its_layout(name: str, spec: str, phrases: tuple[str, ...]) -> None:
    (match,) = _identify(name)
    assert match.spec == spec
    assert not match.faults
    assert all(phrase in match.sentence() for phrase in phrases), match.sentence()


def test_a_layer_that_is_told_to_be_batch_first_is_seen_to_be() -> None:
    (match,) = _identify("torch.nn:LSTM", batch_first=True)
    assert "a sequence, batch first" in match.sentence()


def test_a_cell_whose_variant_no_spec_has_is_named_all_the_same() -> None:
    (match,) = _identify("make_gru")
    assert match.spec is None
    assert "no bias" in match.sentence()


def test_a_state_before_the_input_and_an_option_of_the_constructor() -> None:
    (match,) = _identify("StateFirstRNN", activation="tanh")
    assert match.spec == "rnn.tanh"
    assert "one state before the input" in match.sentence()


def test_a_cell_that_is_none_is_unknown() -> None:
    assert _identify("StateFirstRNN", activation="sine") == ()


@pytest.mark.parametrize(
    ("name", "part", "difference"),
    [
        pytest.param(
            "GRUWithoutReset",
            "forward: reset gate",
            "the reset gate is not used",
            marks=pytest.mark.deep(
                "tests/unit/validation/test_candidates.py::test_identify_ends_with_the_exit_code_of_its_answer"
            ),
        ),
        ("LinearOutputLSTM", "forward: hidden state, activation", "identity in the place of tanh"),
    ],
)
def test_a_wrong_cell_is_told_the_fault_that_it_has(name: str, part: str, difference: str) -> None:
    found = collect_validation(
        name, run_validation(load_target(f"{CELLS}:{name}"), ValidationRequest(examples=0, dtypes=("float64",)))
    )
    assert found.outcome == "refuted"
    assert found.diagnosis is not None
    assert found.diagnosis.part == part
    assert difference in found.diagnosis.difference


def test_a_constant_that_is_added_to_the_forget_gate_is_a_variant_and_not_the_cell_of_the_documents() -> None:
    (match,) = _identify("ForgetBiasAddedLSTM")
    assert "1 is added to the forget gate" in match.sentence()
    request = ValidationRequest(spec="lstm.column", examples=0, dtypes=("float64",))
    found = collect_validation("x", run_validation(load_target(f"{CELLS}:ForgetBiasAddedLSTM"), request))
    assert found.outcome == "refuted"
    assert found.diagnosis is not None
    assert found.diagnosis.difference == "1 is added to the forget gate, not 0"


def _by_check(name: str, **options: object) -> dict[str, Record]:
    found = collect_validation(
        name,
        run_validation(load_target(f"{CELLS}:{name}", options), ValidationRequest(examples=0, dtypes=("float64",))),
    )
    return {record.check: record for record in found.checks}


@pytest.mark.all_checks
@pytest.mark.parametrize(
    "name",
    [
        "READY",
        "WithoutState",
        "LSTMOverTime",
        *(
            pytest.param(
                name,
                marks=pytest.mark.deep(
                    "tests/unit/validation/test_candidates.py::test_of_a_right_cell_nothing_is_refuted"
                ),
            )
            for name in ("PackedGRU", "JoinedGRU", "OneBiasResetAfter", "LayerwiseLSTM", "make_gru")
        ),
    ],
)
def test_of_a_right_cell_nothing_is_refuted(name: str) -> None:
    found = _by_check(name)
    assert found["backward.entries"].outcome is Outcome.AGREES
    assert found["precision.format"].outcome is Outcome.AGREES
    assert not [record.reason for record in found.values() if record.outcome is Outcome.REFUTED]


def test_a_wrong_gradient_behind_a_right_forward_is_told_by_parameter() -> None:
    found = _by_check("HalfTrainedGRU")
    assert found["identification.unique"].outcome is Outcome.AGREES
    assert found["precision.format"].outcome is Outcome.AGREES
    refuted = found["backward.bound"]
    assert refuted.outcome is Outcome.REFUTED
    wrong, right = refuted.reason.split("; wrong: ")[1].split("; right: ")
    assert set(wrong.split(", ")) == {"parameters.W_hr", "parameters.W_hz", "parameters.W_hg"}
    assert "parameters.W_xr" in right


@pytest.mark.parametrize(
    ("target", "told"),
    [
        (
            "user_cells.py",
            "there is no file user_cells.py; expected a file with a cell (package.module:Name or path/file.py:Name)",
        ),
        ("no_such_module_at_all:X", "cannot import 'no_such_module_at_all'"),
        ("no/such/file.py:X", "there is no file no/such/file.py"),
        (f"{CELLS}:PackedGru", "has no 'PackedGru'; did you mean PackedGRU"),
        (f"{CELLS}:NUMBER", "is a builtins.int; expected a module of torch, Keras, flax or equinox"),
        (f"{CELLS}:StateFirstRNN", "give what it needs besides with --init activation=..."),
        ("torch.nn:Embedding", "cannot drive Embedding"),
    ],
)
def test_what_cannot_be_driven_is_said_to_be_that(target: str, told: str) -> None:
    found = RUN.invoke(app, ["identify", target])
    assert found.exit_code == 2
    assert told in found.stderr
    assert "Traceback" not in found.stderr


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("Wide", "cell (nn.RNNCell, 5 inputs, 3 units) is rnn.tanh: simple RNN"),
        ("TwoLayers", "inner (nn.LSTM, 5 inputs, 3 units, 2 layers) is lstm.column: LSTM"),
    ],
)
def test_of_a_model_the_recurrent_parts_are_identified(name: str, part: str) -> None:
    found = RUN.invoke(app, ["identify", f"{CELLS}:{name}"])
    assert found.exit_code == 0
    assert part in " ".join(found.stdout.split())
    assert f"{name} is a model with one recurrent part" in " ".join(found.stdout.split())


def test_an_option_that_the_constructor_does_not_take_is_refused() -> None:
    found = RUN.invoke(app, ["identify", f"{CELLS}:PackedGRU", "--init", "colour=red"])
    assert found.exit_code == 2
    assert "takes no colour; it takes input_size, hidden_size" in found.stderr


def test_options_are_python_literals_or_text() -> None:
    assert read_options(["bias=False", "name=tanh", "k=3"]) == {"bias": False, "name": "tanh", "k": 3}
    with pytest.raises(ValueError, match="--init 'bias' is no key=value"):
        read_options(["bias"])


@pytest.mark.parametrize(("name", "code"), [("PackedGRU", 0), ("GRUWithoutReset", 1)])
def test_identify_ends_with_the_exit_code_of_its_answer(name: str, code: int) -> None:
    found = RUN.invoke(app, ["identify", f"{CELLS}:{name}"])
    assert found.exit_code == code
    assert ("the reset gate is not used" in found.stdout) == (code == 1)


def test_identify_says_unknown_with_exit_code_3() -> None:
    found = RUN.invoke(app, ["identify", f"{CELLS}:StateFirstRNN", "--init", "activation=sine"])
    assert found.exit_code == 3
    assert "is unknown: it equals no cell that is known" in found.stdout


def test_validate_says_what_it_is_and_how_precise_and_keeps_records(tmp_path: Path) -> None:
    path = tmp_path / "records.jsonl"
    arguments = ["validate", f"{CELLS}:PackedGRU", *BRIEF, "--records", str(path)]
    found = RUN.invoke(app, arguments)
    assert found.exit_code == 0, found.stdout
    assert "gru.reset_after: GRU: reset after the recurrent product" in " ".join(found.stdout.split())
    assert "✓ agrees with gru.reset_after" in found.stdout
    assert all(json.loads(line)["kernel"].endswith("PackedGRU") for line in path.read_text().splitlines())


def test_validate_against_another_spec_says_what_it_is_instead() -> None:
    found = RUN.invoke(app, ["validate", f"{CELLS}:PackedGRU", "--spec", "gru.sigma", *BRIEF])
    assert found.exit_code == 1
    assert "the reset gate acts after the recurrent product, not before it" in " ".join(found.stdout.split())


def test_validate_against_a_spec_that_there_is_not_names_the_nearest() -> None:
    found = RUN.invoke(app, ["validate", f"{CELLS}:PackedGRU", "--spec", "gru.reset_aftr"])
    assert found.exit_code == 2
    assert "did you mean gru.reset_after" in found.stderr


def test_validate_of_an_unknown_cell_says_what_holds_for_it_and_what_to_do() -> None:
    found = RUN.invoke(app, ["validate", f"{CELLS}:StateFirstRNN", "--init", "activation=sine", *BRIEF])
    assert found.exit_code == 3
    assert "unknown: it equals no cell that is known" in found.stdout
    assert "~ consistent with what holds for every recurrent cell" in found.stdout
    assert "difference quotients" in " ".join(found.stdout.split())


def test_an_unknown_cell_is_not_the_spec_that_it_should_be() -> None:
    found = RUN.invoke(
        app, ["validate", f"{CELLS}:StateFirstRNN", "--init", "activation=sine", "--spec", "rnn.tanh", *BRIEF]
    )
    assert found.exit_code == 1
    assert "equals no cell that is known" in found.stdout
    assert "✗ refuted" in found.stdout
