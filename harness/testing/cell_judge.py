"""One cell of a suite: judged once, and what each of its tests then says."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import pytest

from rnn_harness.attributes import attribute
from rnn_harness.testing.cell_check import FIRST_CHECK, CheckInDtype
from rnn_harness.testing.settings import SuiteSettings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rnn_harness.records.record import Record
    from rnn_harness.validation import Validation

_ENDED = "process.ended"
_OF_DERIVATIVES = ("behaviour.gradgrad", "behaviour.jvp")
"""What is refuted with a wrong backward: second derivatives, and forward mode, for a path that is cut."""


class CellJudge:
    """The records of one cell, made once: in a worker if it is named, else in this process.

    Attributes:
        cell: The cell, or its name.
        spec: The spec that it must be, or ``auto``.
        options: What its constructor needs besides the sizes.
        settings: The profile of the suite.
        name: What the cell is called in reports.
        validation: Its result, once it is decided.
        usage_error: Why it could not be judged; empty if it could.
    """

    def __init__(self, cell: Any, spec: str, options: Mapping[str, Any], settings: SuiteSettings | None = None) -> None:
        self.cell, self.spec, self.options, self.settings = cell, spec, options, settings or SuiteSettings()
        self.name = cell if isinstance(cell, str) else attribute(cell, "__qualname__", str) or type(cell).__qualname__
        self.validation: Validation | None = None
        self.usage_error = ""

    @property
    def title(self) -> str:
        """The name of the cell in the ids of tests, without its file or module, and without spaces."""
        return self.name.rpartition(":")[2].replace(" ", "_")

    def prepare(self) -> None:
        """Judge the cell, if it was not judged yet."""
        assert self._records is not None

    def find(self, check: CheckInDtype) -> Record | None:
        """Return the record of a check; a hang or a crash stands for every check that it prevented.

        Args:
            check: The check in a dtype.

        Returns:
            The record; None where the check was not reached. The first call judges the cell.
        """
        return self._records.get(check) or self._records.get(CheckInDtype(_ENDED, check.dtype))

    @property
    def why_not_right(self) -> str:
        """Why all of it together does not say that the cell is right; empty where it does, or a check says it."""
        if self.validation is None or self.validation.outcome == "agrees":
            return ""
        refuted = [f"{record.check}: {record.reason}" for record in self.validation.checks if _is_property(record)]
        if refuted:
            return "; ".join(refuted)
        consistent = "no equation is known for it, and it does what every recurrent cell must do"
        return {"consistent": consistent, "undecided": "nothing about it could be decided"}.get(
            self.validation.outcome, ""
        )

    @cached_property
    def _records(self) -> dict[CheckInDtype, Record]:
        """The records by check."""
        from rnn_harness.errors import UsageError

        try:
            self.validation = self._validate()
        except UsageError as error:
            self.usage_error = str(error)
            return {}
        JUDGED.append(self)
        return {CheckInDtype(record.check, record.dtype): record for record in self.validation.checks}

    def _validate(self) -> Validation:
        """Validate the cell. Raises UsageError."""
        settings = self.settings
        if not isinstance(self.cell, str):
            import rnn_harness

            more = {"dtypes": settings.dtypes, "examples": settings.examples} if settings.profile == "quick" else {}
            return rnn_harness.validate(self.cell, self.spec, **{**more, **self.options})
        from rnn_harness.validation import ValidationRequest, collect_validation, run_validation_isolated

        request = ValidationRequest(
            self.cell,
            self.options,
            self.spec,
            examples=settings.examples,
            dtypes=settings.dtypes,
            left_out=settings.left_out,
        )
        return collect_validation(self.name, run_validation_isolated(request))

    def cause_of(self, check: CheckInDtype) -> CheckInDtype:
        """Return the first refuted check with the same cause as a refuted one: the test that fails for all of them.

        A diagnosis of the forward explains every number that is wrong, one of the backward whatever is said of
        gradients, and one of the behaviour every habit; what no diagnosis explains has its group's cause.

        Args:
            check: A refuted check.
        """
        wanted = self._cause(check)
        for key, record in self._records.items():
            if str(record.outcome) == "refuted" and not record.expected and self._cause(key) == wanted:
                return key
        return check

    def _cause(self, check: CheckInDtype) -> str:
        """Name the cause of a refuted check."""
        diagnosis = None if self.validation is None else self.validation.diagnosis
        part = "" if diagnosis is None else diagnosis.part.partition(":")[0]
        record = self.find(check)
        is_of_gradients = check.group == "backward" or check.name in _OF_DERIVATIVES
        is_of_gradients = is_of_gradients or (record is not None and "gradient" in record.reason)
        habits = ("behaviour", "consistency")
        explained = {
            "forward": check.group not in habits or is_of_gradients,
            "backward": is_of_gradients,
            "behaviour": check.group in habits,
        }
        return f"diagnosis: {part}" if explained.get(part, False) else check.group


def _is_property(record: Record) -> bool:
    """Whether a property of recurrent cells is refuted, and was not expected to be."""
    from rnn_harness.records.validation import CONSISTENCY

    return record.check.startswith(CONSISTENCY) and str(record.outcome) == "refuted" and not record.expected


JUDGED: list[CellJudge] = []
"""Those that made their records in this process: a report is about these."""


def report_undecided(judge: CellJudge, check: CheckInDtype) -> None:
    """End the setup of the first check of a cell of which nothing was decided: pytest and JUnit call that an error.

    Args:
        judge: The cell, which is judged if it was not yet.
        check: The check that the test stands for.

    Raises:
        pytest.fail.Exception: Nothing about the cell could be decided.
    """
    if check.name != FIRST_CHECK:
        return
    record, validation = judge.find(check), judge.validation
    if validation is None or record is None or str(record.outcome) != "not run":
        return
    if validation.outcome == "undecided":
        pytest.fail(f"{judge.why_not_right}: {record.reason}", pytrace=False)


def report_outcome(judge: CellJudge, check: CheckInDtype) -> None:
    """Pass, skip or fail the running test, as the record of a check says.

    Args:
        judge: The cell, which is judged if it was not yet.
        check: The check that the test stands for.

    Raises:
        pytest.fail.Exception: The check is refuted, or the cell cannot be judged.
        pytest.skip.Exception: The check was not run, is vacuous, or is refuted by what another test fails for.
    """
    record = judge.find(check)
    if judge.usage_error:
        if check.name == FIRST_CHECK:
            pytest.fail(judge.usage_error, pytrace=False)
        pytest.skip(f"see {FIRST_CHECK}: {judge.usage_error}")
    if record is None:
        asked_elsewhere = check.name.startswith("consistency.")
        ended = "an earlier check ended the validation"
        pytest.skip(f"not run: {'it is asked in the widest dtype alone' if asked_elsewhere else ended}")
    outcome = str(record.outcome)
    if check.name == FIRST_CHECK and outcome == "not run" and judge.why_not_right:
        pytest.fail(f"{judge.why_not_right}: {record.reason}", pytrace=False)
    elif outcome in ("not run", "vacuous"):
        pytest.skip(f"{outcome}: {record.reason}")
    elif outcome == "refuted":
        first = judge.cause_of(check)
        if first != check and judge.find(first) is not record:
            pytest.skip(f"refuted for the same cause as {first}: {record.reason}")
        pytest.fail(failure_text(judge, record), pytrace=False)


def failure_text(judge: CellJudge, record: Record) -> str:
    """Write what a test says that fails: the cause in the first line, the check, and a program that shows it.

    Args:
        judge: The cell.
        record: The first refuted record of the cause.
    """
    validation = judge.validation
    diagnosis = None if validation is None else validation.diagnosis
    check = f"{record.check} refuted: {record.reason}"
    example = None if validation is None else validation.counterexample
    program = record.program or ("" if example is None else example.program)
    lines = [check] if diagnosis is None else [f"{judge.title} {diagnosis.sentence()}", check]
    return "\n".join([*lines, *([program] if program else [])])
