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
from typing import Any

import numpy as np

from rnn_harness.arithmetic.ball import BallArithmetic
from rnn_harness.arithmetic.evaluate import evaluate
from rnn_harness.arithmetic.protocol import Arithmetic, Values
from rnn_harness.array_types import Array
from rnn_harness.derivatives.proof import count_atoms, dimension_symbols, symbolic_values
from rnn_harness.specs import Equivalence, library
from rnn_harness.specs.expression import Constant
from rnn_harness.specs.program import Assignment, Program
from rnn_harness.subjects.parameter_map import assemble, parse_map

_TRIES = 64
"""Random witnesses tried at each size before the next larger one."""


@dataclass(frozen=True)
class EquivalenceProof:
    """`holds`: whether the pair is what it is expected to be; `identities`: how many polynomials were compared."""

    holds: bool
    identities: int
    detail: str
    witness: str = ""


def _fixed(program: Program, constants: Mapping[str, int]) -> Program:
    """The program with some computed symbols replaced by constants."""

    def replaced(one: Assignment) -> Assignment:
        if one.target.name not in constants:
            return one
        value = Constant(Fraction(constants[one.target.name]))
        return Assignment(one.target, value, one.equation)

    passes = tuple(
        dataclasses.replace(one, assignments=tuple(replaced(a) for a in one.assignments)) for one in program.passes
    )
    return dataclasses.replace(program, passes=passes)


def _programs(pair: Equivalence) -> tuple[Program, Program]:
    specs = library()
    left = specs.spec(pair.left).program(pair.layers)
    right = specs.spec(pair.right).program(pair.layers)
    return _fixed(left, pair.left_set), _fixed(right, pair.right_set)


def _mapped(text: str, source: Mapping[str, Array], shape: tuple[int, ...], zero: Array) -> Array:
    """One parameter (or state) of the right out of the left's; ``0`` and ``0*NAME`` are zeros."""
    if text == "0":
        return np.broadcast_to(zero, shape).copy()
    inner = text[1:-1] if text.startswith("[") else text
    blocks = []
    for part in (part.strip() for part in inner.split(",")):
        block = assemble(parse_map(part.removeprefix("0*")), source)
        blocks.append(block * 0 if part.startswith("0*") else block)
    return blocks[0] if len(blocks) == 1 else np.concatenate(blocks, axis=-1)


def _right_values(pair: Equivalence, left: Values, right: Program, zero: Array) -> Values:
    def shape(variable: Any, *lead: int) -> tuple[int, ...]:
        return (*lead, *(size.size(left.sizes) for size in variable.shape))

    parameters = {v.name: _mapped(pair.parameters[v.name], left.parameters, shape(v), zero) for v in right.parameters}
    inputs = dict(zip((v.name for v in right.inputs), left.inputs.values(), strict=True))
    names = [v.name for v in right.states]
    same = dict(zip(names, left.states, strict=False)) if len(left.states) == len(names) else {}
    states = {}
    for v in right.states:
        source = pair.states.get(v.name) or (v.name if v.name in left.states else same[v.name])
        states[v.name] = _mapped(source, left.states, shape(v, 1), zero)
    return Values(parameters, inputs, states, left.sizes, left.indices)


def _compared(pair: Equivalence, left: Program, right: Program) -> dict[str, str]:
    if pair.compare:
        return dict(pair.compare)
    rows = {}
    for v in right.states:
        source = pair.states.get(v.name, v.name)
        names = {s.name for s in left.states}
        if source not in names:
            source = left.states[[s.name for s in right.states].index(v.name)].name
        rows[source] = v.name
    return rows


def _run(
    pair: Equivalence, left: Program, right: Program, values: Values, arithmetic: Arithmetic, zero: Array
) -> Iterator[tuple[str, Any, Any]]:
    """(place, left's value, right's value) of everything compared."""
    one = evaluate(left, values, arithmetic).steps[0]
    with arithmetic.scope():
        moved = _right_values(pair, values, right, zero)
    two = evaluate(right, moved, arithmetic).steps[0]
    for a, b in _compared(pair, left, right).items():
        for index in np.ndindex(*np.shape(one[a])):
            yield f"{a}{list(index[1:])}", one[a][index], np.broadcast_to(two[b], np.shape(one[a]))[index]


def _symbolic(pair: Equivalence, size: int) -> tuple[int, str]:
    """(identities, the first place where the polynomials differ)."""
    left, right = _programs(pair)
    sizes = dict.fromkeys(sorted(dimension_symbols(left) | dimension_symbols(right)), size)
    values, arithmetic, _ = symbolic_values(left, sizes, extra_atoms=2 * count_atoms(right, sizes) + 8)
    zero = np.array(arithmetic.ring.zero, dtype=object)
    count = 0
    for place, a, b in _run(pair, left, right, values, arithmetic, zero):
        count += 1
        if a != b:
            return count, place
    return count, ""


def _numbers(program: Program, sizes: Mapping[str, int], pick: Callable[..., Array]) -> Values:
    def shape(variable: Any, *lead: int) -> tuple[int, ...]:
        return (*lead, *(size.size(sizes) for size in variable.shape))

    return Values(
        {v.name: pick(shape(v)) for v in program.parameters},
        {v.name: pick(shape(v, 1, 1)) for v in program.inputs},
        {v.name: pick(shape(v, 1)) for v in program.states},
        sizes,
    )


def _witness(pair: Equivalence) -> tuple[str, str]:
    """(the smallest sizes and numbers found, where the two balls are disjoint); empty if none was found."""
    left, right = _programs(pair)
    symbols = sorted(dimension_symbols(left) | dimension_symbols(right))
    arithmetic = BallArithmetic()
    zero = np.array(arithmetic.number(Fraction(0))[0, 0], dtype=object)
    for size in (1, 2):
        sizes = dict.fromkeys(symbols, size)
        for seed, nonzero in itertools.product(range(_TRIES), (0.3, 0.6, 1.0)):
            rng = np.random.default_rng([seed, size])

            def pick(shape: tuple[int, ...], rng: np.random.Generator = rng, share: float = nonzero) -> Array:
                drawn: Array = rng.choice([-1.0, 0.5, 1.0, 2.0], shape) * (rng.random(shape) < share)
                return drawn

            values = _numbers(left, sizes, pick)
            if _apart(pair, left, right, values, arithmetic, zero):
                small = _fewer(values, lambda v: bool(_apart(pair, left, right, v, arithmetic, zero)))
                return f"sizes {size}; {_show(small)}", _apart(pair, left, right, small, arithmetic, zero)
    return "", ""


def _apart(
    pair: Equivalence, left: Program, right: Program, values: Values, arithmetic: BallArithmetic, zero: Array
) -> str:
    """Where the two sides' balls are disjoint at these numbers; empty if nowhere."""
    exact = Values(
        {k: arithmetic.array(v) for k, v in values.parameters.items()},
        {k: arithmetic.array(v) for k, v in values.inputs.items()},
        {k: arithmetic.array(v) for k, v in values.states.items()},
        values.sizes,
    )
    for place, a, b in _run(pair, left, right, exact, arithmetic, zero):
        if not a.overlaps(b):
            return f"{place}: {float(a.mid()):.6g} on the left, {float(b.mid()):.6g} on the right"
    return ""


def _fewer(values: Values, still: Callable[[Values], bool]) -> Values:
    """The same witness with as many zeros as it can bear."""
    for table in (values.parameters, values.inputs, values.states):
        for value in table.values():
            for index in np.ndindex(*value.shape):
                before = value[index]
                value[index] = 0.0
                if before and not still(values):
                    value[index] = before
    return values


def _show(values: Values) -> str:
    rows = {**values.parameters, **values.inputs, **values.states}
    return ", ".join(f"{name} = {(value + 0.0).tolist()}" for name, value in rows.items() if value.any())


def prove_equivalence(pair: Equivalence) -> EquivalenceProof:
    """Whether the pair is equal, or different, as expected."""
    counted = [_symbolic(pair, size) for size in (1, 2)]
    identities = sum(count for count, _ in counted)
    place = next((place for _, place in counted if place), "")
    if pair.expected == "equal":
        detail = f"{place} is another polynomial" if place else f"{identities} identities proved at sizes 1 and 2"
        return EquivalenceProof(not place, identities, detail)
    witness, gap = _witness(pair)
    if not witness:
        return EquivalenceProof(False, identities, "no witness of a difference was found")
    return EquivalenceProof(bool(place), identities, f"{gap} ({witness})", witness)
