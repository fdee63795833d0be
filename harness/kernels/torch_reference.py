"""A torch kernel in the shape of a reference, so that every check of the references judges it too.

Dimension legend: T time steps, B batch rows, n input size, d hidden size.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from rnn_harness.array_types import Array, IndexArray
from rnn_harness.errors import NotObservable, NotRun, Refused
from rnn_harness.kernels.packing import ParameterMap
from rnn_harness.references import Gradients, Reference, Run
from rnn_harness.subjects.parameter_role import hidden_size

if TYPE_CHECKING:
    from torch import Tensor

Tensors = dict[str, "Tensor"]


class Driver(Protocol):
    """Runs a kernel on tensors that already have its dtype and device."""

    @property
    def table(self) -> ParameterMap:
        """How the kernel's parameters are put together."""

    def run(
        self, leaves: Tensors, inputs: Tensor, states: Tensors, lengths: IndexArray | None
    ) -> tuple[Tensor, Tensors]:
        """(outputs (T, B, d), final states by the reference's names). `leaves`: parameters by the kernel's names."""


class VisibleTrace(dict[str, Array]):
    """A trace that says what it does not hold."""

    def __missing__(self, name: str) -> Array:
        raise NotObservable(f"the kernel does not show its {name.split('.')[-1].replace('_', ' ')} over time")


@dataclass(frozen=True)
class Arguments:
    """What a kernel was called with, as arrays."""

    parameters: Mapping[str, Array]
    inputs: Array
    states: Mapping[str, Array]
    lengths: IndexArray | None


@dataclass
class Graph:
    """One run with its leaves; `spent` once it has been differentiated, which frees what the run has saved."""

    arguments: Arguments
    leaves: Tensors
    inputs: Tensor
    states: Tensors
    outputs: Tensor
    finals: Tensors
    spent: bool = False


class TorchReference:
    """A kernel as a `Reference`. `like`: the reference of the same spec, for its names, shapes and options.

    Arrays come in NumPy and leave in NumPy; a bfloat16 or float16 kernel gets float32 arrays whose numbers its
    format holds, and gives float32 arrays. `layout`: how inputs and states lie in memory (``contiguous``, ``strided``:
    every second number of a larger block, ``expanded``: one batch row seen B times).
    """

    def __init__(
        self, driver: Driver, like: Reference, dtype: str, device: str = "cpu", layout: str = "contiguous"
    ) -> None:
        self.driver, self.like, self.dtype, self.device, self.layout = driver, like, dtype, device, layout
        self.absent: tuple[str, ...] = getattr(driver, "absent", ())

    @property
    def _format(self) -> np.dtype[Any]:
        """That of the arrays that go in and out."""
        return np.dtype("float64" if self.dtype == "float64" else "float32")

    def laid_out(self, layout: str) -> TorchReference:
        """The same kernel, given its inputs and states in another layout."""
        return TorchReference(self.driver, self.like, self.dtype, self.device, layout)

    def _laid_out(self, value: Tensor) -> Tensor:
        import torch

        if self.layout == "strided":
            return torch.stack([value, value + 1], dim=-1)[..., 0]
        if self.layout == "expanded":
            return value.narrow(-2, 0, 1).expand_as(value)
        return value

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(self.like, name)

    @property
    def name(self) -> str:
        return self.like.name

    @property
    def state_names(self) -> tuple[str, ...]:
        return self.like.state_names

    def parameter_shapes(self, input_size: int, hidden_size: int) -> dict[str, tuple[int, ...]]:
        """As the reference's."""
        return self.like.parameter_shapes(input_size, hidden_size)

    def tensor(self, value: Array, leaf: bool = True) -> Tensor:
        """`value` on the kernel's device in the kernel's dtype. Raises Refused for another format than its own."""
        import torch

        value = np.asarray(value)
        if value.dtype != self._format:
            raise Refused(f"a {self.dtype} kernel takes {self._format} arrays, not {value.dtype}")
        made = torch.tensor(np.ascontiguousarray(value), dtype=getattr(torch, self.dtype))
        return made.to(self.device).requires_grad_(leaf)

    def forward(
        self,
        parameters: Mapping[str, Array],
        inputs: Array,
        states: Mapping[str, Array] | None = None,
        lengths: IndexArray | None = None,
    ) -> Run:
        """Run the kernel; the graph is kept for `backward`."""
        given = states or self._zeros(parameters, np.asarray(inputs))
        graph = self._graph(Arguments(parameters, inputs, given, lengths))
        shown = VisibleTrace(self._trace(numpy(graph.outputs), lengths))
        finals = {name: numpy(graph.finals[name]) for name in self.state_names}
        return Run(numpy(graph.outputs), finals, shown, graph)

    def _graph(self, arguments: Arguments) -> Graph:
        """Run the kernel on fresh leaves."""
        x = self.tensor(arguments.inputs)  # first: it refuses formats that cannot be packed
        leaves = {k: self.tensor(value) for k, value in self.driver.table.pack(arguments.parameters).items()}
        given = {name: self.tensor(value) for name, value in arguments.states.items()}
        laid = {name: self._laid_out(value) for name, value in given.items()}
        outputs, finals = self.driver.run(leaves, self._laid_out(x), laid, arguments.lengths)
        return Graph(arguments, leaves, x, given, outputs, finals)

    def _zeros(self, parameters: Mapping[str, Array], inputs: Array) -> dict[str, Array]:
        d = hidden_size(parameters)
        return {name: np.zeros((inputs.shape[1], d), inputs.dtype) for name in self.state_names}

    def _trace(self, outputs: Array, lengths: IndexArray | None) -> dict[str, Array]:
        """What the outputs alone show: the hidden state of one cell, of the top layer, of both directions."""
        if self.name == "bidirectional":
            half = outputs.shape[2] // 2
            halves = {"forward.hidden_state": outputs[..., :half], "backward.hidden_state": outputs[..., half:]}
            return halves | {"merged_state": outputs} if lengths is None else {"merged_state": outputs}
        if lengths is not None:
            return {}  # outputs hold zeros past a length, where the state is frozen
        if self.name == "stacked":
            return {f"layer{len(self.like.cells) - 1}.hidden_state": outputs}  # type: ignore[attr-defined]
        return {"hidden_state": outputs}

    def backward(self, run: Run, d_outputs: Array, d_finals: Mapping[str, Array] | None = None) -> Gradients:
        """torch's gradients of sum(outputs * d_outputs) + sum(finals * d_finals)."""
        gradient_parts = self.gradient_parts(run, d_outputs, d_finals)
        parameters = {name: found[0] for name, found in gradient_parts.parameters.items()}
        return Gradients(gradient_parts.inputs, gradient_parts.states, parameters)

    def gradient_parts(self, run: Run, d_outputs: Array, d_finals: Mapping[str, Array] | None = None) -> GradientParts:
        """The gradients of every parameter of the kernel's own: two for a gate with two biases.

        Raises NotRun if it has none.
        """
        import torch

        if reason := getattr(self.driver, "gradients", ""):
            raise NotRun(reason)
        graph: Graph = run.saved
        if graph.spent:
            graph = self._graph(graph.arguments)
        else:
            graph.spent = True
        finals, given, leaves = graph.finals, graph.states, graph.leaves
        ends = [graph.outputs, *(finals[name] for name in self.state_names)]
        starts = [self.tensor(d_outputs, leaf=False)]
        starts += [self._cotangent(finals[name], name, d_finals) for name in self.state_names]
        live = [(end, start) for end, start in zip(ends, starts, strict=True) if end.requires_grad and end.numel()]
        wanted = [graph.inputs, *given.values(), *leaves.values()]
        found: tuple[Tensor | None, ...] = (None,) * len(wanted)
        if live:
            # The graph is not retained, as nobody who trains retains it: that would hide what goes wrong in memory
            # which a compiled backward takes for its own.
            with held(self.driver, leaves, graph.inputs, given):
                found = torch.autograd.grad(
                    [end for end, _ in live], wanted, [start for _, start in live], allow_unused=True
                )
        filled = [numpy(torch.zeros_like(w) if g is None else g) for w, g in zip(wanted, found, strict=True)]
        states = dict(zip(given, filled[1 : 1 + len(given)], strict=True))
        own = dict(zip(leaves, filled[1 + len(given) :], strict=True))
        shapes = {name: np.shape(value) for name, value in graph.arguments.parameters.items()}
        return GradientParts(filled[0], states, self.driver.table.gradients(own, shapes))

    def _cotangent(self, final: Tensor, name: str, d_finals: Mapping[str, Array] | None) -> Tensor:
        import torch

        return torch.zeros_like(final) if d_finals is None else self.tensor(d_finals[name], leaf=False)


def held(driver: Driver, leaves: Tensors, inputs: Tensor, states: Tensors) -> AbstractContextManager[None]:
    """What a driver needs while the backward of a run with these arguments runs."""
    holding = getattr(driver, "holding", None)
    return contextlib.nullcontext() if holding is None else holding(leaves, inputs, states)


class GradientParts:
    """Gradients as `Gradients` has them, but each parameter's by share."""

    def __init__(self, inputs: Array, states: dict[str, Array], parameters: dict[str, list[Array]]) -> None:
        self.inputs, self.states, self.parameters = inputs, states, parameters


def numpy(value: Tensor) -> Array:
    """A tensor's numbers as an array; formats that NumPy lacks become float32, exactly."""
    import torch

    value = value.detach().cpu()
    found: Array = (value.float() if value.dtype in (torch.bfloat16, torch.float16) else value).numpy()
    return found.copy()
