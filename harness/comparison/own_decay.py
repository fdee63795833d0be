"""How fast the gradient of a cell shrinks, with the weights of its constructor: by its code, and by its equations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from rnn_harness.arithmetic.torch_dtype import torch_dtype
from rnn_harness.array_types import Array
from rnn_harness.comparison.apply_rules import parameter_shapes
from rnn_harness.comparison.tied_cell import TiedCell
from rnn_harness.comparison.unknown_driver import unknown_driver
from rnn_harness.errors import NotRun
from rnn_harness.kernels.driver_protocol import Driver, Tensors
from rnn_harness.kernels.drivers.equations import EquationsDriver
from rnn_harness.kernels.setting import Setting
from rnn_harness.references import get_reference
from rnn_harness.specs import Spec

if TYPE_CHECKING:
    from torch import Tensor

STEPS, NEAR, FAR, ROWS = 60, 10, 60, 8
"""Time steps, the lags between which the factor is taken, and sequences over which it is averaged."""


def decay_per_step(spec: Spec, parameters: Mapping[str, Array]) -> float | None:
    """Return the factor by which the gradient of the output by the state shrinks at every step back, by equations.

    Args:
        spec: The equations.
        parameters: The weights by their names; those that are not there count as zero.

    Returns:
        The factor, as `driven_decay` takes it; None where the gradient is zero or not finite.
    """
    import torch

    program = spec.program()
    n, d = _sizes(spec, parameters)
    sizes = {"n": n, "d": d}
    shapes = parameter_shapes(program, sizes)
    leaves = {name: torch.tensor(parameters.get(name, np.zeros(shape))) for name, shape in shapes.items()}
    widths = {state.name: state.shape[0].size(sizes) for state in program.states}
    return driven_decay(EquationsDriver(spec), leaves, n, widths)


def candidate_decay(tied: TiedCell, drawn: Mapping[str, Array], n: int, d: int) -> float | None:
    """Return the same factor of a target by its own vector-Jacobian products.

    Args:
        tied: The target.
        drawn: Its weights by its own names, as its constructor draws them.
        n: The input size.
        d: The hidden size.

    Returns:
        The factor; None where the gradient is zero or not finite.

    Raises:
        NotRun: It has no gradients, or does not take or give back the state from which a sequence goes on.
    """
    import torch

    driver, widths = candidate_driver(tied, n, d)
    dtype = widest_dtype(tied)
    leaves = {name: torch.tensor(value, dtype=torch_dtype(dtype)) for name, value in drawn.items()}
    return driven_decay(driver, leaves, n, widths, dtype)


def candidate_driver(tied: TiedCell, n: int, d: int) -> tuple[Driver, dict[str, int]]:
    """Return what drives a target through time with gradients, and the widths of its states.

    Args:
        tied: The target.
        n: The input size.
        d: The hidden size.

    Raises:
        NotRun: It has no gradients, or does not take or give back the state from which a sequence goes on.
    """
    driver, names = tied_driver(tied)
    if driver.no_gradients_reason:
        raise NotRun(driver.no_gradients_reason)
    for prefix, sentence in (("states.", "it takes no initial state"), ("finals.", "it does not give back its state")):
        missing = [name.removeprefix(prefix) for name in driver.absent if name.startswith(prefix)]
        if missing:
            raise NotRun(f"{sentence} {', '.join(missing)}")
    program = None if tied.candidate is None else tied.candidate.spec.program()
    if program is None:
        return driver, dict.fromkeys(names, d)
    sizes = {"n": n, "d": d}
    return driver, {state.name: state.shape[0].size(sizes) for state in program.states}


def tied_driver(tied: TiedCell) -> tuple[Driver, tuple[str, ...]]:
    """Return what drives a target through time, and the names of its states.

    Args:
        tied: The target, known or unknown.
    """
    if tied.kernel is None:
        unknown = unknown_driver(tied)
        return unknown, unknown.state_names
    driver = tied.kernel.build(get_reference("rnn"))  # a target is driven by its own map, whatever the reference is
    return driver, tuple(tied.kernel.subject(Setting(widest_dtype(tied), "cpu")).cell.state_names)


def widest_dtype(tied: TiedCell) -> str:
    """Return float64 where a target takes it, else float32.

    Args:
        tied: The target.
    """
    return "float64" if "float64" in tied.target.capabilities.dtypes else "float32"


def driven_decay(
    driver: Driver, leaves: Tensors, n: int, widths: Mapping[str, int], dtype: str = "float64"
) -> float | None:
    """Return the factor by which the gradient of a driver's last output by its state shrinks at every step back.

    It is the geometric mean, over some sequences of normal inputs, of the norms of the gradient of a random
    combination of the last outputs, between lag `NEAR` and lag `FAR`.

    Args:
        driver: What runs over a sequence, and goes on from given states.
        leaves: The weights by the driver's names.
        n: The input size.
        widths: The size of every state by its name.
        dtype: The dtype in which it runs.

    Returns:
        The factor; None where the gradient is zero or not finite.
    """
    import torch

    rng, number_format = np.random.default_rng(0), torch_dtype(dtype)
    inputs = torch.tensor(rng.standard_normal((STEPS + 1, ROWS, n)), dtype=number_format)
    states = {name: torch.zeros((ROWS, width), dtype=number_format) for name, width in widths.items()}
    weights: Tensor | None = None
    norms, start = [], 0
    for lag in (FAR, NEAR):
        with torch.no_grad():
            outputs, states = driver.run(leaves, inputs[start : STEPS + 1 - lag], states, None)
        start = STEPS + 1 - lag
        weights = (
            torch.tensor(rng.standard_normal(outputs.shape[1:]), dtype=number_format) if weights is None else weights
        )
        norms.append(_gradient_norms(driver, leaves, inputs[start:], states, weights))
    if not all(np.isfinite(norm).all() and norm.all() for norm in norms):
        return None
    return float(np.exp(np.log(norms[0] / norms[1]).mean() / (FAR - NEAR)))


def _gradient_norms(driver: Driver, leaves: Tensors, inputs: Tensor, states: Tensors, weights: Tensor) -> Array:
    """Return the norm, for every row, of the gradient of the weighted last outputs by all states before `inputs`."""
    import torch

    starts = {name: value.detach().clone().requires_grad_() for name, value in states.items()}
    outputs, _ = driver.run(leaves, inputs, starts, None)
    if not outputs.requires_grad:
        return np.zeros(len(weights))
    with driver.parameters_swapped_in(leaves, inputs, starts):
        parts = torch.autograd.grad((outputs[-1] * weights).sum(), list(starts.values()), allow_unused=True)
    squares = [part.double().square().sum(-1) for part in parts if part is not None]
    return sum(squares[1:], squares[0]).sqrt().numpy() if squares else np.zeros(len(weights))


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
