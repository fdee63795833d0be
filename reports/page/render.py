"""The page: one HTML file that needs no network, Markdown, and JSON."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter

from rnn_harness.records.matrix import PROPERTIES
from rnn_harness.records.record import Record
from rnn_harness.records.validation import Validation
from rnn_harness.records.verdict import Outcome
from rnn_harness.reports.junit import write_junit
from rnn_harness.reports.page.badge import badge_svg
from rnn_harness.reports.page.chart import Chart
from rnn_harness.reports.page.contents import Contents
from rnn_harness.reports.page.flow_chart import flow_chart
from rnn_harness.reports.page.gate_chart import gate_chart
from rnn_harness.reports.page.glossary import GLOSSARY
from rnn_harness.reports.page.kill_matrix import COLUMNS
from rnn_harness.reports.page.learning_curves import learning_chart
from rnn_harness.reports.page.page_verdict import answers, counters, findings
from rnn_harness.reports.page.plots import PLOTTED_DECAYS, decay_chart
from rnn_harness.reports.page.row_pages import RowPage, remove_pages_beyond, row_pages
from rnn_harness.reports.page.side_by_side import comparison_chart
from rnn_harness.reports.page.speed_bars import speed_chart
from rnn_harness.reports.page.templates import page_template
from rnn_harness.reports.summary import WITNESSES, count_outcomes
from rnn_harness.reports.text.matrix import summary_sentence
from rnn_harness.runtime.atomic_file import write_whole
from rnn_harness.specs import DOCUMENT_TITLES

CONTENTS_ADAPTER = TypeAdapter(Contents)
_HEADINGS = (
    "",
    "parameters",
    "equal size",
    "equal count",
    "per step",
    "gradient horizon",
    "longest horizon",
    "solved by (seeds)",
)


@dataclass(frozen=True)
class _Section:
    """A part of the page: the id of its heading, its title in the navigation, and whether there is anything in it."""

    id: str
    title: str
    is_present: bool


def _sections(contents: Contents) -> list[_Section]:
    """Return the sections in their order on the page."""
    return [
        _Section("decay", "Gradient decay", bool(contents.decay)),
        _Section("unrolled", "Inside a cell", bool(contents.unrolled)),
        _Section("speed", "Speed", bool(contents.speed)),
        _Section("learning", "Learning", bool(contents.learning)),
        _Section("parameters", "Parameters", bool(contents.parameters)),
        _Section("kernels", "Kernels", bool(contents.kernels)),
        _Section("cells", "Cells", bool(contents.validations)),
        _Section("checks", "Matrix of checks", bool(contents.check_matrix.rows)),
        _Section("implementations", "Implementations", contents.matrix is not None),
        _Section("mutants", "Wrong references", bool(contents.kills)),
        _Section("claims", "Claims", bool(contents.claims)),
        _Section("contradictions", "Contradictions", bool(contents.contradictions)),
        _Section("errata", "Errata", bool(contents.errata)),
        _Section("equations", "Equations", bool(contents.equations)),
    ]


def report_html(contents: Contents) -> str:
    """Write the page as HTML, with all rows of all tables.

    Args:
        contents: The contents of the report.

    Returns:
        A page that needs no other file.
    """
    return _page_html(contents, RowPage("report.html", contents, {}, ()))


def _page_html(contents: Contents, rows: RowPage) -> str:
    """Write a file of the page as HTML.

    Everything that comes from records or documents is escaped, except for formulas and plots, which are made here.
    """
    if rows.name != "report.html":
        return page_template("row_page.html.j2").render(
            page=rows.contents, rows=rows, findings=findings(contents), glossary=GLOSSARY
        )
    plotted = [row for row in contents.decay if row.initialisation in PLOTTED_DECAYS.get(row.subject, ())]
    curves = [learning_chart(title, rows) for title, rows in contents.learning.items() if rows[0].loss_curve]
    return page_template("page.html.j2").render(
        page=rows.contents,
        rows=rows,
        sections=_sections(contents),
        witnesses=WITNESSES,
        witness_headings=[f"*{witness}" for witness in WITNESSES],
        kill_columns=COLUMNS,
        decay=decay_chart(plotted),
        curves=curves,
        gates=_gate_charts(contents),
        flow=flow_chart(contents.unrolled) if contents.unrolled else None,
        comparison=comparison_chart(contents.comparison),
        bars=speed_chart(contents.speed),
        counters=counters(contents),
        answers=answers(contents),
        findings=findings(contents),
        glossary=GLOSSARY,
        documents={number: document.title for number, document in DOCUMENT_TITLES.items()},
        properties=PROPERTIES,
        matrix_sentence=summary_sentence(contents.matrix) if contents.matrix is not None else "",
    )


def _gate_charts(contents: Contents) -> list[Chart]:
    """Return a picture of each cell that was unrolled, in the order of the measurements."""
    names = dict.fromkeys(row.subject for row in contents.unrolled)
    return [gate_chart([row for row in contents.unrolled if row.subject == name]) for name in names]


def report_markdown(contents: Contents) -> str:
    """Write the table of the families, the totals, and the candidates with their verdicts.

    Args:
        contents: The contents of the report.
    """
    lines = ["# RNN, GRU or LSTM?", "", "| " + " | ".join(_HEADINGS) + " |", "|" + "---|" * len(_HEADINGS)]
    for row in contents.families:
        cells = [str(value).replace("|", "\\|") or "–" for value in dataclasses.astuple(row)]
        lines.append("| " + " | ".join(cells) + " |")
    counts = ", ".join(f"{count} {outcome}" for outcome, count in contents.totals.items())
    lines += ["", f"{len(contents.equations)} equations; records: {counts}.", ""]
    if contents.validations:
        lines += ["## Cells", "", *(_validation_line(validation) for validation in contents.validations), ""]
    lines += [f"- {note}" for note in (*contents.notes, *contents.missing)]
    return "\n".join(lines) + "\n"


def _validation_line(validation: Validation) -> str:
    """Return a candidate with its verdict, and what is wrong with it."""
    refutations = [
        record.reason for record in validation.checks if record.outcome is Outcome.REFUTED and not record.expected
    ]
    detail = ""
    if validation.outcome == "agrees":
        detail = f"it is {validation.spec}"
    elif validation.outcome == "refuted" and validation.diagnosis is not None:
        detail = f"{validation.diagnosis.part}: {validation.diagnosis.difference}"
    elif validation.outcome == "refuted" and refutations:
        detail = refutations[0]
    return f"- `{validation.target}`: **{validation.outcome}**" + (f"; {' '.join(detail.split())}" if detail else "")


def report_json(contents: Contents) -> str:
    """Write the contents as JSON.

    Args:
        contents: The contents of the report; `read_report` reads them again.
    """
    return CONTENTS_ADAPTER.dump_json(contents, indent=1).decode("utf-8") + "\n"


def write_report(contents: Contents, folder: Path, records: Sequence[Record] = ()) -> list[Path]:
    """Write report.xml (JUnit), .html, .md, .json and badge.svg, each completely or not at all.

    Where there are more rows than a page holds, `row_pages` says which of them stand in further files.

    Args:
        contents: What stands on the page.
        folder: The folder; it is made where it is missing.
        records: The records that JUnit shows, next to those of the candidates.

    Returns:
        The files.

    Raises:
        OSError: A file cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    candidates = {validation.target: validation.checks for validation in contents.validations}
    write_junit(folder / "report.xml", {"rnn-harness": records, **candidates})
    of_candidates = count_outcomes(record for checks in candidates.values() for record in checks)
    without_candidates = {outcome: count - of_candidates.get(outcome, 0) for outcome, count in contents.totals.items()}
    outcomes = [validation.outcome for validation in contents.validations]
    pages = row_pages(contents)
    texts = {
        **{page.name: _page_html(contents, page) for page in pages},
        "report.md": report_markdown(contents),
        "report.json": report_json(contents),
        "badge.svg": badge_svg(without_candidates, len(contents.equations), outcomes),
    }
    remove_pages_beyond(folder, len(pages))
    for name, text in texts.items():
        write_whole(folder / name, text)
    return [folder / "report.xml", *(folder / name for name in texts)]
