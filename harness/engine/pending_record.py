"""A record that can be made, and is known by its key before it is."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from rnn_harness.checks.check import EntryCheck, Finding
from rnn_harness.errors import HarnessError, NotRun
from rnn_harness.records.provenance import versions
from rnn_harness.records.record import Record
from rnn_harness.records.verdict import Outcome


@dataclass(frozen=True)
class PendingRecord:
    """A record that can be made, and is known by its key before it is.

    Attributes:
        blank: the record as long as it is not run.
        decide: gives the finding; raises NotRun with the reason.
        examples: number of cases that count, where it is run.
    """

    blank: Record
    decide: Callable[[], Finding]
    examples: int = 1

    @classmethod
    def of(cls, entry: str, spec: str, check: EntryCheck, seed: int, examples: int = 1) -> PendingRecord:
        """Return what will be recorded of a check.

        Args:
            entry: id of what the check is about.
            spec: id of the spec in which it stands.
            check: the check.
            seed: what numbers are drawn from.
            examples: number of cases that count, where it is run.
        """
        blank = Record(
            entry=entry,
            spec=spec,
            check=check.name,
            witness=check.witness,
            outcome=Outcome.NOT_RUN,
            seed=seed,
            environment=versions(),
        )
        return cls(blank, check.decide, examples)

    def make(self) -> Record:
        """Decide, and record it."""
        start = time.perf_counter()
        try:
            finding = self.decide()
        except NotRun as reason:
            return self.blank.model_copy(update={"reason": str(reason), "seconds": _since(start)})
        except Exception as error:  # the next entry is decided all the same
            failure = HarnessError.of(error)
            update = {"reason": str(failure), "harness_error": failure.traceback_text, "seconds": _since(start)}
            return self.blank.model_copy(update=update)
        update = {
            "outcome": Outcome.AGREES if finding.agrees else Outcome.REFUTED,
            "reason": finding.detail,
            "error_over_bound": finding.error_over_bound,
            "worst_error": finding.error,
            "bound": finding.bound,
            "bits": finding.bits,
            "examples": self.examples,
            "seconds": _since(start),
        }
        return self.blank.model_copy(update=update)


def _since(start: float) -> float:
    return round(time.perf_counter() - start, 4)
