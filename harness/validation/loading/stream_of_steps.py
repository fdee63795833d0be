"""A module that is called once a step and keeps its state itself, as a layer over a sequence."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from rnn_harness.validation.loading.fresh_state import may_keep_state
from rnn_harness.validation.loading.target import Target

if TYPE_CHECKING:
    from torch import Tensor, nn

NOTE = "it is called once a step, and keeps its state itself"
CUT = "it cuts the graph between its steps, so no gradient goes over time"


def as_stream_of_steps(target: Target) -> Target | None:
    """Return a target that is called with a sequence (T, B, n), of which a module is given one step after the other.

    Args:
        target: A target that cannot be driven as it is.

    Returns:
        The target, with the same parameters and methods; None where it keeps no state between calls.
    """
    sizes = target.capabilities.fixed_sizes or (5, 3)
    if not may_keep_state(target.make_module(*sizes)):
        return None
    stream = replace(target, make_module=_MakesStreams(target.make_module))
    capabilities = replace(target.capabilities, notes=(*target.capabilities.notes, NOTE))
    if _cuts_its_graph(stream.make_module(*sizes), sizes[0]):
        capabilities = replace(capabilities, no_gradients_reason=CUT)
    return replace(stream, capabilities=capabilities)


def _cuts_its_graph(module: nn.Module, input_size: int) -> bool:
    """Whether no gradient goes from a step to the one before, which may be meant."""
    import torch

    dtype = next((value.dtype for value in module.parameters()), torch.get_default_dtype())
    x = torch.ones(2, 1, input_size, dtype=dtype, requires_grad=True)
    try:
        (gradient,) = torch.autograd.grad(module(x)[1].sum(), x)
    except Exception:  # it cannot be called so; whoever drives it meets that again
        return False
    return not bool(gradient[0].any())


@dataclass(frozen=True)
class _MakesStreams:
    """Makes modules that go over a sequence step by step."""

    make_module: Callable[[int, int], nn.Module]

    def __call__(self, n: int, d: int) -> nn.Module:
        module = self.make_module(n, d)
        module.__class__ = _stream_class(type(module))
        return module


def _stream_class(cell_class: type[nn.Module]) -> type[nn.Module]:
    """A class like the cell's, of which a call goes over a sequence."""

    def forward(self: Any, x: Tensor) -> Tensor:
        import torch

        return torch.stack([cell_class.forward(self, step) for step in x])

    return type(cell_class.__name__, (cell_class,), {"forward": forward, "__module__": cell_class.__module__})
