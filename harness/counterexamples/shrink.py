"""Find a case in which a subject differs from its equations, and shrink it: the structure, then the values.

Dimension legend: T time steps, B batch rows, n input size, d hidden size, k output size.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnn_harness.arithmetic.assumptions import FADING
from rnn_harness.cases.case import SPECIALS, Case, Drawn, draw
from rnn_harness.checks.metamorphic.cell_traits import axes
from rnn_harness.counterexamples.fast_difference import Difference, difference
from rnn_harness.subjects.subject import Subject

Array = NDArray[Any]


@dataclass(frozen=True)
class Shrunk:
    """The smallest numbers found, and where they show the difference. `tries`: how often the subject ran."""

    drawn: Drawn
    difference: Difference
    tries: int

    @property
    def nonzero(self) -> int:
        """How many numbers are left that are not zero."""
        return sum(int(np.count_nonzero(value)) for value in numbers(self.drawn, self.difference.backward).values())


class _Predicate:
    """Whether numbers still show the difference: the same part, not faded."""

    def __init__(self, subject: Subject, first: Difference) -> None:
        self.subject, self.backward = subject, first.backward
        self.least = first.size * FADING
        self.tries = 0
        self.last = first

    def __call__(self, drawn: Drawn) -> bool:
        self.tries += 1
        try:
            found = difference(self.subject, drawn, self.backward)
        except (ValueError, IndexError, FloatingPointError):
            return False
        if found is None or found.backward != self.backward or not found.size >= self.least:
            return False
        self.last = found
        return True


def find(subject: Subject, seed: int = 0, tries: int = 64, backward: bool = True) -> tuple[Drawn, Difference] | None:
    """Generic cases, then special positions and equal sizes, until one differs; None if none does."""
    for case in search(subject.spec.id, seed, tries):
        drawn = draw(case, subject)
        found = difference(subject, drawn, backward)
        if found is not None:
            return drawn, found
    return None


def search(spec: str, seed: int, tries: int) -> Iterator[Case]:
    """Small cases, all sizes distinct at first; then each special, equal sizes, batch 1, other scales."""
    shapes = [(2, 3, 4, 3, 3), (3, 2, 2, 2, 2), (2, 2, 2, 3, 2), (3, 2, 3, 3, 1), (1, 1, 2, 2, 2)]
    scales = (1.0, 4.0, 0.5)
    for number in range(tries):
        n, d, k, steps, batch = shapes[number % len(shapes)]
        special = SPECIALS[number // len(shapes) % len(SPECIALS)] if number >= len(shapes) else None
        yield Case(
            spec=spec,
            n=n,
            d=d,
            k=k,
            T=steps,
            B=batch,
            seed=seed + number,
            scale=scales[number // len(shapes) % len(scales)],
            specials=() if special is None else (special,),
        )


def shrink(subject: Subject, drawn: Drawn, first: Difference) -> Shrunk:
    """The smallest numbers that still show the difference `first`, which `drawn` shows."""
    predicate = _Predicate(subject, first)
    drawn = _structure(replace(drawn, lengths=None), predicate)
    drawn = _zeros(drawn, predicate)
    drawn = _plain(drawn, predicate)
    drawn = _zeros(drawn, predicate)
    predicate(drawn)
    return Shrunk(drawn, predicate.last, predicate.tries)


def find_and_shrink(subject: Subject, seed: int = 0, tries: int = 64, backward: bool = True) -> Shrunk | None:
    """`find`, then `shrink`; None if nothing differs."""
    found = find(subject, seed, tries, backward)
    return None if found is None else shrink(subject, *found)


def numbers(drawn: Drawn, backward: bool) -> dict[str, Array]:
    """The arrays that matter, by flat name; output gradients only for a difference of gradients."""
    rows = {f"parameters.{name}": value for name, value in drawn.parameters.items()}
    rows["inputs"] = drawn.inputs
    rows |= {f"states.{name}": value for name, value in drawn.states.items()}
    if backward:
        rows["d_outputs"] = drawn.d_outputs
        rows |= {f"d_finals.{name}": value for name, value in drawn.d_finals.items()}
    return rows


def _rebuilt(drawn: Drawn, rows: dict[str, Array]) -> Drawn:
    def group(prefix: str, old: dict[str, Array]) -> dict[str, Array]:
        return {name: rows.get(prefix + name, value) for name, value in old.items()}

    return replace(
        drawn,
        parameters=group("parameters.", drawn.parameters),
        inputs=rows["inputs"],
        states=group("states.", drawn.states),
        d_outputs=rows.get("d_outputs", drawn.d_outputs),
        d_finals=group("d_finals.", drawn.d_finals),
    )


def _structure(drawn: Drawn, holds: Callable[[Drawn], bool]) -> Drawn:
    """Fewer rows, steps, units, features, classes: to one at once, else one less at a time."""
    for size, cut in _CUTS:
        while (now := size(drawn)) > 1:
            for wanted in range(1, now):
                smaller = next((one for one in cut(drawn, wanted) if holds(one)), None)
                if smaller is not None:
                    drawn = smaller
                    break
            else:
                break
    return drawn


def _rows(drawn: Drawn, wanted: int) -> Iterator[Drawn]:
    for start in (0, drawn.inputs.shape[1] - wanted):
        own = slice(start, start + wanted)
        yield replace(
            drawn,
            inputs=drawn.inputs[:, own],
            states={name: value[own] for name, value in drawn.states.items()},
            d_outputs=drawn.d_outputs[:, own],
            d_finals={name: value[own] for name, value in drawn.d_finals.items()},
        )


def _steps(drawn: Drawn, wanted: int) -> Iterator[Drawn]:
    yield replace(drawn, inputs=drawn.inputs[:wanted], d_outputs=drawn.d_outputs[:wanted])


def _along(drawn: Drawn, kinds: tuple[str, ...], old: int, wanted: int) -> dict[str, Array]:
    """Parameters with the axes of those kinds cut to `wanted`, a merged axis in both halves."""
    parameters = {}
    for name, value in drawn.parameters.items():
        for axis, kind in enumerate(axes(name)[: value.ndim]):
            if kind in kinds:
                halves = [value] if value.shape[axis] == old else np.split(value, 2, axis=axis)
                cut = [np.take(half, range(wanted), axis=axis) for half in halves]
                value = np.concatenate(cut, axis=axis)
        parameters[name] = value
    return parameters


def _units(drawn: Drawn, wanted: int) -> Iterator[Drawn]:
    old = _hidden(drawn)
    parameters = _along(drawn, ("hidden", "below", "merged"), old, wanted)
    width = drawn.d_outputs.shape[2]
    d_outputs = drawn.d_outputs
    if "W_y" not in drawn.parameters:
        both = [d_outputs] if width == old else np.split(d_outputs, 2, axis=2)
        d_outputs = np.concatenate([half[..., :wanted] for half in both], axis=2)
    yield replace(
        drawn,
        parameters=parameters,
        states={name: value[:, :wanted] for name, value in drawn.states.items()},
        d_outputs=d_outputs,
        d_finals={name: value[:, :wanted] for name, value in drawn.d_finals.items()},
    )


def _features(drawn: Drawn, wanted: int) -> Iterator[Drawn]:
    parameters = _along(drawn, ("input",), drawn.inputs.shape[2], wanted)
    yield replace(drawn, parameters=parameters, inputs=drawn.inputs[..., :wanted])


def _classes(drawn: Drawn, wanted: int) -> Iterator[Drawn]:
    parameters = _along(drawn, ("output",), drawn.d_outputs.shape[2], wanted)
    yield replace(drawn, parameters=parameters, d_outputs=drawn.d_outputs[..., :wanted])


def _hidden(drawn: Drawn) -> int:
    return next(len(value) for name, value in drawn.parameters.items() if "W_x" in name)


_CUTS: tuple[tuple[Callable[[Drawn], int], Callable[[Drawn, int], Iterator[Drawn]]], ...] = (
    (lambda drawn: drawn.inputs.shape[1], _rows),
    (lambda drawn: len(drawn.inputs), _steps),
    (_hidden, _units),
    (lambda drawn: drawn.inputs.shape[2], _features),
    (lambda drawn: drawn.d_outputs.shape[2] if "W_y" in drawn.parameters else 1, _classes),
)


class _Flat:
    """All numbers of a drawing as one vector, so that parts of it can be changed at once."""

    def __init__(self, drawn: Drawn, backward: bool) -> None:
        self.drawn = drawn
        self.arrays = numbers(drawn, backward)
        self.vector = np.concatenate([value.ravel() for value in self.arrays.values()])

    def build(self, vector: Array) -> Drawn:
        rows, start = {}, 0
        for name, value in self.arrays.items():
            rows[name] = vector[start : start + value.size].reshape(value.shape)
            start += value.size
        return _rebuilt(self.drawn, rows)


def _zeros(drawn: Drawn, holds: _Predicate) -> Drawn:
    """Set ever smaller runs of the numbers to zero, as long as the difference stays."""
    whole = _Flat(drawn, holds.backward)
    vector = whole.vector
    alive = np.flatnonzero(vector)
    size = max(len(alive) // 2, 1)
    while len(alive):
        start = 0
        while start < len(alive):
            chosen = alive[start : start + size]
            candidate = vector.copy()
            candidate[chosen] = 0
            if holds(whole.build(candidate)):
                vector = candidate
                alive = np.delete(alive, slice(start, start + size))
            else:
                start += size
        if size == 1:
            break
        size = max(size // 2, 1)
    return whole.build(vector)


def _plain(drawn: Drawn, holds: _Predicate) -> Drawn:
    """What is left becomes 1, -1, a whole number or a short decimal."""
    whole = _Flat(drawn, holds.backward)
    vector = whole.vector.copy()
    for place in np.flatnonzero(vector):
        value = vector[place]
        for plain in dict.fromkeys((1.0, -1.0, 2.0, float(round(value)), round(float(value), 1))):
            if plain in (0.0, value):
                continue
            candidate = vector.copy()
            candidate[place] = plain
            if holds(whole.build(candidate)):
                vector = candidate
                break
    return whole.build(vector)
