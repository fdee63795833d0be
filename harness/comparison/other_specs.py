"""Cells that are of no family: their specs are searched for a map of parameters, and proved equal under it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from rnn_harness.arithmetic.assumptions import SCREEN
from rnn_harness.arithmetic.protocol import Values
from rnn_harness.arithmetic.torch_arithmetic import TorchArithmetic
from rnn_harness.comparison.apply_rules import parameter_shapes
from rnn_harness.comparison.bounded_outputs import described_spec
from rnn_harness.comparison.cell_description import CellDescription
from rnn_harness.comparison.confirm import Decision, Translation
from rnn_harness.comparison.describe_cell import block_in_words, turned_in_words
from rnn_harness.comparison.diagonal_weights import compare_with_diagonal
from rnn_harness.comparison.equality import SIZES, parting_point_of
from rnn_harness.comparison.map_lines import whole_parameters
from rnn_harness.comparison.named_pair import NamedCell, pair_of, without
from rnn_harness.comparison.pair_by_names import (
    compare_by_names,
    compare_by_rewrite,
    searched_weights,
    unpacked,
)
from rnn_harness.derivatives.program_pair import ProgramPair, compare_polynomials
from rnn_harness.records.comparison import ComparedCell, Comparison, Counterexample, Inclusion
from rnn_harness.validation.spec_search.complements import weights_of_other_sign
from rnn_harness.validation.spec_search.interpret import Interpreter


def compare_other_specs(
    left_side: CellDescription, right_side: CellDescription, cells: tuple[ComparedCell, ComparedCell]
) -> Decision:
    """Compare two cells of which one at least is of no family.

    Args:
        left_side: What the first target is.
        right_side: What the second target is.
        cells: What a comparison says of each by itself.
    """
    first, second = _named(left_side), _named(right_side)
    rows = Comparison("undecided", "", *cells)
    if len(first.program.inputs) != len(second.program.inputs):
        sentence = _inputs_in_words((first, second), (left_side.target, right_side.target))
        return Decision(replace(rows, outcome="different", sentence=sentence))
    # A cell may be written with one state or with two of which one is made of the other.
    has_as_many = len(first.program.states) == len(second.program.states)
    mapped = _pair(first, second) if has_as_many else None
    if mapped is not None:
        rows = replace(rows, map=_map_lines(mapped.sources, left_side, right_side))
        return _under_a_map(mapped.pair, (first, second), (left_side.target, right_side.target), rows)
    if has_as_many and _pair(second, first) is not None:
        turned = compare_other_specs(right_side, left_side, (cells[1], cells[0])).comparison
        exchanged: dict[Inclusion, Inclusion] = {"": "", "left": "right", "right": "left"}
        included = exchanged[turned.included]
        return Decision(replace(turned, left=cells[0], right=cells[1], included=included, map=()))
    targets = left_side.target, right_side.target
    if has_as_many and first.program.states:
        diagonal = compare_with_diagonal((first, second), targets, rows)
        if diagonal is not None:
            return diagonal
        diagonal = compare_with_diagonal((second, first), targets[::-1], replace(rows, left=cells[1], right=cells[0]))
        if diagonal is not None:
            return Decision(replace(diagonal.comparison, left=cells[0], right=cells[1], included="right"))
    counted = _by_degrees_of_freedom((first, second), targets, rows)
    by_names = compare_by_names((first, second), targets, counted)
    if by_names.parting_point is not None and _weights(first) == _weights(second):
        return by_names
    by_rewrite = compare_by_rewrite((first, second), targets, counted)
    return by_names if by_rewrite.parting_point is None else by_rewrite


def _inputs_in_words(cells: tuple[NamedCell, NamedCell], targets: tuple[str, str]) -> str:
    """Say which inputs two cells take."""
    listed = (
        f"{target} takes {', '.join(variable.name for variable in cell.program.inputs)}"
        for cell, target in zip(cells, targets, strict=True)
    )
    return f"they are two functions of different inputs: {'; '.join(listed)}"


def _named(description: CellDescription) -> NamedCell:
    """Return the equations of a target, and what it lacks of them."""
    spec = described_spec(description)
    names = {parameter.name for parameter in spec.program().parameters}
    return NamedCell(spec, frozenset(names - set(description.names)))


def _weights(cell: NamedCell) -> set[str]:
    """Name the weights that a cell has."""
    return {parameter.name for parameter in cell.program.parameters} - cell.absent


@dataclass(frozen=True)
class _MappedPair:
    """Two cells under a map of weights.

    Attributes:
        pair: Their programs.
        sources: For every parameter of the right, the names of the left's that it is made of.
    """

    pair: ProgramPair
    sources: dict[str, tuple[str, ...]]


def _map_lines(
    sources: dict[str, tuple[str, ...]], left_side: CellDescription, right_side: CellDescription
) -> tuple[str, ...]:
    """Write how the weights of the right follow from the left's, by the targets' own names where they have such."""
    lines = []
    for name, parts in sources.items():
        places = [
            f"{'-' if part.startswith('-') else ''}{place}"
            for part in parts
            for place in left_side.places.get(part.removeprefix("-"), (part.removeprefix("-"),))
        ]
        lines.append(f"{' + '.join(right_side.places.get(name, (name,)))}  <-  {' + '.join(places)}")
    return whole_parameters(sorted(lines))


def _pair(left_side: NamedCell, right_side: NamedCell) -> _MappedPair | None:
    """Find the map by which the right equals the left: by its names where both are one spec, else by a search."""
    first, second = left_side.program, right_side.program
    if left_side.spec.id == right_side.spec.id and first.assignments == second.assignments:
        names = {parameter.name: parameter.name for parameter in first.parameters}
        same_names = pair_of(left_side, right_side, lambda parameters, _: {name: parameters[name] for name in names})
        return _MappedPair(same_names, {name: (name,) for name in names if name not in right_side.absent})
    turned = weights_of_other_sign(left_side.spec, right_side.spec)
    if turned:
        signs = {parameter.name: -1 if parameter.name in turned else 1 for parameter in first.parameters}
        other_signs = pair_of(
            left_side, right_side, lambda parameters, _: {name: parameters[name] * sign for name, sign in signs.items()}
        )
        named = {name: (f"{'-' if sign < 0 else ''}{name}",) for name, sign in signs.items()}
        return _MappedPair(other_signs, {name: row for name, row in named.items() if name not in right_side.absent})
    table = searched_weights(left_side.spec, right_side.spec)
    if table is None:
        return None
    sources: dict[str, tuple[str, ...]] = {}
    for slot, role in table.roles:
        source = block_in_words(slot.parameter, slot.block, slot.of, slot.form)
        source += turned_in_words(slot.form, role.flipped, slot.of)
        sources[role.piece.parameter] = (*sources.get(role.piece.parameter, ()), source)
    pair = pair_of(left_side, right_side, lambda parameters, shapes: unpacked(table, parameters, shapes))
    return _MappedPair(pair, sources)


def _under_a_map(
    pair: ProgramPair, cells: tuple[NamedCell, NamedCell], targets: tuple[str, str], rows: Comparison
) -> Decision:
    """Say what two cells are under a map that a search has found."""
    try:
        comparisons = [compare_polynomials(pair, size) for size in SIZES]
    except ValueError as error:
        return Decision(replace(rows, sentence=f"they agree on drawn numbers, but no proof is made: {error}"))
    if any(comparison.difference for comparison in comparisons):
        return Decision(
            replace(rows, sentence="they agree on drawn numbers, but their equations differ as polynomials")
        )
    identities = sum(comparison.identities for comparison in comparisons)
    proof = f"{identities} identities of polynomials proved at sizes 1 and 2"
    translation = Translation(pair.left, pair.constrain, lambda values: pair.right_values(values, np.array(0.0)))
    forced = _forced_to_zero(pair, cells[1])
    if not forced:
        sentence = f"{targets[0]} and {targets[1]} are the same function"
        return Decision(replace(rows, outcome="same", sentence=sentence, proof=proof), translation)
    right_side = cells[1]
    itself = pair_of(right_side, right_side, lambda parameters, _: without(parameters, forced))
    point = parting_point_of(itself, (right_side.spec, right_side.spec))
    if point is None:
        return Decision(
            replace(rows, sentence="neither a proof that they are equal nor numbers were found"), translation
        )
    conditions = tuple(f"{targets[1]}: {name} is zero" for name in sorted(forced))
    example = Counterexample(
        f"{point.numbers}; without {', '.join(sorted(forced))} on the left", str(point.gap.exchanged())
    )
    return Decision(
        replace(
            rows,
            outcome="different",
            sentence=f"they are two functions: {targets[1]} computes all that {targets[0]} does, and more",
            included="left",
            conditions=conditions,
            proof=f"equal where the conditions hold: {proof}",
            counterexample=example,
        ),
        translation,
    )


def _forced_to_zero(pair: ProgramPair, right_side: NamedCell) -> frozenset[str]:
    """Name the right's parameters that are zero whatever the left's are."""
    rng, sizes = np.random.default_rng(0), pair.sizes(2)
    shapes = parameter_shapes(pair.left, sizes)
    drawn = {name: rng.standard_normal(shape) for name, shape in shapes.items()}
    inputs = {v.name: np.zeros((1, 1, 2)) for v in pair.left.inputs}
    values = pair.constrain(Values(drawn, inputs, {v.name: np.zeros((1, 2)) for v in pair.left.states}, sizes))
    mapped = pair.right_values(values, np.array(0.0)).parameters
    return frozenset(name for name, value in mapped.items() if not value.any()) - right_side.absent


def _by_degrees_of_freedom(
    cells: tuple[NamedCell, NamedCell], targets: tuple[str, str], rows: Comparison
) -> Comparison:
    """Tell two cells apart by how many weights change the function independently of each other.

    The outputs on some sequences, from states of zero, are a smooth function of the weights. If its derivative has rank
    r at some weights, the cell reaches an r-dimensional set of outputs, which no cell with fewer than r weights fills.
    """
    sizes = {"n": 3, "d": 3}
    counts = [_free_weights(cell, sizes) for cell in cells]
    for more, fewer in ((0, 1), (1, 0)):
        if counts[more] <= counts[fewer]:
            continue
        rank = _rank(cells[more], sizes)
        if rank > counts[fewer]:
            sentence = (
                f"they are two functions: at n = d = 3, {rank} weights of {targets[more]} change what it computes "
                f"independently of each other, and {targets[fewer]} has {counts[fewer]} weights"
            )
            return replace(rows, outcome="different", sentence=sentence)
    sentence = "no map of parameters was found under which they are equal; another one may exist"
    return replace(rows, sentence=sentence)


def _free_weights(cell: NamedCell, sizes: dict[str, int]) -> int:
    """Count the weights of a cell."""
    shapes = parameter_shapes(cell.program, sizes)
    return sum(int(np.prod(shape, dtype=int)) for name, shape in shapes.items() if name not in cell.absent)


def _rank(cell: NamedCell, sizes: dict[str, int]) -> int:
    """Return how many weights change the outputs independently of each other, at least; only large changes count."""
    import torch

    program, rng = cell.program, np.random.default_rng(0)
    arithmetic = TorchArithmetic()
    interpreter = Interpreter(arithmetic)
    shapes = parameter_shapes(program, sizes)
    weights = {name: arithmetic.array(0.7 * rng.standard_normal(shape)) for name, shape in shapes.items()}
    steps = [
        {variable.name: torch.tensor(rng.standard_normal((24, sizes["n"]))) for variable in program.inputs}
        for _ in range(4)
    ]
    states = {v.name: arithmetic.array(np.zeros((24, sizes["d"]))) for v in program.states}
    run = interpreter.run(program, weights, steps, states)
    outputs = torch.cat([step[program.outputs[0].name].reshape(-1) for step in run.steps])
    leaves = [weights[name] for name in shapes if name not in cell.absent]
    rows = []
    for output in outputs:
        parts = torch.autograd.grad(output, leaves, retain_graph=True, allow_unused=True)
        zeros = (torch.zeros_like(leaf) if part is None else part for leaf, part in zip(leaves, parts, strict=True))
        rows.append(torch.cat([part.reshape(-1) for part in zeros]).numpy())
    sizes_of_changes = np.linalg.svd(np.stack(rows), compute_uv=False)
    return int((sizes_of_changes > SCREEN * sizes_of_changes[0]).sum())
