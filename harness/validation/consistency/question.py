"""One property asked of one cell, and the record of its answer."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from rnn_harness.errors import NotRun, named_error
from rnn_harness.records.provenance import versions
from rnn_harness.records.record import Record
from rnn_harness.records.validation import CONSISTENCY, Diagnosis
from rnn_harness.records.verdict import Outcome
from rnn_harness.runtime.target_call import is_raised_by_target
from rnn_harness.runtime.target_code import failure_of
from rnn_harness.validation.cells.row_exchange import ORDER_OF_ROWS
from rnn_harness.validation.consistency.consistency_property import Draw, Note, Property, Violation
from rnn_harness.validation.consistency.driven_cell import DrivenCell

SEEDS = (1, 2, 3)
"""The seeds of the draws: fixed, so that no verdict depends on the seed of a request."""
MOST_LETTERS = 200
_PRECISE = (f"{CONSISTENCY}final-state-gradients", f"{CONSISTENCY}training")


@dataclass(frozen=True)
class Question:
    """A property of a cell.

    Attributes:
        name: The id of its record after ``consistency.``.
        ask: Tries it on the numbers of a seed. Raises NotRun where it cannot be tried.
        draws: The number of draws of which each must break it before the cell is refuted.
    """

    name: str
    ask: Callable[[int], Violation | Note | None]
    draws: int = 3


@dataclass(frozen=True)
class Answer:
    """What was decided about a property.

    Attributes:
        record: What is reported: the outcome and its reason.
        diagnosis: What is wrong with the cell, if the property is broken.
    """

    record: Record
    diagnosis: Diagnosis | None = None


@dataclass(frozen=True)
class AskedCell:
    """Which cell the records are about.

    Attributes:
        target: Its name.
        spec: The spec that it is held to, or ``unknown``.
        title: What it is in sentences.
        dtype: The dtype that it is asked in.
        seed: The seed of the request.
    """

    target: str
    spec: str
    title: str
    dtype: str
    seed: int


def precise_diagnosis(answered: Iterable[Answer]) -> Diagnosis | None:
    """Choose the diagnosis that says more than what the checks of the same numbers say.

    Args:
        answered: Answers, in the order in which they were asked; None where no diagnosis is of that sort.
    """
    diagnosed = ((a.record.check, a.diagnosis) for a in answered if a.diagnosis is not None)
    return next((found for check, found in diagnosed if check in _PRECISE or found.part == ORDER_OF_ROWS), None)


def first_diagnosis(answered: Iterable[Answer]) -> Diagnosis | None:
    """Choose the first diagnosis.

    Args:
        answered: Answers, in the order in which they were asked; None where none has a diagnosis.
    """
    return next((a.diagnosis for a in answered if a.diagnosis is not None), None)


def property_question(prop: Property, cell: DrivenCell) -> Question:
    """Ask a property of a cell of small sizes.

    Args:
        prop: The property.
        cell: The cell, of the sizes in which all properties are asked.
    """
    return Question(prop.name, lambda seed: prop.decide(Draw(cell, seed)), prop.draws)


def unasked(name: str, reason: str) -> Question:
    """Return a question that cannot be asked.

    Args:
        name: The name of the check.
        reason: Why not; the record of its answer is not run, with this reason.
    """

    def refuse(_: int) -> None:
        raise NotRun(reason)

    return Question(name, refuse)


def answers(questions: Iterable[Question], asked: AskedCell) -> Iterator[Answer]:
    """Ask one question after the other.

    Args:
        questions: The questions, each asked once, in this order.
        asked: The cell that they are about.
    """
    for question in questions:
        start = time.perf_counter()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch warns about the layout of weights, and of detached results
            decision = _decide(question)
        record = Record(
            entry=asked.spec,
            spec=asked.spec,
            check=f"{CONSISTENCY}{question.name}",
            witness="kernel",
            outcome=decision.outcome,
            reason=decision.reason,
            examples=0 if decision.outcome is Outcome.NOT_RUN else 1,
            seconds=round(time.perf_counter() - start, 4),
            seed=asked.seed,
            environment=versions(),
            kernel=asked.target,
            dtype=asked.dtype,
            device="cpu",
            harness_error=decision.harness_error,
        )
        if (violation := decision.violation) is None:
            yield Answer(record)
        else:
            yield Answer(record, Diagnosis(spec=asked.title, part=violation.part, difference=violation.sentence))


class _Decision(NamedTuple):
    """The outcome of a question.

    Attributes:
        outcome: How it ended.
        reason: Why, or what there is to add.
        violation: How the property is broken, if it is.
        harness_error: The traceback of an error of the harness.
    """

    outcome: Outcome
    reason: str
    violation: Violation | None = None
    harness_error: str = ""


def _decide(question: Question) -> _Decision:
    """Ask a question on every draw, as long as each breaks the property."""
    violation: Violation | None = None
    for seed in SEEDS[: question.draws]:
        try:
            result = question.ask(seed)
        except NotRun as reason:
            return _Decision(Outcome.NOT_RUN, str(reason))
        except (Exception, SystemExit) as error:  # a target may raise anything, which is no number that contradicts
            if is_raised_by_target(error):
                return _Decision(Outcome.NOT_RUN, f"it raises {named_error(error)[:MOST_LETTERS]}")
            if isinstance(error, SystemExit):
                raise
            failure = failure_of(error)
            return _Decision(Outcome.NOT_RUN, str(failure), harness_error=failure.traceback_text)
        if not isinstance(result, Violation):
            if violation is not None:
                return _Decision(Outcome.NOT_RUN, f"for some numbers and not for others: {violation.sentence}")
            return _Decision(Outcome.AGREES, result.sentence if isinstance(result, Note) else "")
        violation = violation or result
    assert violation is not None, "a question is asked once at least"
    return _Decision(Outcome.REFUTED, violation.sentence, violation)
