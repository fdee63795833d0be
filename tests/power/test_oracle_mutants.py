"""An oracle that is broken is noticed: a bank of edits of the oracle side, each killed by the tests named with it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.helpers.oracle_mutant import OracleMutant
from tests.helpers.oracle_mutants import ORACLE_MUTANTS, REFERENCE_MUTANTS


def test_the_bank_has_at_least_sixty_edits_of_distinct_places() -> None:
    assert len({(mutant.module, mutant.old, mutant.new) for mutant in ORACLE_MUTANTS}) == len(ORACLE_MUTANTS) >= 60


@pytest.mark.parametrize("mutant", [*ORACLE_MUTANTS, *REFERENCE_MUTANTS], ids=lambda mutant: mutant.name)
def test_an_edit_stands_once_in_its_module_and_is_still_a_program(mutant: OracleMutant) -> None:
    compile(mutant.source(), mutant.module, "exec")


@pytest.mark.deep("tests/power/test_oracle_mutants.py::test_an_edit_stands_once_in_its_module_and_is_still_a_program")
@pytest.mark.parametrize("mutant", [*ORACLE_MUTANTS, *REFERENCE_MUTANTS], ids=lambda mutant: mutant.name)
def test_an_oracle_with_this_edit_is_noticed(mutant: OracleMutant, tmp_path: Path) -> None:
    run = mutant.killing_run(tmp_path)
    assert run.returncode == 1, f"survived: {mutant.name}\n{run.stdout[-2000:]}{run.stderr[-2000:]}"
    assert "failed" in run.stdout or "error" in run.stdout
