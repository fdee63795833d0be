"""``rnn-harness explain``: checks, groups, ids, families and mutants by name."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from rnn_harness.cli._app import app


def explain(name: str) -> Result:
    """Run ``rnn-harness explain`` in this process."""
    return CliRunner().invoke(app, ["explain", name])


@pytest.mark.parametrize(
    ("name", "sentences"),
    [
        ("backward.bound", ("Compare every gradient", "the proved rounding bound", "feedforward.slope missing")),
        ("metamorphic.causality", ("Later inputs change nothing earlier.", "bit for bit", "rnn.input one step late")),
        ("wiring.rows", ("Change one number of the sequence",)),
        ("metamorphic", ("metamorphic.causality", "properties that tie runs", "next: rnn-harness explain ")),
        ("e-348", ("X-005", "tanh(W_xg.T @ x[t]", "decided by text.audit (text)", "forward.equation (reference)")),
        ("X-005", ("One closing parenthesis too many",)),
        ("Q-18", ("next: rnn-harness verify Q-18",)),
        ("003", ("E-348",)),
        ("gru.keep.column", ("its parameter W_xz is W_xz^T of the spec", "its parameters b_z, b_r, b_g are those")),
        ("gru", ("reset gate, update gate, candidate", "gru.reset_after: ", "gru.keep.column: ")),
        ("rnn.input one step late", ("- new += a[t]", "+ new += a[t - 1]", "metamorphic.causality")),
    ],
)
def test_a_name_is_explained(name: str, sentences: tuple[str, ...]) -> None:
    done = explain(name)
    assert done.exit_code == 0, done.output
    for sentence in sentences:
        assert sentence in done.stdout


@pytest.mark.parametrize("option", [("--output", "equations.txt"), ("--format", "latex")], ids=lambda pair: pair[0])
def test_a_file_and_a_format_are_only_for_the_equations_of_a_cell(option: tuple[str, str]) -> None:
    done = CliRunner().invoke(app, ["explain", "E-348", *option])
    assert done.exit_code == 2
    assert f"{' '.join(option)} takes the equations of a cell (my.py:Cell, mgu), and E-348 names none" in done.stderr


@pytest.mark.usefixtures("in_process")
@pytest.mark.parametrize(
    "name",
    [
        "mgu",
        pytest.param(
            "gru.keep.column",
            marks=pytest.mark.deep(
                "tests/cli/test_explain.py::test_a_shipped_cell_is_written_as_a_file_that_can_be_verified"
            ),
        ),
    ],
)
def test_a_shipped_cell_is_written_as_a_file_that_can_be_verified(name: str, tmp_path: Path) -> None:
    path = tmp_path / "cell.toml"
    done = CliRunner().invoke(app, ["explain", name, "--format", "spec", "--output", str(path)])
    assert done.exit_code == 0, done.output
    verified = CliRunner().invoke(app, ["verify", str(path), "--examples", "1"])
    assert verified.exit_code == 0, verified.output
    assert "0 refuted" in verified.stdout


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("backward.bond", "did you mean backward.bound"),
        ("gru.keep.colum", "did you mean gru.keep.column"),
        ("E-3488", "did you mean E-348"),
        ("qqqqqq", "there is no check, equation, spec, family or mutant 'qqqqqq'"),
    ],
)
def test_a_name_of_nothing_is_refused_with_what_looks_like_it(name: str, message: str) -> None:
    done = explain(name)
    assert done.exit_code == 2
    assert message in done.stderr
