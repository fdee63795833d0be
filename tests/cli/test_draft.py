"""``rnn-harness specs draft``: the files that it writes, and documents that it refuses."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from rnn_harness.cli._app import app
from rnn_harness.specs import load_spec

PAPER = r"""
\[ z_t = \sigma(W_z x_t + U_z h_{t-1} + b_z) \]
\[ h_t = (1 - z_t) \odot h_{t-1} + z_t \odot \tanh(W x_t) \]
\[ L = \sum_{t=1}^T L_t(\theta) \]
"""


def test_the_command_writes_files_that_can_be_checked(tmp_path: Path) -> None:
    document, folder = tmp_path / "unit.tex", tmp_path / "drafts"
    document.write_text(PAPER, encoding="utf-8")
    result = CliRunner().invoke(app, ["specs", "draft", str(document), "--output", str(folder)])
    assert result.exit_code == 0, result.output
    assert "3 displayed formulas, 1 steps, 1 of them complete" in " ".join(result.output.split())
    (file,) = folder.iterdir()
    assert len(load_spec(file).program().assignments) == 2
    again = CliRunner().invoke(app, ["specs", "draft", str(document), "--output", str(folder)])
    assert again.exit_code == 2
    assert "is there already" in " ".join(again.output.split())


def test_equations_that_carry_nothing_are_not_said_to_make_a_step(tmp_path: Path) -> None:
    document = tmp_path / "gates.tex"
    document.write_text("\\[ h_t = o_t \\odot \\tanh(W x_t) \\]", encoding="utf-8")
    result = CliRunner().invoke(app, ["specs", "draft", str(document), "--output", str(tmp_path / "drafts")])
    assert "lines 1; can be computed, and carries nothing from one time to the next" in " ".join(result.output.split())


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [("empty.md", "Nothing is displayed.", "holds no displayed equation"), ("missing.md", None, "there is no file")],
    ids=["a document without equations", "a document that is not there"],
)
def test_a_document_that_cannot_be_drafted_is_refused_with_a_reason(
    tmp_path: Path, name: str, text: str | None, words: str
) -> None:
    if text is not None:
        (tmp_path / name).write_text(text, encoding="utf-8")
    result = CliRunner().invoke(app, ["specs", "draft", str(tmp_path / name)])
    assert result.exit_code == 2
    assert words in " ".join(result.output.split())
