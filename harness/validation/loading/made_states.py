"""Torch modules that keep a state which a method makes before they are called: ``model.init_hidden(batch_size)``."""

from __future__ import annotations

import dis
import inspect
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from rnn_harness.attributes import attribute, member
from rnn_harness.validation.loading.adapters.handwritten.argument_names import all_arguments, required_arguments
from rnn_harness.validation.loading.construct import Construction

if TYPE_CHECKING:
    from torch import Tensor, nn

_MAKES_STATE = re.compile(
    r"_?(init|initiali[sz]e|reset|clear|zero|make|begin|initial)_?(the_)?(hidden|states?|memory|carry|cells?)(_?states?)?$",
    re.I,
)
"""Names of methods that make a state."""
_LOOKS_WHETHER_IT_IS_THERE = re.compile(r"\bNone\b|\bnot self\.|hasattr")
_STEPS_ALONG_THE_SECOND_AXIS = re.compile(r"\w\[:,\s*\w+")


def with_made_states(
    candidates: Iterable[tuple[Construction, Any]],
) -> Iterator[tuple[Construction, Any]]:
    """Yield ways to construct torch modules, each of which makes the state that it keeps when it is called.

    Args:
        candidates: Ways to construct a torch module, likely ones first, each with a module.
    """
    for construction, module in candidates:
        if _state_maker(module) is None:
            yield construction, module
        else:
            yield replace(construction, make=_MakesWithState(construction.make)), with_made_state(module)


def with_made_state(module: Any) -> Any:
    """Return a module that makes the state which it keeps, by the method that whoever calls it would call before.

    Args:
        module: An object of any kind; nothing but a torch module that lacks its state is changed.
    """
    maker = _state_maker(module)
    if maker is not None:
        module.register_forward_pre_hook(maker)
    return module


@dataclass(frozen=True)
class _MakesWithState:
    """Makes modules that make their state when they are called."""

    make: Callable[[Any], object]

    def __call__(self, sizes: Any) -> object:
        return with_made_state(self.make(sizes))


@dataclass(frozen=True)
class _MakesState:
    """Has a module make its state before a call where it has none; after that it keeps the rows that it was made for.

    Attributes:
        method: The name of the method that makes it.
        takes_rows: Whether that method takes the number of rows.
        attributes: The names of the attributes that hold the state.
    """

    method: str
    takes_rows: bool
    attributes: tuple[str, ...]

    def __call__(self, module: nn.Module, arguments: tuple[object, ...]) -> None:
        if all(attribute(module, name, object) is not None for name in self.attributes):
            return
        state = member(module, self.method)(*((_rows_of(module, arguments),) if self.takes_rows else ()))
        if state is not None and len(self.attributes) == 1:
            setattr(module, self.attributes[0], state)
        elif isinstance(state, tuple | list) and len(state) == len(self.attributes):
            for name, part in zip(self.attributes, state, strict=True):
                setattr(module, name, part)
        first = next((value for value in module.parameters() if value.is_floating_point()), None)
        if first is not None:
            for name in self.attributes:
                setattr(module, name, _in_format_of(member(module, name), first))


def _in_format_of(state: Any, parameter: Tensor) -> Any:
    """A state in the format of a parameter, and on its device."""
    import torch

    if isinstance(state, torch.Tensor):
        return state.to(parameter) if state.is_floating_point() else state
    return type(state)(_in_format_of(part, parameter) for part in state) if type(state) in (tuple, list) else state


def _state_maker(module: Any) -> _MakesState | None:
    """What makes the state that a module keeps; None where it has one, or none is read, or nothing makes it."""
    import torch

    if not isinstance(module, torch.nn.Module) or isinstance(module, torch.jit.ScriptModule):
        return None
    forward = type(module).forward
    read, stored = _attributes_of(forward, "LOAD_ATTR"), _attributes_of(forward, "STORE_ATTR")
    looks = _LOOKS_WHETHER_IT_IS_THERE.search(_source(forward)) is not None
    for name, method in inspect.getmembers(type(module), inspect.isfunction):
        if not _MAKES_STATE.match(name) or name in read or len(required_arguments(method)) > 2:
            continue
        possible = _attributes_of(method, "STORE_ATTR") or stored
        attributes = tuple(key for key in possible if key in read and _is_lacking(module, key, looks=looks))
        if attributes:
            return _MakesState(name, len(all_arguments(method)) > 1, attributes)
    return None


def _is_lacking(module: nn.Module, name: str, *, looks: bool) -> bool:
    """Whether a module has no attribute of a name, or None in it where its forward does not look for that."""
    return not looks and attribute(module, name, object) is None


def _attributes_of(function: Any, operation: str) -> tuple[str, ...]:
    """The attributes that a function reads or stores, in the order in which it does."""
    try:
        instructions = list(dis.get_instructions(function))
    except TypeError:  # it was not written in Python
        return ()
    names = ("LOAD_ATTR", "LOAD_METHOD") if operation == "LOAD_ATTR" else (operation,)
    return tuple(dict.fromkeys(str(each.argval) for each in instructions if each.opname in names))


def _source(function: Any) -> str:
    """The text of a function; empty where it is not to be had."""
    try:
        return inspect.getsource(function)
    except (OSError, TypeError):
        return ""


def _rows_of(module: nn.Module, arguments: tuple[object, ...]) -> int:
    """The rows of the batch that a module is called with; 1 where it is called with one sequence."""
    from torch import Tensor, nn

    x = next((argument for argument in arguments if isinstance(argument, Tensor)), None)
    layers = [part for _, part in module.named_modules() if isinstance(part, nn.RNNBase)]
    axes = 0 if x is None else x.dim() - x.is_floating_point()
    if x is None or axes < 1 or (axes == 1 and layers):
        return 1
    is_first = layers[0].batch_first if layers else _STEPS_ALONG_THE_SECOND_AXIS.search(_source(type(module).forward))
    return x.shape[0] if axes == 1 or is_first else x.shape[1]
