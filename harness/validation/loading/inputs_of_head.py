"""A model whose recurrence stands in its own forward, with an output layer behind it: driven without that layer."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import replace

import torch
from torch import Tensor, nn

from rnn_harness.validation.cells.capabilities import CellSizes
from rnn_harness.validation.cells.distinct_sizes import distinct_batch_size, distinct_step_count
from rnn_harness.validation.cells.state_form import result_leaves
from rnn_harness.validation.loading.find_convention import find_convention
from rnn_harness.validation.loading.parameter_exchange import in_evaluation
from rnn_harness.validation.loading.target import TRIAL_SIZES, Target


class InputsOfHead(nn.Module):
    """What stands for an output layer: it gives what it is given."""

    def forward(self, states: Tensor) -> Tensor:
        """Give the states back.

        Args:
            states: (..., d).
        """
        return states


def target_of_head_inputs(target: Target) -> Target | None:
    """Return a model as a layer that gives what goes into its output layer; None where it has none of that kind.

    An output layer is a linear one whose weights reach nothing that goes into it, and behind which nothing is computed.

    Args:
        target: A torch target that holds no part which is known to carry a state.
    """
    if target.capabilities.library is not None:
        return None
    sizes = target.capabilities.fixed_sizes or TRIAL_SIZES
    for x in _inputs(sizes, target.make_module(*sizes)):
        name = _output_layer(target.make_module(*sizes), x)
        if name:
            return _without(target, name, sizes)
    return None


def _without(target: Target, name: str, sizes: CellSizes) -> Target | None:
    """A target without its output layer; None where that cannot be called."""

    def bare(n: int, d: int) -> nn.Module:
        return _replaced(target.make_module(n, d), name)

    head = target.make_module(*sizes).get_submodule(name)
    assert isinstance(head, nn.Linear), "an output layer is a linear one"
    fitting = CellSizes(sizes.input_size, head.in_features)
    try:
        find_convention(bare(*sizes), *fitting)
    except Exception:  # a module that is called in a wrong way may raise anything
        return None
    is_of_any_size = target.capabilities.fixed_sizes is None and fitting == sizes
    note = f"its output layer {name} is left out: what goes into it is judged"
    capabilities = replace(
        target.capabilities,
        fixed_sizes=None if is_of_any_size else fitting,
        calling_convention=None,
        notes=(*target.capabilities.notes, note),
    )

    def make_module(n: int, d: int) -> nn.Module:
        return bare(n, d) if is_of_any_size else bare(*sizes)

    return replace(target, make_module=make_module, capabilities=capabilities)


def _replaced(module: nn.Module, name: str) -> nn.Module:
    """Put `InputsOfHead` in the place of an output layer of a module, which is changed."""
    holder, _, attribute = name.rpartition(".")
    setattr(module.get_submodule(holder), attribute, InputsOfHead())
    return in_evaluation(module)


def _inputs(sizes: CellSizes, module: nn.Module) -> Iterator[Tensor]:
    """Yield sequences of both orders of time and batch."""
    n, d = sizes
    dtype = next((value.dtype for value in module.parameters()), torch.get_default_dtype())
    steps, rows = distinct_step_count(n, d), distinct_batch_size(n, d)
    for lengths in ((rows, steps), (steps, rows)):
        yield torch.randn(*lengths, n, generator=torch.Generator().manual_seed(1), dtype=torch.float64).to(dtype)


def _output_layer(module: nn.Module, x: Tensor) -> str:
    """The name of the output layer of a module; empty where it has none, or cannot be called."""
    linear: list[str] = [name for name, part in module.named_modules() if type(part) is nn.Linear and name]
    for name in reversed(linear):
        try:
            given = _given_to(copy.deepcopy(module), name, x)
            if not given or not _is_behind(module, name, x, given) or not _is_last(module, name, x, given):
                continue
        except (Exception, SystemExit):  # a module that is called in a wrong way may raise anything
            continue
        return name
    return ""


def _given_to(module: nn.Module, name: str, x: Tensor) -> list[Tensor]:
    """What a part of a module is given in every call of it."""
    given: list[Tensor] = []
    module.get_submodule(name).register_forward_pre_hook(lambda _, values: given.append(values[0].clone()))
    with torch.no_grad():
        in_evaluation(module)(x)
    return given


def _is_behind(module: nn.Module, name: str, x: Tensor, given: list[Tensor]) -> bool:
    """Whether other weights of a part leave what it is given as it was, so that it stands behind the recurrence."""
    moved = copy.deepcopy(module)
    with torch.no_grad():
        for value in moved.get_submodule(name).parameters():
            value.add_(1)
    others = _given_to(moved, name, x)
    return len(others) == len(given) and all(map(torch.equal, given, others))


def _is_last(module: nn.Module, name: str, x: Tensor, given: list[Tensor]) -> bool:
    """Whether what a part gives is what the module gives: at once, or step by step in either order of the axes."""
    with torch.no_grad():
        (first, *_) = [leaf.tensor for leaf in result_leaves(_replaced(copy.deepcopy(module), name)(x))]
    laid_out = given if len(given) == 1 else [torch.stack(given), torch.stack(given, 1)]
    return any(value.shape == first.shape and torch.equal(value, first) for value in laid_out)
