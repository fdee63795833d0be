"""Rows and cells say what the records say, and name the case behind each of them."""

from __future__ import annotations

import pytest

from rnn_harness.check_guide import describe_checks
from rnn_harness.matrix.history import changes_between, history_json, read_matrix, with_run
from rnn_harness.matrix.table import FLOAT32_INSIDE, build_matrix, matrix_row
from rnn_harness.records.matrix import PROPERTIES, property_of
from rnn_harness.records.validation import SINGLE_INSIDE, IdentificationRecord
from rnn_harness.records.verdict import Outcome
from rnn_harness.reports.matrix_badges import badges
from rnn_harness.reports.page.matrix_page import matrix_html
from rnn_harness.reports.text.matrix import (
    defects_markdown,
    example_lines,
    matrix_markdown,
    summary_sentence,
    terminal_table,
)
from tests.helpers.judged_targets import PROGRAM, RIGHT, WRONG, judged_target, record
from tests.repository.source_tree import ROOT

OF_TARGETS = ("backward", "metamorphic", "precision", "scale", "behaviour", "kernel", "process", "numbers", "model")


def test_every_check_of_a_target_decides_a_property() -> None:
    groups = (*OF_TARGETS, "weights", "expected-failure", "consistency", "wiring")
    checks = [name for name in describe_checks() if name.partition(".")[0] in groups and name != "backward.proof"]
    assert len(checks) > 100
    assert [name for name in checks if property_of(name) is None] == []
    assert property_of("identification.unique") is None


@pytest.mark.parametrize(
    ("check", "name"),
    [
        ("precision.format", "forward"),
        ("precision.functions", "precision"),
        ("metamorphic.sequence-lengths", "lengths"),
        ("metamorphic.gradients-with-lengths", "lengths"),
        ("metamorphic.gradient-chunking", "gradients"),
        ("metamorphic.chunking", "forward"),
        ("behaviour.frozen-parameters", "training"),
        ("behaviour.determinism", "behaviour"),
        ("consistency.difference-quotients", "gradients"),
    ],
)
def test_a_check_stands_in_the_column_that_it_is_about(check: str, name: str) -> None:
    assert property_of(check) == name


def test_a_refuted_cell_holds_the_check_its_reason_and_its_program() -> None:
    row = matrix_row(judged_target(records=WRONG))
    cells = {cell.property: cell for cell in row.cells}
    assert list(cells) == list(PROPERTIES)
    assert (cells["gradients"].outcome, cells["gradients"].check) == ("refuted", "backward.bound")
    assert cells["gradients"].program == PROGRAM
    assert cells["forward"].outcome == "agrees"
    assert (cells["lengths"].outcome, cells["lengths"].reason) == ("not run", "it takes no lengths")
    assert cells["training"].outcome == "not run"
    assert cells["precision"].bits == {"float32": 23.5}


def test_an_expected_failure_is_no_refuted_cell() -> None:
    expected = record("backward.bound", Outcome.REFUTED, reason="known", expected="it is known")
    row = matrix_row(judged_target(records=(RIGHT[1], expected)))
    assert row.ending == "agrees"
    assert all(cell.outcome != "refuted" for cell in row.cells)


def test_a_target_without_a_verdict_says_why() -> None:
    undecided = (record("identification.unique", Outcome.NOT_RUN, reason="no cell has such parameters"),)
    assert matrix_row(judged_target(records=undecided)).reason == "identification.unique: no cell has such parameters"
    missing = judged_target(ending="not driven", reason="there is no such class", validation=None)
    assert (matrix_row(missing).reason, matrix_row(missing).cells) == ("there is no such class", ())


def test_what_changed_is_said_of_each_implementation_that_differs() -> None:
    before = build_matrix("t", [judged_target("a"), judged_target("b"), judged_target("gone")])
    after = build_matrix("t", [judged_target("a"), judged_target("b", WRONG, version="2.0"), judged_target("new")])
    changed, new, gone = changes_between(before, after)
    assert changed.startswith("b: mine 1.0 is 2.0 now; agrees is refuted now; gradients: agrees is refuted now")
    assert (new, gone) == ("new is new: agrees", "gone is no longer in the suite; it was agrees")
    assert list(changes_between(after, after)) == []


def test_a_table_that_is_written_again_is_no_further_run() -> None:
    table = build_matrix("t", [judged_target("a")])
    runs = with_run(with_run((), table), table)
    assert [run.endings for run in runs] == [{"agrees": 1}]
    later = build_matrix("t", [judged_target("a", date="2026-11-30T09:00:00Z")])
    assert len(with_run(runs, later)) == 2
    assert '"agrees":1' in history_json(runs).replace(" ", "")


def test_markdown_puts_the_case_behind_a_refuted_cell_into_a_note() -> None:
    text = matrix_markdown(build_matrix("Mine", [judged_target("a"), judged_target("b|c", WRONG)]))
    assert "| mine 1.0 | `a` | gru.keep.column | agrees | ✓ | ✓ | ✓ float32 23.5 | – | – | – |" in text
    assert "✗ [2]" in text
    assert "2. `b|c`: backward.bound in float32: dU[0, 0] is 0, and must be 1" in text


def test_a_target_that_computes_in_float32_has_a_note_at_its_precision_in_float64() -> None:
    records = (*RIGHT, record("precision.format", bits=24.2, dtype="float64"))
    judged = [judged_target(name, records) for name in ("a", "b", "c")]
    result = judged[0].validation
    assert result is not None
    said = IdentificationRecord(answer="unique", spec="rnn.tanh", sentence=f"simple RNN; {SINGLE_INSIDE}")
    of_float32 = [
        row.model_copy(update={"validation": result.model_copy(update={"identification": said})}) for row in judged[:2]
    ]
    text = matrix_markdown(build_matrix("Mine", [*of_float32, judged[2]]))
    assert text.count("float32 23.5, float64 24.2 [1] |") == 2
    assert text.count("float32 23.5, float64 24.2 |") == 1
    assert text.count(f"1. {FLOAT32_INSIDE}") == 1
    assert FLOAT32_INSIDE in matrix_html(build_matrix("Mine", of_float32))


def test_a_defect_is_a_report_with_the_review_the_command_and_the_program() -> None:
    wrong = judged_target("mine:Wrong", WRONG, init=("bias=false",), review="Looked at: the state is detached.")
    text = defects_markdown(build_matrix("Mine", [judged_target("a"), wrong]))
    assert text.startswith("# Defects\n\n1 of 2 implementations are refuted.")
    for part in ("Looked at: the state is detached.", "rnn-harness validate mine:Wrong --init bias=false", PROGRAM):
        assert part in text


def test_the_page_escapes_what_records_say_and_shows_what_is_behind_a_cell() -> None:
    records = (RIGHT[1], record("backward.bound", Outcome.REFUTED, reason="<script>alert(1)</script>"))
    page = matrix_html(build_matrix("Mine", [judged_target("a", records)]))
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)" in page
    assert "<summary>1 refuted</summary>" in page


def test_the_terminal_shows_a_mark_for_every_property() -> None:
    lines = list(terminal_table(build_matrix("Mine", [judged_target("a"), judged_target("b", WRONG)])))
    assert [line.split()[1] for line in lines[1:]] == ["agrees", "refuted"]
    assert lines[2].count("✗") == 1
    assert "the state is cut from its gradient" in lines[2]


def test_every_version_of_a_package_has_a_badge() -> None:
    rows = [judged_target("a"), judged_target("b", WRONG), judged_target("c", version="0.9", environment="old")]
    drawn = badges(build_matrix("Mine", rows))
    assert list(drawn) == ["mine", "mine-0.9"]
    assert "1 of 2 refuted" in drawn["mine"]
    assert "1 of 1 agree" in drawn["mine-0.9"]


def test_the_readme_shows_rows_of_each_ending_and_the_totals_of_the_run_that_is_here() -> None:
    table = read_matrix(ROOT / "reports" / "matrix" / "matrix.json")
    assert table is not None
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    lines = example_lines(table, ("torchrecurrent:LiGRUCell", "mingru:MinGRU", "pydynet.nn:RNNCell"))
    assert "\n".join(lines) in readme
    assert summary_sentence(table).rpartition(": ")[2] in readme
    assert f"Three of the {len(table.rows)} rows" in readme
    judged = sum(table.count(ending) for ending in ("agrees", "consistent", "refuted"))
    assert f"Of the {judged} published cells below that could be judged, none was refuted" in readme
    assert not table.count("refuted")
