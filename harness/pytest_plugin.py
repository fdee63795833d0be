"""``pytest --rnn-cell package.module:Cell``: every check of a candidate as a test of its own.

pytest loads this module in every run, so nothing heavy is imported before the option is used.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rnn_harness.records.record import Record
    from rnn_harness.validation import Validation


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options, in a group of their own.

    Args:
        parser: Pytest's parser of options.
    """
    group = parser.getgroup("rnn-harness", "recurrent cells")
    group.addoption("--rnn-cell", action="append", default=[], metavar="TARGET", help="package.module:Name to validate")
    group.addoption(
        "--rnn-spec", default="auto", metavar="SPEC", help="the spec every --rnn-cell must be (default: auto)"
    )
    group.addoption("--rnn-init", action="append", default=[], metavar="KEY=VALUE", help="for the cells' constructor")
    group.addoption("--rnn-report", metavar="DIR", help="write the report of all cells that were judged to this folder")


_FIRST_CHECK = "identification.unique"
_ENDED = "process.ended"


@dataclass(frozen=True)
class CheckInDtype:
    """A check that a cell is judged by.

    Attributes:
        name: The check's id.
        dtype: The dtype in which it is tried; empty for one that is about no dtype.
    """

    name: str
    dtype: str = ""

    def __str__(self) -> str:
        return f"{self.name}{f' in {self.dtype}' if self.dtype else ''}"


class CellJudge:
    """The records of one cell, made once: in a worker if it is named, else in this process.

    Attributes:
        cell: The cell, or its name.
        spec: The spec that it must be, or ``auto``.
        options: What its constructor needs besides the sizes.
        name: What the cell is called in reports.
        validation: Its result, once it is decided.
        usage_error: Why it could not be judged; empty if it could.
    """

    def __init__(self, cell: Any, spec: str, options: Mapping[str, Any]) -> None:
        self.cell, self.spec, self.options = cell, spec, options
        self.name = cell if isinstance(cell, str) else getattr(cell, "__qualname__", type(cell).__qualname__)
        self.validation: Validation | None = None
        self.usage_error = ""

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
        _JUDGED.append(self)
        return {CheckInDtype(record.check, record.dtype): record for record in self.validation.checks}

    def _validate(self) -> Validation:
        """Validate the cell. Raises UsageError."""
        if not isinstance(self.cell, str):
            import rnn_harness

            return rnn_harness.validate(self.cell, self.spec, **self.options)
        from rnn_harness.validation import ValidationRequest, collect_validation, run_validation_isolated

        request = ValidationRequest(self.cell, self.options, self.spec)
        return collect_validation(self.name, run_validation_isolated(request))


def _is_property(record: Record) -> bool:
    """Whether a property of recurrent cells is refuted, and was not expected to be."""
    from rnn_harness.records.validation import CONSISTENCY

    return record.check.startswith(CONSISTENCY) and str(record.outcome) == "refuted" and not record.expected


_JUDGED: list[CellJudge] = []
"""Those that made their records in this process: a report is about these."""


def report_outcome(judge: CellJudge, check: CheckInDtype) -> None:
    """Pass, skip or fail the running test, as the record of a check says.

    Args:
        judge: The cell, which is judged if it was not yet.
        check: The check that the test stands for.

    Raises:
        pytest.fail.Exception: The check is refuted, or the cell cannot be judged.
        pytest.skip.Exception: The check was not run, or is vacuous.
    """
    record = judge.find(check)
    if judge.usage_error:
        if check.name == _FIRST_CHECK:
            pytest.fail(judge.usage_error, pytrace=False)
        pytest.skip(f"see {_FIRST_CHECK}: {judge.usage_error}")
    if record is None:
        asked_elsewhere = check.name.startswith("consistency.")
        ended = "an earlier check ended the validation"
        pytest.skip(f"not run: {'it is asked in the widest dtype alone' if asked_elsewhere else ended}")
    outcome = str(record.outcome)
    if check.name == _FIRST_CHECK and outcome == "not run" and judge.why_not_right:
        pytest.fail(f"{judge.why_not_right}: {record.reason}", pytrace=False)
    elif outcome in ("not run", "vacuous"):
        pytest.skip(f"{outcome}: {record.reason}")
    elif outcome == "refuted":
        pytest.fail(f"{record.check} refuted: {record.reason}\n{record.program}", pytrace=False)


class CellItem(pytest.Item):
    """One check of one cell, as a test that pytest collects.

    Args:
        judge: The cell, and its records.
        check: The check, with the dtype in which it is asked.
        node_arguments: What pytest hands to every item, such as ``name`` and ``parent``.
    """

    def __init__(self, judge: CellJudge, check: CheckInDtype, **node_arguments: Any) -> None:
        super().__init__(f"{judge.name}: {check}", **node_arguments)
        self.judge, self.check = judge, check

    def runtest(self) -> None:
        """Look the record up; the first item of a cell makes all of its records."""
        report_outcome(self.judge, self.check)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """Say where the test stands."""
        return self.path, None, self.name


class CellCheck:
    """One check of one cell, as an argument of a test.

    Attributes:
        judge: The cell, and its records.
        check: The check, with the dtype in which it is asked.
    """

    def __init__(self, judge: CellJudge, check: CheckInDtype) -> None:
        self.judge, self.check = judge, check

    def __call__(self, cell: Any) -> None:
        """Fail if the check is refuted, skip if it could not be decided.

        Args:
            cell: The cell that the check is about.

        Raises:
            ValueError: It is another cell.
        """
        if cell is not self.judge.cell:
            raise ValueError(f"this check is one of {self.judge.name}: call it with the cell of the same test")
        report_outcome(self.judge, self.check)

    def __str__(self) -> str:
        return f"{self.judge.name}: {self.check}"


def parametrize_with_cells(*cells: Any, spec: str = "auto", **options: Any) -> pytest.MarkDecorator:
    """Parametrize a test of ``cell`` and ``check`` by every check of every cell; its body is ``check(cell)``.

    Args:
        *cells: As `rnn_harness.validate` takes them, or ``package.module:Name``, which runs in a process of its own.
        spec: The spec that every cell must have, as in `rnn_harness.validate`.
        **options: What the constructors need besides the sizes.
    """
    judges = [CellJudge(cell, spec, options) for cell in cells]
    checks = [CellCheck(judge, check) for judge in judges for check in _checks()]
    arguments = [(check.judge.cell, check) for check in checks]
    return pytest.mark.parametrize(("cell", "check"), arguments, ids=map(str, checks))


def _checks() -> Iterator[CheckInDtype]:
    """Yield every check that a candidate is judged by, in every dtype."""
    from rnn_harness.kernels.judge import SINGLE_CASE_CHECKS, kernel_checks
    from rnn_harness.validation.consistency.identified_cell import PROPERTY_CHECKS
    from rnn_harness.validation.judging.usage_checks import USAGE_CHECKS
    from rnn_harness.validation.request import DTYPES

    yield CheckInDtype(_FIRST_CHECK)
    for dtype in DTYPES:
        yield CheckInDtype("kernel.dispatch", dtype)
        for check in (*kernel_checks(), *SINGLE_CASE_CHECKS, *USAGE_CHECKS):
            if dtype in check.dtypes:
                yield CheckInDtype(check.name, dtype)
        for name in PROPERTY_CHECKS:
            yield CheckInDtype(name, dtype)


def pytest_collection_modifyitems(session: pytest.Session, config: pytest.Config, items: list[pytest.Item]) -> None:
    """Add the cells' checks to what was collected.

    Args:
        session: The session, which becomes the parent of the new tests.
        config: Its options name the cells.
        items: The tests that were collected; tests are appended.

    Raises:
        pytest.UsageError: An option cannot be read, or the spec is not known.
    """
    targets: list[str] = config.getoption("--rnn-cell")
    if not targets:
        return
    from rnn_harness.cli.arguments import known_spec
    from rnn_harness.errors import UsageError
    from rnn_harness.validation import read_options

    spec: str = config.getoption("--rnn-spec")
    try:
        options = read_options(config.getoption("--rnn-init"))
        if spec != "auto" and not spec.endswith(".toml"):
            known_spec(spec)
    except UsageError as error:
        raise pytest.UsageError(str(error)) from None
    for target in targets:
        judge = CellJudge(target, spec, options)
        items += [CellItem.from_parent(session, judge=judge, check=check) for check in _checks()]


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Write the report; a process of pytest-xdist hands what it judged to the process that started it.

    Args:
        session: The session that ends.
    """
    if not session.config.getoption("--rnn-report"):
        return
    validations = [judge.validation.model_dump_json() for judge in _JUDGED if judge.validation is not None]
    worker_output = getattr(session.config, "workeroutput", None)  # set by pytest-xdist in its workers alone
    if worker_output is not None:
        worker_output["rnn-harness"] = validations
        return
    of_workers = session.config.stash.get(_OF_WORKERS, [])
    _write_report(Path(session.config.getoption("--rnn-report")), [*of_workers, *validations])


_OF_WORKERS = pytest.StashKey[list[str]]()


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Keep what a process of pytest-xdist has judged.

    Args:
        node: The process that ended, as pytest-xdist sees it.
    """
    validations = getattr(node, "workeroutput", {}).get("rnn-harness", [])
    node.config.stash.setdefault(_OF_WORKERS, []).extend(validations)


def _write_report(folder: Path, texts: list[str]) -> None:
    """Write the report of validations; of a cell that several processes judged, the first. Raises pytest.UsageError."""
    from rnn_harness.reports.page import build_contents, document_statements, write_report
    from rnn_harness.validation import Validation

    validations: dict[str, Validation] = {}
    for text in texts:
        validation = Validation.model_validate_json(text)
        validations.setdefault(validation.target, validation)
    records = [record for validation in validations.values() for record in validation.checks]
    try:
        contents = build_contents(records, document_statements(), [], list(validations.values()))
        paths = write_report(contents, folder)
    except OSError as error:
        raise pytest.UsageError(f"--rnn-report: cannot write to {folder}: {error.strerror}") from None
    print(f"\nrnn-harness: {paths[1]}")


def pytest_report_header(config: pytest.Config) -> str | None:
    """Say which cells a report will be about.

    Args:
        config: Its options name the cells and the folder.
    """
    folder: str | None = config.getoption("--rnn-report")
    if folder is None or hasattr(config, "workeroutput"):
        return None
    cells = ", ".join(config.getoption("--rnn-cell")) or "the cells of parametrize_with_cells"
    return f"rnn-harness: a report of {cells} goes to {folder}"
