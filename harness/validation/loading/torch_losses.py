"""A torch module that is given targets and gives its loss: its loss, torch's gradients, and the last state."""

from __future__ import annotations

import inspect
import itertools
import re
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import ModuleType
from typing import Literal

import numpy as np
import torch
from torch import Tensor, nn

from rnn_harness.array_types import Array
from rnn_harness.runtime.torch_seed import seed_torch
from rnn_harness.validation.cells.loss_function import COMPUTES_A_LOSS, LossNumbers, LossValues, drawn_numbers
from rnn_harness.validation.cells.state_form import result_leaves
from rnn_harness.validation.loading.adapters.handwritten.argument_names import all_arguments, role_of
from rnn_harness.validation.loading.copied_module import copied_module
from rnn_harness.validation.loading.parameter_exchange import in_evaluation

_CUT_ON_PURPOSE = re.compile(r"detach|no_grad|stop.?grad|truncat|repackage", re.I)
_OTHER_ON_PURPOSE = re.compile(
    r"straight.?through|surrogate|binari[sz]|quanti[sz]|\bround\(|\bsign\(|heaviside|spik|revers(e|al).{0,9}grad", re.I
)
"""What a file says whose gradients are meant to be others than the slopes."""
_MOST_CALLS = 3000
_NAMES_OF_INPUTS = re.compile(r"(idx|tok(en)?s?|tok(en)?_ids|ids|input_ids|words?|chars?|obs)$", re.I)
_NAMES_OF_TARGETS = re.compile(r"(y|y_true|targets?|labels?|tgt|gold|truth|next_\w+|target_\w+|goals?)$", re.I)
GridAxes = Literal["T", "1T", "T1"]


@dataclass(frozen=True)
class SequenceForm:
    """How a sequence of numbered symbols goes in.

    Attributes:
        axes: Its axes: T steps and a batch of one row, in front, behind or none.
        width: The width of the vectors that stand for the symbols; 0 where the numbers themselves go in.
        is_flat: Whether the axes of steps and rows are one.
        is_of_rows: Whether there is one class of two, or one vector, for each row, and none for the steps.
    """

    axes: GridAxes
    width: int = 0
    is_flat: bool = False
    is_of_rows: bool = False

    def value(self, symbols: Sequence[int], seed: int) -> Tensor:
        """Make the tensor of a sequence.

        Args:
            symbols: A number for each step, at least 0; the next one stands for it.
            seed: Where the vectors of the symbols start.
        """
        chosen = 1 + torch.tensor(list(symbols))  # 0 is padding in most vocabularies, which losses ignore
        if self.is_of_rows:
            chosen = (chosen[-1:] if self.width else chosen[-1:] % 2)[0 if self.axes == "T" else slice(None)]
        if self.width:
            generator = torch.Generator().manual_seed(seed)
            vectors = torch.randn(1 + int(chosen.max()), self.width, generator=generator, dtype=torch.float64)
            chosen = vectors[chosen]
        if self.is_flat or self.is_of_rows or self.axes == "T":
            return chosen
        return chosen.unsqueeze(self.axes.index("1"))


@dataclass(frozen=True)
class TorchLoss:
    """A module that gives its loss, and how it is called.

    Attributes:
        name: What it is called.
        module: The module, in evaluation mode and float64.
        parameters: Its parameters, by name.
        inputs: The name of its input, and how that goes in.
        targets: The name of its targets, and how they go in.
        states: The names of the arguments that are states.
        state_shapes: The shape of each state.
        is_pair: Whether two states go in as one argument.
        adds_up: Whether the losses of pieces must give that of all steps: any loss may be written in torch.
        result: What its gradients are the slopes of, in a word.
        gives: What it gives.
        steps: Gradients of torch are cut nowhere.
    """

    name: str
    module: nn.Module
    parameters: Mapping[str, Array]
    inputs: tuple[str, SequenceForm]
    targets: tuple[str, SequenceForm]
    states: tuple[str, ...] = ()
    state_shapes: tuple[tuple[int, ...], ...] = ()
    is_pair: bool = False
    adds_up: bool = False
    result: str = "loss"
    gives: str = COMPUTES_A_LOSS
    steps: int = 0

    @property
    def text(self) -> str:
        """Its name and arguments."""
        return f"{self.name}({', '.join((self.inputs[0], self.targets[0], *self.states))})"

    def run(self, numbers: LossNumbers) -> LossValues:
        """Call it on copies of everything, as `LossFunction.run` says; the gradients are those of torch."""
        leaves = {name: torch.tensor(value, requires_grad=True) for name, value in numbers.parameters.items()}
        initial_states = [torch.tensor(state) for state in numbers.states]
        keywords: dict[str, object] = {
            self.inputs[0]: self.inputs[1].value(numbers.tokens, 1),
            self.targets[0]: self.targets[1].value(numbers.targets, 2),
        }
        keywords.update(
            {self.states[0]: tuple(initial_states)}
            if self.is_pair
            else dict(zip(self.states, initial_states, strict=True))
        )
        module = copied_module(self.module)
        with torch.random.fork_rng(devices=[]):
            seed_torch(0)
            result = torch.func.functional_call(module, leaves, (), keywords)
        tensors = [leaf.tensor for leaf in result_leaves(result) if leaf.tensor.is_floating_point()]
        losses = [tensor for tensor in tensors if tensor.dim() == 0]
        if len(losses) != 1 or not losses[0].requires_grad:
            raise ValueError("it gives no loss, or several")
        gradients = torch.autograd.grad(losses[0], list(leaves.values()), allow_unused=True)
        return LossValues(
            float(losses[0].detach()),
            {name: gradient.numpy() for name, gradient in zip(leaves, gradients, strict=True) if gradient is not None},
            self._states_among(tensors),
        )

    def _states_among(self, tensors: Sequence[Tensor]) -> tuple[Array, ...]:
        """The states among what came back: as many tensors of their shape as go in; none if there are others."""
        fitting = [tensor.detach().numpy() for tensor in tensors if tuple(tensor.shape) in self.state_shapes]
        return tuple(fitting) if len(fitting) == len(self.state_shapes) else ()


def torch_loss(name: str, module: nn.Module) -> TorchLoss | None:
    """Find how a module is called that takes targets and gives its loss; None if it is none.

    Args:
        name: What to call it.
        module: Any torch module. Where its source cuts gradients, they are not those of its loss, and it is none.
    """
    arguments = _told_apart(module)
    if arguments is None or _means_other_gradients(module):
        return None
    module = in_evaluation(copied_module(module).double())
    parameters = {key: value.detach().numpy() for key, value in module.named_parameters()}
    x, y, states = arguments
    start = SequenceForm("T")
    fallback: TorchLoss | None = None
    loss = TorchLoss(name, module, parameters, (x, start), (y, start))
    for tried in itertools.islice(_possible(loss, states), _MOST_CALLS):
        numbers = drawn_numbers(tried, 0)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error")  # torch warns where targets are spread over what they do not fit
                values = tried.run(numbers)
                with_other_targets = tried.run(replace(numbers, targets=numbers.targets[::-1]))
        except Exception:  # a module that is called in a wrong way may raise anything
            continue
        if np.isfinite(values.loss) and values.gradients and with_other_targets.loss != values.loss:
            if len(values.states) == len(tried.state_shapes) and (
                tried.states or not states
            ):  # else steps may have been taken for rows
                return tried
            fallback = fallback or tried
    return fallback


def _told_apart(module: nn.Module) -> tuple[str, str, tuple[str, ...]] | None:
    """The names of input, targets and states among the arguments of a forward; None if one is something else."""
    names: dict[str, list[str]] = {"x": [], "target": [], "state": []}
    for argument in all_arguments(module.forward):
        role = str(role_of(argument.name))
        role = "state" if role in ("h", "c") else role
        role = "x" if _NAMES_OF_INPUTS.match(argument.name) else role
        role = "target" if _NAMES_OF_TARGETS.match(argument.name) else role
        if role in names:
            names[role].append(argument.name)
        elif argument.default is inspect.Parameter.empty:
            return None
    if len(names["x"]) != 1 or len(names["target"]) != 1 or len(names["state"]) > 2:
        return None
    return names["x"][0], names["target"][0], tuple(names["state"])


def _means_other_gradients(module: nn.Module) -> bool:
    """Whether the classes of a module, or the files that hold them, speak of gradients that are not the slopes."""
    every = {base for part in module.modules() for base in type(part).__mro__}
    classes = {base for base in every if base.__module__.partition(".")[0] not in ("torch", "builtins")}
    files = {home for base in classes if (home := inspect.getmodule(base)) is not None}
    return any(_CUT_ON_PURPOSE.search(_source(base)) for base in classes) or any(
        _OTHER_ON_PURPOSE.search(_source(home)) for home in files
    )


def _source(code: type | ModuleType) -> str:
    """The source of a class or a file; empty where there is none."""
    try:
        return inspect.getsource(code)
    except (OSError, TypeError):  # it was made where there is no source
        return ""


def _possible(loss: TorchLoss, states: tuple[str, ...]) -> Iterator[TorchLoss]:
    """Every way of calling it: with its states and, where they may be left out, without them."""
    axes = sorted({size for value in loss.parameters.values() for size in value.shape})
    grids: tuple[GridAxes, ...] = ("1T", "T1", "T")
    for with_states in _with_states(loss, states, axes):
        for grid, width in itertools.product(grids, (0, *axes)):
            numbers = [SequenceForm(grid), SequenceForm(grid, is_flat=True)]
            vectors = [SequenceForm(grid, target_width) for target_width in axes]
            # Numbers in the place of vectors may be spread over the units, and so over other steps than their own.
            for form in (*vectors, *numbers) if width else numbers:
                yield replace(
                    with_states, inputs=(loss.inputs[0], SequenceForm(grid, width)), targets=(loss.targets[0], form)
                )


def _with_states(loss: TorchLoss, states: tuple[str, ...], axes: Sequence[int]) -> Iterator[TorchLoss]:
    """Every shape of its states, for one row; then no states."""
    for d in axes if states else ():
        for shape in ((1, d), (1, 1, d), (d,)):
            yield replace(loss, states=states, state_shapes=(shape,) * len(states))
            if len(states) == 1:
                yield replace(loss, states=states, state_shapes=(shape,) * 2, is_pair=True)
    yield loss
