"""A cell whose units see their own state alone, inside one whose units see all of them: its matrix is diagonal."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from rnn_harness.array_types import Array
from rnn_harness.comparison.confirm import Decision, Translation
from rnn_harness.comparison.equality import SIZES, parting_point_of
from rnn_harness.comparison.named_pair import NamedCell, pair_of
from rnn_harness.comparison.pair_by_names import searched_weights, unpacked
from rnn_harness.derivatives.program_pair import compare_polynomials
from rnn_harness.records.comparison import Comparison, Counterexample
from rnn_harness.specs import Spec
from rnn_harness.specs.expression import MatrixVector, Multiply, Node, Transpose, Variable, VectorMatrix
from rnn_harness.specs.latex import to_latex, variable_latex
from rnn_harness.specs.program import Program
from rnn_harness.specs.rewrite import replace_children
from rnn_harness.specs.traversal import walk
from rnn_harness.validation.spec_search.constants import open_program, with_readings
from rnn_harness.validation.spec_search.slot_map import SlotMap


def compare_with_diagonal(
    cells: tuple[NamedCell, NamedCell], targets: tuple[str, str], rows: Comparison
) -> Decision | None:
    """Say that the second cell computes all that the first does, and more: the first has it with a diagonal matrix.

    Args:
        cells: The two, for which no map of all weights was found.
        targets: Their names.
        rows: The comparison so far.

    Returns:
        The decision, proved; None where no diagonal makes the two equal.
    """
    first, second = cells
    for names in _square_matrices(second.program):
        narrower = _with_vectors(second.spec, names)
        table = None if narrower is None else searched_weights(first.spec, narrower)
        if table is None:
            continue
        decision = _proved(cells, table, names, targets, rows)
        if decision is not None:
            return decision
    return None


def _square_matrices(program: Program) -> Iterator[frozenset[str]]:
    """Yield the matrices that may be diagonal: all of the states' size together, then each alone."""
    state = program.states[0].shape
    square = [v.name for v in program.parameters if len(v.shape) == 2 and v.shape == (*state, *state)]
    if square:
        yield frozenset(square)
    if len(square) > 1:
        yield from (frozenset((name,)) for name in square)


def _with_vectors(spec: Spec, names: frozenset[str]) -> Spec | None:
    """Return a spec with the diagonals of some matrices in their place; None where one stands before no vector."""
    readings, replaced = {}, 0
    program = open_program(spec)  # whose constants have their letters
    uses = sum(isinstance(n, Variable) and n.name in names for a in program.assignments for n in walk(a.expression))

    def diagonal(node: Node) -> Node:
        nonlocal replaced
        if isinstance(node, MatrixVector | VectorMatrix):
            matrix = node.matrix.matrix if isinstance(node.matrix, Transpose) else node.matrix
            if isinstance(matrix, Variable) and matrix.name in names:  # a diagonal matrix is its own transpose
                replaced += 1
                return Multiply(replace(matrix, shape=matrix.shape[:1]), diagonal(node.vector))
        return replace_children(node, diagonal)

    for assignment in program.assignments:
        expression = diagonal(assignment.expression)
        if expression != assignment.expression:
            readings[assignment.equation] = f"{variable_latex(assignment.target)} = {to_latex(expression)}"
    if replaced < uses or len(readings) < 1:
        return None
    changed = with_readings(spec, readings, spec.model.constants)
    shapes = {name: size.split()[0] if name in names else size for name, size in spec.model.parameters.items()}
    return replace(changed, model=changed.model.model_copy(update={"parameters": shapes}))


def _proved(
    cells: tuple[NamedCell, NamedCell],
    table: SlotMap,
    names: frozenset[str],
    targets: tuple[str, str],
    rows: Comparison,
) -> Decision | None:
    """Prove the first cell equal to the second with diagonal matrices, and show that others make another function."""

    def translate(parameters: dict[str, Array], shapes: dict[str, tuple[int, ...]]) -> dict[str, Array]:
        narrow = {name: shape[:1] if name in names else shape for name, shape in shapes.items()}
        weights = unpacked(table, parameters, narrow)
        return {name: _diagonal_matrix(value) if name in names else value for name, value in weights.items()}

    pair = pair_of(*cells, translate)
    try:
        comparisons = [compare_polynomials(pair, size) for size in SIZES]
    except ValueError:  # their equations are no polynomials in functions of polynomials
        return None
    if any(comparison.difference for comparison in comparisons):
        return None
    second = cells[1]
    only_diagonals = pair_of(
        second,
        second,
        lambda parameters, _: {n: _diagonal_matrix(np.diagonal(v)) if n in names else v for n, v in parameters.items()},
    )
    point = parting_point_of(only_diagonals, (second.spec, second.spec))
    if point is None:
        return None
    identities = sum(comparison.identities for comparison in comparisons)
    decided = replace(
        rows,
        outcome="different",
        sentence=f"they are two functions: {targets[1]} computes all that {targets[0]} does, and more",
        included="left",
        conditions=tuple(f"{targets[1]}: {name} is diagonal" for name in sorted(names)),
        proof=f"equal where the conditions hold: {identities} identities of polynomials proved at sizes 1 and 2",
        counterexample=Counterexample(
            f"{point.numbers}; with the diagonal of {', '.join(sorted(names))} alone on the left",
            str(point.gap.exchanged()),
        ),
    )
    return Decision(decided, Translation(pair.left, pair.constrain, lambda v: pair.right_values(v, np.array(0.0))))


def _diagonal_matrix(diagonal: Array) -> Array:
    """Make a matrix of its diagonal, of numbers of any arithmetic."""
    zero = diagonal.flat[0] - diagonal.flat[0]
    matrix = np.full((len(diagonal), len(diagonal)), zero, dtype=diagonal.dtype)
    places = np.arange(len(diagonal))
    matrix[places, places] = diagonal
    return matrix
