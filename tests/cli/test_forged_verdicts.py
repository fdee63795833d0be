"""A cell that changes what judges it, or speaks for it, gets no "agrees"."""

from __future__ import annotations

import pytest

from rnn_harness.records.validation import NUMBERS_CHECK, outcome_of
from rnn_harness.records.verdict import Outcome
from rnn_harness.validation import RecordMade, ValidationRequest, run_validation_isolated
from tests.helpers import HELPERS

CELLS = HELPERS / "forging_cells.py"


def _forged(name: str) -> tuple[str, dict[str, str], set[str]]:
    """The verdict, what is said of its numbers by dtype, and the checks that agree."""
    request = ValidationRequest(f"{CELLS}:{name}", {}, examples=0, dtypes=("float32",))
    records = [event.record for event in run_validation_isolated(request) if isinstance(event, RecordMade)]
    reasons = {record.dtype: record.reason for record in records if record.check == NUMBERS_CHECK}
    return outcome_of(records), reasons, {record.check for record in records if record.outcome is Outcome.AGREES}


@pytest.mark.process
@pytest.mark.deep("tests/cli/test_forged_verdicts.py::test_a_cell_that_patches_what_compares_is_undecided")
def test_a_cell_that_is_right_only_where_it_is_asked_again_is_undecided() -> None:
    verdict, reasons, agreeing = _forged("RightWhereItIsAskedAgain")
    assert verdict == "undecided"
    assert "on numbers that came back the output" in reasons["float32"]
    assert {"precision.format", "backward.bound"} <= agreeing, "the forgery did not reach what compares"


@pytest.mark.process
def test_a_cell_that_patches_what_compares_is_undecided() -> None:
    verdict, reasons, agreeing = _forged("PatchesTheJudge")
    assert verdict == "undecided"
    assert "on numbers that came back the output[0][0][" in reasons["float32"]
    assert "0.0, the equation gives" in reasons["float32"]
    assert {"precision.format", "backward.bound"} <= agreeing, "the forgery did not reach what compares"


@pytest.mark.process
def test_a_cell_that_writes_its_own_records_is_undecided() -> None:
    verdict, reasons, agreeing = _forged("WritesItsRecords")
    assert verdict == "undecided"
    assert "no numbers came back with them" in reasons["float32"]
    assert agreeing == {"precision.format", "backward.bound"}, "the forged records did not arrive"
