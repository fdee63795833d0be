"""Batches of records that are decided together: what they depend on, and the parts of the work, for any process."""

from __future__ import annotations

import functools
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from rnn_harness.engine.questions import Question
from rnn_harness.engine.results import RunTally, joined_results
from rnn_harness.engine.runner import DrawingRound, Runner, RunPlan, drawing_rounds
from rnn_harness.engine.select import SelectedSpec
from rnn_harness.records.batches import PROCESS_CHECK
from rnn_harness.records.provenance import versions
from rnn_harness.records.record import Record
from rnn_harness.records.verdict import Outcome
from rnn_harness.subjects.subject import LAYERS, Subject

Part = TypeVar("Part")


@dataclass(frozen=True)
class RecordBatch(ABC, Generic[Part]):
    """Records that are decided together.

    Attributes:
        title: what is announced before they are decided.
    """

    title: str

    @property
    @abstractmethod
    def depends_on(self) -> tuple[str, ...]:
        """What the records depend on besides what all records of the run do."""

    @property
    @abstractmethod
    def weight(self) -> int:
        """About how long the work takes, to begin with what takes longest; 0 where it takes hardly any time."""

    @property
    @abstractmethod
    def parts(self) -> tuple[Callable[[], Part], ...]:
        """The parts of the work: each can be pickled and depends on no other."""

    @abstractmethod
    def records(self, parts: Sequence[Part]) -> list[Record]:
        """Make the records.

        Args:
            parts: what all parts of the work gave, in their order.
        """

    @abstractmethod
    def failed_record(self, reason: str) -> Record:
        """Return the record of a batch that could not be decided.

        Args:
            reason: how the process ended that did a part of the work.
        """


def answer(question: Question) -> Record:
    """Answer a question in this process.

    Args:
        question: what has a single record as its answer.
    """
    return question.pending().make()


@dataclass(frozen=True)
class AnswerBatch(RecordBatch[Record]):
    """The single record that answers a question.

    Attributes:
        question: the question.
        blank: its record, not made yet.
        weight_of_proof: of a proof of a whole cell, about how long it takes; 0 of what takes hardly any time.
        libraries: the versions of libraries that the answer depends on, beside those that every outcome depends on.
    """

    question: Question
    blank: Record
    weight_of_proof: int = 0
    libraries: tuple[str, ...] = ()

    @classmethod
    def of(
        cls, title: str, question: Question, weight_of_proof: int = 0, libraries: tuple[str, ...] = ()
    ) -> AnswerBatch:
        """Return the batch of a question.

        Args:
            title: what is announced before it is answered.
            question: the question.
            weight_of_proof: of a proof of a whole cell, about how long it takes.
            libraries: the versions of libraries that the answer depends on alone.
        """
        return cls(title, question, question.pending().blank, weight_of_proof, libraries)

    @property
    def depends_on(self) -> tuple[str, ...]:
        """The spec, the entry, the check, the witness and the libraries."""
        return (self.blank.spec, self.blank.entry, self.blank.check, self.blank.witness, *self.libraries)

    @property
    def weight(self) -> int:
        """The weight of the proof."""
        return self.weight_of_proof

    @property
    def parts(self) -> tuple[Callable[[], Record], ...]:
        """The answer."""
        return (functools.partial(answer, self.question),)

    def records(self, parts: Sequence[Record]) -> list[Record]:
        """Return the answer.

        Args:
            parts: the one answer.
        """
        return list(parts)

    def failed_record(self, reason: str) -> Record:
        """Return the record that is not run for that reason.

        Args:
            reason: how the process ended.
        """
        return self.blank.model_copy(update={"reason": reason, "harness_error": reason})


@dataclass(frozen=True)
class CasesBatch(RecordBatch[RunTally]):
    """All records of the reference of a spec, tried on the fixed cases and on drawn ones.

    Attributes:
        selected: the spec, and those of its entries that are decided.
        seed: from which cases are drawn.
        examples: number of cases that are drawn.
    """

    selected: SelectedSpec
    seed: int
    examples: int

    @property
    def depends_on(self) -> tuple[str, ...]:
        """The spec, and the entries where not all of it is meant."""
        entries = () if self.selected.is_complete else tuple(entry.id for entry in self.selected.entries)
        return ("reference", self.selected.spec.id, *entries)

    @property
    def weight(self) -> int:
        """The number of assignments of a step."""
        return assignment_count(self.selected)

    @property
    def parts(self) -> tuple[Callable[[], RunTally], ...]:
        """The fixed cases with the first round of drawn ones, then the other rounds."""
        first, *further = drawing_rounds(self.seed, self.examples) or (None,)
        parts = [functools.partial(try_cases, self.selected, True, first)]
        parts += [functools.partial(try_cases, self.selected, False, drawing) for drawing in further]
        return tuple(parts)

    def records(self, parts: Sequence[RunTally]) -> list[Record]:
        """Return the records of the entries that are decided.

        Args:
            parts: what the cases of every part have shown.
        """
        spec = self.selected.spec
        subject = Subject.of(spec)
        results = joined_results(subject, _run_plan(self.selected).supported_by(subject).checks, parts)
        entries = {entry.id for entry in self.selected.entries} | {spec.id}
        if self.selected.is_complete:
            entries |= set(spec.model.uses)
        return [record for record in results.records(self.seed) if record.entry in entries]

    def failed_record(self, reason: str) -> Record:
        """Return a record of the whole spec that is not run for that reason.

        Args:
            reason: how the process ended.
        """
        spec = self.selected.spec.id
        return Record(
            entry=spec,
            spec=spec,
            check=PROCESS_CHECK,
            witness="reference",
            outcome=Outcome.NOT_RUN,
            reason=reason,
            seed=self.seed,
            environment=versions(),
            harness_error=reason,
        )


def assignment_count(selected: SelectedSpec) -> int:
    """Return the number of assignments of one step of a cell.

    Args:
        selected: the cell.
    """
    return len(selected.spec.program(LAYERS).assignments)


def try_cases(selected: SelectedSpec, with_fixed_cases: bool, drawing: DrawingRound | None) -> RunTally:
    """Try the reference of a spec in this process.

    Args:
        selected: the spec, and those of its entries that are decided.
        with_fixed_cases: whether the fixed cases are tried.
        drawing: the drawn cases that are tried; None for none.
    """
    runner = Runner(Subject.of(selected.spec), _run_plan(selected))
    if with_fixed_cases:
        runner.try_fixed_cases()
    if drawing is not None:
        runner.try_drawn_cases(drawing)
    return runner.results().tally()


def _run_plan(selected: SelectedSpec) -> RunPlan:
    """Choose the checks: of a part of a spec, its equations alone."""
    from rnn_harness.checks import all_checks

    checks = (check for check in all_checks() if selected.is_complete or check.name == "forward.equation")
    return RunPlan(tuple(checks))
