"""A file, a folder or a module is given in the place of a cell: its cells are listed, and `--all` judges each."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from rnn_harness.cli._app import app

pytestmark = pytest.mark.usefixtures("in_process")
RUN = CliRunner()
OPS = "import torch\n\ndef squashed(x):\n    return torch.tanh(x)\n"
CELLS = """
import torch
from torch import nn
from ..ops import squashed


class Right(nn.Module):
    def __init__(self, input_size, hidden_size):
        super().__init__()
        self.linear = nn.Linear(input_size + hidden_size, hidden_size)

    def forward(self, x, h):
        return squashed(self.linear(torch.cat([x, h], -1)))


class Wrong(Right):
    def forward(self, x, h):
        return super().forward(x, h.detach())


class Attention(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.query = nn.Linear(size, size)

    def forward(self, x):
        return self.query(x).softmax(-1)


class Stubborn(Right):
    def forward(self, x, state):
        raise RuntimeError("not written yet")
"""


@pytest.fixture
def cells(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """A file two folders deep in a package whose own `__init__` cannot be imported; its name is the test's own."""
    package = tmp_path / f"package_of_{request.node.name}"
    (package / "inner").mkdir(parents=True)
    (package / "__init__.py").write_text("import a_module_that_is_not_installed\n")
    (package / "ops.py").write_text(OPS)
    (package / "inner" / "__init__.py").touch()
    (package / "inner" / "cells.py").write_text(CELLS)
    return package / "inner" / "cells.py"


def test_the_cells_of_a_file_are_listed_and_nothing_is_judged(cells: Path) -> None:
    result = RUN.invoke(app, ["validate", str(cells)])
    assert result.exit_code == 2
    lines = result.stdout.splitlines()
    assert f"{cells}:Right: cell: called with one step, and one state" in lines
    assert "no recurrent cells: Attention" in lines
    assert any(line.startswith(f"{cells}:Stubborn: not driven: ") and "not written yet" in line for line in lines)
    assert "--all to judge each" in result.stderr


def test_all_cells_of_a_file_are_judged_and_the_worst_decides(cells: Path, tmp_path: Path) -> None:
    document = tmp_path / "all.json"
    options = ["--all", "--examples", "0", "--dtype", "float32", "--json", str(document)]
    result = RUN.invoke(app, ["validate", str(cells), *options])
    assert result.exit_code == 1, result.output
    rows = [line.split() for line in result.stdout.splitlines() if line.startswith(f"{cells}:")]
    verdicts = {row[0].rpartition(":")[2]: row[1] for row in rows if len(row) > 1}
    assert verdicts == {"Right": "agrees", "Wrong": "refuted", "Stubborn": "not"}
    written = json.loads(document.read_text())
    assert {row["target"].rpartition(":")[2]: row["outcome"] for row in written["validations"]}["Wrong"] == "refuted"
    assert list(written["not_driven"]) == [f"{cells}:Stubborn"]


def test_a_file_that_imports_its_package_by_name_is_loaded(tmp_path: Path) -> None:
    package = tmp_path / "shared_by_name"
    package.mkdir()
    (package / "ops.py").write_text(OPS)
    (package / "cells.py").write_text(CELLS.replace("from ..ops", "from shared_by_name.ops"))
    result = RUN.invoke(app, ["identify", f"{package / 'cells.py'}:Right"])
    assert result.exit_code == 0, result.output
    assert "rnn.tanh" in result.stdout


def test_every_cell_of_a_folder_is_identified(cells: Path) -> None:
    result = RUN.invoke(app, ["identify", str(cells.parent)])
    assert f"{cells}:Right: rnn.tanh: simple RNN" in result.stdout


def test_an_option_for_one_cell_is_refused_for_several(cells: Path, tmp_path: Path) -> None:
    result = RUN.invoke(app, ["validate", str(cells), "--all", "--repro", str(tmp_path / "wrong.py")])
    assert result.exit_code == 2
    assert "--repro: for one cell" in result.stderr


def test_a_file_without_cells_is_refused(tmp_path: Path) -> None:
    (tmp_path / "empty.py").write_text("x = 1\n")
    result = RUN.invoke(app, ["validate", str(tmp_path / "empty.py"), "--all"])
    assert result.exit_code == 2
    assert "there is nothing in" in result.stderr
