"""The report as one page, computed from records alone."""

from __future__ import annotations

from rnn_harness.reports.page.contents import Contents, build_contents
from rnn_harness.reports.page.document_statements import DocumentStatements, PrintedEntry, document_statements
from rnn_harness.reports.page.page_origin import PageOrigin
from rnn_harness.reports.page.render import write_report

__all__ = [
    "Contents",
    "DocumentStatements",
    "PageOrigin",
    "PrintedEntry",
    "build_contents",
    "document_statements",
    "write_report",
]
