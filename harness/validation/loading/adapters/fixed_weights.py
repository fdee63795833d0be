"""Weights that nobody trains: a reservoir keeps them in buffers, or in tensors that it does not even register.

They are what the cell computes with, so they are made its parameters, where it has no others.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn


def with_fixed_weights(module: nn.Module) -> tuple[str, ...]:
    """Make the buffers and tensors of a module without parameters its parameters; the module is changed.

    Args:
        module: A torch module.

    Returns:
        What to say of it, in one sentence; nothing where it has parameters, or no tensors either.
    """
    if any(True for _ in module.parameters()) or isinstance(module, torch.jit.ScriptModule):
        return ()
    names = []
    for prefix, part in list(module.named_modules()):
        for name, value in [*part._buffers.items(), *vars(part).items()]:  # noqa: SLF001  # with those that are not saved
            if isinstance(value, Tensor) and value.is_floating_point() and value.dim():
                delattr(part, name)
                part.register_parameter(name, nn.Parameter(value.detach().clone()))
                names.append(f"{prefix}.{name}" if prefix else name)
    return (f"it has no parameters: its fixed tensors {', '.join(names)} are judged as its weights",) if names else ()
