"""The commands on the page: they make the page's own numbers again, of the plan that its measurements are of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rnn_harness.records.measurement import BenchmarkPlan, Measurement

_OPTIONS: dict[BenchmarkPlan, str] = {"quick": " --quick", "full": " --full"}


@dataclass(frozen=True)
class PagePlan:
    """Which plan of the benchmark a page shows.

    Attributes:
        names: The plans of its measurements, sorted; a page that `report` makes has one.
    """

    names: tuple[BenchmarkPlan, ...] = ()

    @property
    def is_quick(self) -> bool:
        """Whether anything on it is of the quick plan."""
        return "quick" in self.names

    @property
    def note(self) -> str:
        """What the reader must know of the plan; empty where it is the usual one."""
        if not self.is_quick:
            return ""
        return (
            "This is a quick page: small sizes, few seeds and steps of training, and only the fixed cases of the "
            "equations. rnn-harness report, without --quick, makes the full one."
        )

    def bench(self, arguments: str) -> str:
        """Return the command that measures again what stands on the page.

        Args:
            arguments: What is measured, and of which families or specs.
        """
        options = {_OPTIONS.get(name, "") for name in self.names}
        return f"rnn-harness bench {arguments}" + (options.pop() if len(options) == 1 else "")

    def verify(self, names: str) -> str:
        """Return the command that decides again what stands on the page.

        Args:
            names: Ids of entries, specs or pairs.
        """
        return f"rnn-harness verify {names}" + (" --examples 0" if self.is_quick else "")

    @property
    def report(self) -> str:
        """The command that makes the whole page again."""
        return "rnn-harness report" + (" --quick" if self.is_quick else "")


def page_plan(measurements: Sequence[Measurement]) -> PagePlan:
    """Return the plan that measurements are of.

    Args:
        measurements: Those that stand on a page.
    """
    return PagePlan(tuple(sorted({row.plan for row in measurements if row.plan})))
