"""A target that is run on any arguments with any parameters, and differentiated: no equation is needed for that."""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from rnn_harness.arithmetic.torch_dtype import torch_dtype
from rnn_harness.errors import NotRun, first_line
from rnn_harness.runtime.target_gradients import target_gradients
from rnn_harness.runtime.torch_seed import seed_torch
from rnn_harness.validation.cells.calling_convention import CallingConvention, flat_tensors
from rnn_harness.validation.cells.capabilities import TargetCapabilities
from rnn_harness.validation.consistency.drawn_numbers import STATE_SCALE, draw_normal, draw_parameters
from rnn_harness.validation.loading.adapters.adapter import comes_from
from rnn_harness.validation.loading.adapters.array_bridge import ArrayLibraryModule
from rnn_harness.validation.loading.driver import run_over_time
from rnn_harness.validation.loading.joined_states import every_result_kept
from rnn_harness.validation.loading.parameter_exchange import (
    CalledWithParameters,
    in_evaluation,
    leaves_in_place,
    with_leaves,
)

INPUTS = "the inputs"
"""The name of the inputs among what a gradient is taken of."""


@dataclass(frozen=True)
class CellArguments:
    """What a cell is run on.

    Attributes:
        inputs: The inputs (T, B, n).
        states: The initial states, each (B, d), as many as it takes.
    """

    inputs: Tensor
    states: tuple[Tensor, ...]

    def rows(self, rows: Sequence[int]) -> CellArguments:
        """Select rows of the batch, in this order.

        Args:
            rows: The numbers of rows, from 0; they may repeat.
        """
        index = torch.tensor(list(rows))
        return CellArguments(self.inputs[:, index], tuple(state[index] for state in self.states))

    def steps(self, steps: slice, states: Sequence[Tensor]) -> CellArguments:
        """Select steps, to start from states that were reached before them.

        Args:
            steps: The steps to select.
            states: The states (B, d) before the first of them.
        """
        return CellArguments(self.inputs[steps], tuple(states))

    def copied(self) -> CellArguments:
        """Copy every tensor."""
        return CellArguments(self.inputs.clone(), tuple(state.clone() for state in self.states))

    def shifted(self, step: int, row: int, amount: float = 0.5) -> CellArguments:
        """Add a number to one step's inputs of one row.

        Args:
            step: The step, from 0.
            row: The row of the batch, from 0.
            amount: What is added to each of its n numbers.
        """
        inputs = self.inputs.clone()
        inputs[step, row] += amount
        return replace(self, inputs=inputs)


@dataclass(frozen=True)
class CellRun:
    """What a cell gives.

    Attributes:
        outputs: Over time, each (T, B, .): the outputs of a layer; of a cell, each of its states.
        finals: Of a layer, the final states, each (B, d), as many as come back; empty for a cell.
    """

    outputs: tuple[Tensor, ...]
    finals: tuple[Tensor, ...]

    @property
    def tensors(self) -> tuple[Tensor, ...]:
        """Everything that came back."""
        return (*self.outputs, *self.finals)

    def detached(self) -> CellRun:
        """Copy the numbers without their graph."""
        return CellRun(*(tuple(value.detach().clone() for value in part) for part in (self.outputs, self.finals)))

    def rows(self, rows: slice | int) -> CellRun:
        """Select rows of the batch.

        Args:
            rows: A slice, which keeps the axis of rows, or a number, which drops it.
        """
        return CellRun(tuple(value[:, rows] for value in self.outputs), tuple(value[rows] for value in self.finals))


@dataclass(frozen=True)
class Leaves:
    """Copies of arguments and parameters of which gradients are taken.

    Attributes:
        arguments: Copies of inputs and states, which require gradients.
        parameters: The parameters, by the module's names.
        by_name: All of them, by what they are called in sentences.
    """

    arguments: CellArguments
    parameters: dict[str, Tensor]
    by_name: dict[str, Tensor]


@dataclass(frozen=True, eq=False)
class DrivenCell:
    """A module of a target, how it is called, and parameters for it.

    Attributes:
        make_module: Makes the target's module of (n, d).
        capabilities: What the target takes and offers.
        module: A module, in evaluation mode.
        convention: How the module is called.
        input_size: n.
        hidden_size: d.
        dtype: The dtype of the module.
        parameters: What stands for the module's parameters, by its names.
        state_names: What its states are called in sentences, in its order.
        arithmetic: The format in which it really computes, which may be narrower than `dtype`.
        random_seed: Where torch's random numbers start in every run; None to let them go on.
    """

    make_module: Callable[[int, int], nn.Module]
    capabilities: TargetCapabilities
    module: nn.Module
    convention: CallingConvention
    input_size: int
    hidden_size: int
    dtype: str
    parameters: Mapping[str, Tensor]
    state_names: tuple[str, ...]
    arithmetic: str = ""
    random_seed: int | None = None

    @property
    def is_torch(self) -> bool:
        """Whether the module itself is the target, and does not stand for an object of another library."""
        stands_for_another = isinstance(self.module, CalledWithParameters) or comes_from(
            type(self.module), "rnn_harness"
        )
        return self.capabilities.library is None and not stands_for_another

    @property
    def takes_rows(self) -> bool:
        """Whether a whole batch goes into one call."""
        return self.convention.takes_rows

    def normal(self, seed: int, *shape: int) -> Tensor:
        """Draw standard normal numbers.

        Args:
            seed: Where the numbers start.
            shape: The size of each axis.
        """
        return draw_normal(seed, shape, self.dtype)

    def arguments(self, steps: int, rows: int, seed: int = 0) -> CellArguments:
        """Draw inputs (steps, rows, n) and initial states (rows, d).

        Args:
            steps: The number of steps, T.
            rows: The number of rows, B.
            seed: Where the numbers start; the states are scaled to stay where activations are not saturated.
        """
        states = (
            STATE_SCALE * self.normal(seed + 1000 + k, rows, self.hidden_size) for k in range(self.convention.states)
        )
        return CellArguments(self.normal(seed, steps, rows, self.input_size), tuple(states))

    def run(self, arguments: CellArguments, parameters: Mapping[str, Tensor] | None = None) -> CellRun:
        """Run it on copies, without a graph.

        Args:
            arguments: Inputs and states; they are copied.
            parameters: Other parameters by name, all of them; None for the cell's.
        """
        with torch.no_grad():
            return self.connected_run(arguments.copied(), dict(parameters or self.parameters)).detached()

    def connected_run(self, arguments: CellArguments, parameters: Mapping[str, Tensor]) -> CellRun:
        """Run it so that what comes back can be differentiated.

        Args:
            arguments: Inputs and states; gradients flow back to them.
            parameters: All parameters by name; gradients flow back to them.

        Returns:
            The outputs of a layer; of a cell, its states over time in their place.
        """
        if self.random_seed is not None:
            seed_torch(self.random_seed)
        states = list(arguments.states)
        run = run_over_time(self.module, self.convention, dict(parameters), arguments.inputs, states)
        if run.outputs is not None:
            return CellRun((run.outputs,), tuple(run.final_states))
        count = len(run.final_states)
        over_time = tuple(torch.stack([states[k] for states in run.step_states]) for k in range(count))
        return CellRun(over_time, ())

    def raw_results(self, arguments: CellArguments, parameters: Mapping[str, Tensor]) -> tuple[Tensor, ...]:
        """Run it and return every tensor of every call, also those that are neither output nor state.

        Args:
            arguments: Inputs and states; they are copied.
            parameters: All parameters by name.
        """
        results: list[Tensor] = []
        callee = with_leaves(self.module, dict(parameters))

        def call(*call_arguments: Tensor | tuple[Tensor, ...]) -> object:
            result = callee(*call_arguments)
            results.extend(tensor.detach().clone() for tensor in flat_tensors(result))
            return result

        copied = arguments.copied()
        states = list(copied.states[: self.convention.states])
        with torch.no_grad(), every_result_kept(self.module, results):
            for x in (copied.inputs,) if self.convention.sequence else copied.inputs:
                states = self.convention.call(call, x, states)[1] or states
        return tuple(results)

    def every_result(self, arguments: CellArguments) -> tuple[Tensor, ...]:
        """Run it and return every tensor that comes back, also of a cell that is driven by a part of its results.

        Args:
            arguments: Inputs and states; they are copied.
        """
        further: list[Tensor] = []
        if isinstance(self.module, ArrayLibraryModule):
            copied = arguments.copied()
            inputs = copied.inputs if self.convention.sequence else copied.inputs[0]
            further = self.module.every_result(self.parameters, (inputs, *copied.states[: self.convention.states]))
        return (*self.raw_results(arguments, self.parameters), *further)

    def in_training(self) -> DrivenCell:
        """Drive a copy of its module in training mode.

        Raises:
            NotRun: The module cannot be copied, or has no training mode.
        """
        try:
            module = copy.deepcopy(self.module).train()
        except Exception as error:  # exported modules, for example, refuse it
            raise NotRun(f"it has no training mode: {first_line(error)}") from None
        return replace(self, module=module)

    def result_names(self, run: CellRun) -> tuple[str, ...]:
        """Return what each of `CellRun.tensors` is called in sentences.

        Args:
            run: A run of this cell.
        """
        if self.convention.sequence:
            outputs: tuple[str, ...] = ("the outputs",)
        else:
            outputs = tuple(f"the {self.state_name(k)}s of all steps" for k in range(len(run.outputs)))
        return (*outputs, *(f"the last {self.state_name(k)}" for k in range(len(run.finals))))

    def state_name(self, index: int) -> str:
        """Return what a state is called in sentences.

        Args:
            index: Its place among the states, from 0.
        """
        return self.state_names[index] if index < len(self.state_names) else f"state {index + 1}"

    def leaves(self, arguments: CellArguments) -> Leaves:
        """Copy arguments and parameters so that gradients of them can be taken.

        Args:
            arguments: Inputs and states; they stay without a graph.

        Raises:
            NotRun: The target has no gradients.
        """
        if reason := self.capabilities.no_gradients_reason:
            raise NotRun(reason)
        copied = arguments.copied()
        for tensor in (copied.inputs, *copied.states):
            tensor.requires_grad_()
        parameters = {name: value.clone().requires_grad_() for name, value in self.parameters.items()}
        states = {f"the given {self.state_name(k)}": state for k, state in enumerate(copied.states)}
        return Leaves(copied, parameters, {INPUTS: copied.inputs, **states, **parameters})

    def gradients(self, arguments: CellArguments, cotangents: Sequence[Tensor | None]) -> dict[str, Tensor]:
        """Run it and differentiate the sum of cotangent times result.

        Args:
            arguments: What it is run on.
            cotangents: One for each of `CellRun.tensors`; None leaves that result out of the sum.

        Returns:
            The gradients by the name of the leaf; zero where nothing arrives.

        Raises:
            NotRun: It has no gradients.
        """
        leaves = self.leaves(arguments)
        return self.pull_back(leaves, self.connected_run(leaves.arguments, leaves.parameters), cotangents)

    def pull_back(self, leaves: Leaves, run: CellRun, cotangents: Sequence[Tensor | None]) -> dict[str, Tensor]:
        """Take cotangents back through a run, whose graph is kept.

        Args:
            leaves: What the run was made of.
            run: A run with a graph, as `connected_run` gives it.
            cotangents: One for each of `CellRun.tensors`; None leaves that result out of the sum.

        Returns:
            The gradients by the name of the leaf; zero where nothing arrives.
        """
        pairs = [
            (tensor, cotangent)
            for tensor, cotangent in zip(run.tensors, cotangents, strict=True)
            if cotangent is not None and tensor.requires_grad
        ]
        variables = list(leaves.by_name.values())
        gradients: Sequence[Tensor | None] = [None] * len(variables)
        if pairs:
            results, weights = (
                [tensor for tensor, _ in pairs],
                [cotangent.to(tensor.dtype) for tensor, cotangent in pairs],
            )
            with self._parameters_in_place(leaves):
                gradients = target_gradients(results, variables, weights, retain_graph=True)
        return {
            name: torch.zeros_like(variable) if gradient is None else gradient.detach()
            for (name, variable), gradient in zip(leaves.by_name.items(), gradients, strict=True)
        }

    def _parameters_in_place(self, leaves: Leaves) -> AbstractContextManager[None]:
        """Give the module the parameters of a run while its backward runs, which may run the forward once more."""
        return leaves_in_place(self.module, leaves.parameters) if self.is_torch else contextlib.nullcontext()


def numbered_states(convention: CallingConvention) -> tuple[str, ...]:
    """Return what states are called where nobody knows what they are.

    Args:
        convention: How the target is called: with no state, one, or two.
    """
    return ("state",) if convention.states < 2 else ("state 1", "state 2")


def make_cell(
    make_module: Callable[[int, int], nn.Module],
    capabilities: TargetCapabilities,
    convention: CallingConvention,
    sizes: tuple[int, int],
    dtype: str,
    state_names: tuple[str, ...],
) -> DrivenCell:
    """Make a module of a target and draw parameters for it.

    Args:
        make_module: Makes the target's module of (n, d).
        capabilities: What the target takes and offers.
        convention: How it is called.
        sizes: (n, d).
        dtype: The dtype of its parameters and arguments.
        state_names: What its states are called.
    """
    module = in_evaluation(make_module(*sizes).to(torch_dtype(dtype)))
    parameters = draw_parameters(module, dtype, 11)
    return DrivenCell(make_module, capabilities, module, convention, *sizes, dtype, parameters, state_names, dtype)


def of_size(cell: DrivenCell, n: int, d: int) -> DrivenCell:
    """Make the same cell of another size.

    Args:
        cell: The cell; its sizes must be free to choose.
        n: The number of input features.
        d: The number of hidden units.
    """
    large = make_cell(cell.make_module, cell.capabilities, cell.convention, (n, d), cell.dtype, cell.state_names)
    return replace(large, arithmetic=cell.arithmetic)
