"""Blocks of a parameter that nothing reads: the rows of one gate, where a block of another gate is read twice."""

from __future__ import annotations

from collections.abc import Iterator

from rnn_harness.errors import UsageError
from rnn_harness.validation.identification.probe import STEPS, Probe


def has_unused_block(probe: Probe) -> bool:
    """Say whether one gate's block of a parameter has no influence, where the others have one.

    Args:
        probe: Runs of the target.
    """
    complete = probe.complete()
    for name, place in _blocks(probe):
        value = probe.parameters[name].copy()
        value[place] += 1
        try:
            changed = probe.respond({**probe.parameters, name: value}, STEPS)
        except UsageError:  # the target refuses such numbers
            continue
        if probe.equal(complete, changed):
            return True
    return False


def _blocks(probe: Probe) -> Iterator[tuple[str, tuple[slice, ...]]]:
    """Yield the blocks of all parameters that hold several gates, along either axis."""
    d = probe.sizes[1]
    for name, value in probe.parameters.items():
        if name in (*probe.ignored, *probe.constant):
            continue
        for axis, length in enumerate(value.shape):
            if length > d and length % d == 0:
                for start in range(0, length, d):
                    yield name, (*[slice(None)] * axis, slice(start, start + d))
