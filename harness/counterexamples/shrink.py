"""Find a case in which a subject differs from its equations, and shrink it: the structure, then the values."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from rnn_harness.arithmetic.assumptions import FADING
from rnn_harness.array_types import Array
from rnn_harness.cases.case import FEATURES, Case
from rnn_harness.counterexamples.fast_difference import Difference, first_difference
from rnn_harness.counterexamples.smaller import CUTS
from rnn_harness.errors import NotRun
from rnn_harness.subjects.case_arrays import CaseArrays, draw_arrays
from rnn_harness.subjects.subject import Subject


@dataclass(frozen=True)
class Shrunk:
    """The smallest numbers that show a difference.

    Attributes:
        arrays: the numbers.
        difference: where they show it.
        tries: how often the subject ran.
    """

    arrays: CaseArrays
    difference: Difference
    tries: int

    @property
    def nonzero(self) -> int:
        """How many of the numbers are not zero."""
        return sum(int(np.count_nonzero(value)) for value in numbers(self.arrays, self.difference.backward).values())


class _Predicate:
    """Whether numbers still show the difference: the same part, not faded."""

    def __init__(self, subject: Subject, first: Difference) -> None:
        self.subject, self.backward = subject, first.backward
        self.least = first.size * FADING
        self.tries = 0
        self.last = first

    def __call__(self, arrays: CaseArrays) -> bool:
        self.tries += 1
        try:
            difference = first_difference(self.subject, arrays, self.backward)
        except (ValueError, IndexError, FloatingPointError, NotRun):  # it may exist for some sizes alone
            return False
        if difference is None or difference.backward != self.backward or not difference.size >= self.least:
            return False
        self.last = difference
        return True


def find(
    subject: Subject, seed: int = 0, tries: int = 64, backward: bool = True
) -> tuple[CaseArrays, Difference] | None:
    """Search a case in which a subject differs: generic ones first, then special positions and equal sizes.

    Args:
        subject: what is run.
        seed: of the first case.
        tries: number of cases.
        backward: whether gradients are compared as well.

    Returns:
        The arrays and the difference; None if no case shows one.
    """
    for case in search(subject.spec.id, seed, tries):
        arrays = draw_arrays(case, subject)
        difference = first_difference(subject, arrays, backward)
        if difference is not None:
            return arrays, difference
    return None


def search(spec: str, seed: int, tries: int) -> Iterator[Case]:
    """Yield small cases, all sizes distinct at first; then each feature, equal sizes, batch 1, other scales.

    Args:
        spec: id of the spec.
        seed: of the first case; each next case has the next seed.
        tries: number of cases.
    """
    shapes = [(2, 3, 4, 3, 3), (3, 2, 2, 2, 2), (2, 2, 2, 3, 2), (3, 2, 3, 3, 1), (1, 1, 2, 2, 2)]
    scales = (1.0, 4.0, 0.5)
    for number in range(tries):
        n, d, k, steps, batch = shapes[number % len(shapes)]
        feature = FEATURES[number // len(shapes) % len(FEATURES)] if number >= len(shapes) else None
        yield Case(
            spec=spec,
            n=n,
            d=d,
            k=k,
            T=steps,
            B=batch,
            seed=seed + number,
            scale=scales[number // len(shapes) % len(scales)],
            features=() if feature is None else (feature,),
        )


def shrink(subject: Subject, arrays: CaseArrays, first: Difference) -> Shrunk:
    """Return the smallest numbers that still show a difference.

    Args:
        subject: what is run.
        arrays: numbers that show it.
        first: the difference that they show; a shrunk one is of the same part, and has not faded.
    """
    predicate = _Predicate(subject, first)
    arrays = _structure(replace(arrays, lengths=None), predicate)
    arrays = _zeros(arrays, predicate)
    arrays = _plain(arrays, predicate)
    arrays = _zeros(arrays, predicate)
    predicate(arrays)
    return Shrunk(arrays, predicate.last, predicate.tries)


def find_and_shrink(subject: Subject, seed: int = 0, tries: int = 64, backward: bool = True) -> Shrunk | None:
    """Search a difference as `find` does and `shrink` it; None if nothing differs.

    Args:
        subject: what is run.
        seed: of the first case.
        tries: number of cases.
        backward: whether gradients are compared as well.
    """
    start = find(subject, seed, tries, backward)
    return None if start is None else shrink(subject, *start)


def numbers(arrays: CaseArrays, backward: bool) -> dict[str, Array]:
    """Return the arrays that matter, by flat name; output gradients only for a difference of gradients.

    Args:
        arrays: the arrays of a case; they are not copied.
        backward: whether the difference is one of gradients.
    """
    rows = {f"parameters.{name}": value for name, value in arrays.parameters.items()}
    rows["inputs"] = arrays.inputs
    rows |= {f"states.{name}": value for name, value in arrays.states.items()}
    if backward:
        rows["d_outputs"] = arrays.d_outputs
        rows |= {f"d_finals.{name}": value for name, value in arrays.d_finals.items()}
    return rows


def _rebuilt(arrays: CaseArrays, rows: dict[str, Array]) -> CaseArrays:
    def group(prefix: str, old: dict[str, Array]) -> dict[str, Array]:
        return {name: rows.get(prefix + name, value) for name, value in old.items()}

    return replace(
        arrays,
        parameters=group("parameters.", arrays.parameters),
        inputs=rows["inputs"],
        states=group("states.", arrays.states),
        d_outputs=rows.get("d_outputs", arrays.d_outputs),
        d_finals=group("d_finals.", arrays.d_finals),
    )


def _structure(arrays: CaseArrays, shows: _Predicate) -> CaseArrays:
    """Fewer rows, steps, units, features, classes: to one at once, else one less at a time."""
    for cut in CUTS:
        while (now := cut.size(shows.subject, arrays)) > 1:
            for wanted in range(1, now):
                candidates = cut.smaller(shows.subject, arrays, wanted)
                smaller = next((candidate for candidate in candidates if shows(candidate)), None)
                if smaller is not None:
                    arrays = smaller
                    break
            else:
                break
    return arrays


class _Flat:
    """All numbers of a drawing as one vector, so that parts of it can be changed at once."""

    def __init__(self, arrays: CaseArrays, backward: bool) -> None:
        self.arrays = arrays
        self.flat = numbers(arrays, backward)
        self.vector = np.concatenate([value.ravel() for value in self.flat.values()])

    def build(self, vector: Array) -> CaseArrays:
        rows, start = {}, 0
        for name, value in self.flat.items():
            rows[name] = vector[start : start + value.size].reshape(value.shape)
            start += value.size
        return _rebuilt(self.arrays, rows)


def _zeros(arrays: CaseArrays, shows: _Predicate) -> CaseArrays:
    """Set ever smaller runs of the numbers to zero, as long as the difference stays."""
    flattened = _Flat(arrays, shows.backward)
    vector = flattened.vector
    alive = np.flatnonzero(vector)
    size = max(len(alive) // 2, 1)
    while len(alive):
        start = 0
        while start < len(alive):
            chosen = alive[start : start + size]
            candidate = vector.copy()
            candidate[chosen] = 0
            if shows(flattened.build(candidate)):
                vector = candidate
                alive = np.delete(alive, slice(start, start + size))
            else:
                start += size
        if size == 1:
            break
        size = max(size // 2, 1)
    return flattened.build(vector)


def _plain(arrays: CaseArrays, shows: _Predicate) -> CaseArrays:
    """Make each number that is not zero 1, -1, a whole number or a short decimal."""
    flattened = _Flat(arrays, shows.backward)
    vector = flattened.vector.copy()
    for place in np.flatnonzero(vector):
        value = vector[place]
        for plain in dict.fromkeys((1.0, -1.0, 2.0, float(round(value)), round(float(value), 1))):
            if plain in (0.0, value):
                continue
            candidate = vector.copy()
            candidate[place] = plain
            if shows(flattened.build(candidate)):
                vector = candidate
                break
    return flattened.build(vector)
