"""Equality of two specs under a change of parameters: proved as polynomials, or refuted by a smallest witness.

Both run over one step at sizes 1 and 2, the right one with parameters and states built from the left's symbols;
`program_pair.py` says how they are compared.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from rnn_harness.arithmetic.protocol import Values
from rnn_harness.array_types import Array
from rnn_harness.derivatives.program_pair import ProgramPair, compare_polynomials, find_witness, symbol_shape
from rnn_harness.specs import Equivalence, library
from rnn_harness.specs.expression import Constant
from rnn_harness.specs.program import Assignment, Program
from rnn_harness.subjects.parameter_map import assemble, parse_map


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


def _programs_of(pair: Equivalence) -> ProgramPair:
    """Load the two specs of a pair, with their fixed symbols replaced."""
    specs = library()
    left = _fixed(specs.spec(pair.left).program(pair.layers), pair.left_set)
    right = _fixed(specs.spec(pair.right).program(pair.layers), pair.right_set)

    def right_values(values: Values, zero: Array) -> Values:
        return _right_values(pair, right, values, zero)

    return ProgramPair(left, right, right_values, _compared(pair, left, right))


def _compared(pair: Equivalence, left: Program, right: Program) -> dict[str, str]:
    """Return which value of the right is compared with which of the left, by the left's name."""
    if pair.compare:
        return dict(pair.compare)
    left_names = [state.name for state in left.states]
    rows = {}
    for index, state in enumerate(right.states):
        source = pair.states.get(state.name, state.name)
        rows[source if source in left_names else left_names[index]] = state.name
    return rows


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


def _right_values(pair: Equivalence, right: Program, left: Values, zero: Array) -> Values:
    """Build the right program's numbers from the left's."""
    parameters = {
        v.name: _mapped(pair.parameters[v.name], left.parameters, symbol_shape(v, left.sizes), zero)
        for v in right.parameters
    }
    inputs = dict(zip((v.name for v in right.inputs), left.inputs.values(), strict=True))
    names = [v.name for v in right.states]
    by_position = dict(zip(names, left.states, strict=False)) if len(left.states) == len(names) else {}
    states = {}
    for v in right.states:
        source = pair.states.get(v.name) or (v.name if v.name in left.states else by_position[v.name])
        states[v.name] = _mapped(source, left.states, symbol_shape(v, left.sizes, 1), zero)
    return Values(parameters, inputs, states, left.sizes, left.indices)


def prove_equivalence(pair: Equivalence) -> EquivalenceProof:
    """Decide whether a pair of specs is equal, or different, as expected.

    Args:
        pair: The two specs, the change of parameters between them, and what is expected.

    Returns:
        The verdict. Equal: all polynomials are, at sizes 1 and 2. Different: some polynomial is, and there are
        numbers at which the values are apart.
    """
    programs = _programs_of(pair)
    comparisons = [compare_polynomials(programs, size) for size in (1, 2)]
    identities = sum(comparison.identities for comparison in comparisons)
    place = next((comparison.difference for comparison in comparisons if comparison.difference), "")
    if pair.expected == "equal":
        detail = f"{place} is another polynomial" if place else f"{identities} identities proved at sizes 1 and 2"
        return EquivalenceProof(not place, identities, detail)
    witness = find_witness(programs)
    if witness is None:
        return EquivalenceProof(False, identities, "no witness of a difference was found")
    return EquivalenceProof(bool(place), identities, f"{witness.gap} ({witness.numbers})", witness.numbers)
