"""What the reader sees; computed from records and from nothing else."""

from __future__ import annotations

from rnn_harness.reports._summary import Row, gravest, summarise, totals

__all__ = ["Row", "gravest", "summarise", "totals"]
