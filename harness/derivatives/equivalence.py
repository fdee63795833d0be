"""Equality of two specs under a change of parameters: proved as polynomials, or refuted by a smallest witness.

Equal: both programs run over one step in one polynomial ring, at sizes 1 and 2, the right one with parameters and
states built from the left's symbols; new states must be the same polynomials. Different: small whole numbers and halves
are tried at the smallest sizes first, until the two values' Arb balls are disjoint.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Generic, Protocol, TypeVar

import numpy as np
from flint import arb
from sympy.polys.rings import PolyElement

from rnn_harness.arithmetic.ball import BallArithmetic
from rnn_harness.arithmetic.evaluate import evaluate
from rnn_harness.arithmetic.protocol import Arithmetic, OpenT, Values
from rnn_harness.array_types import Array
from rnn_harness.derivatives.proof import count_atoms, dimension_symbols, symbolic_values
from rnn_harness.specs import Equivalence, library
from rnn_harness.specs.expression import Constant, Variable
from rnn_harness.specs.program import Assignment, Program
from rnn_harness.subjects.parameter_map import assemble, parse_map

EntryT = TypeVar("EntryT")


class _Pick(Protocol):
    """Draws the numbers of an array of a given shape."""

    def __call__(self, shape: tuple[int, ...], /) -> Array: ...


_TRIES = 64
"""Random witnesses tried at each size before the next larger one."""


@dataclass(frozen=True)
class EquivalenceProof:
    """The verdict on a pair of specs.

    Attributes:
        is_as_expected: Whether the pair is equal, or different, as expected.
        identities: How many polynomials were compared.
        detail: What was proved, or where the pair differs.
        witness: Sizes and numbers at which a different pair differs.
    """

    is_as_expected: bool
    identities: int
    detail: str
    witness: str = ""


def _fixed(program: Program, constants: Mapping[str, int]) -> Program:
    """Replace some computed symbols of a program by constants."""

    def fix(assignment: Assignment) -> Assignment:
        if assignment.target.name not in constants:
            return assignment
        value = Constant(Fraction(constants[assignment.target.name]))
        return Assignment(assignment.target, value, assignment.equation)

    passes = tuple(
        dataclasses.replace(pass_, assignments=tuple(fix(assignment) for assignment in pass_.assignments))
        for pass_ in program.passes
    )
    return dataclasses.replace(program, passes=passes)


@dataclass(frozen=True)
class _Sides:
    """The two programs of a pair, with their fixed symbols replaced."""

    pair: Equivalence
    left: Program
    right: Program

    @classmethod
    def of(cls, pair: Equivalence) -> _Sides:
        """Load the two specs of a pair."""
        specs = library()
        left = specs.spec(pair.left).program(pair.layers)
        right = specs.spec(pair.right).program(pair.layers)
        return cls(pair, _fixed(left, pair.left_set), _fixed(right, pair.right_set))

    def sizes(self, size: int) -> dict[str, int]:
        """Set every named size of both programs to `size`."""
        return dict.fromkeys(sorted(dimension_symbols(self.left) | dimension_symbols(self.right)), size)

    def compared(self) -> dict[str, str]:
        """Return which value of the right is compared with which of the left, by the left's name."""
        if self.pair.compare:
            return dict(self.pair.compare)
        left_names = [state.name for state in self.left.states]
        rows = {}
        for index, state in enumerate(self.right.states):
            source = self.pair.states.get(state.name, state.name)
            rows[source if source in left_names else left_names[index]] = state.name
        return rows


@dataclass(frozen=True)
class _Entry(Generic[EntryT]):
    """One number of both sides, and where it stands: ``h[0]``."""

    place: str
    left: EntryT
    right: EntryT


def _shape(variable: Variable, sizes: Mapping[str, int], *lead: int) -> tuple[int, ...]:
    return (*lead, *(size.size(sizes) for size in variable.shape))


def _mapped(text: str, source: Mapping[str, Array], shape: tuple[int, ...], zero: Array) -> Array:
    """Build one parameter (or state) of the right from the left's; ``0`` and ``0*NAME`` are zeros."""
    if text == "0":
        return np.broadcast_to(zero, shape).copy()
    inner = text[1:-1] if text.startswith("[") else text
    blocks = []
    for part in (part.strip() for part in inner.split(",")):
        block = assemble(parse_map(part.removeprefix("0*")), source)
        blocks.append(block * 0 if part.startswith("0*") else block)
    return blocks[0] if len(blocks) == 1 else np.concatenate(blocks, axis=-1)


def _right_values(sides: _Sides, left: Values, zero: Array) -> Values:
    """Build the right program's numbers from the left's."""
    pair, right = sides.pair, sides.right
    parameters = {
        v.name: _mapped(pair.parameters[v.name], left.parameters, _shape(v, left.sizes), zero) for v in right.parameters
    }
    inputs = dict(zip((v.name for v in right.inputs), left.inputs.values(), strict=True))
    names = [v.name for v in right.states]
    by_position = dict(zip(names, left.states, strict=False)) if len(left.states) == len(names) else {}
    states = {}
    for v in right.states:
        source = pair.states.get(v.name) or (v.name if v.name in left.states else by_position[v.name])
        states[v.name] = _mapped(source, left.states, _shape(v, left.sizes, 1), zero)
    return Values(parameters, inputs, states, left.sizes, left.indices)


def _run(sides: _Sides, values: Values, arithmetic: Arithmetic[Array, OpenT], zero: Array) -> Iterator[_Entry[EntryT]]:
    """Run both programs for a step and yield everything that is compared, entry by entry."""
    left = evaluate(sides.left, values, arithmetic).steps[0]
    with arithmetic.scope():
        mapped = _right_values(sides, values, zero)
    right = evaluate(sides.right, mapped, arithmetic).steps[0]
    for left_name, right_name in sides.compared().items():
        shape = np.shape(left[left_name])
        for index in np.ndindex(*shape):
            right_entry = np.broadcast_to(right[right_name], shape).item(index)
            yield _Entry(f"{left_name}{list(index[1:])}", left[left_name].item(index), right_entry)


@dataclass(frozen=True)
class _Comparison:
    """How many polynomials were compared, and the first place where they differ; empty if nowhere."""

    identities: int
    difference: str = ""


def _compare_polynomials(pair: Equivalence, size: int) -> _Comparison:
    """Run both sides in one polynomial ring at a size."""
    sides = _Sides.of(pair)
    sizes = sides.sizes(size)
    symbols = symbolic_values(sides.left, sizes, extra_atoms=2 * count_atoms(sides.right, sizes) + 8)
    zero = np.array(symbols.arithmetic.ring.zero, dtype=object)
    identities = 0
    entries: Iterator[_Entry[PolyElement]] = _run(sides, symbols.values, symbols.arithmetic, zero)
    for entry in entries:
        identities += 1
        if entry.left != entry.right:
            return _Comparison(identities, entry.place)
    return _Comparison(identities)


def _numbers(program: Program, sizes: Mapping[str, int], pick: _Pick) -> Values:
    """Draw one row of numbers for a program's symbols."""
    return Values(
        {v.name: pick(_shape(v, sizes)) for v in program.parameters},
        {v.name: pick(_shape(v, sizes, 1, 1)) for v in program.inputs},
        {v.name: pick(_shape(v, sizes, 1)) for v in program.states},
        sizes,
    )


@dataclass(frozen=True)
class _Witness:
    """Sizes and numbers at which the sides differ, and where and by what; both empty if none was found."""

    numbers: str = ""
    gap: str = ""


def _find_witness(pair: Equivalence) -> _Witness:
    """Search the smallest sizes and numbers at which the two sides' balls are disjoint."""
    sides = _Sides.of(pair)
    arithmetic = BallArithmetic()
    zero = np.array(arithmetic.number(Fraction(0))[0, 0], dtype=object)
    for size in (1, 2):
        sizes = sides.sizes(size)
        for seed, nonzero in itertools.product(range(_TRIES), (0.3, 0.6, 1.0)):
            rng = np.random.default_rng([seed, size])

            def pick(shape: tuple[int, ...], rng: np.random.Generator = rng, share: float = nonzero) -> Array:
                numbers: Array = rng.choice([-1.0, 0.5, 1.0, 2.0], shape) * (rng.random(shape) < share)
                return numbers

            values = _numbers(sides.left, sizes, pick)
            if _gap(sides, values, arithmetic, zero):
                small = _with_more_zeros(values, lambda v: bool(_gap(sides, v, arithmetic, zero)))
                return _Witness(f"sizes {size}; {_show(small)}", _gap(sides, small, arithmetic, zero))
    return _Witness()


def _gap(sides: _Sides, values: Values, arithmetic: BallArithmetic, zero: Array) -> str:
    """Say where the two sides' balls are disjoint at these numbers; empty if nowhere."""
    exact = Values(
        {name: arithmetic.array(value) for name, value in values.parameters.items()},
        {name: arithmetic.array(value) for name, value in values.inputs.items()},
        {name: arithmetic.array(value) for name, value in values.states.items()},
        values.sizes,
    )
    entries: Iterator[_Entry[arb]] = _run(sides, exact, arithmetic, zero)
    for entry in entries:
        if not entry.left.overlaps(entry.right):
            left, right = (float(ball.mid()) for ball in (entry.left, entry.right))
            return f"{entry.place}: {left:.6g} on the left, {right:.6g} on the right"
    return ""


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


def prove_equivalence(pair: Equivalence) -> EquivalenceProof:
    """Decide whether a pair of specs is equal, or different, as expected.

    Args:
        pair: The two specs, the change of parameters between them, and what is expected.

    Returns:
        The verdict. Equal: all polynomials are, at sizes 1 and 2. Different: some polynomial is, and there are
        numbers at which the values are apart.
    """
    comparisons = [_compare_polynomials(pair, size) for size in (1, 2)]
    identities = sum(comparison.identities for comparison in comparisons)
    place = next((comparison.difference for comparison in comparisons if comparison.difference), "")
    if pair.expected == "equal":
        detail = f"{place} is another polynomial" if place else f"{identities} identities proved at sizes 1 and 2"
        return EquivalenceProof(not place, identities, detail)
    witness = _find_witness(pair)
    if not witness.numbers:
        return EquivalenceProof(False, identities, "no witness of a difference was found")
    return EquivalenceProof(bool(place), identities, f"{witness.gap} ({witness.numbers})", witness.numbers)
