"""The methods by which a layer offers its recurrence once more: a step, or the sequence computed in another order."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from rnn_harness.attributes import member
from rnn_harness.validation.cells.calling_convention import CallingConvention
from rnn_harness.validation.consistency.driven_cell import CellArguments, DrivenCell
from rnn_harness.validation.loading.adapters.array_bridge import ArrayLibraryModule
from rnn_harness.validation.loading.adapters.array_objects import ArrayObjectAdapter
from rnn_harness.validation.loading.adapters.handwritten.cell_source import ObjectSource
from rnn_harness.validation.loading.adapters.handwritten.handwritten_cell import HandwrittenCell
from rnn_harness.validation.loading.copied_module import copied_module
from rnn_harness.validation.loading.driver import run_over_time
from rnn_harness.validation.loading.find_convention import find_convention
from rnn_harness.validation.loading.forward_signature import INPUT_NAME, STATE_NAME
from rnn_harness.validation.loading.method_of_module import MethodOfModule
from rnn_harness.validation.loading.methods_of_steps import methods_of_steps

_UNKNOWN = "no way of calling it is known in which it gives new states for an input and states"


@dataclass(frozen=True)
class OfferedRun:
    """What a method gives for a sequence.

    Attributes:
        outputs: What may be the outputs (T, B, .) of the layer: what it gives besides its states, and its states.
        finals: The states (B, d) in the end.
    """

    outputs: tuple[Tensor, ...]
    finals: tuple[Tensor, ...]


@dataclass(frozen=True)
class OfferedMethod:
    """A method, and how it is called.

    Attributes:
        name: What it is called.
        cell: What is driven in the place of the layer: its method.
    """

    name: str
    cell: DrivenCell

    def run(self, arguments: CellArguments) -> OfferedRun:
        """Run it over a sequence, without a graph.

        Args:
            arguments: The inputs (T, B, n), and as many states as the method takes.
        """
        copied = arguments.copied()
        with torch.no_grad():
            run = run_over_time(
                self.cell.module,
                self.cell.convention,
                dict(self.cell.parameters),
                copied.inputs,
                list(copied.states),
            )
        over_time = (torch.stack([states[k] for states in run.step_states]) for k in range(len(run.final_states)))
        outputs = (run.outputs,) if run.outputs is not None else ()
        besides = (torch.stack(run.step_outputs),) if run.step_outputs else ()
        states = tuple(over_time) if run.outputs is None else ()
        return OfferedRun((*outputs, *besides, *states), tuple(run.final_states))


@dataclass(frozen=True)
class UncalledMethod:
    """A method of such a name that cannot be called with an input and states.

    Attributes:
        name: What it is called.
        reason: Why not.
    """

    name: str
    reason: str


def offered_methods(cell: DrivenCell) -> Iterator[OfferedMethod | UncalledMethod]:
    """List the methods that offer the recurrence of a layer once more.

    Args:
        cell: A layer that is a torch module, or an object that keeps its parameters in NumPy arrays.
    """
    source = _array_object(cell)
    if source is not None:
        for name in methods_of_steps(type(source.cell)):
            if name != source.methods.forward:
                yield _method_of_object(cell, source, name)
    elif cell.is_torch and not isinstance(cell.module, torch.jit.ScriptModule):
        written_class = type(cell.module)
        for name in methods_of_steps(written_class):
            if inspect.getattr_static(written_class, name) is not inspect.getattr_static(written_class, "forward"):
                yield _method_of_module(cell, name)


def is_called_by_forward(cell: DrivenCell, name: str, arguments: CellArguments) -> bool:
    """Say whether the forward of a torch module calls a method of it, which then is a part of forward.

    Args:
        cell: The layer.
        name: The method.
        arguments: What forward is run on.
    """
    if not cell.is_torch:
        return False
    module, calls = copied_module(cell.module), 0
    method = member(module, name)

    def counted(*positional: object, **keywords: object) -> object:
        nonlocal calls
        calls += 1
        return method(*positional, **keywords)

    vars(module)[name] = counted
    replace(cell, module=module).run(arguments)
    return calls > 0


def _array_object(cell: DrivenCell) -> ObjectSource | None:
    """The object whose arrays are the parameters of a cell; None if it is driven otherwise."""
    if not isinstance(cell.module, ArrayLibraryModule) or not isinstance(cell.module.function, HandwrittenCell):
        return None
    source = cell.module.function.source
    return source if isinstance(source, ObjectSource) else None


def _method_of_object(cell: DrivenCell, source: ObjectSource, name: str) -> OfferedMethod | UncalledMethod:
    """A method of an object that keeps its parameters in arrays."""
    try:
        driven = ArrayObjectAdapter().drive(source.cell, cell.input_size, cell.hidden_size, {"method": name})
        declared = driven.capabilities.calling_convention
        convention = find_convention(driven.module.double(), cell.input_size, cell.hidden_size, declared)
    except Exception:  # a method that is called in a wrong way may raise anything
        return UncalledMethod(name, _UNKNOWN)
    if driven.capabilities.has_further_inputs:
        return UncalledMethod(name, "it takes further inputs beside x")
    if set(dict(driven.module.named_parameters())) != set(cell.parameters):
        return UncalledMethod(name, "it computes with other arrays")
    return OfferedMethod(name, replace(cell, module=driven.module, convention=convention))


def _method_of_module(cell: DrivenCell, name: str) -> OfferedMethod | UncalledMethod:
    """A method of a torch module, called with rows, or with sequences of one step where it takes no rows."""
    method = MethodOfModule(copied_module(cell.module), name)
    try:
        convention = find_convention(method, cell.input_size, cell.hidden_size)
    except Exception:  # a method that is called in a wrong way may raise anything
        return UncalledMethod(name, _UNKNOWN)
    if cell.input_size == cell.hidden_size and not _says_what_is_what(convention):
        return UncalledMethod(name, "inputs are as wide as states, and its arguments do not say which is which")
    parameters = {f"module.{key}": value for key, value in cell.parameters.items()}
    return OfferedMethod(name, replace(cell, module=method, convention=convention, parameters=parameters))


def _says_what_is_what(convention: CallingConvention) -> bool:
    """Whether the names of inputs and states are those of inputs and states."""
    data = [argument for argument in convention.handed_over if not argument.is_extra]
    patterns = {True: INPUT_NAME, False: STATE_NAME}
    return all(patterns[argument.role == "input"].match(argument.name) for argument in data)
