"""A step that is right one vector at a time, and gives the states of rows transposed, is told."""

from __future__ import annotations

import pytest

from rnn_harness.validation import ValidationRequest, collect_validation, load_target, run_validation
from rnn_harness.validation.identification.probe import probe_target
from rnn_harness.validation.judging.rows_of_vectors import TURNED_ROWS, note_on_rows
from tests.helpers import HELPERS

PATH = HELPERS / "vector_cells.py"


@pytest.mark.parametrize(
    ("name", "note"),
    [("Turned", (TURNED_ROWS,)), ("TurnedFirst", (TURNED_ROWS,)), ("VectorsAlone", ()), ("Rows", ())],
)
def test_states_of_rows_that_come_back_transposed_are_told(name: str, note: tuple[str, ...]) -> None:
    assert note_on_rows(probe_target(load_target(f"{PATH}:{name}"))) == note


def test_what_is_told_of_rows_stands_beside_the_verdict() -> None:
    request = ValidationRequest(dtypes=("float64",), examples=0)
    validation = collect_validation("turned", run_validation(load_target(f"{PATH}:Turned"), request))
    assert validation.outcome == "agrees"
    assert TURNED_ROWS in " ".join(str(validation).split())
