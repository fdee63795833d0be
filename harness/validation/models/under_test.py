"""A model with generic numbers in its parameters, arguments that it takes, and what its outputs depend on."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from rnn_harness.arithmetic.assumptions import CONDITION_MARGIN, CONDITION_STEP, STRUCTURAL
from rnn_harness.validation.models.model_arguments import ModelArguments, map_tensors
from rnn_harness.validation.models.recurrent_part import RecurrentPart
from rnn_harness.validation.models.run_model import Intervention, ModelRun, run_model

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn

PARAMETER_SCALE = 0.8
"""The usual size of drawn parameters, of a matrix divided by the root of its smaller side: no gate is a straight line,
and none is flat."""


@dataclass(frozen=True)
class Influence:
    """What another number at one place of the sequence changes.

    Attributes:
        exactly: For every output, where any bit of it changes.
        clearly: For every output, where it changes by more than rounding.
        run: The run with the other number.
    """

    exactly: tuple[Tensor, ...]
    clearly: tuple[Tensor, ...]
    run: ModelRun


@dataclass(frozen=True, eq=False)
class ModelUnderTest:
    """A model, ready to be looked at.

    Attributes:
        name: What the user calls it.
        module: The model in evaluation mode, with generic numbers in its parameters.
        arguments: Arguments that it takes.
        parts: Its recurrent parts.
        watched: The names of the modules that are watched: the recurrent parts and whatever else has parameters.
    """

    name: str
    module: nn.Module
    arguments: ModelArguments
    parts: tuple[RecurrentPart, ...]
    watched: tuple[str, ...]

    def run(self, arguments: ModelArguments | None = None, *interventions: Intervention) -> ModelRun:
        """Run a copy of the model, and record the calls of the modules that are watched.

        Args:
            arguments: What it is called with; None for its usual arguments.
            interventions: Changes of what modules give, in the order in which they are applied.
        """
        return run_model(self.module, arguments or self.arguments, self.watched, interventions)

    def runs(self, arguments: ModelArguments) -> ModelRun | None:
        """Run a copy of the model; None where it raises for these arguments.

        Args:
            arguments: What it is called with; it may raise for them.
        """
        try:
            return self.run(arguments)
        except Exception:  # the arguments are not what it takes
            return None

    @cached_property
    def baseline(self) -> ModelRun:
        """The run on the unchanged arguments."""
        return self.run()

    @cached_property
    def called_parts(self) -> tuple[RecurrentPart, ...]:
        """The recurrent parts that are called, in the order of their first calls."""
        first = {call.name: place for place, call in reversed(list(enumerate(self.baseline.calls)))}
        return tuple(sorted((part for part in self.parts if part.name in first), key=lambda part: first[part.name]))

    @cached_property
    def format(self) -> str:
        """The format whose rounding may be in the outputs."""
        import torch

        return "float64" if {output.dtype for output in self.baseline.outputs} == {torch.float64} else "float32"

    @cached_property
    def tolerance(self) -> float:
        """The largest relative difference that rounding may make: it is measured what the model makes of rounding."""
        return max(STRUCTURAL[self.format], CONDITION_MARGIN * self._condition_gap())

    def _condition_gap(self) -> float:
        """The largest relative change of an output where every number that goes in and every parameter is rounded."""
        import torch

        step, generator = CONDITION_STEP[self.format], torch.Generator().manual_seed(5)

        def moved(value: Tensor) -> Tensor:
            if not value.is_floating_point():
                return value
            noise = torch.randn(value.shape, generator=generator, dtype=torch.float64)
            return value * (1 + step * noise).to(value.dtype)

        nearby = replace(
            self.arguments,
            arguments=tuple(replace(a, value=map_tensors(moved, a.value)) for a in self.arguments.arguments),
        )
        names = [name for name, _ in self.module.named_parameters()]
        run = self.changed_parameters(names, moved, nearby)
        gaps = [
            float((a - b).abs().max()) / float(b.abs().max())
            for a, b in zip(run.outputs, self.baseline.outputs, strict=True)
            if a.shape == b.shape and b.is_floating_point() and bool(b.any())
        ]
        return max((gap for gap in gaps if math.isfinite(gap)), default=0.0)

    @cached_property
    def places(self) -> tuple[tuple[int, ...], ...]:
        """The places of the grid of the sequence."""
        sequence = self.arguments.sequence
        return tuple(itertools.product(*(range(sequence.shape[axis]) for axis in self.arguments.grid)))

    @cached_property
    def influences(self) -> Mapping[tuple[int, ...], Influence]:
        """What another number at each place of the grid changes."""
        return {place: self._influence(self.run(self.arguments.moved(place))) for place in self.places}

    def _influence(self, run: ModelRun) -> Influence:
        """Compare a run with the baseline."""
        pairs = list(zip(run.outputs, self.baseline.outputs, strict=True))
        return Influence(tuple(a != b for a, b in pairs), tuple(self.clear_difference(a, b) for a, b in pairs), run)

    def clear_difference(self, computed: Tensor, expected: Tensor) -> Tensor:
        """Say of every number whether it differs by more than rounding.

        Args:
            computed: An output of a run.
            expected: The same output of another run.

        Returns:
            Booleans of the shape of `computed`; all are true where the shapes differ. A difference counts above the
            tolerance times the largest expected number.
        """
        import torch

        if computed.shape != expected.shape:
            return torch.ones_like(computed, dtype=torch.bool)
        scale = float(expected.abs().max()) if expected.numel() else 0.0
        difference: Tensor = (computed - expected).abs() > self.tolerance * scale
        return difference

    def is_changed_by(self, run: ModelRun) -> bool:
        """Say whether any bit of any output of a run is another than without the change.

        Args:
            run: A run in which something was changed.
        """
        outputs, expected = run.outputs, self.baseline.outputs
        return len(outputs) != len(expected) or any(
            a.shape != b.shape or bool((a != b).any()) for a, b in zip(outputs, expected, strict=True)
        )

    def part(self, name: str) -> RecurrentPart | None:
        """Return the recurrent part of a name; None if it is none.

        Args:
            name: A module's name in the model; empty for the model itself.
        """
        return next((part for part in self.parts if part.name == name), None)

    def changed_parameters(
        self, names: Sequence[str], change: Callable[[Tensor], Tensor], arguments: ModelArguments | None = None
    ) -> ModelRun:
        """Run a copy of the model with some of its parameters changed.

        Args:
            names: The parameters, by the model's names.
            change: Makes the other numbers.
            arguments: What it is called with; None for its usual arguments.
        """
        import torch

        parameters = dict(self.module.named_parameters(remove_duplicate=False))
        before = {name: parameters[name].detach().clone() for name in names}
        try:
            with torch.no_grad():
                for name in names:
                    parameters[name].copy_(change(before[name]))
            return self.run(arguments)
        finally:
            with torch.no_grad():
                for name in names:
                    parameters[name].copy_(before[name])


def with_generic_parameters(module: nn.Module, dtype: torch.dtype, seed: int) -> nn.Module:
    """Put generic numbers into the parameters of a model, in place: zeros and equal numbers would hide what is wired.

    Args:
        module: The model.
        dtype: The format of its numbers.
        seed: Where the numbers start.

    Returns:
        The model, in evaluation mode.
    """
    import torch

    module = module.to(dtype).eval()
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in module.parameters():
            if parameter.is_floating_point():
                width = max(min(parameter.shape), 1) if parameter.dim() > 1 else 1
                drawn = torch.randn(parameter.shape, generator=generator, dtype=torch.float64)
                parameter.copy_(PARAMETER_SCALE / width**0.5 * drawn)
    return module


def watched_modules(module: nn.Module, parts: Sequence[RecurrentPart]) -> tuple[str, ...]:
    """List the modules whose calls are recorded: recurrent parts, and modules with parameters outside of them.

    Args:
        module: The model.
        parts: Its recurrent parts, which come first; what stands inside of them is not watched.
    """
    names = [part.name for part in parts]
    inside = tuple(f"{name}." for name in names if name)
    for name, child in module.named_modules():
        has_parameters = any(True for _ in child.parameters(recurse=False))
        if name and has_parameters and name not in names and not name.startswith(inside):
            names.append(name)
    return tuple(names)


def state_tensors(state: Any) -> list[Tensor]:
    """List the tensors of a state: one, or those of a tuple.

    Args:
        state: A tensor, a tuple or list of tensors, or anything else, which has none.
    """
    import torch

    if isinstance(state, torch.Tensor):
        return [state]
    return [part for part in state if isinstance(part, torch.Tensor)] if isinstance(state, tuple | list) else []
