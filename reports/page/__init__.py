"""The comparison report: a page that answers, from records alone."""

from __future__ import annotations

from rnn_harness.reports.page.contents import Contents, DocumentStatements, Printed, contents
from rnn_harness.reports.page.render import write

__all__ = ["Contents", "DocumentStatements", "Printed", "contents", "write"]
