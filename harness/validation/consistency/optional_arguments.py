"""The arguments that a torch module takes besides its input and its states, and calls that hand them over."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import replace

import torch
from torch import Tensor, nn

from rnn_harness.options import Keywords
from rnn_harness.runtime.target_call import call_target
from rnn_harness.validation.cells.calling_convention import TensorArguments
from rnn_harness.validation.consistency.driven_cell import CellArguments, CellRun, DrivenCell

_VARIADIC = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


def forward_parameters(cell: DrivenCell) -> list[inspect.Parameter]:
    """List the arguments of a torch module's forward; none for what shows no signature, or is no torch module.

    Args:
        cell: The cell; ``*args`` and ``**kwargs`` are left out.
    """
    if not cell.is_torch or isinstance(cell.module, torch.jit.ScriptModule):
        return []
    try:
        parameters = inspect.signature(cell.module.forward).parameters.values()
    except (TypeError, ValueError):
        return []
    return [parameter for parameter in parameters if parameter.kind not in _VARIADIC]


def optional_arguments(cell: DrivenCell) -> tuple[inspect.Parameter, ...]:
    """List the arguments that are neither input nor state: left out, or handed over so that they change nothing.

    Args:
        cell: The cell and how it is called.
    """
    data = [argument.name for argument in cell.convention.handed_over if not argument.is_extra]
    return tuple(parameter for parameter in forward_parameters(cell) if parameter.name not in data)


class _WithKeywords(nn.Module):
    """A torch module that is given further arguments with every call."""

    def __init__(self, module: nn.Module, keywords: Keywords) -> None:
        super().__init__()
        self.module, self.keywords = module, keywords

    def with_parameters(self, leaves: Mapping[str, Tensor], arguments: TensorArguments, **keywords: object) -> object:
        """Call the module with these parameters."""
        exchanged = {**keywords, **self.keywords}
        return call_target(torch.func.functional_call, self.module, dict(leaves), arguments, exchanged)


def run_with(cell: DrivenCell, arguments: CellArguments, keywords: Keywords) -> CellRun:
    """Run a torch module with further arguments, and with as many states as there are among the arguments.

    Args:
        cell: A cell that is a torch module.
        arguments: Inputs, and all, some or none of the states.
        keywords: The further arguments by name.
    """
    convention = replace(cell.convention, states=len(arguments.states)).without(keywords)
    callee = _WithKeywords(cell.module, keywords)
    return replace(cell, convention=convention, module=callee).run(arguments)
