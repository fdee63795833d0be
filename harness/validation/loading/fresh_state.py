"""A module that keeps a state between calls, put back before every call to what it was before its first one."""

from __future__ import annotations

import copy
import inspect
import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from rnn_harness.options import OptionTable
from rnn_harness.validation.loading.parameter_exchange import CalledWithParameters
from rnn_harness.validation.loading.target import Target

if TYPE_CHECKING:
    from torch import nn

NOTE = "it keeps a state between calls, and is judged with the state of a new module in every call"
_ASSIGNS_ATTRIBUTE = re.compile(r"\bself\.\w+(\s*,\s*self\.\w+)*\s*=[^=]")
_OF_TORCH = re.compile(r"_|training$|call_super_init$|dump_patches$")
"""Attributes of a module that are torch's own."""


def with_fresh_state(target: Target) -> Target:
    """Return a target whose modules start every call from the state of a new module, which its notes say.

    Args:
        target: A target that torch runs.
    """
    capabilities = replace(target.capabilities, notes=(*target.capabilities.notes, NOTE))
    return replace(target, make_module=_MakesFresh(target.make_module), capabilities=capabilities)


def may_keep_state(module: nn.Module) -> bool:
    """Say whether the source of a module's forward assigns attributes of the module.

    Args:
        module: A module of torch; another one keeps none that can be put back.
    """
    import torch

    if isinstance(module, CalledWithParameters | torch.jit.ScriptModule):
        return False
    forwards = [vars(part)["forward"] for part in type(module).__mro__ if "forward" in vars(part)]
    return any(_ASSIGNS_ATTRIBUTE.search(_source(forward)) for forward in forwards)


def _source(function: object) -> str:
    """The source of a function; empty where there is none."""
    try:
        return inspect.getsource(function)  # type: ignore[arg-type]
    except (OSError, TypeError):
        return ""


@dataclass(frozen=True)
class _MakesFresh:
    """Makes modules that start every call from the state of a new one."""

    make_module: Callable[[int, int], nn.Module]

    def __call__(self, n: int, d: int) -> nn.Module:
        module = self.make_module(n, d)
        module.register_forward_pre_hook(_PutsBack(), prepend=True)  # before what makes a state that is lacking
        return module


@dataclass
class _PutsBack:
    """Notes the attributes of a module before its first call, and puts them back before every later one.

    They are noted as late as that since a module may be moved to another dtype before.
    """

    noted: dict[str, OptionTable] = field(default_factory=dict)

    def __call__(self, module: nn.Module, _arguments: object) -> None:
        if not self.noted:
            self.noted = {path: copy.deepcopy(_attributes(part)) for path, part in module.named_modules()}
            return
        for path, part in module.named_modules():
            for name in set(_attributes(part)) - set(self.noted[path]):
                delattr(part, name)
            for name, value in copy.deepcopy(self.noted[path]).items():
                setattr(part, name, value)


def _attributes(module: nn.Module) -> OptionTable:
    """List the attributes of a module that are the user's, and its buffers."""
    from torch import Tensor

    own = {name: value for name, value in vars(module).items() if not _OF_TORCH.match(name) and _is_state(value)}
    buffers = {name: value.detach() for name, value in module.named_buffers(recurse=False)}
    return own | {name: value for name, value in buffers.items() if isinstance(value, Tensor)}


def _is_state(value: object) -> bool:
    """Whether a value may be a state: a tensor, nothing yet, a number, or a structure of such."""
    from torch import Tensor

    if isinstance(value, tuple | list):
        return all(_is_state(part) for part in value)
    if isinstance(value, dict):
        return all(_is_state(part) for part in value.values())
    return value is None or isinstance(value, Tensor | bool | int | float)
