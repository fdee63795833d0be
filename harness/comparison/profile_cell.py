"""The profile of a cell, from what its worker says of it and from its own equations."""

from __future__ import annotations

import re
from collections import Counter

import numpy as np

from rnn_harness.comparison.bounded_outputs import described_spec
from rnn_harness.comparison.cell_description import CellDescription
from rnn_harness.comparison.compare import compared_cell
from rnn_harness.records.cell_profile import CellProfile, DrawnWeight
from rnn_harness.subjects.parameter_role import find_role


def cell_profile(description: CellDescription) -> CellProfile:
    """Make the profile of a target.

    Args:
        description: What its worker said of it.
    """
    cell = compared_cell(description)
    times = description.times
    is_known = description.kind != "unknown"
    counts = _counts_by_shape(description) if is_known else Counter[str]()
    n, d = _sizes_of(description)
    total = sum(count * _size(shape, n, d) for shape, count in counts.items())
    return CellProfile(
        description.target,
        description.sentence,
        is_known=is_known,
        formula=" + ".join(f"{count} {shape}" for shape, count in sorted(counts.items(), key=lambda row: -len(row[0]))),
        parameters=cell.parameters,
        is_counted=is_known and total == cell.parameters,
        sizes=cell.sizes,
        forward_seconds=cell.forward_seconds,
        backward_seconds=cell.backward_seconds,
        torch_layer=times.torch_layer if times is not None else "",
        torch_forward_seconds=times.torch_forward if times is not None else None,
        torch_backward_seconds=times.torch_backward if times is not None else None,
        decay=cell.decay,
        decay_by=cell.decay_by,
        decay_by_equations=cell.decay_by_equations,
        decay_note=cell.decay_note,
        weights=_drawn_weights(description),
        note=cell.note,
    )


def _counts_by_shape(description: CellDescription) -> Counter[str]:
    """Count the target's own blocks by shape: a bias that stands in two places counts twice."""
    program = described_spec(description).program()
    counts: Counter[str] = Counter()
    for parameter in program.parameters:
        places = description.places.get(parameter.name, ())
        if parameter.name in description.names:
            counts[" ".join(str(axis) for axis in parameter.shape) or "1"] += max(len(places), 1)
    return counts


def _sizes_of(description: CellDescription) -> tuple[int, int]:
    """Read the sizes at which the target's parameters were counted."""
    numbers = [int(number) for number in re.findall(r"\d{1,9}", description.parameters[1])]
    return (numbers[0], numbers[1]) if len(numbers) == 2 else (0, 0)


def _size(shape: str, n: int, d: int) -> int:
    """Return how many numbers a shape has; one with another axis than n and d has none that is known."""
    known = {"n": n, "d": d, "1": 1}
    total = 1
    for axis in shape.split():
        total *= known.get(axis, 0)
    return total


def _drawn_weights(description: CellDescription) -> tuple[DrawnWeight, ...]:
    """Say how the constructor draws every weight; numbers that are not finite are left out."""
    rows = []
    for name, value in description.initial.items():
        numbers = value.array()
        role = find_role(name) if description.kind == "family" else None
        title = f"{name}, {role.in_words()}" if role is not None else name
        if numbers.size and np.isfinite(numbers).all():
            rows.append(DrawnWeight(title, float(numbers.mean()), float(numbers.std())))
    return tuple(rows)
