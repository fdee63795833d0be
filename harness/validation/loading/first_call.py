"""Torch modules whose weights are made when they are called for the first time, called once so that they have them."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from rnn_harness.validation.cells.callable_facts import code_names
from rnn_harness.validation.cells.calling_convention import CallingConvention
from rnn_harness.validation.cells.capabilities import CellSizes
from rnn_harness.validation.loading.construct import Construction
from rnn_harness.validation.loading.find_convention import find_convention
from rnn_harness.validation.loading.parameter_exchange import in_evaluation

if TYPE_CHECKING:
    from torch import nn

_MAKES_WEIGHTS = frozenset(("Parameter", "register_parameter", "Linear", "add_module", "ParameterList"))
"""What the code of a method names that makes weights."""
_ROWS, _STEPS = 2, 3


def with_first_calls(
    candidates: Iterable[tuple[Construction, Any]], sizes: CellSizes
) -> Iterator[tuple[Construction, nn.Module]]:
    """Yield ways to construct torch modules, each of which has its weights.

    A module that makes them at its first call learns its input size then. It is called once for every object that is
    made, in the first way of calling it that fits the sizes that are wanted.

    Args:
        candidates: Ways to construct a torch module, likely ones first, each with a module.
        sizes: The sizes of those modules, where a way has none of its own.
    """
    for construction, module in candidates:
        called = _with_first_call(construction, module, sizes) if may_make_weights(module) else None
        if called is not None:
            yield called
        else:
            yield construction, module


def may_make_weights(module: object) -> bool:
    """Say whether a module may make weights when it is called: torch's lazy ones, or by methods that name such.

    Args:
        module: An object of any kind; nothing but a torch module may.
    """
    from torch import nn

    if not isinstance(module, nn.Module):
        return False
    classes = {base for part in nn.Module.modules(module) for base in type(part).__mro__ if base is not object}
    written = [base for base in classes if not base.__module__.startswith("torch.")]
    return lacks_weights(module) or any(_makes_weights(base) for base in written)


def lacks_weights(module: nn.Module) -> bool:
    """Say whether a module has weights whose shapes it does not know yet.

    Args:
        module: A torch module.
    """
    from torch.nn.parameter import is_lazy

    return any(is_lazy(value) for value in (*module.parameters(), *module.buffers()))


def _makes_weights(written_class: type) -> bool:
    """Whether a method of a class names what makes weights, and is not run by its constructor."""
    methods = {name: value for name, value in vars(written_class).items() if inspect.isfunction(value)}
    constructor = set(code_names(methods.get("__init__")))
    later = (method for name, method in methods.items() if name != "__init__" and name not in constructor)
    return any(_MAKES_WEIGHTS & {*code_names(method)} for method in later)


def _with_first_call(
    construction: Construction, module: nn.Module, sizes: CellSizes
) -> tuple[Construction, nn.Module] | None:
    """The construction whose modules are called once; None where that makes no weights, or no way of calling fits."""
    if not construction.any_sizes:
        return None
    learns = lacks_weights(module) or not any(True for _ in module.parameters())
    made_for = sizes if learns else construction.fixed_sizes or sizes
    try:
        cell = construction.make(made_for)
        if not isinstance(cell, type(module)):
            return None
        before = _weights(cell)
        convention = find_convention(in_evaluation(copy.deepcopy(cell)), *made_for, is_new=True)
        _call(cell, convention, made_for)
    except Exception:  # a module that is called in a wrong way may raise anything
        return None
    if _weights(cell) == before:
        return None

    def make(wanted: CellSizes) -> Any:
        new_module = construction.make(wanted)
        _call(new_module, convention, wanted)  # type: ignore[arg-type]  # of the class of `module`
        return new_module

    fixed = None if learns else construction.fixed_sizes
    return replace(construction, make=make, fixed_sizes=fixed, is_guess=False, learns_input_size=False), cell


def _weights(module: nn.Module) -> set[str]:
    """The names of the weights that a module has."""
    from torch.nn.parameter import is_lazy

    return {name for name, value in module.named_parameters() if not is_lazy(value)}


def _call(module: nn.Module, convention: CallingConvention, sizes: CellSizes) -> None:
    """Call a module once, in the format in which it makes its weights."""
    import torch

    dtype = next((value.dtype for value in module.parameters()), torch.get_default_dtype())
    was_training = module.training
    generator = torch.Generator().manual_seed(5)
    n, d = sizes
    x = torch.randn(*((_STEPS,) if convention.sequence else ()), _ROWS, n, generator=generator).to(dtype)
    states = [torch.randn(_ROWS, d, generator=generator).to(dtype) for _ in range(convention.states)]
    with torch.no_grad():
        convention.call(in_evaluation(module), x, states)
    module.train(was_training)
