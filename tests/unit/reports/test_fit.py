"""Tables at the widths that terminals have: what names a row, and what is said of it, is never cut."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from rnn_harness.records.record import Record
from rnn_harness.records.verdict import Outcome
from rnn_harness.reports.entry_caption import EntryCaption, PrintErratum
from rnn_harness.reports.text.fit_table import Column, print_table
from rnn_harness.reports.text.verify import print_equations

WITNESSES = ("reference", "numeric", "symbolic", "torch")


def _printed(width: int, columns: list[Column], row: tuple[str, ...]) -> str:
    out = io.StringIO()
    print_table(Console(file=out, width=width, force_terminal=True, color_system=None), "", columns, [row])
    return out.getvalue()


def _verified(width: int) -> str:
    """What verify prints of one equation with two errata, by four witnesses."""
    records = [
        Record.model_validate(
            {
                "entry": "E-001",
                "spec": "gru.keep",
                "check": f"x.{name}",
                "witness": name,
                "outcome": Outcome.REFUTED,
                "error_over_bound": 3.5,
            }
        )
        for name in WITNESSES
    ]
    errata = (PrintErratum("X-001", "first"), PrintErratum("X-002", "second"))
    out = io.StringIO()
    screen = Console(file=out, width=width, force_terminal=True, color_system=None)
    print_equations(screen, records, {"E-001": EntryCaption("000", 150, "Calculating the reset gate", errata)}, False)
    return out.getvalue()


@pytest.mark.parametrize("width", [40, 80, 120, 160])
def test_verify_shows_id_line_errata_and_every_verdict_at_any_width(width: int) -> None:
    text = _verified(width)
    table = text[: text.index("refuted: ")]
    for text_of_row in ("E-001", "150", "X-001", "X-002", "3.50", *WITNESSES):
        assert text_of_row in table, f"{text_of_row} is cut at {width} columns:\n{table}"
    assert table.count("✗ refuted") == 4
    assert all(len(line) <= width for line in table.splitlines())


def test_the_title_is_what_shrinks() -> None:
    assert "gru.keep: Calculating the reset gate" in _verified(160)
    assert "gru.keep: Cal" in _verified(120)
    assert "gru.keep: Calculating the reset gate" not in _verified(95)


def test_a_text_that_folds_is_whole() -> None:
    columns = [Column("id"), Column("what", least=10)]
    text = _printed(30, columns, ("E-001", "torch hands float16 to oneDNN only without gradients"))
    assert all(word in text for word in ("E-001", "float16", "oneDNN", "without", "gradients"))


def test_what_does_not_fit_as_a_table_is_listed_row_by_row() -> None:
    columns = [Column(name) for name in ("id", "left", "right")]
    text = _printed(24, columns, ("E-001", "a long verdict", "another one"))
    assert [line.rstrip() for line in text.splitlines()] == ["E-001", "  left a long verdict", "  right another one"]


def test_brackets_in_a_text_are_no_markup() -> None:
    assert "[red]" in _printed(40, [Column("id"), Column("what", least=10)], ("E-001", "[red] h [/]"))
