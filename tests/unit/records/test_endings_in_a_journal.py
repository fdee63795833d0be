"""A record that says that a kernel was not judged to its end goes when the kernel is judged anew."""

from __future__ import annotations

from pathlib import Path

from rnn_harness.records.journal import Journal
from rnn_harness.records.read_records import read_records
from rnn_harness.records.record import Record
from rnn_harness.records.verdict import Outcome

NOT_BEGUN = Record(
    entry="rnn.tanh",
    spec="rnn.tanh",
    check="kernel.process",
    witness="kernel",
    outcome=Outcome.NOT_RUN,
    reason="the budget of 1 s was used up before",
    kernel="nn.RNNCell",
    dtype="float64",
    device="cpu",
)
JUDGED = NOT_BEGUN.model_copy(
    update={"check": "forward.sequence", "outcome": Outcome.AGREES, "reason": "", "device": "cpu (AVX512)"}
)


def test_what_a_budget_left_out_is_forgotten_where_it_is_judged_afterwards(tmp_path: Path) -> None:
    path = tmp_path / "records.jsonl"
    other = NOT_BEGUN.model_copy(update={"dtype": "float32"})
    with Journal(path) as journal:
        for record in (NOT_BEGUN, other):
            journal.write(record)
    with Journal(path, resume=True) as journal:
        journal.write(JUDGED)
    assert list(read_records(path)) == [other, JUDGED]
