"""Targets of a suite as they come back from their environments, made here from a few records."""

from __future__ import annotations

from rnn_harness.records.judged_target import JudgedTarget
from rnn_harness.records.record import Record
from rnn_harness.records.validation import Diagnosis, IdentificationRecord, Validation, outcome_of
from rnn_harness.records.verdict import Outcome

PROGRAM = "import numpy as np\nassert False, 'the cell is wrong'\n"


def record(check: str, outcome: Outcome = Outcome.AGREES, **fields: object) -> Record:
    """Make a record of a target in float32.

    Args:
        check: The name of the check.
        outcome: How it ended.
        **fields: Further fields of the record.
    """
    about: dict[str, object] = {"kernel": "cell", "dtype": "float32", **fields}
    question = {"entry": "all", "spec": "gru.keep.column", "check": check, "witness": "kernel", "outcome": outcome}
    return Record.model_validate({**question, **about})


RIGHT = (record("identification.unique"), record("precision.format", bits=23.5), record("backward.bound"))
WRONG = (
    record("precision.format", bits=23.5),
    record("backward.bound", Outcome.REFUTED, reason="dU[0, 0] is 0, and must be 1", program=PROGRAM),
    record("behaviour.poison", Outcome.NOT_RUN, reason="it takes no lengths"),
)


def validation(records: tuple[Record, ...] = RIGHT) -> Validation:
    """Make the validation of a cell.

    Args:
        records: What was decided.
    """
    is_wrong = any(row.outcome is Outcome.REFUTED for row in records)
    wrong = Diagnosis(spec="gru.keep.column", part="backward: state", difference="the state is cut from its gradient")
    return Validation(
        target="cell",
        outcome=outcome_of(records),
        spec="gru.keep.column",
        identification=IdentificationRecord(answer="unique", spec="gru.keep.column", sentence="GRU: reset before"),
        diagnosis=wrong if is_wrong else None,
        checks=records,
        counterexample=None,
        environment="python 3.11",
    )


def judged_target(name: str = "mine:Cell", records: tuple[Record, ...] = RIGHT, **fields: object) -> JudgedTarget:
    """Make a judged target of the package ``mine`` 1.0.

    Args:
        name: The target.
        records: What was decided.
        **fields: Further fields.
    """
    result = validation(records)
    about: dict[str, object] = {
        "package": "mine",
        "version": "1.0",
        "environment": "here",
        "ending": result.outcome,
        "validation": result,
        "date": "2026-11-29T09:00:00Z",
        **fields,
    }
    return JudgedTarget.model_validate({"name": name, "target": name, **about})
