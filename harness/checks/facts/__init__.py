"""Facts that decide claims by one computation: of specs, numbers, data, libraries, trainings."""

from __future__ import annotations

import functools
from typing import Any

from rnn_harness.checks.facts.fact import FACTS_SPEC, Answer, Fact
from rnn_harness.checks.facts.of_cells import facts_of_cells
from rnn_harness.checks.facts.of_documents import facts_of_documents
from rnn_harness.checks.facts.of_libraries import facts_of_libraries
from rnn_harness.checks.facts.of_numbers import facts_of_numbers
from rnn_harness.checks.facts.of_sequences import facts_of_sequences
from rnn_harness.checks.facts.of_training import facts_of_training

__all__ = ["FACTS_SPEC", "Answer", "Fact", "facts"]


@functools.cache
def facts() -> tuple[Fact[Any], ...]:
    """Return every fact."""
    return (
        *facts_of_cells(),
        *facts_of_documents(),
        *facts_of_libraries(),
        *facts_of_numbers(),
        *facts_of_sequences(),
        *facts_of_training(),
    )
