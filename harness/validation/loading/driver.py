"""A target as a driver of the harness, whatever library it is made with."""

from __future__ import annotations

import functools
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from rnn_harness.array_types import IndexArray
from rnn_harness.errors import Refused, named_error
from rnn_harness.kernels.driver_protocol import Tensors
from rnn_harness.kernels.packing import ParameterMap
from rnn_harness.validation.cells.calling_convention import CallingConvention, TensorArguments
from rnn_harness.validation.cells.capabilities import TargetCapabilities
from rnn_harness.validation.loading.compiled_modules import module_for_given_parameters
from rnn_harness.validation.loading.parameter_exchange import (
    CalledWithParameters,
    in_evaluation,
    leaves_in_place,
    run_with_leaves,
)

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn


class SequenceRun(NamedTuple):
    """What a target gives for a sequence of inputs.

    Attributes:
        outputs: Of a layer, its outputs (T, B, d); None for a cell.
        step_states: Of a cell, its states (B, d) after every step; empty for a layer.
        final_states: The states (B, d) that came back in the end.
        step_outputs: Of a cell that gives an output besides its states, its outputs (B, d) after every step.
    """

    outputs: Tensor | None
    step_states: list[list[Tensor]]
    final_states: list[Tensor]
    step_outputs: tuple[Tensor, ...] = ()


def run_over_time(
    module: nn.Module | CalledWithParameters,
    convention: CallingConvention,
    leaves: Tensors,
    inputs: Tensor,
    states: list[Tensor],
) -> SequenceRun:
    """Run a target over a sequence: a layer at once, a cell step by step.

    Args:
        module: The target.
        convention: How it is called.
        leaves: Its parameters by its own names.
        inputs: The inputs (T, B, n).
        states: The initial states (B, d), as many as it takes.
    """
    if convention.averages_gradients:
        leaves = {name: _with_gradient_times(leaf, inputs.shape[1]) for name, leaf in leaves.items()}
    return run_with_leaves(module, leaves, lambda call: _run_calls(call, convention, inputs, states))


def _run_calls(
    call: Callable[..., object], convention: CallingConvention, inputs: Tensor, states: list[Tensor]
) -> SequenceRun:
    """Call a layer at once, a cell step by step."""
    if convention.sequence:
        outputs, final_states = convention.call(call, inputs, states)
        return SequenceRun(outputs, [], final_states)
    step_states = []
    step_outputs = []
    for x in inputs:
        output, states = convention.call(call, x, states)
        step_states.append(states)
        step_outputs += [] if output is None else [output]
    return SequenceRun(None, step_states, states, tuple(step_outputs))


def _writes_into_a_leaf(error: Exception) -> bool:
    """Say whether a target wrote into its inputs or states, and autograd refused since gradients of them are asked."""
    return isinstance(error, RuntimeError) and "leaf Variable that requires grad" in str(error)


def _run_on_copies(
    module: nn.Module | CalledWithParameters,
    convention: CallingConvention,
    leaves: Tensors,
    inputs: Tensor,
    states: list[Tensor],
) -> SequenceRun:
    """Run a target on copies that it may write into, as it may where nobody asks for gradients of what it is given.

    What it writes is written into what was given, too, so that it is seen to change its arguments.
    """
    import torch

    arguments = [inputs, *states]
    copies = [tensor.clone() for tensor in arguments]
    run = run_over_time(module, convention, leaves, copies[0], copies[1:])
    for tensor, copy in zip(arguments, copies, strict=True):
        if not torch.equal(tensor, copy):
            tensor.detach().copy_(copy.detach())
    return run


def _with_gradient_times(leaf: Tensor, factor: int) -> Tensor:
    """A tensor of the same numbers whose gradient reaches the leaf so many times."""
    return leaf + (factor - 1) * (leaf - leaf.detach())


class _WithLengths:
    """A module that is given the lengths of the rows with every call."""

    def __init__(self, module: CalledWithParameters, lengths: Tensor) -> None:
        self.module, self.lengths = module, lengths

    def with_parameters(self, leaves: Tensors, arguments: TensorArguments) -> object:
        return self.module.with_parameters(leaves, (*arguments, self.lengths))


def is_layer_of_torch(module: nn.Module) -> bool:
    """Say whether a module runs the forward of torch's own layers, which takes packed sequences.

    Args:
        module: Any module.
    """
    from torch import nn

    layers = (nn.RNN, nn.GRU, nn.LSTM)
    return any(isinstance(module, layer) and type(module).forward is layer.forward for layer in layers)


class WithPackedRows:
    """A layer of torch that is given its rows packed.

    Args:
        module: The layer.
        lengths: The lengths of the rows, at least 1.
    """

    def __init__(self, module: nn.Module, lengths: IndexArray) -> None:
        self.module, self.lengths = module, lengths

    def with_parameters(self, leaves: Tensors, arguments: TensorArguments) -> object:
        """Call the layer with these parameters.

        Args:
            leaves: Its parameters by its names.
            arguments: The inputs and the states.
        """
        import torch
        from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

        sequence, *states = arguments
        assert isinstance(sequence, torch.Tensor), "a layer of torch is given its inputs first"
        is_batch_first = bool(self.module.batch_first)
        steps = sequence.shape[1 if is_batch_first else 0]
        packed = pack_padded_sequence(sequence, torch.tensor(self.lengths), is_batch_first, enforce_sorted=False)
        outputs, last = torch.func.functional_call(self.module, leaves, (packed, *states))
        return pad_packed_sequence(outputs, is_batch_first, total_length=steps)[0], last


@functools.lru_cache(maxsize=64)
def _module_in_dtype(
    make_module: Callable[[int, int], nn.Module], n: int, d: int, dtype: torch.dtype, given: frozenset[str]
) -> nn.Module:
    """A module in evaluation mode whose buffers have that dtype; the parameters of those names come with every call."""
    return in_evaluation(module_for_given_parameters(make_module, n, d, given).to(dtype))


@functools.lru_cache(maxsize=64)
def _parameter_shapes(
    make_module: Callable[[int, int], nn.Module], n: int, d: int, dtype: torch.dtype, given: frozenset[str]
) -> dict[str, tuple[int, ...]]:
    """The shapes of what a module of some size can be given, by name."""
    module = _module_in_dtype(make_module, n, d, dtype, given)
    tensors = (*module.named_parameters(remove_duplicate=False), *module.named_buffers(remove_duplicate=False))
    return {name: tuple(tensor.shape) for name, tensor in tensors}


@dataclass(frozen=True)
class TargetDriver:
    """A target that is driven by the parameters and states of a reference.

    Attributes:
        make_module: Makes the target's torch module of (input size, hidden size).
        convention: How that module is called.
        table: How its parameters are put together out of the reference's.
        state_names: The reference's names of its states, in its own order.
        capabilities: What it takes and offers.
        absent: What the reference has and the target has not, and so is zero: parameters, ``states.h`` for a state
            that cannot be given, ``finals.h`` for one that does not come back.
        output_name: The reference's name of its output: the name of a state, or of what it gives besides its states.
        candidate: Whether a third party wrote it, so that its functions need not be those of NumPy or torch.
    """

    make_module: Callable[[int, int], nn.Module]
    convention: CallingConvention
    table: ParameterMap
    state_names: tuple[str, ...]
    capabilities: TargetCapabilities = field(default_factory=TargetCapabilities)
    absent: tuple[str, ...] = ()
    output_name: str = "h"

    @property
    def is_candidate(self) -> bool:
        """Whether it drives code of others, which may compute tanh and sigmoid in ways of its own: it does."""
        return True

    @property
    def no_gradients_reason(self) -> str:
        """Why the target has no gradients; empty if it has."""
        return self.capabilities.no_gradients_reason or ""

    def parameters_swapped_in(self, leaves: Tensors, inputs: Tensor, states: Tensors) -> AbstractContextManager[None]:
        """Give the module the parameters of a run while its backward runs.

        A module that computes its forward once more in its backward (checkpointing) would else take its initial
        parameters.
        """
        n, d = inputs.shape[2], self._hidden_size(states)
        module = _module_in_dtype(self.make_module, n, d, inputs.dtype, frozenset(leaves))
        return leaves_in_place(module, leaves)

    def run(
        self, leaves: Tensors, inputs: Tensor, states: Tensors, lengths: IndexArray | None
    ) -> tuple[Tensor, Tensors]:
        """Run the target over a sequence.

        Args:
            leaves: The target's parameters by its own names.
            inputs: The inputs (T, B, n).
            states: The initial states (B, d) by the reference's names.
            lengths: The lengths (B) of the rows, or None for T.

        Returns:
            The hidden states (T, B, d), and the final states (B, d) by the reference's names.

        Raises:
            Refused: The target does not take these arguments.
        """
        n, d = inputs.shape[2], self._hidden_size(states)
        self._refuse_arguments(n, d, states, lengths)
        self._refuse_other_parameters(n, d, inputs.dtype, leaves)
        module = _module_in_dtype(self.make_module, n, d, inputs.dtype, frozenset(leaves))
        initial_states = self.given_states(states)
        callee = module if lengths is None else self._with_lengths(module, lengths)
        try:
            run = run_over_time(callee, self.convention, leaves, inputs, initial_states)
        except Exception as error:
            if not len(inputs):
                raise Refused(f"refuses a sequence of no steps: {named_error(error)}") from None
            if not _writes_into_a_leaf(error):
                raise
            run = _run_on_copies(callee, self.convention, leaves, inputs, initial_states)
        if self.convention.sequence:
            return self._layer_results(run, states)
        if self.are_states_joined:
            run = self._apart(run, states)
        return self._cell_results(run, inputs, d)

    def _with_lengths(self, module: nn.Module, lengths: IndexArray) -> CalledWithParameters:
        """Return the module, given lengths in its own way. Raises Refused."""
        if self.capabilities.takes_lengths:
            return _given_lengths(module, lengths)
        if not is_layer_of_torch(module):
            raise Refused("lengths: there is no common way to hand them to a module")
        if not len(lengths) or lengths.min() < 1:
            raise Refused("torch packs no row of length 0")
        return WithPackedRows(module, lengths)

    @property
    def are_states_joined(self) -> bool:
        """Whether the module has all states side by side as one."""
        return not self.convention.sequence and self.convention.states == 1 and len(self.state_names) > 1

    def given_states(self, states: Tensors) -> list[Tensor]:
        """Return the states that the module is given.

        Args:
            states: The states (B, .) by the reference's names.
        """
        import torch

        if self.are_states_joined:
            return [torch.cat([states[name] for name in self.state_names], -1)]
        return [states[name] for name in self.state_names[: self.convention.states]]

    def _hidden_size(self, states: Tensors) -> int:
        """Return the width of a state of the module."""
        if self.are_states_joined:
            return sum(state.shape[1] for state in states.values())
        return states[self.state_names[0]].shape[1]

    def _apart(self, run: SequenceRun, states: Tensors) -> SequenceRun:
        """Cut the states of every step into those of the reference."""
        import torch

        widths = [states[name].shape[1] for name in self.state_names]
        steps = [list(torch.split(joined, widths, -1)) for (joined,) in run.step_states]
        (final,) = run.final_states
        return run._replace(step_states=steps, final_states=list(torch.split(final, widths, -1)))

    def _refuse_arguments(self, n: int, d: int, states: Tensors, lengths: IndexArray | None) -> None:
        """Refuse what the target cannot be given."""
        if lengths is not None and not self.convention.sequence:
            raise Refused("it takes single steps: rows of different lengths are its caller's affair")
        sizes = self.capabilities.fixed_sizes
        if sizes is not None and (n, d) != sizes:
            raise Refused(f"it exists for input size {sizes.input_size} and hidden size {sizes.hidden_size} alone")
        not_given = self.state_names[self.convention.states :]
        if any(bool(states[name].detach().any()) for name in not_given):
            raise Refused("it takes no initial state" if self.convention.states == 0 else "it takes no cell state")

    def _refuse_other_parameters(self, n: int, d: int, dtype: torch.dtype, leaves: Tensors) -> None:
        """Refuse sizes at which the target has not the parameters that it was identified by: it is another cell there.

        Some project their inputs where these are not as wide as their states, and have no matrix for it elsewhere.
        """
        shapes = _parameter_shapes(self.make_module, n, d, dtype, frozenset(leaves))
        for name, leaf in leaves.items():
            if shapes.get(name) != tuple(leaf.shape):
                has = f"its {name} is of shape {shapes[name]}" if name in shapes else f"it has no {name}"
                raise Refused(f"with input size {n} and hidden size {d} {has}: it is another cell there")

    def _layer_results(self, run: SequenceRun, states: Tensors) -> tuple[Tensor, Tensors]:
        """Outputs and final states of a layer, whose last output is its state where it returns none."""
        outputs, final_states = run.outputs, run.final_states
        assert outputs is not None, "a sequence has outputs"
        finals = dict(zip(self.state_names, final_states, strict=False))
        for name in self.state_names[len(final_states) :]:
            if name == self.output_name:
                finals[name] = outputs[-1] if len(outputs) else states[name]
            elif f"finals.{name}" in self.absent:
                finals[name] = outputs.new_zeros(states[name].shape)
            else:
                raise Refused("it does not return its states")
        return outputs, finals

    def _cell_results(self, run: SequenceRun, inputs: Tensor, d: int) -> tuple[Tensor, Tensors]:
        """Hidden states after every step, and final states, of a cell."""
        import torch

        if self.output_name in self.state_names:
            index = self.state_names.index(self.output_name)
            hidden = [step[index] for step in run.step_states]
        elif run.step_outputs or not len(inputs):
            hidden = list(run.step_outputs)
        else:
            raise Refused(f"it does not give back {self.output_name}, the output of its equations")
        outputs = torch.stack(hidden) if hidden else inputs.new_zeros((0, inputs.shape[1], d))
        return outputs, dict(zip(self.state_names, run.final_states, strict=True))


def _given_lengths(module: nn.Module, lengths: IndexArray) -> _WithLengths:
    """The module, given these lengths."""
    import torch

    assert isinstance(module, CalledWithParameters), "a module that takes lengths is called with its parameters"
    return _WithLengths(module, torch.tensor(lengths))
