"""``bench --cell``: what is known of every cell by itself, and which of them are timed with the others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rnn_harness.errors import HarnessError, NotRun

if TYPE_CHECKING:
    from rnn_harness.records.cell_profile import CellProfile


@dataclass(frozen=True)
class ProfiledCells:
    """The cells that a benchmark was given.

    Attributes:
        profiles: What is known of each.
        timed: Those that are timed beside the kernels of their spec.
        known: Those whose equations are known, which can be trained.
    """

    profiles: tuple[CellProfile, ...]
    timed: tuple[str, ...]
    known: tuple[str, ...] = ()


def profile_cells(cells: tuple[str, ...]) -> ProfiledCells:
    """Profile every cell, each in a worker with limits.

    Args:
        cells: The cells as they are typed.

    Raises:
        UsageError: One cannot be loaded or driven.
        HarnessError: The harness itself raised an error.
    """
    from rnn_harness.benchmarks.speed.grid_point import TIMED_SPECS
    from rnn_harness.comparison.in_workers import describe_isolated
    from rnn_harness.comparison.profile_cell import cell_profile
    from rnn_harness.records.cell_profile import CellProfile
    from rnn_harness.validation import Limits, ValidationRequest

    profiles, timed, known = [], [], []
    for cell in cells:
        try:
            description = describe_isolated(ValidationRequest(cell), Limits())
        except HarnessError:
            raise
        except NotRun as reason:
            profiles.append(CellProfile(cell, str(reason), is_known=False))
            continue
        profiles.append(cell_profile(description))
        if description.kind != "unknown":
            known.append(cell)
        if description.is_complete and not description.faults and description.spec in TIMED_SPECS.values():
            timed.append(cell)
    return ProfiledCells(tuple(profiles), tuple(timed), tuple(known))
