"""What a spec expects of given numbers at a given rounding: values, gradients and their bounds, computed once.

Nothing here depends on the subject, so one expectation serves every reference, mutant, kernel and candidate that is
judged on the same numbers, and every check. Expectations are kept in a cache of bounded size; what they give is
read-only, because it is shared.
"""

from __future__ import annotations

import functools
import hashlib
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from flint import arb

from rnn_harness.arithmetic import Trajectory, Values, evaluate
from rnn_harness.arithmetic.ball import BallArithmetic
from rnn_harness.arithmetic.rounding import Rounding
from rnn_harness.array_types import Array
from rnn_harness.derivatives import Cotangents, derive, differentiate
from rnn_harness.evaluation.quick_radii import QuickRadii
from rnn_harness.specs.program import Program

MOST_EXPECTATIONS = 1024
"""Expectations held at most: nine cases of one spec, with all changes that metamorphic checks make, are about 300."""
MOST_BALLS = 500_000
"""Balls held at most, at about 200 bytes each: 100 MB."""


_radii = np.frompyfunc(lambda ball: float(arb(ball.rad())), 1, 1)


@dataclass(frozen=True, eq=False)
class Expectation:
    """What one program gives for one set of numbers, in the spec's names. Values are balls; see arithmetic/ball.py.

    Attributes:
        program: the equations, in the order in which they are computed.
        values: parameters, inputs, initial states and sizes; copies that nobody else holds.
        d_outputs: output cotangents by output name, each (T, B, .).
        d_finals: cotangents of the final states by state name, each (B, .).
        rounding: what an implementation may round; None for the true values alone.
    """

    program: Program
    values: Values
    d_outputs: Mapping[str, Array]
    d_finals: Mapping[str, Array]
    rounding: Rounding | None

    @functools.cached_property
    def _arithmetic(self) -> BallArithmetic:
        return BallArithmetic(self.rounding)

    @functools.cached_property
    def trajectory(self) -> Trajectory[Array]:
        """All values over the sequence, read-only."""
        return read_only_trajectory(evaluate(self.program, self.values, self._arithmetic))

    @functools.cached_property
    def step_radii(self) -> tuple[Mapping[str, Array], ...]:
        """The rounding bounds of all values in float64, read-only: by step, then by symbol."""
        return tuple(
            _read_only_table({name: _radius(balls) for name, balls in step.items()}) for step in self.trajectory.steps
        )

    @functools.cached_property
    def quick(self) -> QuickRadii | None:
        """Bounds in arrays that are no wider; None for the true values alone."""
        if self.rounding is None:
            return None
        return QuickRadii(self.program, self.values, self.d_outputs, self.d_finals, self.rounding)

    @functools.cached_property
    def cotangents(self) -> Cotangents[Array]:
        """All gradients by the derived backward, read-only."""
        rounding = self.rounding
        is_plain = rounding is None or rounding.backward_unit is None
        arithmetic = self._arithmetic if rounding is None or is_plain else BallArithmetic(rounding.of_backward)
        cotangents = differentiate(derive(self.program), self.trajectory, self.d_outputs, self.d_finals, arithmetic)
        return Cotangents(
            MappingProxyType({name: tuple(map(_read_only, steps)) for name, steps in cotangents.inputs.items()}),
            _read_only_table(cotangents.states),
            _read_only_table(cotangents.parameters),
        )

    @functools.cached_property
    def size(self) -> int:
        """How many balls it comes to, values and gradients together, whether or not they are computed already."""
        sizes, batch = self.values.sizes, _batch(self.values)
        assigned = sum(
            int(np.prod([axis.size(sizes) for axis in assignment.target.shape] or [1]))
            for assignment in self.program.assignments
        )
        return self.values.steps * batch * assigned + 2 * sum(array.size for _, array in _arrays(self.values))


class ExpectationCache:
    """The expectations asked for most recently.

    Args:
        most: number of expectations held at most.
        most_balls: number of balls held at most; a larger single expectation is computed and not held.
    """

    def __init__(self, most: int = MOST_EXPECTATIONS, most_balls: int = MOST_BALLS) -> None:
        self.most, self.most_balls = most, most_balls
        self.balls = 0
        self._held: OrderedDict[tuple[Program, Rounding | None, bytes], Expectation] = OrderedDict()

    def __len__(self) -> int:
        return len(self._held)

    def expect(
        self,
        program: Program,
        values: Values,
        d_outputs: Mapping[str, Array],
        d_finals: Mapping[str, Array],
        rounding: Rounding | None,
    ) -> Expectation:
        """Return the expectation of these numbers: the one that is held, or else a new one.

        The numbers are read now, and may be overwritten afterwards.

        Args:
            program: the equations.
            values: parameters, inputs, initial states and sizes in the spec's names.
            d_outputs: output cotangents by output name, each (T, B, .).
            d_finals: cotangents of the final states by state name, each (B, .).
            rounding: what an implementation may round; None for the true values alone.

        Raises:
            TypeError: the numbers are balls or other objects.
        """
        key = (program, rounding, _digest(values, d_outputs, d_finals))
        expectation = self._held.get(key)
        if expectation is not None:
            self._held.move_to_end(key)
            return expectation
        copied = Values(
            _copied(values.parameters),
            _copied(values.inputs),
            _copied(values.states),
            MappingProxyType(dict(values.sizes)),
            _copied(values.indices),
        )
        expectation = Expectation(program, copied, _copied(d_outputs), _copied(d_finals), rounding)
        if expectation.size <= self.most_balls:
            self._held[key] = expectation
            self.balls += expectation.size
            while len(self._held) > self.most or self.balls > self.most_balls:
                self.balls -= self._held.popitem(last=False)[1].size
        return expectation


_CACHE = ExpectationCache()
expect = _CACHE.expect


def read_only_trajectory(trajectory: Trajectory[Array]) -> Trajectory[Array]:
    """Return the same values, in arrays and tables that cannot be written to.

    Args:
        trajectory: its arrays are not copied: they become read-only themselves.
    """
    return Trajectory(
        tuple(map(_read_only_table, trajectory.steps)),
        _read_only_table(trajectory.initial),
        _read_only_table(trajectory.parameters),
        tuple(map(_read_only_table, trajectory.inputs)),
        tuple(map(_read_only_table, trajectory.indices)),
        trajectory.sizes,
    )


def _radius(balls: Array) -> Array:
    return np.asarray(_radii(balls), dtype=np.float64)


def _read_only(array: Array) -> Array:
    array.flags.writeable = False
    return array


def _read_only_table(table: Mapping[str, Array]) -> Mapping[str, Array]:
    return MappingProxyType({name: _read_only(array) for name, array in table.items()})


def _copied(table: Mapping[str, Array]) -> Mapping[str, Array]:
    return _read_only_table({name: np.array(array) for name, array in table.items()})


def _arrays(values: Values) -> Iterator[tuple[str, Array]]:
    groups = {
        "parameters": values.parameters,
        "inputs": values.inputs,
        "states": values.states,
        "indices": values.indices,
    }
    for group, table in groups.items():
        for name in sorted(table):
            yield f"{group}.{name}", table[name]


def _batch(values: Values) -> int:
    """B, the number of batch rows."""
    return len(next(iter(values.inputs.values()))[0]) if values.steps else 0


def _digest(values: Values, d_outputs: Mapping[str, Array], d_finals: Mapping[str, Array]) -> bytes:
    """What tells these numbers from all others: names, dtypes, shapes and bytes."""
    digest = hashlib.blake2b(repr(sorted(values.sizes.items())).encode(), digest_size=32)
    groups = (
        _arrays(values),
        ((f"d_outputs.{name}", d_outputs[name]) for name in sorted(d_outputs)),
        ((f"d_finals.{name}", d_finals[name]) for name in sorted(d_finals)),
    )
    for group in groups:
        for name, array in group:
            if array.dtype == object:
                raise TypeError(f"{name} holds {type(array.flat[0]).__name__}: an expectation is of plain numbers")
            digest.update(f"{name} {array.dtype.str} {array.shape} ".encode())
            digest.update(array.tobytes())
    return digest.digest()
