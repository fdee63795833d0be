"""A torch module that computes on another device: what goes in is moved there, and what comes back is moved here.

All that the harness draws, compares and differentiates stays on the CPU; the user's code alone sees the device.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import replace
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from rnn_harness.attributes import field_values
from rnn_harness.errors import UsageError
from rnn_harness.kernels.environment.repeatable import hold_workspace, prefer_repeatable_algorithms
from rnn_harness.validation.loading.parameter_exchange import run_with_leaves
from rnn_harness.validation.loading.target import Target

if TYPE_CHECKING:
    from torch import Tensor, nn

CPU = "cpu"
_WITHOUT_FLOAT64 = ("mps",)


def on_device(target: Target, device: str) -> Target:
    """Return a target whose modules compute on a device.

    Args:
        target: A target in torch.
        device: ``cpu``, ``cuda``, ``cuda:1`` or ``mps``.

    Raises:
        UsageError: There is no such device here, or the target is of another library or compiled by TorchScript.
    """
    if device == CPU:
        return target
    description = available_device(device)
    if target.capabilities.library is not None or target.capabilities.has_parts:
        kind = target.capabilities.library or "a model of its library"
        raise UsageError(
            f"--device {device}: {target.name} is {kind}, which places its arrays itself; torch modules alone are "
            "moved. Leave --device out"
        )
    return _moved(target, device, description)


def available_device(device: str) -> str:
    """Say what a device is.

    Args:
        device: Its name in torch.

    Returns:
        Its name with that of the hardware.

    Raises:
        UsageError: There is none of that name here; the message says which there are.
    """
    import torch

    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    names = [CPU, *(["cuda"] if count else []), *(f"cuda:{number}" for number in range(count))]
    names += ["mps"] if torch.backends.mps.is_available() else []
    if device not in names:
        raise UsageError(
            f"--device {device}: there is no such device here (torch {torch.__version__}); there is {', '.join(names)}"
        )
    return f"{device} ({torch.cuda.get_device_name(device)})" if device.startswith("cuda") else device


def _moved(target: Target, device: str, description: str) -> Target:
    """The target with modules on the device, in plain float32 where torch would round products to TF32.

    Where torch has algorithms that give the same bits again, it takes those.
    """
    import torch

    hold_workspace(device)
    prefer_repeatable_algorithms()
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False

    def make_module(n: int, d: int) -> nn.Module:
        return moved_module(target.make_module(n, d), device)

    dtypes = target.capabilities.dtypes
    if device in _WITHOUT_FLOAT64:
        dtypes = tuple(dtype for dtype in dtypes if dtype != "float64")
    note = f"it ran on {description}"
    note += ", with TF32 switched off and torch's deterministic algorithms" if device.startswith("cuda") else ""
    notes = (*target.capabilities.notes, note)
    capabilities = replace(target.capabilities, dtypes=dtypes, notes=notes, device=device)
    return replace(target, make_module=make_module, capabilities=capabilities)


def moved_module(module: nn.Module, device: str) -> nn.Module:
    """Put a module on a device, and let its forward take tensors from the CPU and give them back there.

    Args:
        module: The module, which is changed. Parameters may be exchanged by others on the CPU.
        device: Where it computes.

    Raises:
        UsageError: It was compiled by TorchScript.
    """
    import torch

    if isinstance(module, torch.jit.ScriptModule):
        raise UsageError(f"--device {device}: what TorchScript compiled keeps the device it was compiled for")
    module.to(device)
    base: Any = type(module)
    module.__class__ = _class_on_device(base, device)
    return module


@functools.cache
def _class_on_device(base: Any, device: str) -> type[nn.Module]:
    """A class like another one whose forward runs on a device; instances can be copied."""

    @functools.wraps(base.forward)
    def forward(self: nn.Module, *arguments: Any, **keywords: Any) -> object:
        leaves = {name: parameter.to(device) for name, parameter in self.named_parameters()}
        positional, named = _placed(arguments, device), _placed(keywords, device)
        result = run_with_leaves(self, leaves, lambda _: base.forward(self, *positional, **named))
        _refuse_strays(result, device)
        return _placed(result, CPU)

    members = {"forward": forward, "computes_on": device, "__module__": base.__module__, "__doc__": base.__doc__}
    return type(base.__name__, (base,), members)


def _placed(value: Any, device: str) -> Any:
    """The tensors in tuples, lists, mappings and objects with fields on a device; everything else as it is."""
    return _each(value, lambda tensor: tensor.to(device))


def _refuse_strays(result: object, device: str) -> None:
    """Raise RuntimeError if a tensor that comes back is on another device than everything that went in."""
    import torch

    wanted = torch.device(device).type

    def check(tensor: Tensor) -> Tensor:
        if tensor.device.type != wanted:
            raise RuntimeError(f"all that goes in is on {device}, and a tensor on {tensor.device} comes out")
        return tensor

    _each(result, check)


def _each(value: Any, change: Any) -> Any:
    """A structure with every tensor in it changed."""
    import dataclasses

    import torch
    from torch.nn.utils.rnn import PackedSequence

    if isinstance(value, torch.Tensor):
        return change(value)
    if isinstance(value, PackedSequence):
        return value._replace(data=change(value.data))
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return type(value)(*(_each(part, change) for part in value))
    if isinstance(value, tuple | list):
        return type(value)(_each(part, change) for part in value)
    if isinstance(value, Mapping):
        changed = {key: _each(part, change) for key, part in value.items()}
        return changed if type(value) is dict else type(value)(changed)  # type: ignore[call-arg]
    if isinstance(value, SimpleNamespace):
        return SimpleNamespace(**{name: _each(part, change) for name, part in vars(value).items()})
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        parts = {name: _each(part, change) for name, part in field_values(value).items()}
        return dataclasses.replace(value, **parts)
    return value
