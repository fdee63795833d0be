"""A module called with other parameters than its own: torch's way, or its own where torch's does not work."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeVar, runtime_checkable

from rnn_harness.attributes import member
from rnn_harness.kernels.driver_protocol import Tensors
from rnn_harness.options import Keywords
from rnn_harness.runtime.target_call import call_target
from rnn_harness.validation.cells.calling_convention import TensorArguments

if TYPE_CHECKING:
    from torch import Tensor, nn

Result = TypeVar("Result")


class ScriptedArgument(NamedTuple):
    """An argument of a forward of TorchScript.

    Attributes:
        name: How the schema calls it.
        is_required: Whether it has no default.
        keyword_only: Whether it must be handed over by name.
    """

    name: str
    is_required: bool
    keyword_only: bool


@runtime_checkable
class CalledWithParameters(Protocol):
    """What takes its parameters with every call, so that none of torch's machinery is needed to exchange them."""

    def with_parameters(self, leaves: Tensors, arguments: TensorArguments) -> object:
        """Call it with these parameters, by name.

        Args:
            leaves: Parameters by name; the module's stay as they are.
            arguments: The inputs and states, in the order of its calling convention.
        """


@runtime_checkable
class ComputesElsewhere(Protocol):
    """A module that computes on another device than the one from which it is called.

    Attributes:
        computes_on: The name of that device in torch.
    """

    computes_on: str


def with_leaves(module: nn.Module | CalledWithParameters, leaves: Tensors) -> Callable[..., object]:
    """Return the module as a function of its arguments alone.

    Args:
        module: A torch module, or what exchanges its parameters itself; it stays as it is.
        leaves: Its parameters, by its names.
    """
    import torch

    if isinstance(module, CalledWithParameters):
        direct = module
        return lambda *arguments, **keywords: call_target(direct.with_parameters, leaves, arguments, **keywords)
    if isinstance(module, torch.jit.ScriptModule):
        return lambda *arguments, **keywords: call_target(_call_scripted, module, leaves, arguments, keywords)
    return lambda *arguments, **keywords: call_target(torch.func.functional_call, module, leaves, arguments, keywords)


def run_with_leaves(
    module: nn.Module | CalledWithParameters, leaves: Tensors, work: Callable[[Callable[..., object]], Result]
) -> Result:
    """Run what calls a module many times; its parameters are exchanged once, and not for every call.

    Args:
        module: A torch module, or what exchanges its parameters itself; it stays as it is.
        leaves: Its parameters, by its names; what the module puts in their place is there afterwards.
        work: Is given the module as a function of its arguments alone, and calls it as often as it wants.

    Returns:
        What `work` gives back.
    """
    import torch

    if isinstance(module, CalledWithParameters | torch.jit.ScriptModule):
        return work(with_leaves(module, leaves))
    holder = _holder_class()(module)
    parameters = {f"module.{name}": leaf for name, leaf in leaves.items()}
    try:
        result: Result = torch.func.functional_call(holder, parameters, (work,))
    finally:
        leaves.update((name, parameters[f"module.{name}"]) for name in tuple(leaves))
    return result


@functools.cache
def _holder_class() -> Callable[[nn.Module], nn.Module]:
    """Return the class of a module whose forward is the work with the module that it holds."""
    from torch import nn

    class Holder(nn.Module):
        """Holds the module whose parameters are exchanged while its own forward runs."""

        def __init__(self, module: nn.Module) -> None:
            super().__init__()
            self.module = module

        def forward(self, work: Callable[[Callable[..., object]], object]) -> object:
            """Do the work with the module that is held."""
            return work(lambda *arguments, **keywords: call_target(self.module, *arguments, **keywords))

    return Holder


@contextlib.contextmanager
def leaves_in_place(module: nn.Module | CalledWithParameters, leaves: Tensors) -> Iterator[None]:
    """Put `leaves` in the place of the module's parameters, and put those back afterwards.

    Args:
        module: The module; one that takes its parameters with every call is left as it is.
        leaves: Its parameters, by its names.
    """
    import torch

    if isinstance(module, CalledWithParameters | torch.jit.ScriptModule):
        yield
        return
    places = [(module.get_submodule(name.rpartition(".")[0]), name.rpartition(".")[2]) for name in leaves]
    parameters = [owner._parameters[name] for owner, name in places]
    if isinstance(module, ComputesElsewhere):
        leaves = {name: leaf.to(module.computes_on) for name, leaf in leaves.items()}
    try:
        for (owner, name), leaf in zip(places, leaves.values(), strict=True):
            owner._parameters[name] = leaf  # type: ignore[assignment]  # a leaf of the graph that is differentiated
        yield
    finally:
        for (owner, name), parameter in zip(places, parameters, strict=True):
            owner._parameters[name] = parameter


def _call_scripted(
    module: Any, leaves: Mapping[str, Tensor], arguments: tuple[object, ...], keywords: Keywords
) -> object:
    """Call a module of TorchScript, for which torch has no `functional_call`: its slots are set.

    A list of its parameters, as torch's layers hold, is set with them.
    """
    slots = {name: _slot(module, name) for name in leaves}
    held = {name: owner.getattr(attribute) for name, (owner, attribute) in slots.items()}
    leaf_of = {value.data_ptr(): leaves[name] for name, value in held.items()}
    lists = [
        (part._c, name, part._c.getattr(name))
        for _, part in module.named_modules()
        for name in ("_flat_weights",)
        if part._c.hasattr(name)
    ]
    try:
        for name, (owner, attribute) in slots.items():
            owner.setattr(attribute, leaves[name])
        for owner, name, values in lists:
            owner.setattr(name, [leaf_of.get(value.data_ptr(), value) for value in values])
        return scripted_forward(module)(*arguments, **keywords)
    finally:
        for name, (owner, attribute) in slots.items():
            owner.setattr(attribute, held[name])
        for owner, name, values in lists:
            owner.setattr(name, values)


def _slot(module: Any, name: str) -> tuple[Any, str]:
    """The object of TorchScript that holds a parameter, and the parameter's name there."""
    *path, attribute = name.split(".")
    for part in path:
        module = member(module, part)
    return module._c, attribute


def own_call(module: nn.Module) -> Callable[..., object]:
    """Return the module as a function of its arguments, with its own parameters.

    Args:
        module: A module of torch or of TorchScript.
    """
    import torch

    return scripted_forward(module) if isinstance(module, torch.jit.ScriptModule) else module


def scripted_forward(module: Any) -> Callable[..., object]:
    """Return the forward of a module of TorchScript: itself, or the first of several where it is overloaded.

    Args:
        module: A module of TorchScript.
    """
    name = _scripted_name(module)
    if name in ("forward", ""):
        return lambda *arguments, **keywords: module(*arguments, **keywords)
    method: Callable[..., object] = module._c._get_method(name)
    return method


def scripted_arguments(module: Any) -> list[ScriptedArgument]:
    """List the arguments of the forward of a module of TorchScript; none where it has no forward.

    Args:
        module: A module of TorchScript.
    """
    name = _scripted_name(module)
    if not name:
        return []
    return [
        ScriptedArgument(argument.name, not argument.has_default_value(), bool(argument.kwarg_only))
        for argument in module._c._get_method(name).schema.arguments[1:]
    ]


def _scripted_name(module: Any) -> str:
    """The name of the forward of a module of TorchScript, of the first where it is overloaded; empty without one."""
    names = module._c._method_names()
    return next((name for name in names if name == "forward" or name.startswith("forward__")), "")


def in_evaluation(module: nn.Module) -> nn.Module:
    """Set evaluation mode where the module has one: exported modules, for example, raise when they are asked for it.

    Args:
        module: The module, which is changed.
    """
    with contextlib.suppress(Exception):  # a module's train() may raise anything
        module.eval()
    return module
