"""The table of implementations as a page of its own, which needs no network."""

from __future__ import annotations

from rnn_harness.records.matrix import PROPERTIES, Matrix
from rnn_harness.reports.page.defined_terms import defined_heading
from rnn_harness.reports.text.matrix import summary_sentence


def matrix_html(table: Matrix) -> str:
    """Write the table as HTML; everything in it is escaped.

    Args:
        table: The table of a run.

    Returns:
        A page that needs no other file.
    """
    from jinja2 import Environment, PackageLoader

    loader = PackageLoader("rnn_harness.reports.page", ".")
    environment = Environment(loader=loader, autoescape=True, trim_blocks=True, lstrip_blocks=True)
    environment.filters["heading"] = defined_heading
    page = environment.get_template("matrix.html.j2")
    return page.render(matrix=table, properties=PROPERTIES, sentence=summary_sentence(table))
