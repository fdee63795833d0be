"""The table of implementations as a page of its own, which needs no network."""

from __future__ import annotations

from rnn_harness.records.matrix import PROPERTIES, Matrix
from rnn_harness.reports.page.templates import page_template
from rnn_harness.reports.text.matrix import summary_sentence


def matrix_html(table: Matrix) -> str:
    """Write the table as HTML; everything in it is escaped.

    Args:
        table: The table of a run.

    Returns:
        A page that needs no other file.
    """
    page = page_template("matrix.html.j2")
    return page.render(matrix=table, properties=PROPERTIES, sentence=summary_sentence(table))
