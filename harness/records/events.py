"""What happens during a validation, one class for each kind of event; nothing heavy is imported here."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from rnn_harness.records.provenance import versions
from rnn_harness.records.record import Record
from rnn_harness.records.validation import (
    CounterexampleProgram,
    Diagnosis,
    IdentificationRecord,
    ModelRecord,
    Validation,
    outcome_of,
)


@dataclass(frozen=True)
class PhaseStarted:
    """A part of a validation begins; it says nothing about the target.

    Attributes:
        title: What is done now, for a progress bar.
        dtype: The dtype that is judged in it; empty where a phase is about no dtype.
    """

    title: str
    dtype: str = ""


@dataclass(frozen=True)
class TargetIdentified:
    """It was decided what the target computes.

    Attributes:
        identification: The answer, which may be ``unknown``.
    """

    identification: IdentificationRecord


@dataclass(frozen=True)
class RecordMade:
    """A check was decided.

    Attributes:
        record: Its outcome.
    """

    record: Record


@dataclass(frozen=True)
class TargetDiagnosed:
    """It was decided what is wrong with the target.

    Attributes:
        diagnosis: The part at fault, and the difference.
    """

    diagnosis: Diagnosis


@dataclass(frozen=True)
class CounterexampleFound:
    """Numbers were found for which the target differs from its equations.

    Attributes:
        counterexample: The smallest of them, with a program that shows the difference.
    """

    counterexample: CounterexampleProgram


@dataclass(frozen=True)
class ModelDescribed:
    """It was decided what a model consists of.

    Attributes:
        model: Its recurrent parts and the wiring between them.
    """

    model: ModelRecord


ValidationEvent = TargetIdentified | ModelDescribed | RecordMade | TargetDiagnosed | CounterexampleFound


@dataclass
class Conclusions:
    """What a validation says besides its records; of each kind the first event counts.

    Attributes:
        identification: What the target computes.
        diagnosis: What is wrong with it.
        counterexample: Numbers that show it.
        model: What it consists of, if it is a model.
    """

    identification: IdentificationRecord | None = None
    diagnosis: Diagnosis | None = None
    counterexample: CounterexampleProgram | None = None
    model: ModelRecord | None = None

    def add(self, event: TargetIdentified | ModelDescribed | TargetDiagnosed | CounterexampleFound) -> None:
        """Take the event in, unless there was one of its kind before.

        Args:
            event: Only the first of each kind counts.
        """
        match event:
            case TargetIdentified(identification):
                self.identification = self.identification or identification
            case ModelDescribed(model):
                self.model = self.model or model
            case TargetDiagnosed(diagnosis):
                self.diagnosis = self.diagnosis or diagnosis
            case CounterexampleFound(counterexample):
                self.counterexample = self.counterexample or counterexample


def collect_validation(target: str, events: Iterable[ValidationEvent]) -> Validation:
    """Run a validation to its end.

    Args:
        target: The name under which the result stands.
        events: What `run_validation` or `run_validation_isolated` yields.

    Returns:
        One document of everything that happened.
    """
    records: list[Record] = []
    conclusions = Conclusions()
    for event in events:
        if isinstance(event, RecordMade):
            records.append(event.record)
        else:
            conclusions.add(event)
    return build_validation(target, records, conclusions)


def build_validation(target: str, records: Iterable[Record], conclusions: Conclusions) -> Validation:
    """Put records and conclusions together into one document.

    Args:
        target: The name under which the result stands.
        records: Every record, in the order in which they were made.
        conclusions: What was said besides.
    """
    checks = tuple(records)
    identification = conclusions.identification
    identified_as = identification.spec if identification is not None else ""
    return Validation(
        target=target,
        outcome=outcome_of(checks),
        spec=next((record.spec for record in checks if record.spec != "unknown"), identified_as),
        identification=identification,
        diagnosis=conclusions.diagnosis,
        checks=checks,
        counterexample=conclusions.counterexample,
        environment=versions(),
        model=conclusions.model,
    )
