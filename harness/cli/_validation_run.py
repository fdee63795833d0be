"""The run of ``validate``: the records of one target, and what is concluded from them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rnn_harness.cli._conclusion import Conclusion
from rnn_harness.cli._recorded_run import RecordedRun
from rnn_harness.cli._shared import console
from rnn_harness.cli._validation_conclusion import validation_conclusion
from rnn_harness.cli._validation_outputs import ValidationOutputs
from rnn_harness.errors import ExitCode

if TYPE_CHECKING:
    from rnn_harness.records.batches import KnownRecords
    from rnn_harness.records.record import Record
    from rnn_harness.validation import Conclusions, Limits, ValidationRequest

_EXIT_CODES = {
    "agrees": ExitCode.AGREES,
    "consistent": ExitCode.UNDECIDED,
    "refuted": ExitCode.REFUTED,
    "undecided": ExitCode.UNDECIDED,
}


@dataclass
class ValidationRun(RecordedRun):
    """Validate one target in a process of its own.

    Attributes:
        request: What is validated, and how.
        limits: How long it may take.
        outputs: What is written of it.
        examples: The number of cases that are drawn.
        conclusions: What is said besides the records; set while they are made.
    """

    request: ValidationRequest
    limits: Limits
    outputs: ValidationOutputs
    examples: int
    conclusions: Conclusions | None = None

    @property
    def size(self) -> int:
        """The number of parts that nearly every target goes through: its identification, and two dtypes."""
        return 3

    def make_records(self, known: KnownRecords, on_start: Callable[[str], None]) -> Iterator[Record]:
        """Validate the target, all of it: what its code depends on is not known. Its conclusions are kept."""
        from rnn_harness.validation import Conclusions, Listener, RecordMade, run_validation_isolated

        self.conclusions = Conclusions()
        listener = Listener(lambda phase: on_start(phase.title))
        for event in run_validation_isolated(self.request, self.limits, listener):
            if isinstance(event, RecordMade):
                yield event.record
            else:
                self.conclusions.add(event)

    def show(self, records: Sequence[Record], verbose: bool, finished: bool) -> None:
        """Print a summary, unless the result goes there as JSON, and write the files.

        What was interrupted is written as undecided where nothing is refuted.
        """
        from rnn_harness.reports.text.validation import print_validation
        from rnn_harness.validation import Conclusions, build_validation

        validation = build_validation(self.request.target, records, self.conclusions or Conclusions())
        if not self.outputs.is_json_printed:
            print_validation(console(), validation, verbose, finished)
        if not finished and validation.outcome == "agrees":
            validation = validation.model_copy(update={"outcome": "undecided"})
        self.outputs.write(validation)

    @property
    def reuses_records(self) -> bool:
        """Never: what the code of a target depends on is not known."""
        return False

    @property
    def prints_document(self) -> bool:
        """Whether the result goes to the terminal as JSON."""
        return self.outputs.is_json_printed

    def conclusion(self, records: Sequence[Record]) -> Conclusion:
        """Say whether the target is right, or what is at fault, and which command goes on from there."""
        from rnn_harness.validation import Conclusions, build_validation

        validation = build_validation(self.request.target, records, self.conclusions or Conclusions())
        return validation_conclusion(validation, self.request, self.outputs.repro is not None)

    def exit_code(self, records: Sequence[Record]) -> ExitCode:
        """Return the exit code of the outcome, or of an error of the harness; an expected refutation is none.

        Args:
            records: All records of the target.
        """
        from rnn_harness.validation import outcome_of

        code = _EXIT_CODES[outcome_of(records)]
        is_failed = code is ExitCode.UNDECIDED and any(record.harness_error for record in records)
        return ExitCode.HARNESS_ERROR if is_failed else code
