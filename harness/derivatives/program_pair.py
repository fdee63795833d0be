"""Two programs, the second on numbers built from the first's: equal as polynomials, or apart on some numbers.

Equal: both run over one step in one polynomial ring; what is compared must be the same polynomials. Apart: small whole
numbers and halves are tried at the smallest sizes first, until the two values' Arb balls are disjoint.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Generic, Protocol, TypeVar

import numpy as np
from flint import arb
from sympy.polys.rings import PolyElement

from rnn_harness.arithmetic.ball import BallArithmetic
from rnn_harness.arithmetic.evaluate import evaluate
from rnn_harness.arithmetic.protocol import Arithmetic, OpenT, Values
from rnn_harness.arithmetic.symbolic import ForwardPolynomials
from rnn_harness.array_types import Array
from rnn_harness.derivatives.proof import count_atoms, dimension_symbols, symbolic_values
from rnn_harness.specs.expression import Variable
from rnn_harness.specs.program import Program

EntryT = TypeVar("EntryT")


class _Pick(Protocol):
    """Draws the numbers of an array of a given shape."""

    def __call__(self, shape: tuple[int, ...], /) -> Array: ...


_TRIES = 64
"""Random witnesses tried at each size before the next larger one."""
_SCALES = (1, 8, 64)
"""What the numbers are multiplied by, where smaller ones show nothing: a limit shows beyond it alone."""


def unconstrained(values: Values) -> Values:
    """Return numbers as they are: there is no condition on them.

    Args:
        values: The numbers of the first program.
    """
    return values


@dataclass(frozen=True)
class ProgramPair:
    """Two programs, and how the numbers of the second follow from those of the first.

    Attributes:
        left: The first program.
        right: The second program.
        right_values: Builds the second program's numbers from the first's; it is also given a zero.
        compared: Which value of the right must equal which of the left, by the left's name.
        constrain: Puts a condition on the first program's numbers before both run.
    """

    left: Program
    right: Program
    right_values: Callable[[Values, Array], Values]
    compared: Mapping[str, str]
    constrain: Callable[[Values], Values] = field(default=unconstrained)

    def sizes(self, size: int) -> dict[str, int]:
        """Set every named size of both programs to one number.

        Args:
            size: That number.
        """
        return dict.fromkeys(sorted(dimension_symbols(self.left) | dimension_symbols(self.right)), size)


@dataclass(frozen=True)
class _Entry(Generic[EntryT]):
    """One number of both sides, and where it stands: ``h[0]``."""

    place: str
    left: EntryT
    right: EntryT


def symbol_shape(variable: Variable, sizes: Mapping[str, int], *lead: int) -> tuple[int, ...]:
    """Return the shape of a symbol in numbers.

    Args:
        variable: The symbol.
        sizes: The named sizes.
        *lead: Axes before its own: T steps, B rows.
    """
    return (*lead, *(size.size(sizes) for size in variable.shape))


def run_both(
    pair: ProgramPair, values: Values, arithmetic: Arithmetic[Array, OpenT], zero: Array
) -> tuple[Mapping[str, Array], Mapping[str, Array]]:
    """Run both programs for a step, and return the values of all symbols of each.

    Args:
        pair: The two programs.
        values: The first program's numbers, for a step.
        arithmetic: What numbers are.
        zero: The zero of the arithmetic, an array without axes.
    """
    constrained = pair.constrain(values)
    left_side = evaluate(pair.left, constrained, arithmetic).steps[0]
    with arithmetic.scope():
        mapped = pair.right_values(constrained, zero)
    return left_side, evaluate(pair.right, mapped, arithmetic).steps[0]


def _run(
    pair: ProgramPair, values: Values, arithmetic: Arithmetic[Array, OpenT], zero: Array
) -> Iterator[_Entry[EntryT]]:
    """Run both programs for a step and yield everything that is compared, entry by entry."""
    left_side, right_side = run_both(pair, values, arithmetic, zero)
    for left_name, right_name in pair.compared.items():
        shape = np.shape(left_side[left_name])
        for index in np.ndindex(*shape):
            right_entry = np.broadcast_to(right_side[right_name], shape).item(index)
            yield _Entry(f"{left_name}{list(index[1:])}", left_side[left_name].item(index), right_entry)


@dataclass(frozen=True)
class PolynomialComparison:
    """How two programs compare as polynomials.

    Attributes:
        identities: How many polynomials were compared.
        difference: The first place where they differ; empty if they differ nowhere.
    """

    identities: int
    difference: str = ""


def compare_polynomials(pair: ProgramPair, size: int) -> PolynomialComparison:
    """Run both sides in one polynomial ring.

    Args:
        pair: The two programs.
        size: The number for every named size.

    Raises:
        ValueError: A function has no symbolic form.
    """
    sizes = pair.sizes(size)
    room = 2 * count_atoms(pair.right, sizes) + 8
    symbols = symbolic_values(pair.left, sizes, extra_atoms=room, make_arithmetic=ForwardPolynomials)
    zero = np.array(symbols.arithmetic.ring.zero, dtype=object)
    identities = 0
    entries: Iterator[_Entry[PolyElement]] = _run(pair, symbols.values, symbols.arithmetic, zero)
    for entry in entries:
        identities += 1
        if entry.left != entry.right:
            return PolynomialComparison(identities, entry.place)
    return PolynomialComparison(identities)


def _numbers(program: Program, sizes: Mapping[str, int], pick: _Pick) -> Values:
    """Draw one row of numbers for a program's symbols."""
    return Values(
        {v.name: pick(symbol_shape(v, sizes)) for v in program.parameters},
        {v.name: pick(symbol_shape(v, sizes, 1, 1)) for v in program.inputs},
        {v.name: pick(symbol_shape(v, sizes, 1)) for v in program.states},
        sizes,
    )


def _picker(rng: np.random.Generator, share: float, scale: int) -> _Pick:
    """Return what draws small numbers times `scale`, of which only a share is not zero."""

    def pick(shape: tuple[int, ...], /) -> Array:
        numbers: Array = scale * rng.choice([-1.0, 0.5, 1.0, 2.0], shape) * (rng.random(shape) < share)
        return numbers

    return pick


@dataclass(frozen=True)
class Gap:
    """A value in which two programs differ.

    Attributes:
        place: Which value: ``h[0]``.
        left: What the first gives, to the digits of a float.
        right: What the second gives.
    """

    place: str
    left: float
    right: float

    def exchanged(self) -> Gap:
        """Return the same with the two programs exchanged."""
        return Gap(self.place, self.right, self.left)

    def __str__(self) -> str:
        return f"{self.place}: {self.left:.6g} on the left, {self.right:.6g} on the right"


@dataclass(frozen=True)
class Witness:
    """Numbers on which two programs differ.

    Attributes:
        size: The number that every named size has.
        gap: Where they differ, and by what.
        values: The first program's numbers, as few as may be not zero.
    """

    size: int
    gap: Gap
    values: Values

    @property
    def numbers(self) -> str:
        """The sizes, and all numbers that are not zero."""
        return f"sizes {self.size}; {_show(self.values)}"


def find_witness(pair: ProgramPair) -> Witness | None:
    """Search the smallest sizes and numbers at which the two sides' balls are disjoint; None if none was found.

    Args:
        pair: The two programs.
    """
    arithmetic = BallArithmetic()
    zero = np.array(arithmetic.number(Fraction(0))[0, 0], dtype=object)
    for scale, size in itertools.product(_SCALES, (1, 2)):
        sizes = pair.sizes(size)
        for seed, nonzero in itertools.product(range(_TRIES), (0.3, 0.6, 1.0)):
            values = _numbers(pair.left, sizes, _picker(np.random.default_rng([seed, size]), nonzero, scale))
            if _gap(pair, values, arithmetic, zero) is not None:
                small = _with_more_zeros(values, lambda v: _gap(pair, v, arithmetic, zero) is not None)
                gap = _gap(pair, small, arithmetic, zero)
                assert gap is not None, "a number is set to zero only where the sides still differ"
                return Witness(size, gap, small)
    return None


def exact_values(values: Values, arithmetic: BallArithmetic) -> Values:
    """Return numbers as balls of radius zero.

    Args:
        values: Numbers of a program.
        arithmetic: What makes balls of them.
    """
    return Values(
        {name: arithmetic.array(value) for name, value in values.parameters.items()},
        {name: arithmetic.array(value) for name, value in values.inputs.items()},
        {name: arithmetic.array(value) for name, value in values.states.items()},
        values.sizes,
    )


def _gap(pair: ProgramPair, values: Values, arithmetic: BallArithmetic, zero: Array) -> Gap | None:
    """Return the first value whose two balls are disjoint at these numbers; None if there is none."""
    entries: Iterator[_Entry[arb]] = _run(pair, exact_values(values, arithmetic), arithmetic, zero)
    for entry in entries:
        if not entry.left.overlaps(entry.right):
            left_side, right_side = (float(ball.mid()) for ball in (entry.left, entry.right))
            return Gap(entry.place, left_side, right_side)
    return None


def _with_more_zeros(values: Values, differs: Callable[[Values], bool]) -> Values:
    """Set every number to zero, in place, without which the sides still differ."""
    for table in (values.parameters, values.inputs, values.states):
        for value in table.values():
            for index in np.ndindex(*value.shape):
                before = value[index]
                value[index] = 0.0
                if before and not differs(values):
                    value[index] = before
    return values


def _show(values: Values) -> str:
    rows = {**values.parameters, **values.inputs, **values.states}
    return ", ".join(f"{name} = {(value + 0.0).tolist()}" for name, value in rows.items() if value.any())
