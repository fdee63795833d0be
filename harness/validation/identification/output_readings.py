"""Which of the tensors that a step gives back is its output, where none repeats another: a cell's equations tell."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TypeVar

from rnn_harness.validation.identification.probe import Probe

_Match = TypeVar("_Match")


def output_readings(probe: Probe) -> Iterator[Probe]:
    """Yield the runs of a target in every way to read what it gives back, first as they are.

    Args:
        probe: Runs of the target.
    """
    yield probe
    convention = probe.convention
    if convention.output_place is None:
        return
    places = sorted((*convention.taken, convention.output_place))
    for place in convention.other_outputs:
        taken = tuple(state for state in places if state != place)
        reading = replace(convention, taken=taken, output_place=place, other_outputs=())
        yield replace(probe, convention=reading, _responses={})


def first_reading(probe: Probe, find: Callable[[Probe], _Match]) -> tuple[Probe, _Match]:
    """Return the first reading of what a target gives back in which something is found, and what is found.

    Args:
        probe: Runs of the target.
        find: What is looked for in the runs; what it returns is false where it finds nothing.

    Returns:
        The runs as they are, and what was looked for in them in vain, where it is found in no reading.
    """
    _, *further_readings = output_readings(probe)  # before the search, which may loosen the tolerance of the runs
    first_match = find(probe)
    if first_match:
        return probe, first_match
    further_matches = ((reading, find(reading)) for reading in further_readings)
    return next((pair for pair in further_matches if pair[1]), (probe, first_match))
