"""How small an error of a gradient is noticed: by gradcheck, JAX's check_grads, difference quotients, the harness.

The gradient of the recurrent weights of a tanh RNN is too large by a factor 1 + e. Run it from the root of the
repository: ``python -m docs.examples.measure_gradient_floors``. It prints the smallest e = 2^-k that is noticed;
libraries that are not installed (jax, numgrad) are left out.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

import rnn_harness

SIZES = (5, 7, 3)
"""Inputs n, units d, rows B."""
EXPONENTS = range(4, 51)


class _Scaled(torch.autograd.Function):
    """h W, with a gradient of W that is too large by a factor 1 + e."""

    @staticmethod
    def forward(ctx: Any, h: Tensor, weight: Tensor, error: float) -> Tensor:
        ctx.save_for_backward(h, weight)
        ctx.error = error
        return h @ weight

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, Tensor, None]:
        (gradient,) = gradients
        h, weight = ctx.saved_tensors
        return gradient @ weight.T, h.T @ gradient * (1 + ctx.error), None


def cell_class(error: float) -> type[nn.Module]:
    """Make the class of a tanh RNN whose gradient of the recurrent weights is too large.

    Args:
        error: e.
    """

    class ScaledElman(nn.Module):
        """One step of a tanh RNN."""

        def __init__(self, input_size: int, hidden_size: int) -> None:
            super().__init__()
            self.inputs = nn.Linear(input_size, hidden_size)
            self.weight = nn.Parameter(torch.randn(hidden_size, hidden_size) / hidden_size**0.5)

        def forward(self, x: Tensor, h: Tensor) -> Tensor:
            return torch.tanh(self.inputs(x) + _Scaled.apply(h, self.weight, error))  # type: ignore[no-untyped-call]

    return ScaledElman


def gradcheck_notices(error: float, **options: Any) -> bool:
    """Say whether torch.autograd.gradcheck fails in float64.

    Args:
        error: e.
        **options: Tolerances and mode.
    """
    torch.manual_seed(0)
    cell = cell_class(error)(*SIZES[:2]).double()
    x, h = torch.randn(SIZES[2], SIZES[0]).double(), torch.randn(SIZES[2], SIZES[1]).double().requires_grad_()

    def run(h: Tensor, weight: Tensor) -> Tensor:
        return torch.func.functional_call(cell, {"weight": weight}, (x, h))

    weight = cell.get_parameter("weight").detach().clone().requires_grad_()
    return not torch.autograd.gradcheck(run, (h, weight), raise_exception=False, **options)


def quotient_notices(error: float, step: float, tolerance: float) -> bool:
    """Say whether numpy's ``allclose`` of central difference quotients in float64 fails, entry by entry.

    Args:
        error: e.
        step: The step of the quotient.
        tolerance: Relative, with an absolute one of a hundredth of it.
    """
    rng = np.random.default_rng(0)
    _, d, rows = SIZES
    a, h = rng.standard_normal((rows, d)), rng.standard_normal((rows, d))
    weight, cotangent = rng.standard_normal((d, d)) / d**0.5, rng.standard_normal((rows, d))

    def loss(weight: np.ndarray[Any, Any]) -> float:
        return float((np.tanh(a + h @ weight) * cotangent).sum())

    gradient = h.T @ (cotangent * (1 - np.tanh(a + h @ weight) ** 2)) * (1 + error)
    quotients = np.zeros_like(weight)
    for place in np.ndindex(*weight.shape):
        moved = np.zeros_like(weight)
        moved[place] = step
        quotients[place] = (loss(weight + moved) - loss(weight - moved)) / (2 * step)
    return not np.allclose(gradient, quotients, rtol=tolerance, atol=tolerance / 100)


def numgrad_notices(error: float) -> bool:
    """Say whether numgrad's numerical gradient of the sum of outputs differs, by NumPy's own ``allclose``.

    Args:
        error: e.
    """
    from numgrad._utils._numerical_grad import _numerical_grad

    rng = np.random.default_rng(0)
    _, d, rows = SIZES
    a, h = rng.standard_normal((rows, d)), rng.standard_normal((rows, d))
    weight = rng.standard_normal((d, d)) / d**0.5
    gradient = h.T @ (1 - np.tanh(a + h @ weight) ** 2) * (1 + error)
    (numerical,) = _numerical_grad(lambda weight: np.tanh(a + h @ weight), weight)
    return not np.allclose(gradient, numerical)


def check_grads_notices(error: float, is_double: bool) -> bool:
    """Say whether jax.test_util.check_grads fails by its own tolerances.

    Args:
        error: e.
        is_double: Whether in float64; else in float32, JAX's usual format.
    """
    import jax
    import jax.numpy as jnp
    from jax.test_util import check_grads

    jax.config.update("jax_enable_x64", is_double)
    rng = np.random.default_rng(0)
    _, d, rows = SIZES
    dtype = np.float64 if is_double else np.float32
    a, h = (rng.standard_normal((rows, d)).astype(dtype) for _ in range(2))
    weight = (rng.standard_normal((d, d)) / d**0.5).astype(dtype)

    @jax.custom_vjp
    def product(weight: Any) -> Any:
        return h @ weight

    product.defvjp(lambda weight: (h @ weight, None), lambda _, gradient: (h.T @ gradient * (1 + error),))
    try:
        check_grads(lambda weight: jnp.tanh(a + product(weight)), (weight,), order=1, modes=("rev",))
    except AssertionError:
        return True
    return False


def harness_notices(error: float) -> bool:
    """Say whether the harness refutes the cell.

    Args:
        error: e.
    """
    return rnn_harness.validate(cell_class(error), examples=0, dtypes=("float64",)).outcome == "refuted"


def smallest_noticed(notices: Callable[[float], bool]) -> str:
    """Return the smallest e = 2^-k that is noticed, by bisection of k.

    Args:
        notices: Says whether an error is noticed.
    """
    low, high = EXPONENTS[0], EXPONENTS[-1] + 1
    if not notices(2.0**-low):
        return f"none down from 2^-{low}"
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if notices(2.0**-middle) else (low, middle)
    return f"2^-{low} = {2.0**-low:.1g}"


WAYS: dict[str, Callable[[float], bool]] = {
    "gradcheck": gradcheck_notices,
    "gradcheck, fast mode": lambda e: gradcheck_notices(e, fast_mode=True),
    "gradcheck, atol rtol 1e-7": lambda e: gradcheck_notices(e, atol=1e-7, rtol=1e-7),
    "quotients, step 1e-6, rtol 1e-5": lambda e: quotient_notices(e, 1e-6, 1e-5),
    "numgrad": numgrad_notices,
    "check_grads in float32": lambda e: check_grads_notices(e, is_double=False),
    "check_grads in float64": lambda e: check_grads_notices(e, is_double=True),
    "rnn-harness": harness_notices,
}
"""The ways to notice an error e, by name."""
_LIBRARIES = {"numgrad": "numgrad", "check_grads in float32": "jax", "check_grads in float64": "jax"}


def available_ways() -> dict[str, Callable[[float], bool]]:
    """Return the ways by name, without those of libraries that are not installed."""
    return {name: way for name, way in WAYS.items() if importlib.util.find_spec(_LIBRARIES.get(name, "torch"))}


def main() -> None:
    """Print the smallest error that each way notices."""
    for name, notices in available_ways().items():
        print(f"{name:32}", smallest_noticed(notices))


if __name__ == "__main__":
    main()
