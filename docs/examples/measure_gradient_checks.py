"""How many wrong cells other tests of gradients and outputs notice: the table of the page "Why not gradcheck".

Run it from the root of the repository: ``python -m docs.examples.measure_gradient_checks``. The cells are those of
``tests/helpers/wrong_torch.py``; the last row of the table is what ``tests/power/test_wrong_cells.py`` asserts. Rows of
libraries that are not installed (jax, numgrad) are left out.
"""

from __future__ import annotations

import copy
import importlib.util
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.func import functional_call

from tests.helpers import wrong_torch

SIZES = (5, 7, 3)
"""Inputs n, units d, rows B."""
Array = np.ndarray[Any, Any]


def draw_arguments(cell: nn.Module, dtype: torch.dtype) -> tuple[Tensor, tuple[Tensor, ...]]:
    """Draw an input (B, n) and states (B, d), two for an LSTM.

    Args:
        cell: The cell, of `SIZES`.
        dtype: Their format.
    """
    n, d, rows = SIZES
    states = 2 if isinstance(cell, wrong_torch.PackedMemory) else 1
    generator = torch.Generator().manual_seed(1)
    x = torch.randn(rows, n, generator=generator, dtype=torch.float64).to(dtype)
    h = tuple(torch.randn(rows, d, generator=generator, dtype=torch.float64).to(dtype) for _ in range(states))
    return x, h


def call(cell: nn.Module, x: Tensor, states: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    """Call a cell, and return all tensors that come back.

    Args:
        cell: One of the cells of the tests.
        x: Input (B, n).
        states: States (B, d).
    """
    result = cell(x, states[0] if len(states) == 1 else states)
    return (result,) if isinstance(result, Tensor) else tuple(part for part in result if isinstance(part, Tensor))


@dataclass(frozen=True)
class CellFunction:
    """One step of a cell in float64 as a function of its inputs, its states and its parameters.

    Attributes:
        cell: The cell, in float64.
        leaves: The input, the states and the parameters where the function is differentiated.
        states: How many of them are states.
    """

    cell: nn.Module
    leaves: tuple[Tensor, ...]
    states: int

    @classmethod
    def of(cls, cell: nn.Module) -> CellFunction:
        """Make the function of a copy of a cell, at drawn numbers.

        Args:
            cell: One of the cells of the tests.
        """
        cell = copy.deepcopy(cell).double()
        x, states = draw_arguments(cell, torch.float64)
        parameters = [parameter.detach().clone() for parameter in cell.parameters()]
        return cls(cell, (x, *states, *parameters), len(states))

    def run(self, *arguments: Tensor) -> tuple[Tensor, ...]:
        """Return the outputs.

        Args:
            *arguments: In the order of `leaves`.
        """
        states, parameters = arguments[1 : 1 + self.states], arguments[1 + self.states :]
        names = [name for name, _ in self.cell.named_parameters()]
        state = states[0] if len(states) == 1 else tuple(states)
        result = functional_call(self.cell, dict(zip(names, parameters, strict=True)), (arguments[0], state))
        return (result,) if isinstance(result, Tensor) else tuple(part for part in result if isinstance(part, Tensor))

    def run_arrays(self, *arguments: Array) -> tuple[Array, ...]:
        """Return the outputs of NumPy arrays.

        Args:
            *arguments: In the order of `leaves`.
        """
        return tuple(y.detach().numpy() for y in self.run(*(torch.tensor(np.asarray(array)) for array in arguments)))

    def gradients(self, arguments: Sequence[Array], cotangents: Sequence[Array] | None) -> tuple[Array, ...]:
        """Return what torch's backward gives for every argument; zeros where it gives nothing.

        Args:
            arguments: In the order of `leaves`.
            cotangents: The gradients of the outputs; ones where None.
        """
        leaves = [torch.tensor(np.asarray(array), requires_grad=True) for array in arguments]
        outputs = self.run(*leaves)
        ones = [np.ones(tuple(y.shape)) for y in outputs]
        given = [torch.tensor(np.asarray(array)) for array in (ones if cotangents is None else cotangents)]
        gradients = torch.autograd.grad(outputs, leaves, given, allow_unused=True)
        pairs = zip(gradients, leaves, strict=True)
        return tuple(np.zeros(tuple(leaf.shape)) if g is None else g.numpy() for g, leaf in pairs)


def gradcheck_notices(cell: nn.Module, fast_mode: bool) -> bool:
    """Say whether ``torch.autograd.gradcheck`` fails, by its own tolerances, for inputs, states and parameters.

    Args:
        cell: The cell; a copy in float64 is checked.
        fast_mode: Whether gradients are compared along one direction.
    """
    function = CellFunction.of(cell)
    leaves = tuple(leaf.requires_grad_() for leaf in function.leaves)
    try:
        return not torch.autograd.gradcheck(function.run, leaves, fast_mode=fast_mode, raise_exception=False)
    except RuntimeError:
        return True


def check_grads_notices(cell: nn.Module) -> bool:
    """Say whether ``jax.test_util.check_grads`` fails in float64, by its own tolerances.

    Args:
        cell: The cell; its step and torch's backward of it are a function of JAX with a derivative of its own.
    """
    import jax
    import jax.numpy as jnp
    from jax.test_util import check_grads

    jax.config.update("jax_enable_x64", True)
    function = CellFunction.of(cell)

    def step(*arguments: Any) -> Any:
        return tuple(map(jnp.asarray, function.run_arrays(*map(np.asarray, arguments))))

    def backward(arguments: Any, cotangents: Any) -> Any:
        given = [np.asarray(each) for each in arguments], [np.asarray(each) for each in cotangents]
        return tuple(map(jnp.asarray, function.gradients(*given)))

    differentiable = jax.custom_vjp(step)
    differentiable.defvjp(lambda *arguments: (step(*arguments), arguments), backward)
    try:
        leaves = tuple(jnp.asarray(leaf.numpy()) for leaf in function.leaves)
        check_grads(differentiable, leaves, order=1, modes=("rev",))
    except (AssertionError, RuntimeError):
        return True
    return False


def numgrad_notices(cell: nn.Module) -> bool:
    """Say whether numgrad's numerical gradient of the sum of outputs differs, by NumPy's own ``allclose``.

    Args:
        cell: The cell; a copy in float64 is checked.
    """
    from numgrad._utils._numerical_grad import _numerical_grad

    function = CellFunction.of(cell)
    arrays = [leaf.numpy() for leaf in function.leaves]

    def outputs(*arguments: Array) -> Array:
        return np.concatenate([y.ravel() for y in function.run_arrays(*arguments)])

    try:
        pairs = zip(function.gradients(arrays, None), _numerical_grad(outputs, *arrays), strict=True)
        return not all(np.allclose(gradient, numerical) for gradient, numerical in pairs)
    except RuntimeError:
        return True


def allclose_notices(cell: nn.Module, right: nn.Module, tolerance: float) -> bool:
    """Say whether the outputs differ from those of a right cell with the same parameters, by a tolerance.

    Args:
        cell: The wrong cell.
        right: The right one.
        tolerance: Absolute and relative.
    """
    right.load_state_dict(cell.state_dict())
    x, states = draw_arguments(cell, torch.float32)
    pairs = zip(call(cell, x, states), call(right, x, states), strict=False)
    return not all(torch.allclose(a, b, atol=tolerance, rtol=tolerance) for a, b in pairs)


def right_class(cell: type[nn.Module]) -> type[nn.Module]:
    """Return the right class that a wrong one is derived from.

    Args:
        cell: A wrong class.
    """
    return next(base for base in cell.__mro__ if base.__name__ in wrong_torch.RIGHT)


Test = Callable[[nn.Module, nn.Module], bool]
"""Takes a wrong cell and the right one; says whether it notices."""


def available_tests() -> dict[str, Test]:
    """Return the tests by name, without those of libraries that are not installed."""
    tests: dict[str, Test] = {
        "gradcheck": lambda wrong, _: gradcheck_notices(wrong, fast_mode=False),
        "gradcheck, fast mode": lambda wrong, _: gradcheck_notices(wrong, fast_mode=True),
        "check_grads": lambda wrong, _: check_grads_notices(wrong),
        "numgrad": lambda wrong, _: numgrad_notices(wrong),
        "allclose": lambda wrong, right: allclose_notices(wrong, right, 1e-4),
    }
    needed = {"check_grads": "jax", "numgrad": "numgrad"}
    return {name: test for name, test in tests.items() if importlib.util.find_spec(needed.get(name, "torch"))}


def noticed_cells() -> dict[str, list[str]]:
    """Return the wrong cells that each test notices."""
    noticed: dict[str, list[str]] = {}
    for test_name, test in available_tests().items():
        noticed[test_name] = []
        for name in wrong_torch.FAULTS:
            wrong = getattr(wrong_torch, name)
            torch.manual_seed(0)
            cell, right = wrong(*SIZES[:2]).eval(), right_class(wrong)(*SIZES[:2]).eval()
            if test(cell, right):
                noticed[test_name].append(name)
    return noticed


def main() -> None:
    """Print a row for each wrong cell, and how many each test notices."""
    noticed = noticed_cells()
    for name, fault in wrong_torch.FAULTS.items():
        tests = ", ".join(test for test, names in noticed.items() if name in names)
        print(f"{name:32} {fault[:40]:40} {tests or 'no test notices it'}")
    for test, names in noticed.items():
        print(f"{test}: {len(names)} of {len(wrong_torch.FAULTS)}")
    together = {*noticed["gradcheck"], *noticed["allclose"]}
    print(f"gradcheck and allclose together: {len(together)} of {len(wrong_torch.FAULTS)}")


if __name__ == "__main__":
    main()
