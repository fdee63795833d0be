"""Equal values of many records are held once; the records are the same."""

from __future__ import annotations

import json

import pytest

from rnn_harness.cases.case import Case
from rnn_harness.printable import is_printable_json, printable_values
from rnn_harness.records.record import Record
from rnn_harness.records.shared_values import SharedValues
from rnn_harness.records.verdict import Outcome


def _row(entry: str) -> dict[str, object]:
    case = Case(spec="rnn.tanh", lengths=(3, 2), features=("zeros",))
    record = Record(entry=entry, spec="rnn.tanh", check="c", witness="torch", outcome=Outcome.AGREES, case=case)
    row: dict[str, object] = json.loads(record.model_dump_json())
    return row


def test_records_are_those_that_pydantic_makes_and_share_what_is_equal() -> None:
    shared = SharedValues()
    first, second = shared.record(_row("E-1")), shared.record(_row("E-2"))
    assert [first, second] == [Record.model_validate(_row(entry)) for entry in ("E-1", "E-2")]
    assert first.case is second.case
    assert first.spec is second.spec
    assert first.model_copy(update={"reason": "x"}).reason == "x"


@pytest.mark.parametrize("row", [[], 3, None, {"entry": 3}, {**_row("E-1"), "case": {"n": 0}}], ids=str)
def test_what_is_no_record_is_refused(row: object) -> None:
    with pytest.raises(ValueError, match="validation error"):
        SharedValues().record(row)


@pytest.mark.parametrize(
    "text", ["\x1b[2J", "\ud800", "\u2028", "a\rb", "\x7f", "\b", "plain", "tab\tand\nline", "\\u001b"]
)
def test_only_texts_that_need_no_escape_are_left_as_they_are(text: str) -> None:
    for ascii_only in (True, False):
        document = json.dumps({"reason": text}, ensure_ascii=ascii_only)
        if is_printable_json(document):
            assert printable_values(json.loads(document)) == {"reason": text}
    assert is_printable_json(json.dumps({"reason": "plain\n"}))
