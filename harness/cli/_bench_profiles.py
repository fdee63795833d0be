"""``bench --cell``: what is known of every cell by itself, and which of them are timed with the others."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from rnn_harness.cli._bench_options import CellOptions
from rnn_harness.errors import HarnessError, NotRun

if TYPE_CHECKING:
    from rnn_harness.comparison.cell_description import CellDescription
    from rnn_harness.records.cell_profile import CellProfile


@dataclass(frozen=True)
class ProfiledCells:
    """The cells that a benchmark was given.

    Attributes:
        profiles: What is known of each.
        timed: Those that are timed beside the kernels of their spec.
        driven: Those that run through time from any state, whose decay is measured and which can be trained.
    """

    profiles: tuple[CellProfile, ...]
    timed: tuple[str, ...]
    driven: tuple[str, ...] = ()


_USUAL = CellOptions()


def profile_cells(cells: tuple[str, ...], options: CellOptions = _USUAL, specs: tuple[str, ...] = ()) -> ProfiledCells:
    """Profile every cell, each in a worker with limits.

    Args:
        cells: The cells as they are typed.
        options: How they are loaded, and what they may take.
        specs: The specs that are measured beside those of the families, by id or file.

    Raises:
        UsageError: One cannot be loaded or driven.
        HarnessError: The harness itself raised an error.
    """
    from rnn_harness.benchmarks.speed.grid_point import TIMED_SPECS
    from rnn_harness.comparison.in_workers import describe_isolated
    from rnn_harness.comparison.profile_cell import cell_profile
    from rnn_harness.records.cell_profile import CellProfile

    profiles, timed, driven = [], [], []
    for cell in cells:
        try:
            description = describe_isolated(options.request(cell), options.limits, work="it was profiled")
        except HarnessError:
            raise
        except NotRun as reason:
            profiles.append(CellProfile(cell, str(reason).removeprefix(f"{cell}: "), is_known=False))
            continue
        profiles.append(_with_note(cell_profile(description), options.spec, description))
        if description.kind != "unknown" or profiles[-1].decay_by == "products":
            driven.append(cell)
        if description.is_complete and not description.faults and description.spec in {*TIMED_SPECS.values(), *specs}:
            timed.append(cell)
    return ProfiledCells(tuple(profiles), tuple(timed), tuple(driven))


def _with_note(profile: CellProfile, spec: str, description: CellDescription) -> CellProfile:
    """Say of a cell that was to be a cell of a spec, and is none, how to see why."""
    if spec in ("auto", description.spec) or not profile.is_known:
        return profile
    advice = f"it does not equal {spec}: rnn-harness validate {profile.target} --spec {spec} says where it differs"
    return replace(profile, note="; ".join(filter(None, (advice, profile.note))))
