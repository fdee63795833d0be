"""Proofs that the derived backward is the transposed Jacobian of the step, as identities of polynomials.

At a size (all named sizes equal to it, or given), one step or a few are written out in SymPy's polynomial ring, SymPy
differentiates it entry by entry, and every gradient the derived backward gives is compared with the explicit sum
of cotangents times derivatives. Canonical forms are equal or they are not: there is no tolerance and no simplifier.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from sympy.polys.rings import PolyElement

from rnn_harness.arithmetic.evaluate import evaluate
from rnn_harness.arithmetic.protocol import Trajectory, Values
from rnn_harness.arithmetic.symbolic import SymbolicArithmetic, as_array
from rnn_harness.array_types import Array
from rnn_harness.derivatives.backward import derive
from rnn_harness.derivatives.run_backward import Cotangents, differentiate
from rnn_harness.specs.expression import Apply, Component, Divide, Variable, walk
from rnn_harness.specs.program import Program


@dataclass(frozen=True)
class Proof:
    """The outcome of a proof.

    Attributes:
        is_proved: Whether all identities are true.
        identities: How many were compared.
        failed: The first that is not true; empty if there is none.
    """

    is_proved: bool
    identities: int
    failed: str = ""


@dataclass(frozen=True)
class SymbolicValues:
    """A program's symbols as generators of a polynomial ring.

    Attributes:
        values: The symbols, one batch row.
        arithmetic: The ring.
        outputs: Generators for the outputs' cotangents by name, (T, 1, k).
        finals: Generators for the final states' cotangents by name, (1, d).
    """

    values: Values
    arithmetic: SymbolicArithmetic
    outputs: dict[str, Array]
    finals: dict[str, Array]


def dimension_symbols(program: Program) -> frozenset[str]:
    """Return every named size of a program.

    Args:
        program: Its inputs, states, parameters and outputs are searched for names such as n, d and k.
    """
    symbols = (*program.inputs, *program.states, *program.parameters, *program.outputs)
    return frozenset(name for variable in symbols for size in variable.shape for name in size.symbols)


def count_atoms(program: Program, sizes: Mapping[str, int]) -> int:
    """Return an upper bound on the number of function values of one step.

    Args:
        program: Each of its function values and quotients counts once for the forward and once for the backward.
        sizes: A number for every named size.
    """
    total = 0
    for assignment in program.assignments:
        for node in walk(assignment.expression):
            if isinstance(node, Apply | Divide):
                total += int(np.prod([size.size(sizes) for size in node.shape], dtype=int)) or 1
    return 2 * total


class _GeneratorNames:
    """Names of generators for every entry of every symbol, by label: ``p:W_x``."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.arrays: dict[str, tuple[list[str], tuple[int, ...]]] = {}

    def add(self, label: str, shape: tuple[int, ...]) -> None:
        entries = [f"{label}_{'_'.join(map(str, index))}" for index in itertools.product(*map(range, shape))]
        self.names += entries
        self.arrays[label] = (entries, shape)

    def array(self, label: str, arithmetic: SymbolicArithmetic) -> Array:
        entries, shape = self.arrays[label]
        generators = np.empty(len(entries), dtype=object)
        generators[:] = [arithmetic.generators[name] for name in entries]
        return generators.reshape(shape)


def _lengths(variable: Variable, sizes: Mapping[str, int]) -> tuple[int, ...]:
    return tuple(size.size(sizes) for size in variable.shape)


def _shape(variable: Variable, sizes: Mapping[str, int]) -> tuple[int, ...]:
    """Return the axes of a row: a number of a row has one of length one, a parameter that is one number has none."""
    return _lengths(variable, sizes) or (1,)


def symbolic_values(
    program: Program,
    sizes: Mapping[str, int],
    extra_atoms: int = 0,
    steps: int = 1,
    make_arithmetic: type[SymbolicArithmetic] = SymbolicArithmetic,
) -> SymbolicValues:
    """Make generators of a program's symbols and of the cotangents.

    Args:
        program: The forward whose symbols become generators.
        sizes: A number for every named size.
        extra_atoms: Room for more function values than `steps` steps of the program have.
        steps: T.
        make_arithmetic: The arithmetic whose generators they are.

    Returns:
        The generators and their ring.
    """
    names = _GeneratorNames()
    for v in program.parameters:
        names.add(f"p:{v.name}", _lengths(v, sizes))
    for v in program.inputs:
        names.add(f"i:{v.name}", (steps, 1, *_shape(v, sizes)))
    for v in program.states:
        names.add(f"s:{v.name}", (1, *_shape(v, sizes)))
        names.add(f"fin:{v.name}", (1, *_shape(v, sizes)))
    for v in program.outputs:
        names.add(f"out:{v.name}", (steps, 1, *_shape(v, sizes)))
    arithmetic = make_arithmetic(names.names, steps * count_atoms(program, sizes) + extra_atoms)
    arrays = {label: names.array(label, arithmetic) for label in names.arrays}
    letters = {n.index for a in program.assignments for n in walk(a.expression) if isinstance(n, Component)}
    values = Values(
        {v.name: arrays[f"p:{v.name}"] for v in program.parameters},
        {v.name: arrays[f"i:{v.name}"] for v in program.inputs},
        {v.name: arrays[f"s:{v.name}"] for v in program.states},
        dict(sizes),
        {letter: np.zeros((steps, 1), dtype=np.intp) for letter in letters},
    )
    outputs = {v.name: arrays[f"out:{v.name}"] for v in program.outputs}
    finals = {v.name: arrays[f"fin:{v.name}"] for v in program.states}
    return SymbolicValues(values, arithmetic, outputs, finals)


def prove_backward(program: Program, sizes: Mapping[str, int] | int, steps: int = 1) -> Proof:
    """Prove the derived backward at a size.

    Args:
        program: The forward whose backward is proved.
        sizes: A number for every named size, or one for all.
        steps: T. One step proves the equations of a step; two prove that what is carried between steps is added up.

    Returns:
        The proof, or the first gradient that is not the derivative.

    Raises:
        ValueError: A function has no symbolic form.
    """
    if isinstance(sizes, int):
        sizes = dict.fromkeys(sorted(dimension_symbols(program)), sizes)
    symbols = symbolic_values(program, sizes, steps=steps)
    arithmetic = symbols.arithmetic
    trajectory = evaluate(program, symbols.values, arithmetic)
    derived = differentiate(derive(program), trajectory, symbols.outputs, symbols.finals, arithmetic)
    scalar = _objective(program, trajectory, symbols)
    identities = 0
    for row in _gradient_rows(symbols.values, derived):
        for index in np.ndindex(*row.generators.shape):
            explicit = arithmetic.derivative(scalar, row.generators[index])
            gradient = arithmetic.ring.zero if row.gradient is None else row.gradient[index]
            identities += 1
            if explicit != gradient:
                place = "".join(f"[{i}]" for i in index)
                return Proof(False, identities, f"the derivative by {row.label}{place}")
    return Proof(True, identities)


def _objective(program: Program, trajectory: Trajectory[Array], symbols: SymbolicValues) -> PolyElement:
    """Return sum(output * cotangent) + sum(final state * cotangent), one polynomial."""
    scalar = symbols.arithmetic.ring.zero
    for name, cotangent in symbols.outputs.items():
        for step, part in zip(trajectory.steps, cotangent, strict=True):
            scalar += (step[name] * part).sum()
    last = {state.name: 0 if pass_.direction < 0 else -1 for pass_ in program.passes for state in pass_.carried}
    for name, cotangent in symbols.finals.items():
        scalar += (trajectory.steps[last[name]][name] * cotangent).sum()
    return scalar


@dataclass(frozen=True)
class _GradientRow:
    """A symbol's generators and the derived gradient for them; None where the derivation gives nothing, so zero."""

    label: str
    generators: Array
    gradient: Array | None


def _gradient_rows(values: Values, derived: Cotangents[Array]) -> list[_GradientRow]:
    """Pair every symbol with its gradient; inputs step by step."""
    rows = []
    for name, array in values.parameters.items():
        gradient = derived.parameters.get(name)
        rows.append(_GradientRow(name, array, None if gradient is None else as_array(gradient)))
    rows += [_GradientRow(name, array, derived.states.get(name)) for name, array in values.states.items()]
    for name, array in values.inputs.items():
        gradients = derived.inputs.get(name)
        rows += [
            _GradientRow(f"{name} at step {t + 1}", array[t], None if gradients is None else gradients[t])
            for t in range(len(array))
        ]
    return rows
