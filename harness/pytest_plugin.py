"""``pytest --rnn-cell package.module:Cell``: every check of a candidate as a test of its own.

pytest loads this module in every run, so nothing heavy is imported before a cell is named.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from rnn_harness.attributes import attribute, member

if TYPE_CHECKING:
    from rnn_harness.testing.cell_check import CheckInDtype
    from rnn_harness.testing.cell_judge import CellJudge
    from rnn_harness.testing.settings import SuiteSettings
    from rnn_harness.validation import Validation

_SETTINGS = pytest.StashKey["SuiteSettings"]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options, in a group of their own.

    Args:
        parser: Pytest's parser of options.
    """
    group = parser.getgroup("rnn-harness", "recurrent cells ([tool.rnn-harness] of pyproject.toml holds the same)")
    group.addoption("--rnn-cell", action="append", default=[], metavar="TARGET", help="package.module:Name to validate")
    group.addoption("--rnn-spec", metavar="SPEC", help="the spec every --rnn-cell must be (default: auto)")
    group.addoption("--rnn-init", action="append", default=[], metavar="KEY=VALUE", help="for the cells' constructor")
    group.addoption(
        "--rnn-profile",
        choices=("quick", "full"),
        help="quick: float64, the fixed cases alone, no forward mode; full (default): every dtype, drawn cases too",
    )
    group.addoption("--rnn-report", metavar="DIR", help="write the report of all cells that were judged to this folder")
    group.addoption("--rnn-sarif", metavar="FILE", help="write what is wrong with cells as SARIF")
    group.addoption("--rnn-github", action="store_true", help="print what is wrong with cells as GitHub's annotations")


def pytest_configure(config: pytest.Config) -> None:
    """Declare the markers of the groups of checks.

    Args:
        config: Takes the markers.
    """
    from rnn_harness.testing.cell_check import GROUPS

    config.addinivalue_line("markers", "rnn_cell: a check of a recurrent cell")
    for group in GROUPS:
        config.addinivalue_line("markers", f"rnn_{group}: a check of a recurrent cell, of the group {group}")


def _settings(config: pytest.Config) -> SuiteSettings:
    """Return the settings of the project, with the options of the command line in their place."""
    if _SETTINGS not in config.stash:
        from rnn_harness.errors import UsageError
        from rnn_harness.testing.settings import read_settings

        try:
            settings = read_settings(config.rootpath)
        except UsageError as error:
            raise pytest.UsageError(str(error)) from None
        typed = {
            "cells": tuple(config.getoption("--rnn-cell")),
            "spec": config.getoption("--rnn-spec"),
            "init": tuple(config.getoption("--rnn-init")),
            "profile": config.getoption("--rnn-profile"),
            "report": config.getoption("--rnn-report"),
            "sarif": config.getoption("--rnn-sarif"),
            "github": config.getoption("--rnn-github"),
        }
        config.stash[_SETTINGS] = settings.model_copy(update={key: value for key, value in typed.items() if value})
    return config.stash[_SETTINGS]


def _markers(check: CheckInDtype) -> list[pytest.MarkDecorator]:
    """Return the markers of a check: that it is one, and its group."""
    return [pytest.mark.rnn_cell, member(pytest.mark, f"rnn_{check.group}")]


class CellItem(pytest.Item):
    """One check of one cell, as a test that pytest collects.

    Args:
        judge: The cell, and its records.
        check: The check, with the dtype in which it is asked.
        node_arguments: What pytest hands to every item, such as ``name`` and ``parent``.
    """

    def __init__(self, judge: CellJudge, check: CheckInDtype, **node_arguments: Any) -> None:
        super().__init__(f"rnn_cell[{judge.title}-{check}]", **node_arguments)
        self.judge, self.check = judge, check
        for mark in _markers(check):
            self.add_marker(mark)

    def setup(self) -> None:
        """Judge the cell, if no other test has: the time counts as setup, and not as the time of a check."""
        self.judge.prepare()

    def runtest(self) -> None:
        """Look the record up."""
        from rnn_harness.testing.cell_judge import report_outcome

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
        from rnn_harness.testing.cell_judge import report_outcome

        if cell is not self.judge.cell:
            raise ValueError(f"this check is one of {self.judge.name}: call it with the cell of the same test")
        report_outcome(self.judge, self.check)

    def __str__(self) -> str:
        return f"{self.judge.title}-{self.check}"


def parametrize_with_cells(*cells: Any, spec: str = "auto", **options: Any) -> pytest.MarkDecorator:
    """Parametrize a test of ``cell`` and ``check`` by every check of every cell; its body is ``check(cell)``.

    Args:
        *cells: As `rnn_harness.validate` takes them, or ``package.module:Name``, which runs in a process of its own.
        spec: The spec that every cell must have, as in `rnn_harness.validate`.
        **options: What the constructors need besides the sizes.
    """
    from rnn_harness.testing.cell_check import candidate_checks
    from rnn_harness.testing.session_judges import judge_of
    from rnn_harness.validation.request import DTYPES

    judges = [judge_of(cell, spec, options) for cell in cells]
    checks = [CellCheck(judge, check) for judge in judges for check in candidate_checks(DTYPES)]
    arguments = [pytest.param(check.judge.cell, check, id=str(check), marks=_markers(check.check)) for check in checks]
    return pytest.mark.parametrize(("cell", "check"), arguments)


def pytest_sessionstart() -> None:
    """Forget the cells of an earlier run in this process."""
    from rnn_harness.testing.session_judges import forget_judges

    forget_judges()


@pytest.hookimpl(tryfirst=True)  # pytest-xdist reads the groups in a hook of the same name
def pytest_collection_modifyitems(session: pytest.Session, config: pytest.Config, items: list[pytest.Item]) -> None:
    """Add the cells' checks to what was collected, and have one process of pytest-xdist make all checks of a cell.

    Args:
        session: The session, which becomes the parent of the new tests.
        config: Its options name the cells.
        items: The tests that were collected; tests are appended.

    Raises:
        pytest.UsageError: An option cannot be read, or the spec is not known.
    """
    settings = _settings(config)
    if settings.cells:
        items += _cell_items(session, settings)
    if not config.pluginmanager.hasplugin("xdist"):
        return
    for item in items:
        check = _check_of(item)
        if check is not None:
            item.add_marker(pytest.mark.xdist_group(check.judge.name))


@pytest.hookimpl(trylast=True)  # the fixtures of a test are set up before its cell is judged
def pytest_runtest_setup(item: pytest.Item) -> None:
    """End with an error, and not as a failed test, where nothing about a cell could be decided.

    Args:
        item: The test that is about to run.
    """
    check = _check_of(item)
    if check is not None:
        from rnn_harness.testing.cell_judge import report_undecided

        report_undecided(check.judge, check.check)


def _check_of(item: pytest.Item) -> CellItem | CellCheck | None:
    """Return the check that a test is or that `parametrize_with_cells` gives it; None for another test."""
    if isinstance(item, CellItem):
        return item
    if not isinstance(item, pytest.Function) or "check" not in item.fixturenames or not hasattr(item, "callspec"):
        return None
    check = item.callspec.params.get("check")
    return check if isinstance(check, CellCheck) else None


def _cell_items(session: pytest.Session, settings: SuiteSettings) -> list[CellItem]:
    """Return the checks of the cells that the settings name. Raises pytest.UsageError."""
    from rnn_harness.cli.arguments import known_spec
    from rnn_harness.errors import UsageError
    from rnn_harness.testing.cell_check import candidate_checks
    from rnn_harness.testing.session_judges import judge_of
    from rnn_harness.validation import read_options

    try:
        options = read_options(list(settings.init))
        if settings.spec != "auto" and not settings.spec.endswith(".toml"):
            known_spec(settings.spec)
    except UsageError as error:
        raise pytest.UsageError(str(error)) from None
    judges = [judge_of(target, settings.spec, options, settings) for target in dict.fromkeys(settings.cells)]
    return [
        CellItem.from_parent(session, judge=judge, check=check)
        for judge in judges
        for check in candidate_checks(settings.dtypes, settings.left_out)
    ]


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Write the report and the findings; a process of pytest-xdist hands what it judged to the one that started it.

    Args:
        session: The session that ends.
    """
    settings = _settings(session.config)
    if not (settings.report or settings.sarif or settings.github):
        return
    from rnn_harness.testing.cell_judge import JUDGED

    validations = [judge.validation.model_dump_json() for judge in JUDGED if judge.validation is not None]
    worker_output = attribute(session.config, "workeroutput", dict)  # set by pytest-xdist in its workers alone
    if worker_output is not None:
        worker_output["rnn-harness"] = validations
        return
    judged = _once_each([*session.config.stash.get(_OF_WORKERS, []), *validations])
    if settings.report:
        _write_report(Path(settings.report), judged)
    if settings.sarif or settings.github:
        _tell_findings(settings, judged)


_OF_WORKERS = pytest.StashKey[list[str]]()


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Keep what a process of pytest-xdist has judged.

    Args:
        node: The process that ended, as pytest-xdist sees it.
    """
    validations = (attribute(node, "workeroutput", dict) or {}).get("rnn-harness", [])
    node.config.stash.setdefault(_OF_WORKERS, []).extend(validations)


def _once_each(texts: Sequence[str]) -> list[Validation]:
    """Return validations as they were written; of a cell that several processes judged, the first."""
    from rnn_harness.validation import Validation

    validations: dict[str, Validation] = {}
    for text in texts:
        validation = Validation.model_validate_json(text)
        validations.setdefault(validation.target, validation)
    return list(validations.values())


def _write_report(folder: Path, validations: list[Validation]) -> None:
    """Write the report of validations. Raises pytest.UsageError."""
    from rnn_harness.reports.page import build_contents, document_statements, write_report

    records = [record for validation in validations for record in validation.checks]
    try:
        contents = build_contents(records, document_statements(), [], validations)
        paths = write_report(contents, folder)
    except OSError as error:
        raise pytest.UsageError(f"--rnn-report: cannot write to {folder}: {error.strerror}") from None
    print(f"\nrnn-harness: {paths[1]}")


def _tell_findings(settings: SuiteSettings, validations: list[Validation]) -> None:
    """Write what is wrong as SARIF, and print it as annotations, as far as that is wanted. Raises pytest.UsageError."""
    from rnn_harness.reports.findings import github_annotations
    from rnn_harness.testing.placed_findings import findings_as_sarif, placed_findings

    findings = placed_findings(validations)
    if settings.github:
        for line in github_annotations(findings):
            print(f"\n{line}", end="")
        print()
    if settings.sarif:
        try:
            Path(settings.sarif).write_text(findings_as_sarif(findings), encoding="utf-8")
        except OSError as error:
            raise pytest.UsageError(f"--rnn-sarif: cannot write to {settings.sarif}: {error.strerror}") from None


def pytest_report_header(config: pytest.Config) -> str | None:
    """Say which cells a report will be about.

    Args:
        config: Its options name the cells and the folder.
    """
    settings = _settings(config)
    if not settings.report or hasattr(config, "workeroutput"):
        return None
    cells = ", ".join(settings.cells) or "the cells of parametrize_with_cells"
    return f"rnn-harness: a report of {cells} goes to {settings.report}"
