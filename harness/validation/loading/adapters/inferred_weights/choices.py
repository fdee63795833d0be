"""Decisions that a run cannot take by itself: it is repeated with other ones, likely ones first, until it succeeds."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from typing import TypeVar

_Option = TypeVar("_Option")


class Choices:
    """The decisions of one run.

    Args:
        planned: The numbers of the options that the first decisions take; later ones take their first option.
    """

    def __init__(self, planned: Sequence[int] = ()) -> None:
        self._planned = planned
        self.taken: list[int] = []
        self.counts: list[int] = []

    def choose(self, options: Sequence[_Option]) -> _Option:
        """Return the option that this run takes.

        Args:
            options: What may be taken, likely ones first; at least one.

        Raises:
            LookupError: There is none.
        """
        if not options:
            raise LookupError("nothing fits")
        place = len(self.taken)
        number = self._planned[place] if place < len(self._planned) else 0
        if number >= len(options):
            raise LookupError("another run had more options here")
        self.taken.append(number)
        self.counts.append(len(options))
        return options[number]


class ChoiceSearch:
    """Every series of decisions, those first that stay nearest to the likely ones.

    Iterating gives the `Choices` of one run after another; each is read when the next one is asked for.

    Args:
        most_runs: After how many runs it ends.
        first: The numbers of the options that the first decisions take in every run.
    """

    def __init__(self, most_runs: int, first: tuple[int, ...] = ()) -> None:
        self.most_runs, self._first = most_runs, first

    def __iter__(self) -> Iterator[Choices]:
        waiting: list[tuple[int, int, tuple[int, ...]]] = [(0, 0, self._first)]
        for _ in range(self.most_runs):
            if not waiting:
                return
            cost, _, planned = heapq.heappop(waiting)
            choices = Choices(planned)
            yield choices
            for place in range(len(planned), len(choices.taken)):
                for number in range(1, choices.counts[place]):
                    # Of equally likely ones the last decision is changed first: it is nearest to what failed.
                    series = (*choices.taken[:place], number)
                    heapq.heappush(waiting, (cost + number.bit_length(), -place, series))
