"""``pytest --rnn-cell package.module:Cell``: every check of a candidate as a test of its own.

Loaded by pytest itself, so nothing heavy is imported before the option is used.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from rnn_harness.records.record import Record
    from rnn_harness.validation import Validation


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options, in a group of their own."""
    group = parser.getgroup("rnn-harness", "recurrent cells")
    group.addoption("--rnn-cell", action="append", default=[], metavar="TARGET", help="package.module:Name to validate")
    group.addoption(
        "--rnn-spec", default="auto", metavar="SPEC", help="the spec every --rnn-cell must be (default: auto)"
    )
    group.addoption("--rnn-init", action="append", default=[], metavar="KEY=VALUE", help="for the cells' constructor")
    group.addoption("--rnn-report", metavar="DIR", help="write the report of all cells that were judged to this folder")


_FIRST = "identification.unique"


def verdict(judge: Judge, check: str, dtype: str) -> None:
    """Pass, skip or fail, as the record of a check says."""
    record = judge.find(check, dtype)
    if judge.wrong_use:
        if check == _FIRST:
            pytest.fail(judge.wrong_use, pytrace=False)
        pytest.skip(f"see {_FIRST}: {judge.wrong_use}")
    if record is None:
        pytest.skip("not run: an earlier check ended the validation")
    elif check == _FIRST and str(record.outcome) == "not run" and judge.undecided:
        pytest.fail(f"nothing about it could be decided: {record.reason}", pytrace=False)
    elif str(record.outcome) in ("not run", "vacuous"):
        pytest.skip(f"{record.outcome}: {record.reason}")
    elif str(record.outcome) == "refuted":
        pytest.fail(f"{record.check} refuted: {record.reason}\n{record.program}", pytrace=False)


class CellItem(pytest.Item):
    """One check of one cell in one dtype."""

    def __init__(self, judge: Judge, check: str, dtype: str, **rest: Any) -> None:
        super().__init__(f"{judge.target}: {check}{f' in {dtype}' if dtype else ''}", **rest)
        self.judge, self.check, self.dtype = judge, check, dtype

    def runtest(self) -> None:
        """Look the record up; the first item of a cell makes them all."""
        verdict(self.judge, self.check, self.dtype)

    def reportinfo(self) -> tuple[Any, int | None, str]:
        """Where pytest says that the test stands."""
        return self.path, None, self.name


class Judge:
    """The records of one cell, made once: in a worker if it is named, else in this process."""

    def __init__(self, target: Any, spec: str, options: dict[str, Any]) -> None:
        self.cell, self.spec, self.options = target, spec, options
        self.target = target if isinstance(target, str) else getattr(target, "__qualname__", type(target).__qualname__)
        self.validation: Validation | None = None
        self.wrong_use = ""
        self._records: dict[tuple[str, str], Record] = {}

    def find(self, check: str, dtype: str) -> Record | None:
        """The record of a check; a hang or a crash stands for every check that it prevented."""
        if self.wrong_use:
            return None
        if self.validation is None:
            from rnn_harness.errors import UsageError

            try:
                self.validation = self._made()
            except UsageError as error:
                self.wrong_use = str(error)
                return None
            self._records = {(record.check, record.dtype): record for record in self.validation.checks}
            _JUDGED.append(self)
        ended = next(
            (r for (name, where), r in self._records.items() if name == "process.ended" and where == dtype), None
        )
        return self._records.get((check, dtype), ended)

    @property
    def undecided(self) -> bool:
        """Whether all of it together says neither right nor wrong."""
        return self.validation is not None and self.validation.outcome == "undecided"

    def _made(self) -> Validation:
        if not isinstance(self.cell, str):
            import rnn_harness

            return rnn_harness.validate(self.cell, self.spec, **self.options)
        from rnn_harness.validation import Order, collect, isolated

        return collect(self.target, isolated(Order(self.target, self.options, self.spec)))


_JUDGED: list[Judge] = []
"""Those that made their records in this process: what a report is of."""


class CellCheck:
    """One check, to be called with the cell that it belongs to."""

    def __init__(self, judge: Judge, check: str, dtype: str) -> None:
        self.judge, self.check, self.dtype = judge, check, dtype

    def __call__(self, cell: Any) -> None:
        """Fails if the check is refuted, skips if it could not be decided. Raises ValueError for another cell."""
        if cell is not self.judge.cell:
            raise ValueError(f"this check is one of {self.judge.target}: call it with the cell of the same test")
        verdict(self.judge, self.check, self.dtype)

    def __str__(self) -> str:
        return f"{self.judge.target}: {self.check}{f' in {self.dtype}' if self.dtype else ''}"


def parametrize_with_cells(*cells: Any, spec: str = "auto", **options: Any) -> pytest.MarkDecorator:
    """A test of two arguments, ``cell`` and ``check``, for every check of every cell; its body is ``check(cell)``.

    `cells`: as `rnn_harness.validate` takes them, or ``package.module:Name``, which runs in a process of its own.
    `spec`, `options`: as there.
    """
    judges = [Judge(cell, spec, options) for cell in cells]
    made = [CellCheck(judge, check, dtype) for judge in judges for check, dtype in _checks()]
    return pytest.mark.parametrize(("cell", "check"), [(one.judge.cell, one) for one in made], ids=map(str, made))


def _checks() -> Iterator[tuple[str, str]]:
    from rnn_harness.kernels.judge import SINGLE_CASE_CHECKS, kernel_checks
    from rnn_harness.validation.judging.usage_checks import MANNERS
    from rnn_harness.validation.judging.validate import DTYPES

    yield _FIRST, ""
    for dtype in DTYPES:
        yield "kernel.dispatch", dtype
        for check in (*kernel_checks(), *SINGLE_CASE_CHECKS, *MANNERS):
            if dtype in check.dtypes:
                yield check.name, dtype


def pytest_collection_modifyitems(session: pytest.Session, config: pytest.Config, items: list[pytest.Item]) -> None:
    """Add the cells' checks to what was collected."""
    targets: list[str] = config.getoption("--rnn-cell")
    if not targets:
        return
    from rnn_harness.cli._shared import known_spec
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
        judge = Judge(target, spec, options)
        for check, dtype in _checks():
            items.append(CellItem.from_parent(session, judge=judge, check=check, dtype=dtype))


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Write the report; a process of pytest-xdist hands what it judged to the one that started it."""
    if not session.config.getoption("--rnn-report"):
        return
    found = [judge.validation.model_dump_json() for judge in _JUDGED if judge.validation is not None]
    handed = getattr(session.config, "workeroutput", None)
    if handed is not None:
        handed["rnn-harness"] = found
        return
    _write_report(Path(session.config.getoption("--rnn-report")), [*session.config.stash.get(_HANDED, []), *found])


_HANDED = pytest.StashKey[list[str]]()


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Keep what a process of pytest-xdist has judged."""
    handed = getattr(node, "workeroutput", {}).get("rnn-harness", [])
    node.config.stash.setdefault(_HANDED, []).extend(handed)


def _write_report(folder: Path, found: list[str]) -> None:
    """The report of some validations; of a cell that several processes judged, the first. Raises pytest.UsageError."""
    from rnn_harness.cli._report import said
    from rnn_harness.reports.page import contents, write
    from rnn_harness.validation import Validation

    cells: dict[str, Validation] = {}
    for text in found:
        one = Validation.model_validate_json(text)
        cells.setdefault(one.target, one)
    records = [record for one in cells.values() for record in one.checks]
    try:
        written = write(contents(records, said(), [], list(cells.values())), folder)
    except OSError as error:
        raise pytest.UsageError(f"--rnn-report: cannot write to {folder}: {error.strerror}") from None
    print(f"\nrnn-harness: {written[1]}")


def pytest_report_header(config: pytest.Config) -> str | None:
    """Say what a report will be of."""
    folder: str | None = config.getoption("--rnn-report")
    if folder is None or hasattr(config, "workeroutput"):
        return None
    named = ", ".join(config.getoption("--rnn-cell")) or "the cells of parametrize_with_cells"
    return f"rnn-harness: a report of {named} goes to {folder}"
