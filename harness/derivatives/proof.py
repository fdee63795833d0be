"""Proofs that the derived backward is the transposed Jacobian of the step, as identities of polynomials.

At a size (all named sizes equal to it, or given), one step or a few are written out in SymPy's polynomial ring, SymPy
differentiates it entry by entry, and every gradient the derived backward gives is compared with the explicit sum
of cotangents times derivatives. Canonical forms are equal or they are not: there is no tolerance and no simplifier.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from rnn_harness.arithmetic.evaluate import evaluate
from rnn_harness.arithmetic.protocol import Trajectory, Values
from rnn_harness.arithmetic.symbolic import SymbolicArithmetic
from rnn_harness.array_types import Array
from rnn_harness.derivatives.backward import derive
from rnn_harness.derivatives.run_backward import Cotangents, differentiate
from rnn_harness.specs.expression import Apply, Component, Divide, Variable, walk
from rnn_harness.specs.program import Program


@dataclass(frozen=True)
class Proof:
    """`holds`: whether all identities do; `identities`: how many; `failed`: the first that does not."""

    holds: bool
    identities: int
    failed: str = ""


def dimension_symbols(program: Program) -> frozenset[str]:
    """Every named size of a program."""
    everything = (*program.inputs, *program.states, *program.parameters, *program.outputs)
    return frozenset(symbol for v in everything for size in v.shape for symbol in size.symbols)


def count_atoms(program: Program, sizes: Mapping[str, int]) -> int:
    """An upper bound on the function values of one step."""
    total = 0
    for assignment in program.assignments:
        for node in walk(assignment.expression):
            if isinstance(node, Apply | Divide):
                total += int(np.prod([size.size(sizes) for size in node.shape], dtype=int)) or 1
    return 2 * total


class _Names:
    """Generators for every entry of every symbol."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.arrays: dict[str, tuple[list[str], tuple[int, ...]]] = {}

    def add(self, label: str, shape: tuple[int, ...]) -> None:
        entries = [f"{label}_{'_'.join(map(str, index))}" for index in itertools.product(*map(range, shape))]
        self.names += entries
        self.arrays[label] = (entries, shape)

    def array(self, label: str, arithmetic: SymbolicArithmetic) -> Array:
        entries, shape = self.arrays[label]
        whole = np.empty(len(entries), dtype=object)
        whole[:] = [arithmetic.generators[name] for name in entries]
        return whole.reshape(shape)


def _shape(variable: Variable, sizes: Mapping[str, int]) -> tuple[int, ...]:
    return tuple(size.size(sizes) for size in variable.shape) or (1,)


def symbolic_values(
    program: Program, sizes: Mapping[str, int], extra_atoms: int = 0, steps: int = 1
) -> tuple[Values, SymbolicArithmetic, dict[str, Array]]:
    """A program's symbols as generators, one batch row; and generators for the cotangents, by ``out:`` and ``fin:``."""
    names = _Names()
    for v in program.parameters:
        names.add(f"p:{v.name}", _shape(v, sizes))
    for v in program.inputs:
        names.add(f"i:{v.name}", (steps, 1, *_shape(v, sizes)))
    for v in program.states:
        names.add(f"s:{v.name}", (1, *_shape(v, sizes)))
        names.add(f"fin:{v.name}", (1, *_shape(v, sizes)))
    for v in program.outputs:
        names.add(f"out:{v.name}", (steps, 1, *_shape(v, sizes)))
    arithmetic = SymbolicArithmetic(names.names, steps * count_atoms(program, sizes) + extra_atoms)
    get = {label: names.array(label, arithmetic) for label in names.arrays}
    letters = {n.index for a in program.assignments for n in walk(a.expression) if isinstance(n, Component)}
    values = Values(
        {v.name: get[f"p:{v.name}"] for v in program.parameters},
        {v.name: get[f"i:{v.name}"] for v in program.inputs},
        {v.name: get[f"s:{v.name}"] for v in program.states},
        dict(sizes),
        {letter: np.zeros((steps, 1), dtype=np.intp) for letter in letters},
    )
    return values, arithmetic, get


def prove_backward(program: Program, sizes: Mapping[str, int] | int, steps: int = 1) -> Proof:
    """Prove the derived backward of `steps` steps at a size. ValueError where a function has no symbolic form.

    One step proves the equations of a step; two prove that what is carried between steps is added up.
    """
    if isinstance(sizes, int):
        sizes = dict.fromkeys(sorted(dimension_symbols(program)), sizes)
    values, arithmetic, get = symbolic_values(program, sizes, steps=steps)
    trajectory = evaluate(program, values, arithmetic)
    finals = {v.name: get[f"fin:{v.name}"] for v in program.states}
    outputs = {v.name: get[f"out:{v.name}"] for v in program.outputs}
    derived = differentiate(derive(program), trajectory, outputs, finals, arithmetic)
    scalar = _objective(program, trajectory, outputs, finals, arithmetic)
    identities = 0
    for label, expected, derived_array in _pairs(values, derived):
        for index in np.ndindex(*expected.shape):
            explicit = arithmetic.derivative(scalar, expected[index])
            found = arithmetic.ring.zero if derived_array is None else derived_array[index]
            identities += 1
            if explicit != found:
                where = "".join(f"[{i}]" for i in index)
                return Proof(False, identities, f"the derivative by {label}{where}")
    return Proof(True, identities)


def _objective(
    program: Program,
    trajectory: Trajectory,
    outputs: Mapping[str, Array],
    finals: Mapping[str, Array],
    arithmetic: SymbolicArithmetic,
) -> Any:
    """sum(output * cotangent) + sum(final state * cotangent), one polynomial."""
    scalar = arithmetic.ring.zero
    for name, cotangent in outputs.items():
        for step, part in zip(trajectory.steps, cotangent, strict=True):
            scalar += (step[name] * part).sum()
    last = {state.name: 0 if one.direction < 0 else -1 for one in program.passes for state in one.carried}
    for name, cotangent in finals.items():
        scalar += (trajectory.steps[last[name]][name] * cotangent).sum()
    return scalar


def _pairs(values: Values, derived: Cotangents) -> list[tuple[str, Array, Array | None]]:
    rows: list[tuple[str, Array, Array | None]] = []
    rows += [(name, array, derived.parameters.get(name)) for name, array in values.parameters.items()]
    rows += [(name, array, derived.states.get(name)) for name, array in values.states.items()]
    for name, array in values.inputs.items():
        found = derived.inputs.get(name)
        rows += [(f"{name} at step {t + 1}", array[t], None if found is None else found[t]) for t in range(len(array))]
    return rows
