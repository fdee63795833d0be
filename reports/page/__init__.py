"""The comparison report: a page that answers, from records alone."""

from __future__ import annotations

from rnn_harness.reports.page.contents import Contents, Printed, Said, contents
from rnn_harness.reports.page.render import write

__all__ = ["Contents", "Printed", "Said", "contents", "write"]
