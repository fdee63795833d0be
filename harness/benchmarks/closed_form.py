"""How many parameters a spec has, in closed form from the shapes that it declares."""

from __future__ import annotations

from typing import Any

from rnn_harness.specs import Spec, library
from rnn_harness.specs.expression import variables

_LAYER_COUNTS = (1, 2, 3)


def closed_form(spec: Spec) -> Any:
    """Return the number of parameters as a SymPy expression in n, d, k and, of a stack, the number L of layers.

    Args:
        spec: The spec; a parameter counts where an equation of its programs reads it.
    """
    import sympy

    counts = [_symbolic_count(spec, layers) for layers in (_LAYER_COUNTS if spec.model.layers else (1,))]
    if len(counts) == 1:
        return sympy.factor(counts[0])
    first, second, third = counts
    upper = sympy.expand(second - first)
    assert sympy.expand(third - second - upper) == 0, "every layer above the first has as many"
    return sympy.factor(first) + (sympy.Symbol("L") - 1) * sympy.factor(upper)


def _symbolic_count(spec: Spec, layers: int) -> Any:
    import sympy

    total: Any = sympy.Integer(0)
    program = spec.program(layers)
    # A spec may declare a second form of the same weights, for an alternative equation.
    assignments = [assignment for part in program.passes for assignment in part.assignments]
    used = {variable.name for assignment in assignments for variable in variables(assignment.expression)}
    for parameter in program.parameters:
        if parameter.name not in used:
            continue
        product: Any = sympy.Integer(1)
        for axis in parameter.shape:
            terms = (factor * sympy.Symbol(name) for name, factor in axis.terms)
            product *= sympy.Integer(axis.constant) + sum(terms, sympy.Integer(0))
        total += product
    return sympy.expand(total)


def count_parameters(spec: Spec, sizes: dict[str, int], layers: int = 1) -> int:
    """Return the number of parameters at some sizes.

    Args:
        spec: The spec, whose parameters have shapes in named sizes.
        sizes: n, d and k by their letters.
        layers: The number of layers of a stack.
    """
    import sympy

    values = {sympy.Symbol(name): size for name, size in {**sizes, "L": layers}.items()}
    return int(closed_form(spec).subs(values))


def nearest_hidden_size(spec: Spec, n: int, total: int) -> int:
    """Return the hidden size whose number of parameters comes nearest to `total`, with n inputs.

    Args:
        spec: The spec; with an output layer, it has one output.
        n: The input size.
        total: The number of parameters aimed at.
    """

    def count(d: int) -> int:
        return count_parameters(spec, {"n": n, "d": d, "k": 1})

    low, high = 1, 2
    while count(high) < total:
        high *= 2
    while high - low > 1:
        center = (low + high) // 2
        low, high = (center, high) if count(center) < total else (low, center)
    return min((low, high), key=lambda d: abs(count(d) - total))


def specs_with_parameters() -> list[Spec]:
    """Return the specs of cells that have parameters."""
    return [spec for spec in library().cells if spec.program(2).parameters]
