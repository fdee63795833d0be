"""Run a model once, and record what its modules were called with and gave; some of it may be changed on the way."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from rnn_harness.options import Keywords
from rnn_harness.runtime.torch_seed import seed_torch
from rnn_harness.validation.loading.copied_module import copied_module
from rnn_harness.validation.loading.packed_states import states_of_packed_rows_are_checked
from rnn_harness.validation.models.model_arguments import ModelArguments, named_tensors

if TYPE_CHECKING:
    from torch import Tensor, nn


@dataclass(frozen=True)
class ModuleCall:
    """One call of a module inside a model.

    Attributes:
        name: The module's name in the model.
        index: How often it was called before.
        arguments: What it was called with, by position and then by name.
        result: What it gave.
    """

    name: str
    index: int
    arguments: tuple[Any, ...]
    result: Any


@dataclass(frozen=True)
class Intervention:
    """A change of what a module gives, before the model goes on with it.

    Attributes:
        name: The module's name in the model.
        index: Which of its calls.
        change: Makes the other result out of the result.
    """

    name: str
    index: int
    change: Callable[[Any], Any]


@dataclass(frozen=True)
class ModelRun:
    """One run.

    Attributes:
        result: What the model gave.
        outputs: The tensors of it that hold numbers, or all tensors where none does.
        output_names: The place of each of them in the result.
        calls: The calls of the modules that were watched, in their order.
        module: The copy of the model that ran.
    """

    result: Any
    outputs: tuple[Tensor, ...]
    output_names: tuple[str, ...]
    calls: tuple[ModuleCall, ...]
    module: nn.Module

    def of(self, name: str) -> tuple[ModuleCall, ...]:
        """Return the calls of one module, in the order of the run.

        Args:
            name: The module's name in the model; empty for the model itself.
        """
        return tuple(call for call in self.calls if call.name == name)


@dataclass
class _Watch:
    """Records the calls of modules, and changes what they give."""

    interventions: Sequence[Intervention]
    calls: list[ModuleCall] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)

    def hook(self, name: str) -> Callable[..., Any]:
        """Return the forward hook of one module."""

        def observe(_module: nn.Module, args: tuple[Any, ...], kwargs: Keywords, result: Any) -> Any:
            index = self.counts.get(name, 0)
            self.counts[name] = index + 1
            for intervention in self.interventions:
                if (intervention.name, intervention.index) == (name, index):
                    result = intervention.change(result)
            self.calls.append(ModuleCall(name, index, (*args, *kwargs.values()), result))
            return result

        return observe


def run_model(
    module: nn.Module,
    arguments: ModelArguments,
    watched: Sequence[str] = (),
    interventions: Sequence[Intervention] = (),
    *,
    gradients: bool = False,
    seed: int = 0,
    is_fresh: bool = True,
) -> ModelRun:
    """Run a model on copies of its arguments.

    Args:
        module: The model.
        arguments: What it is called with.
        watched: The names of the modules whose calls are recorded.
        interventions: What is changed on the way; its modules must be watched.
        gradients: Whether the results can be differentiated.
        seed: Where torch's random numbers start.
        is_fresh: Whether a copy of the model is run, so that a state that it keeps does no harm to the next run.
    """
    import torch

    runner = copied_module(module) if is_fresh else module
    watch = _Watch(interventions)
    handles = [runner.get_submodule(name).register_forward_hook(watch.hook(name), with_kwargs=True) for name in watched]
    grad_mode = contextlib.nullcontext() if gradients else torch.no_grad()
    copied = arguments.copied()
    try:
        with torch.random.fork_rng(devices=[]), grad_mode, states_of_packed_rows_are_checked():
            seed_torch(seed)
            result = runner(*copied.positional, **copied.keywords)
    finally:
        for handle in handles:
            handle.remove()
    tensors = [(name, tensor) for name, tensor in named_tensors(result) if tensor.numel()]
    floating = [(name, tensor) for name, tensor in tensors if tensor.is_floating_point()]
    chosen = floating or tensors
    return ModelRun(
        result, tuple(tensor for _, tensor in chosen), tuple(name for name, _ in chosen), tuple(watch.calls), runner
    )
