"""What the reader sees; computed from records and from nothing else."""

from __future__ import annotations

from rnn_harness.reports.summary import Recorded, Row, gravest, summarise, totals

__all__ = ["Recorded", "Row", "gravest", "summarise", "totals"]
