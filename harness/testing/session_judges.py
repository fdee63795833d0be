"""The judges of a run of pytest: a cell that several tests name is judged once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rnn_harness.testing.cell_judge import CellJudge
    from rnn_harness.testing.settings import SuiteSettings

_JUDGES: list[CellJudge] = []


def judge_of(cell: Any, spec: str, options: Mapping[str, object], settings: SuiteSettings | None = None) -> CellJudge:
    """Return the judge of a cell with a spec, options and a profile: the one that there is, or a new one.

    Args:
        cell: The cell, or its name.
        spec: The spec that it must be, or ``auto``.
        options: What its constructor needs besides the sizes.
        settings: The profile of the suite.
    """
    from rnn_harness.testing.cell_judge import CellJudge

    judge = CellJudge(cell, spec, options, settings)
    for known in _JUDGES:
        if _are_same(known.cell, cell) and known.spec == spec and known.settings.profile == judge.settings.profile:
            names = known.options.keys()
            if names == options.keys() and all(_are_same(known.options[name], options[name]) for name in names):
                return known
    _JUDGES.append(judge)
    return judge


def forget_judges() -> None:
    """Forget the judges of an earlier run of pytest in this process: its cells may have changed since."""
    _JUDGES.clear()


def _are_same(first: Any, second: Any) -> bool:
    """Whether two values are one object, or equal numbers or texts of one type; 1 is not True."""
    return first is second or (type(first) is type(second) and isinstance(first, str | int | float) and first == second)
