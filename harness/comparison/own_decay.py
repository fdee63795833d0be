"""How fast the gradient of a cell shrinks, with the weights that its constructor draws: from its own equations."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from rnn_harness.arithmetic.torch_arithmetic import TorchArithmetic
from rnn_harness.array_types import Array
from rnn_harness.specs import Spec
from rnn_harness.validation.spec_search.interpret import Interpreter

STEPS, NEAR, FAR, ROWS = 60, 10, 60, 8
"""Time steps, the lags between which the factor is taken, and sequences over which it is averaged."""


def decay_per_step(spec: Spec, parameters: Mapping[str, Array]) -> float | None:
    """Return the factor by which the gradient of the output by the state shrinks at every step back.

    It is the geometric mean, over some sequences of normal inputs, of the norms of the gradient of a random
    combination of the last outputs, between lag `NEAR` and lag `FAR`.

    Args:
        spec: The equations.
        parameters: The weights by their names; those that are not there count as zero.

    Returns:
        The factor; None where the gradient is zero or not finite.
    """
    import torch

    program = spec.program()
    arithmetic, rng = TorchArithmetic(), np.random.default_rng(0)
    n, d = _sizes(spec, parameters)
    shapes = {v.name: tuple(axis.size({"n": n, "d": d}) for axis in v.shape) for v in program.parameters}
    weights = {name: torch.tensor(parameters.get(name, np.zeros(shape))) for name, shape in shapes.items()}
    interpreter = Interpreter(arithmetic)
    names = [state.name for state in program.states]
    states = {name: torch.zeros((ROWS, d), dtype=arithmetic.dtype, requires_grad=True) for name in names}
    before = []
    output = states[names[0]]
    for _ in range(STEPS + 1):
        before.append(states)
        x = torch.tensor(rng.standard_normal((ROWS, n)))
        run = interpreter.run(program, weights, [{program.inputs[0].name: x}], states)
        output = run.steps[0][program.outputs[0].name]
        states = dict(run.finals)
    total = (output * torch.tensor(rng.standard_normal((ROWS, d)))).sum()
    norms = []
    for lag in (NEAR, FAR):
        leaves = list(before[-lag].values())
        parts = torch.autograd.grad(total, leaves, retain_graph=True, allow_unused=True)
        squares = [part.square().sum(-1) for part in parts if part is not None]
        norms.append(sum(squares[1:], squares[0]).sqrt().numpy() if squares else np.zeros(ROWS))
    if not all(np.isfinite(norm).all() and norm.all() for norm in norms):
        return None
    return float(np.exp(np.log(norms[1] / norms[0]).mean() / (FAR - NEAR)))


def _sizes(spec: Spec, parameters: Mapping[str, Array]) -> tuple[int, int]:
    """Read the input size and the hidden size off the shapes of the weights."""
    sizes: dict[str, int] = {}
    for variable in spec.program().parameters:
        if variable.name not in parameters:
            continue
        for axis, length in zip(variable.shape, parameters[variable.name].shape, strict=True):
            if len(axis.terms) == 1 and not axis.constant:
                ((symbol, factor),) = axis.terms
                sizes.setdefault(symbol, length // factor)
    return sizes.get("n", sizes["d"]), sizes["d"]
