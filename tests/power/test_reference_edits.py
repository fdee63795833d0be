"""Every small edit of a reference is noticed by the references' own tests, or changes nothing that can be seen."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.helpers.equivalent_edits import EQUIVALENT
from tests.helpers.reference_edits import MODULES, edits_of

ROOT = Path(__file__).parents[2]
LEAST_SCORE = 0.99


def test_edits_are_programs_that_differ_and_the_equivalent_ones_are_among_them() -> None:
    """Of two small modules, so that it is quick; every other name is asked for where the edits are tried."""
    modules = ("clipping", "stacked")
    edits = [edit for module in modules for edit in edits_of(module)]
    assert len({edit.name for edit in edits}) == len(edits) >= 50
    for edit in edits:
        compile(edit.source, edit.module, "exec")
    module_of = {name: name.partition(":")[0].partition(".")[0] for name in EQUIVALENT}
    assert {name for name, module in module_of.items() if module in modules} <= {edit.name for edit in edits}
    assert set(module_of.values()) <= set(MODULES)
    assert all(EQUIVALENT.values())


@pytest.mark.deep(
    "tests/power/test_reference_edits.py::test_edits_are_programs_that_differ_and_the_equivalent_ones_are_among_them"
)
def test_at_least_99_of_100_edits_are_noticed(tmp_path: Path) -> None:
    out = tmp_path / "edits.jsonl"
    command = [sys.executable, "-m", "tests.helpers.reference_mutation", str(out)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join((str(ROOT), os.environ.get("PYTHONPATH", "")))}
    run = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert out.exists(), run.stdout[-2000:] + run.stderr[-2000:]
    rows = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    names = {row["edit"] for row in rows}
    assert len(rows) == sum(len(list(edits_of(module))) for module in MODULES)
    assert set(EQUIVALENT) <= names
    survivors = {row["edit"] for row in rows if row["killed_by"] is None}
    surviving = sorted(survivors - set(EQUIVALENT))
    assert len(surviving) <= (1 - LEAST_SCORE) * (len(rows) - len(EQUIVALENT)), "\n".join(surviving)
    assert set(EQUIVALENT) <= survivors, "noticed, and so not equivalent: " + ", ".join(set(EQUIVALENT) - survivors)
