"""What runs of a target with some blocks alone agree with, remembered for all models, faults and layouts that share it.

A search for mistakes holds thousands of models against one target. Most of them differ in nothing that shows where a
block stands alone, and most layouts divide most parameters alike: then both runs were made before.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from rnn_harness.validation.cells.cell_model import CellModel, Fault
from rnn_harness.validation.identification.probe import Response

Run = tuple[CellModel, tuple[Fault, ...], tuple[str, ...], int, str, frozenset[tuple[str, str, bool]]]
"""What a run of a model depends on: the model and its visible faults, the order of its states, the time steps, the
parameters that are cut, the blocks that are not zero with their roles."""
Change = tuple[frozenset[str], frozenset[str], int, str]
"""What two runs of a target depend on: the blocks that are not zero, first fewer, the steps, the parameters."""


@dataclass
class Agreements:
    """Answers of one search on one target, whose numbers and tolerance stay the same meanwhile.

    Attributes:
        runs: Questions that runs had to answer.
    """

    runs: int = 0
    _answers: dict[Run, bool] = field(default_factory=dict)
    _changes: dict[Change, bool] = field(default_factory=dict)
    _complete: list[Response] = field(default_factory=list)

    def agree(self, run: Run, compare: Callable[[], bool]) -> bool:
        """Say whether target and model agree.

        Args:
            run: What both runs depend on.
            compare: Makes them, where they were not made before.
        """
        if run not in self._answers:
            self.runs += 1
            self._answers[run] = compare()
        return self._answers[run]

    def differ(self, change: Change, compare: Callable[[], bool]) -> bool:
        """Say whether a target gives something else with more blocks.

        Args:
            change: What both runs depend on.
            compare: Makes them, where they were not made before.
        """
        if change not in self._changes:
            self._changes[change] = compare()
        return self._changes[change]

    def complete(self, run: Callable[[], Response]) -> Response:
        """Return what the target gives with all its parameters.

        Args:
            run: Makes that run, the first time.
        """
        if not self._complete:
            self._complete.append(run())
        return self._complete[0]
