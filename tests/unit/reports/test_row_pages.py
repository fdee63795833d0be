"""A page of very many implementations is divided into files, and loses none of them."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from rnn_harness.records.verdict import Outcome
from rnn_harness.reports.page import Contents, DocumentStatements, build_contents, write_report
from rnn_harness.reports.page.check_matrix import CheckMatrix, MatrixCell, MatrixRow
from rnn_harness.reports.page.kernel_rows import KernelRow
from rnn_harness.reports.page.row_pages import ROWS_OF_A_PAGE, row_pages


def contents_of(count: int, refuted: int = -1) -> Contents:
    """A page of so many kernels, of which the one with that number is refuted."""
    blank = build_contents([], DocumentStatements({}), [])
    kernels = [KernelRow(f"k{i}.", "float64", "cpu", int(i == refuted), 9, 0, 0, 50.0, 49.0) for i in range(count)]
    outcome = {True: Outcome.REFUTED, False: Outcome.AGREES}
    cells = tuple(
        MatrixCell("forward.", outcome[i == refuted], 9, 9, ("forward.equation",), None, (), 0) for i in range(count)
    )
    rows = tuple(
        MatrixRow(f"k{i}.", "kernel", "rnn.tanh", "float64", "cpu", outcome[i == refuted], (cell,))
        for i, cell in enumerate(cells)
    )
    return replace(blank, kernels=kernels, check_matrix=CheckMatrix(("forward.",), rows))


def test_a_page_with_few_rows_is_one_file() -> None:
    contents = contents_of(ROWS_OF_A_PAGE)
    (page,) = row_pages(contents)
    assert page.contents is contents
    assert page.sentences == {}


def test_a_row_more_makes_a_second_file_with_no_more_than_that_row() -> None:
    first, second = row_pages(contents_of(ROWS_OF_A_PAGE + 1, refuted=ROWS_OF_A_PAGE))
    assert first.contents.kernels[0].refuted == 1, "what is refuted stands first"
    assert first.contents.check_matrix.rows[0].outcome == "refuted"
    assert [row.kernel for row in second.contents.kernels] == [f"k{ROWS_OF_A_PAGE - 1}."]
    assert first.sentences["kernels"] == "Rows 1 to 300 of 301, refuted ones first"
    assert second.sentences["checks"] == "Rows 301 to 301 of 301, refuted ones first"
    assert (first.others, second.others) == (("report-2.html",), ("report.html",))


def test_every_row_stands_in_one_file_and_links_lead_to_all_files(tmp_path: Path) -> None:
    paths = write_report(contents_of(2 * ROWS_OF_A_PAGE + 5), tmp_path)
    files = [path for path in paths if path.suffix == ".html"]
    assert [path.name for path in files] == ["report.html", "report-2.html", "report-3.html"]
    texts = [path.read_text(encoding="utf-8") for path in files]
    for i in range(2 * ROWS_OF_A_PAGE + 5):
        assert [text.count(f'<th scope="row">k{i}.') for text in texts].count(2) == 1  # as a kernel, and by its checks
    names = {path.name for path in files}
    for path, text in zip(files, texts, strict=True):
        assert set(re.findall(r'href="(report[^"]*)"', text)) | {path.name} == names


def test_files_of_a_longer_report_that_stood_there_are_removed_and_others_are_not(tmp_path: Path) -> None:
    for name in ("report-2.html", "report-9.html", "report-of-mine.html"):
        (tmp_path / name).write_text("before", encoding="utf-8")
    write_report(contents_of(ROWS_OF_A_PAGE + 1), tmp_path)
    names = sorted(path.name for path in tmp_path.glob("*.html"))
    assert names == ["report-2.html", "report-of-mine.html", "report.html"]
    assert (tmp_path / "report-2.html").read_text(encoding="utf-8") != "before"


@pytest.mark.parametrize("count", [1, 7])
def test_tables_may_be_shorter_than_the_longest_one(count: int) -> None:
    contents = contents_of(20)
    short = replace(contents, kernels=contents.kernels[:count])
    pages = row_pages(short, most=10)
    assert [len(page.contents.kernels) for page in pages] == [count, 0]
    assert [len(page.contents.check_matrix.rows) for page in pages] == [10, 10]
    assert set(pages[0].sentences) == {"checks"}
