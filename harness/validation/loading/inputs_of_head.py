"""A model whose recurrence stands in its own forward, with an output layer behind it: driven without that layer."""

from __future__ import annotations

import copy
import functools
from collections.abc import Callable, Iterator
from dataclasses import replace

import torch
from torch import Tensor, nn

from rnn_harness.validation.cells.capabilities import CellSizes
from rnn_harness.validation.cells.distinct_sizes import distinct_batch_size, distinct_step_count
from rnn_harness.validation.cells.state_form import result_leaves
from rnn_harness.validation.loading.adapters.handwritten.argument_names import required_arguments
from rnn_harness.validation.loading.find_convention import find_convention
from rnn_harness.validation.loading.joined_inputs import JoinedInputs
from rnn_harness.validation.loading.parameter_exchange import in_evaluation
from rnn_harness.validation.loading.target import TRIAL_SIZES, Target


class GivenToHead(nn.Module):
    """A model that gives what its output layer is given, whatever is computed behind that.

    Attributes:
        cell: The model.
        head: The name of its output layer.
        time_axis: Where the steps stand in the input if the layer is called once a step; None if it is called once.
    """

    def __init__(self, cell: nn.Module, head: str, time_axis: int | None) -> None:
        """Wrap the model.

        Args:
            cell: A torch module that takes a sequence alone.
            head: The name of its output layer.
            time_axis: Where the steps stand in the input if the layer is called once a step; None if it is called once.
        """
        super().__init__()
        self.cell, self.head, self.time_axis = cell, head, time_axis
        layer = cell.get_submodule(head)
        for name, value in list(layer.named_parameters(recurse=False)):  # they have no influence on what it is given
            delattr(layer, name)
            layer.register_buffer(name, value.detach())

    def forward(self, x: Tensor) -> Tensor:
        """Run the model and return what its output layer was given: (B, d), or (B, T, d) of every step.

        Args:
            x: The sequence, as the model takes it.
        """
        taken: list[Tensor] = []
        layer = self.cell.get_submodule(self.head)
        handle = layer.register_forward_pre_hook(lambda _, values: taken.append(values[0]))
        try:
            self.cell(x)
        finally:
            handle.remove()
        if self.time_axis is not None:
            return torch.stack(taken, self.time_axis) if taken else x.new_zeros(0)
        (given,) = taken
        return given


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

    An output layer is a linear one whose weights reach nothing that goes into it; best one behind which nothing is
    computed.

    Args:
        target: A torch target that holds no part which is known to carry a state.
    """
    if target.capabilities.library is not None:
        return None
    sizes = target.capabilities.fixed_sizes or TRIAL_SIZES
    for x in _inputs(sizes, target.make_module(*sizes)):
        name = _output_layer(target.make_module(*sizes), x, is_last=True)
        if name:
            return _without(target, name, sizes, _replaced)
    if isinstance(target.make_module(*sizes), GivenToHead):
        return None  # what stands behind two layers is more than an output layer
    for x in _inputs(sizes, target.make_module(*sizes)):
        name = _output_layer(target.make_module(*sizes), x, is_last=False)
        if not name or not _keeps_rows_apart(target.make_module(*sizes), x):
            continue
        calls = len(_given_to(target.make_module(*sizes), name, x))
        time_axis = next((axis for axis in (0, 1) if 1 < calls == x.shape[axis]), None)
        wrapped = functools.partial(GivenToHead, time_axis=time_axis)
        if (driven := _without(target, name, sizes, wrapped)) is not None:
            return driven
    return None


def target_of_joined_inputs(target: Target) -> Target | None:
    """Return a model with several inputs of one width as one whose input holds them side by side.

    Args:
        target: A torch target, such as a classifier of a series with gaps that takes values, a mask and time gaps.

    Returns:
        The target; None where it takes one input alone.
    """
    sizes = target.capabilities.fixed_sizes or TRIAL_SIZES
    if target.capabilities.library is not None or isinstance(target.make_module(*sizes), torch.jit.ScriptModule):
        return None
    names = [argument.name for argument in required_arguments(target.make_module(*sizes).forward)]
    if not 2 <= len(names) <= _MOST_INPUTS:
        return None
    joined = JoinedInputs(tuple(names), (), *sizes)
    capabilities = replace(
        target.capabilities,
        fixed_sizes=joined.sizes,
        calling_convention=None,
        has_further_inputs=True,
        notes=(*target.capabilities.notes, joined.note()),
    )
    return replace(
        target, make_module=lambda _n, _d: joined.wrap(target.make_module(*sizes)), capabilities=capabilities
    )


_MOST_INPUTS = 4


def _without(
    target: Target, name: str, sizes: CellSizes, bared: Callable[[nn.Module, str], nn.Module]
) -> Target | None:
    """A target without its output layer; None where that cannot be called."""

    def bare(n: int, d: int) -> nn.Module:
        return in_evaluation(bared(target.make_module(n, d), name))

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


def _output_layer(module: nn.Module, x: Tensor, *, is_last: bool) -> str:
    """The name of the output layer of a module; empty where it has none, or cannot be called."""
    linear: list[str] = [name for name, part in module.named_modules() if type(part) is nn.Linear and name]
    for name in reversed(linear):
        try:
            given = _given_to(copy.deepcopy(module), name, x)
            if not given or not _is_behind(module, name, x, given):
                continue
            if not (_is_last(module, name, x, given) if is_last else _remembers(module, name, x, given)):
                continue
            if not is_last and _parameters_behind(module, name, x):
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


def _remembers(module: nn.Module, name: str, x: Tensor, given: list[Tensor]) -> bool:
    """Whether what stands first along one axis of the input reaches the last that a part is given, in every row."""
    for axis in (0, 1):
        moved = x.clone()
        moved.select(axis, 0).add_(1)
        changed = [a != b for a, b in zip(_given_to(copy.deepcopy(module), name, moved), given, strict=True)]
        if len(changed) > 1:
            last = changed[-1] if len(changed) == x.shape[axis] else None
        else:
            last = changed[0] if changed[0].dim() == 2 else changed[0].select(axis, -1)
        if last is not None and last.dim() == 2 and bool(last.any(-1).all()):
            return True
    return False


def _keeps_rows_apart(module: nn.Module, x: Tensor) -> bool:
    """Whether along one of the first two axes of an input what stands first reaches outputs at that place alone."""
    outputs = []
    for axis in (None, 0, 1):
        moved = x.clone()
        if axis is not None:
            moved.select(axis, 0).add_(1)
        with torch.no_grad():
            outputs.append([leaf.tensor for leaf in result_leaves(in_evaluation(copy.deepcopy(module))(moved))])
    before, *others = outputs
    return any(
        all(_differs_at_start_alone(*pair, x.shape[axis]) for pair in zip(after, before, strict=True))
        for axis, after in enumerate(others)
    )


def _differs_at_start_alone(computed: Tensor, expected: Tensor, rows: int) -> bool:
    """Whether two outputs differ at the start of one axis of that length, and nowhere else."""
    changed = computed != expected
    axes = [axis for axis, length in enumerate(changed.shape) if length == rows]
    return any(not bool(changed.movedim(axis, 0)[1:].any()) for axis in axes)


def _parameters_behind(module: nn.Module, name: str, x: Tensor) -> list[str]:
    """Name the parameters beside a part's own that reach nothing it is given: a layer may stand behind it."""
    module, sums = copy.deepcopy(module), []
    part = module.get_submodule(name)
    part.register_forward_pre_hook(lambda _, values: sums.append(values[0].sum()))
    in_evaluation(module)(x)
    ids_of_part = {id(value) for value in part.parameters()}
    weights = {n: v for n, v in module.named_parameters() if id(v) not in ids_of_part and v.requires_grad}
    slopes = torch.autograd.grad(torch.stack(sums).sum(), list(weights.values()), allow_unused=True)
    return [weight for weight, slope in zip(weights, slopes, strict=True) if slope is None]


def _is_last(module: nn.Module, name: str, x: Tensor, given: list[Tensor]) -> bool:
    """Whether what a part gives is what the module gives: at once, or step by step in either order of the axes."""
    with torch.no_grad():
        (first, *_) = [leaf.tensor for leaf in result_leaves(_replaced(copy.deepcopy(module), name)(x))]
    laid_out = given if len(given) == 1 else [torch.stack(given), torch.stack(given, 1)]
    return any(value.shape == first.shape and torch.equal(value, first) for value in laid_out)
