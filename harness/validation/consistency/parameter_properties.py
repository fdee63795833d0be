"""Properties of parameters: each registered one has an influence, and what has an influence is registered."""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_leaves

from rnn_harness.attributes import member
from rnn_harness.errors import NotRun
from rnn_harness.runtime.torch_seed import seed_torch
from rnn_harness.validation.consistency.consistency_property import Draw, Note, Property, Violation
from rnn_harness.validation.consistency.driven_cell import CellArguments, DrivenCell
from rnn_harness.validation.consistency.optional_arguments import optional_arguments

_NEVER_CALLED = (nn.ParameterList, nn.ParameterDict, nn.ModuleList, nn.ModuleDict, torch.jit.ScriptModule)
"""Modules that hold parameters and are not called, or do not say so."""
MOVE = 0.25
"""How far a parameter is moved at least to see whether anything changes."""


def _parameters_used(draw: Draw) -> Violation | Note | None:
    """Move every parameter: something that comes back must change, in one of the ways of calling it."""
    cell, arguments = draw.cell, draw.arguments(steps=3)
    unused = unused_parameters(cell, arguments)
    if not unused:
        return None
    if left_out := optional_arguments(cell):
        listed = ", ".join(argument.name for argument in left_out)
        raise NotRun(f"{', '.join(unused)}: no influence; there may be one where {listed} is given")
    called = _called_modules(cell, arguments)
    if all(name.rpartition(".")[0] not in called for name in unused):
        return Note(f"registered in modules that are never called: {', '.join(unused)}")
    read = _read_parameters(cell, arguments)
    reached = [name for name in unused if name in read]
    if unread := [name for name in unused if name not in read and _is_left_out(cell, name, read)]:
        sentence = f"{', '.join(unread)}: never read, though every other one of the list is"
        return Violation("forward: parameters", sentence)
    if not reached:
        seen = "never read" if cell.is_torch else "without influence"
        return Note(f"registered and {seen}: {', '.join(unused)}")
    verb = "has" if len(reached) == 1 else "have"
    return Violation("forward: parameters", f"{', '.join(reached)} {verb} no influence on anything that comes back")


def _is_left_out(cell: DrivenCell, name: str, read: set[str]) -> bool:
    """Say whether a parameter stands in a list of which every other one of its shape is read, and there is one."""
    holder, _, _ = name.rpartition(".")
    if not holder or not isinstance(cell.module.get_submodule(holder), nn.ParameterList):
        return False
    shape = cell.parameters[name].shape
    siblings = [
        other
        for other, value in cell.parameters.items()
        if other != name and other.rpartition(".")[0] == holder and value.shape == shape
    ]
    return bool(siblings) and read.issuperset(siblings)


def _called_modules(cell: DrivenCell, arguments: CellArguments) -> set[str]:
    """The names of the modules that a run calls, and of the containers of parameters that are never called."""
    called = {""}
    handles = []
    for name, part in cell.module.named_modules():
        if isinstance(part, _NEVER_CALLED):
            called.add(name)
        else:
            handles.append(part.register_forward_pre_hook(lambda _module, _inputs, name=name: called.add(name)))
    try:
        cell.raw_results(arguments, cell.parameters)
    finally:
        for handle in handles:
            handle.remove()
    return called


class _Reads(TorchFunctionMode):
    """Notes which of some tensors torch's functions are called with.

    Args:
        tensors: The tensors, by name.
    """

    def __init__(self, tensors: Mapping[str, Tensor]) -> None:
        super().__init__()
        self._names = {id(tensor): name for name, tensor in tensors.items()}
        self.read: set[str] = set()

    def __torch_function__(
        self,
        func: Callable[..., object],
        _types: object,
        args: tuple[object, ...] = (),
        kwargs: dict[str, object] | None = None,
    ) -> object:
        self.read |= {self._names[id(leaf)] for leaf in tree_leaves((args, kwargs)) if id(leaf) in self._names}
        return func(*args, **(kwargs or {}))


def _read_parameters(cell: DrivenCell, arguments: CellArguments) -> set[str]:
    """The parameters that a run computes with, whatever becomes of it; none of what is no torch module."""
    parameters = {name: value.clone() for name, value in cell.parameters.items()}
    with torch.no_grad(), _Reads(parameters) as reads:
        cell.connected_run(arguments.copied(), parameters)
    return reads.read if cell.is_torch else set()


def unused_parameters(cell: DrivenCell, arguments: CellArguments) -> tuple[str, ...]:
    """List the parameters that change nothing that comes back: in evaluation, in training, without a state.

    Args:
        cell: The cell; copies of its parameters are moved.
        arguments: Inputs and states of the runs that are compared.

    Returns:
        Names of parameters; each was moved in all of its entries, and no bit of any result changed, with the cell's own
        parameters and with others: where every unit of a ReLU is off, nothing shows.
    """
    unused = _without_influence(cell, arguments)
    for signs in (1, -1, None):
        if not unused:
            break
        numbers = {
            name: cell.normal(700 + index, *value.shape) if signs is None else signs * value.abs()
            for index, (name, value) in enumerate(cell.parameters.items())
        }
        unused = _without_influence(replace(cell, parameters=numbers), arguments, unused)
    return unused


def _without_influence(
    cell: DrivenCell, arguments: CellArguments, names: tuple[str, ...] | None = None
) -> tuple[str, ...]:
    """List those of some parameters, or of all, that change nothing beside the cell's parameters."""
    expected = list(_results_of_each_way(cell, arguments, cell.parameters))
    unused = []
    for index, (name, value) in enumerate(cell.parameters.items()):
        if names is not None and name not in names:
            continue
        moved = {**cell.parameters, name: value + MOVE * (1 + cell.normal(900 + index, *value.shape).abs())}
        ways = zip(_results_of_each_way(cell, arguments, moved), expected, strict=True)
        if all(_are_equal(computed, results) for computed, results in ways):
            unused.append(name)
    return tuple(unused)


def _results_of_each_way(
    cell: DrivenCell, arguments: CellArguments, parameters: Mapping[str, Tensor]
) -> Iterator[tuple[Tensor, ...]]:
    """Yield what comes back in evaluation, without a state, and in training; nothing where it does not take that."""
    yield cell.raw_results(arguments, parameters)
    if not cell.is_torch:
        return
    for in_training in (False, True):
        results: tuple[Tensor, ...] = ()
        with contextlib.suppress(Exception), torch.random.fork_rng(devices=[]):  # a way that it need not take
            seed_torch(0)
            if in_training:
                results = cell.in_training().raw_results(arguments, parameters)
            else:
                stateless = replace(cell, convention=replace(cell.convention, states=0))
                results = stateless.raw_results(arguments, parameters)
        yield results


def _are_equal(first: tuple[Tensor, ...], second: tuple[Tensor, ...]) -> bool:
    return len(first) == len(second) and all(torch.equal(a, b) for a, b in zip(first, second, strict=True))


def _registered(draw: Draw) -> Note | None:
    """Move every tensor that is no parameter: one that changes what comes back is worth knowing."""
    cell = draw.cell
    if not cell.is_torch:
        raise NotRun("it is no torch module")
    names, arguments = [], draw.arguments(steps=2)
    expected = cell.raw_results(arguments, cell.parameters)
    for path, attribute, is_buffer in _further_tensors(cell.module):
        changed = copy.deepcopy(cell.module)
        owner = changed.get_submodule(path)
        value: Tensor = member(owner, attribute)
        with torch.no_grad():
            value.add_(MOVE)
        if not _are_equal(replace(cell, module=changed).raw_results(arguments, cell.parameters), expected):
            names.append(f"{path}{'.' if path else ''}{attribute} ({'a buffer' if is_buffer else 'not registered'})")
    return Note(f"no parameter, but with influence: {', '.join(names)}") if names else None


def _further_tensors(module: nn.Module) -> Iterator[tuple[str, str, bool]]:
    """Yield every tensor of real numbers that is no parameter: its owner's path, its name, whether it is a buffer."""
    for path, part in module.named_modules():
        for name, value in part.named_buffers(recurse=False):
            if value.is_floating_point():
                yield path, name, True
        for name, value in vars(part).items():
            if isinstance(value, Tensor) and value.is_floating_point() and value.is_leaf:
                yield path, name, False


PARAMETER_PROPERTIES = (
    Property("parameters-used", _parameters_used),
    Property("registered", _registered, draws=1),
)
