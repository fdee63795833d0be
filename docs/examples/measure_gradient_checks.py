"""How many wrong cells other tests of gradients and outputs see: the table of the page "Why not gradcheck".

Run it from the root of the repository: ``python docs/examples/measure_gradient_checks.py``. The cells are those of
``tests/helpers/wrong_torch.py``; the last column of the table is what ``tests/power/test_wrong_cells.py`` asserts.
"""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn
from torch.func import functional_call

from tests.helpers import wrong_torch

SIZES = (5, 7, 3)
"""Inputs n, units d, rows B."""


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


def sees_gradcheck(cell: nn.Module, fast_mode: bool) -> bool:
    """Say whether ``torch.autograd.gradcheck`` fails, by its own tolerances, for inputs, states and parameters.

    Args:
        cell: The cell; a copy in float64 is checked.
        fast_mode: Whether gradients are compared along one direction.
    """
    cell = copy.deepcopy(cell).double()
    x, states = draw_arguments(cell, torch.float64)
    names = [name for name, _ in cell.named_parameters()]
    values = [parameter.detach().clone().requires_grad_() for parameter in cell.parameters()]
    leaves = [x.requires_grad_(), *(state.requires_grad_() for state in states)]

    def run(*arguments: Tensor) -> tuple[Tensor, ...]:
        x, states = arguments[0], arguments[1 : 1 + len(leaves) - 1]
        parameters = dict(zip(names, arguments[len(leaves) :], strict=True))
        state = states[0] if len(states) == 1 else tuple(states)
        result = functional_call(cell, parameters, (x, state))
        return (result,) if isinstance(result, Tensor) else tuple(part for part in result if isinstance(part, Tensor))

    try:
        return not torch.autograd.gradcheck(run, (*leaves, *values), fast_mode=fast_mode, raise_exception=False)
    except RuntimeError:
        return True


def sees_allclose(cell: nn.Module, right: nn.Module, tolerance: float) -> bool:
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


def main() -> None:
    """Print a row for each cell, and the counts."""
    rows = []
    for name in wrong_torch.FAULTS:
        wrong = getattr(wrong_torch, name)
        torch.manual_seed(0)
        cell, right = wrong(*SIZES[:2]).eval(), right_class(wrong)(*SIZES[:2]).eval()
        rows.append(
            (
                name,
                wrong_torch.FAULTS[name],
                sees_gradcheck(cell, fast_mode=False),
                sees_gradcheck(cell, fast_mode=True),
                sees_allclose(cell, right, 1e-4),
            )
        )
    for name, fault, *seen in rows:
        print(f"{name:32} {fault[:40]:40} {'  '.join('sees' if each else '-   ' for each in seen)}")
    print(f"{len(rows)} wrong cells; gradcheck sees {sum(row[2] for row in rows)}, ", end="")
    print(f"its fast mode {sum(row[3] for row in rows)}, allclose at 1e-4 {sum(row[4] for row in rows)}")


if __name__ == "__main__":
    main()
