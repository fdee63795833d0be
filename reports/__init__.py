"""What the reader sees; computed from records and from nothing else."""

from __future__ import annotations

from rnn_harness.reports.summary import EntrySummary, count_outcomes, gravest_outcome, summarise_entries

__all__ = ["EntrySummary", "count_outcomes", "gravest_outcome", "summarise_entries"]
