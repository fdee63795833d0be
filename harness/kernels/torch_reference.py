"""A torch kernel in the shape of a reference, so that every check of the references judges it too."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from rnn_harness.arithmetic.torch_dtype import torch_dtype
from rnn_harness.array_types import Array, IndexArray
from rnn_harness.errors import NotObservable, NotRun, Refused
from rnn_harness.kernels.driver_protocol import Driver, Tensors
from rnn_harness.kernels.environment.torch_formats import sums_in_float32
from rnn_harness.references import Gradients, Reference, Run
from rnn_harness.runtime.target_call import call_subject
from rnn_harness.runtime.target_gradients import target_gradients
from rnn_harness.subjects.parameter_role import hidden_size

if TYPE_CHECKING:
    from torch import Tensor


class VisibleTrace(dict[str, Array]):
    """A trace that says what it does not hold."""

    def __missing__(self, name: str) -> Array:
        raise NotObservable(f"the kernel does not show its {name.split('.')[-1].replace('_', ' ')} over time")


@dataclass(frozen=True)
class Arguments:
    """What a kernel was called with, as arrays.

    Attributes:
        parameters: By the reference's names.
        inputs: (T, B, n).
        states: Initial states (B, d) by the reference's names.
        lengths: Steps of every row (B,), or None where every row has T.
    """

    parameters: Mapping[str, Array]
    inputs: Array
    states: Mapping[str, Array]
    lengths: IndexArray | None


@dataclass
class Graph:
    """One run with its leaves, from which gradients are taken.

    Attributes:
        arguments: What the kernel was called with; a graph that is spent is built from them again.
        leaves: The kernel's own parameters, by its names.
        inputs: (T, B, n).
        states: Initial states (B, d).
        outputs: (T, B, d).
        finals: Final states (B, d).
        spent: Whether it has been differentiated, which frees what the run has saved.
    """

    arguments: Arguments
    leaves: Tensors
    inputs: Tensor
    states: Tensors
    outputs: Tensor
    finals: Tensors
    spent: bool = False


@dataclass(frozen=True)
class GradientParts:
    """Gradients as `Gradients` has them, but a parameter's once for each of its places in the kernel.

    Attributes:
        inputs: (T, B, n).
        states: For the initial states, (B, d) by name.
        parameters: By the reference's name, one array for each place: two for a bias that torch adds twice.
    """

    inputs: Array
    states: dict[str, Array]
    parameters: dict[str, list[Array]]


class TorchReference:
    """A kernel as a `Reference`.

    Arrays come in NumPy and leave in NumPy, or stay on the device (`on_device`); a bfloat16 or float16 kernel gets
    float32 arrays whose numbers its format holds, and gives float32 arrays.

    Attributes:
        driver: What runs the kernel.
        reference: The reference of the same spec, for its names, shapes and options.
        dtype: The format in which the kernel stores.
        device: ``cpu`` or ``cuda``.
        layout: How inputs and states lie in memory: ``contiguous``, ``strided`` (every second number of a larger
            block) or ``expanded`` (one batch row shown B times).
        absent: The parameters and states of the reference that the kernel lacks.
        keeps_tensors: Whether outputs, final states and gradients are tensors where it gave them, in its own format.
    """

    def __init__(
        self,
        driver: Driver,
        reference: Reference,
        dtype: str,
        device: str = "cpu",
        layout: str = "contiguous",
        keeps_tensors: bool = False,
    ) -> None:
        self.driver, self.reference, self.keeps_tensors = driver, reference, keeps_tensors
        self.dtype, self.device, self.layout = dtype, device, layout
        self.absent = driver.absent

    @property
    def is_candidate(self) -> bool:
        """Whether the kernel is code of others, which may compute tanh and sigmoid in ways of its own."""
        return self.driver.is_candidate

    @property
    def name(self) -> str:
        """The reference's name: the family."""
        return self.reference.name

    @property
    def state_names(self) -> tuple[str, ...]:
        """The reference's names of the states."""
        return self.reference.state_names

    def parameter_shapes(self, input_size: int, hidden_size: int) -> dict[str, tuple[int, ...]]:
        """Give the shapes of the reference's parameters, by its names.

        Args:
            input_size: n.
            hidden_size: d.
        """
        return self.reference.parameter_shapes(input_size, hidden_size)

    @property
    def _array_format(self) -> np.dtype[Any]:
        """Give the format of the arrays that go in and out."""
        return np.dtype("float64" if self.dtype == "float64" else "float32")

    def laid_out(self, layout: str) -> TorchReference:
        """Give the same kernel, called with its inputs and states in another layout.

        Args:
            layout: ``contiguous``, ``strided`` or ``expanded``, as for the class.
        """
        return TorchReference(self.driver, self.reference, self.dtype, self.device, layout)

    def on_device(self) -> TorchReference:
        """Give the same kernel, whose results stay tensors on the device: for bounds that are computed there."""
        return TorchReference(self.driver, self.reference, self.dtype, self.device, self.layout, keeps_tensors=True)

    def _given(self, tensor: Tensor) -> Array:
        """Give what the kernel computed: in memory of its own, which nothing overwrites that the kernel does later."""
        return cast("Array", tensor.detach().clone()) if self.keeps_tensors else to_numpy(tensor)

    def _finish(self) -> None:
        """Wait for the kernel's results, so that an error of a CUDA kernel is raised where it is the kernel's."""
        import torch

        if self.keeps_tensors and self.device.startswith("cuda"):
            torch.cuda.synchronize(self.device)

    def _lay_out(self, value: Tensor) -> Tensor:
        """Put the numbers of `value` into the layout."""
        import torch

        if self.layout == "strided":
            return torch.stack([value, value + 1], dim=-1)[..., 0]
        if self.layout == "expanded":
            return value.narrow(-2, 0, 1).expand_as(value)
        return value

    def tensor(self, value: Array, leaf: bool = True) -> Tensor:
        """Put an array on the kernel's device in the kernel's dtype.

        Args:
            value: In the format of the arrays that go in.
            leaf: Whether gradients for it are wanted.

        Raises:
            Refused: `value` has another format.
        """
        import torch

        value = np.asarray(value)
        if value.dtype != self._array_format:
            raise Refused(f"a {self.dtype} kernel takes {self._array_format} arrays, not {value.dtype}")
        tensor = torch.tensor(np.asarray(value, order="C"), dtype=torch_dtype(self.dtype))
        return tensor.to(self.device).requires_grad_(leaf)

    def forward(
        self,
        parameters: Mapping[str, Array],
        inputs: Array,
        states: Mapping[str, Array] | None = None,
        lengths: IndexArray | None = None,
    ) -> Run:
        """Run the kernel; its graph is kept for `backward`.

        Args:
            parameters: By the reference's names.
            inputs: (T, B, n).
            states: Initial states (B, d) by name; zeros if None.
            lengths: Steps of every row (B,), or None where every row has T.
        """
        initial = states or self._zero_states(parameters, np.asarray(inputs))
        graph = self._graph(Arguments(parameters, inputs, initial, lengths))
        outputs = self._given(graph.outputs)
        finals = {name: self._given(graph.finals[name]) for name in self.state_names}
        self._finish()
        return Run(outputs, finals, VisibleTrace(self._trace(outputs, lengths)), graph)

    def _graph(self, arguments: Arguments) -> Graph:
        """Run the kernel on fresh leaves."""
        x = self.tensor(arguments.inputs)  # first: it refuses formats that cannot be packed
        leaves = {k: self.tensor(value) for k, value in self.driver.table.pack(arguments.parameters).items()}
        states = {name: self.tensor(value) for name, value in arguments.states.items()}
        laid_out = {name: self._lay_out(value) for name, value in states.items()}
        with self._summation():
            outputs, finals = call_subject(self.driver.run, leaves, self._lay_out(x), laid_out, arguments.lengths)
        return Graph(arguments, leaves, x, states, outputs, finals)

    def _summation(self) -> AbstractContextManager[None]:
        """Give the context in which torch sums as the bound assumes; a candidate runs as its user runs it."""
        return contextlib.nullcontext() if self.is_candidate else sums_in_float32()

    def _zero_states(self, parameters: Mapping[str, Array], inputs: Array) -> dict[str, Array]:
        """Make initial states of zeros, (B, d) each."""
        d = hidden_size(parameters)
        return {name: np.zeros((inputs.shape[1], d), inputs.dtype) for name in self.state_names}

    def _trace(self, outputs: Array, lengths: IndexArray | None) -> dict[str, Array]:
        """Give what the outputs alone show: the hidden state of a cell, of the top layer, of both directions."""
        if self.name == "bidirectional":
            half = outputs.shape[2] // 2
            halves = {"forward.hidden_state": outputs[..., :half], "backward.hidden_state": outputs[..., half:]}
            return halves | {"merged_state": outputs} if lengths is None else {"merged_state": outputs}
        if lengths is not None:
            return {}  # outputs hold zeros past a length, where the state is frozen
        if self.name == "stacked":
            return {f"layer{len(self.reference.cells) - 1}.hidden_state": outputs}  # type: ignore[attr-defined]
        return {"hidden_state": outputs}

    def backward(self, run: Run, d_outputs: Array, d_finals: Mapping[str, Array] | None = None) -> Gradients:
        """Give torch's gradients of sum(outputs * d_outputs) + sum(finals * d_finals).

        Args:
            run: What `forward` gave.
            d_outputs: (T, B, d).
            d_finals: (B, d) by state; zeros if None.

        Raises:
            NotRun: The kernel has no gradients.
        """
        by_place = self.gradient_parts(run, d_outputs, d_finals)
        parameters = {name: parts[0] for name, parts in by_place.parameters.items()}
        return Gradients(by_place.inputs, by_place.states, parameters)

    def gradient_parts(self, run: Run, d_outputs: Array, d_finals: Mapping[str, Array] | None = None) -> GradientParts:
        """Give the gradients of every parameter of the kernel's own: two for a gate with two biases.

        The arguments are those of `backward`.

        Args:
            run: The result of `forward`.
            d_outputs: The gradient for the outputs (T, B, d).
            d_finals: The gradient for the final states (B, d) by name; zero where None.

        Raises:
            NotRun: The kernel has no gradients.
        """
        import torch

        if self.driver.no_gradients_reason:
            raise NotRun(self.driver.no_gradients_reason)
        graph: Graph = run.saved
        if graph.spent:
            graph = self._graph(graph.arguments)
        else:
            graph.spent = True
        finals, states, leaves = graph.finals, graph.states, graph.leaves
        ends = [graph.outputs, *(finals[name] for name in self.state_names)]
        cotangents = [self.tensor(d_outputs, leaf=False)]
        cotangents += [self._cotangent(finals[name], name, d_finals) for name in self.state_names]
        pairs = zip(ends, cotangents, strict=True)
        live = [(end, cotangent) for end, cotangent in pairs if end.requires_grad and end.numel()]
        wanted = [graph.inputs, *states.values(), *leaves.values()]
        gradients: tuple[Tensor | None, ...] = (None,) * len(wanted)
        if live:
            # The graph is not retained, as nobody who trains retains it: that would hide what goes wrong in memory
            # which a compiled backward takes for its own.
            with self._summation(), self.driver.parameters_swapped_in(leaves, graph.inputs, states):
                gradients = target_gradients([end for end, _ in live], wanted, [cotangent for _, cotangent in live])
        filled = [self._given(torch.zeros_like(w) if g is None else g) for w, g in zip(wanted, gradients, strict=True)]
        self._finish()
        d_states = dict(zip(states, filled[1 : 1 + len(states)], strict=True))
        d_leaves = dict(zip(leaves, filled[1 + len(states) :], strict=True))
        shapes = {name: np.shape(value) for name, value in graph.arguments.parameters.items()}
        return GradientParts(filled[0], d_states, self.driver.table.gradients(d_leaves, shapes))

    def _cotangent(self, final: Tensor, name: str, d_finals: Mapping[str, Array] | None) -> Tensor:
        """Give the gradient for a final state as a tensor, (B, d)."""
        import torch

        return torch.zeros_like(final) if d_finals is None else self.tensor(d_finals[name], leaf=False)


def to_numpy(tensor: Tensor) -> Array:
    """Copy a tensor's numbers into an array; formats that NumPy lacks become float32, exactly.

    Args:
        tensor: On any device, with or without a graph.
    """
    import torch

    tensor = tensor.detach().cpu()
    array: Array = (tensor.float() if tensor.dtype in (torch.bfloat16, torch.float16) else tensor).numpy()
    return array.copy()
