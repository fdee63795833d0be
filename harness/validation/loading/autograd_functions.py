"""A class of torch.autograd.Function handed in alone: one step, whose backward is written by hand and is to be judged.

Some take the weights, and are functions like any other. Most take what the weights give, the pre-activations of the
gates, and perhaps a state: then the products in front are made here, and their weights are the parameters.
"""

from __future__ import annotations

import inspect
import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from rnn_harness.errors import UsageError
from rnn_harness.validation.cells.distinct_sizes import distinct_batch_size
from rnn_harness.validation.cells.state_form import result_leaves
from rnn_harness.validation.loading.adapters.handwritten.argument_names import role_of

Place = Literal["both", "input", "state", "h", "c", "vector"]
_GATES = (4, 3, 2, 1)
_FAR = 50.0
"""A state this far away: a cell state follows it, a hidden state does not, since it is squashed."""


def is_autograd_function(cell: object) -> bool:
    """Say whether an object is a class of torch.autograd.Function.

    Args:
        cell: Whatever a user names.
    """
    return isinstance(cell, type) and issubclass(cell, torch.autograd.Function)


def applied(function: type[torch.autograd.Function]) -> Callable[..., object]:
    """Return ``apply`` of a class as a function with the arguments of its forward, without the context.

    Args:
        function: The class.
    """
    arguments = list(inspect.signature(function.forward).parameters.values())
    keeps_context_apart = function.setup_context is not torch.autograd.Function.setup_context
    signature = inspect.Signature(arguments if keeps_context_apart else arguments[1:])

    def apply(*values: object, **keywords: object) -> object:
        bound = signature.bind(*values, **keywords)
        bound.apply_defaults()
        return function.apply(*bound.args)  # type: ignore[no-untyped-call]

    apply.__name__ = apply.__qualname__ = function.__name__
    apply.__module__, apply.__doc__ = function.__module__, function.__doc__
    apply.__signature__ = signature  # type: ignore[attr-defined]
    return apply


@dataclass(frozen=True)
class Step:
    """How a step is made of a function of pre-activations.

    Attributes:
        function: The function, as `applied` gives it.
        names: Its arguments.
        places: What each of them is: pre-activations of the input and the state together (``both``) or of one of them,
            a state, or a vector of weights.
        gates: The width of the pre-activations in multiples of d.
        states: The states in the order in which the function gives them back.
    """

    function: Callable[..., object]
    names: tuple[str, ...]
    places: tuple[Place, ...]
    gates: int
    states: tuple[str, ...] = ("h",)

    def note(self) -> str:
        """Say what is put in front of the function."""
        products = {"both": "W x + U h + b", "input": "W x + b", "state": "U h + b_h"}
        made = [
            f"{name} = {products[place]}"
            for name, place in zip(self.names, self.places, strict=True)
            if place in products
        ]
        return f"its pre-activations are made for it: {', '.join(made)}"


class PreactivationCell(nn.Module):
    """A cell around a function of pre-activations; its forward takes x (B, n) and the states (B, d)."""

    def __init__(self, step: Step, n: int, d: int) -> None:
        """Make the weights in front of the function.

        Args:
            step: What the arguments of the function are.
            n: The input size.
            d: The hidden size.
        """
        super().__init__()
        self.step = step
        width = step.gates * d
        self.W, self.U = nn.Parameter(torch.randn(width, n) / n), nn.Parameter(torch.randn(width, d) / d)
        self.b = nn.Parameter(torch.zeros(width))
        if "state" in step.places:
            self.b_h = nn.Parameter(torch.zeros(width))
        for name, place in zip(step.names, step.places, strict=True):
            if place == "vector":
                self.register_parameter(f"vector_{name}", nn.Parameter(torch.randn(d) / d))

    def forward(self, x: Tensor, *states: Tensor) -> tuple[Tensor, ...]:
        """Return the next states, h first.

        Args:
            x: Inputs (B, n).
            *states: h, and c if there is one, each (B, d).
        """
        given = dict(zip(("h", "c"), states, strict=False))
        results = self.called(x, given)
        after = dict(zip(self.step.states, results, strict=True))
        return tuple(after[name] for name in ("h", "c") if name in after)

    def called(self, x: Tensor, states: dict[str, Tensor]) -> list[Tensor]:
        """Return every tensor that the function gives.

        Args:
            x: Inputs (B, n).
            states: The states (B, d) by name.
        """
        of_input = x @ self.W.T + self.b
        values = []
        for name, place in zip(self.step.names, self.step.places, strict=True):
            match place:
                case "both":
                    values.append(of_input + states["h"] @ self.U.T)
                case "input":
                    values.append(of_input)
                case "state":
                    values.append(states["h"] @ self.U.T + self.b_h)
                case "vector":
                    vector = self._parameters[f"vector_{name}"]  # a leaf may stand there, which is no nn.Parameter
                    assert vector is not None, "every vector is registered"
                    values.append(vector)
                case _:
                    values.append(states[place])
        return [leaf.tensor for leaf in result_leaves(self.step.function(*values))]


class _CellOfOneState(PreactivationCell):
    """One that has h alone."""

    def forward(self, x: Tensor, h: Tensor) -> Tensor:  # type: ignore[override]  # its one state comes back alone
        """Return the next h, for inputs x (B, n) and h (B, d)."""
        return super().forward(x, h)[0]


class _CellOfTwoStates(PreactivationCell):
    """One that has h and c."""

    def forward(self, x: Tensor, h: Tensor, c: Tensor) -> tuple[Tensor, ...]:  # type: ignore[override]
        """Return the next h and c, for inputs x (B, n) and h and c (B, d)."""
        return super().forward(x, h, c)


def preactivation_cell(step: Step, n: int, d: int) -> PreactivationCell:
    """Make a cell around a function of pre-activations.

    Args:
        step: What the arguments of the function are.
        n: The input size.
        d: The hidden size.
    """
    return (_CellOfOneState if len(step.states) == 1 else _CellOfTwoStates)(step, n, d)


def step_of_preactivations(function: Callable[..., object], n: int, d: int) -> Step:
    """Find out which arguments of a function are pre-activations, by calling it.

    Args:
        function: The function, as `applied` gives it.
        n: An input size.
        d: A hidden size.

    Raises:
        UsageError: No way of calling it gives states.
    """
    names = tuple(inspect.signature(function).parameters)
    came = ""
    for places, gates in itertools.product(_possible_places(names), _GATES):
        step = Step(function, names, places, gates)
        try:
            step = _with_states(step, n, d)
        except Exception as error:  # a function that is called in a wrong way may raise anything
            came = came or f"{type(error).__name__}: {error}"
        else:
            return step
    name = function.__name__
    raise UsageError(
        f"cannot drive {name}: {name}.apply({', '.join(names)}) gave no states for pre-activations of 1 to 4 gates and "
        f"states named h or c; the first call raised {came.splitlines()[0] if came else 'nothing'}\n"
        "A wrapper of these lines can be driven:\n"
        "    class Driven(nn.Module):\n"
        "        def __init__(self, input_size, hidden_size):\n"
        "            super().__init__()\n"
        "            self.W = nn.Linear(input_size, 4 * hidden_size)\n"
        "            self.U = nn.Linear(hidden_size, 4 * hidden_size)\n"
        "        def forward(self, x, h, c):  # the next h and c out; of a cell with one state x and h in, h out\n"
        f"            return {name}.apply(self.W(x) + self.U(h), c)"
    )


def _possible_places(names: tuple[str, ...]) -> Iterator[tuple[Place, ...]]:
    """List what the arguments may be: states by their names, one or two pre-activations, then vectors."""
    states: dict[str, Place] = {
        name: "c" if role_of(name) == "c" else "h" for name in names if role_of(name) in ("h", "c")
    }
    others = [name for name in names if name not in states]
    ways: tuple[tuple[Place, ...], ...] = (("both",), ("input", "state"), ("state", "input"))
    for leading in ways:
        if len(others) < len(leading):
            continue
        placed = dict(zip(others, (*leading, *("vector" for _ in others[len(leading) :])), strict=True))
        yield tuple((placed | states)[name] for name in names)  # type: ignore[misc]  # every name has a place


def _with_states(step: Step, n: int, d: int) -> Step:
    """The step with the states that it gives back. Raises ValueError if it gives none that fit."""
    rows = distinct_batch_size(n, d)
    cell = PreactivationCell(step, n, d).double()
    generator = torch.Generator().manual_seed(3)

    def draw(width: int) -> Tensor:
        return torch.randn(rows, width, generator=generator, dtype=torch.float64)

    x, states = draw(n), {"h": draw(d), "c": draw(d)}
    with torch.no_grad():
        results = cell.called(x, states)
        if not 1 <= len(results) <= 2 or any(result.shape != (rows, d) for result in results):
            shapes = ", ".join(str(tuple(result.shape)) for result in results)
            raise ValueError(f"it gave {shapes or 'no tensor'}; expected one or two states ({rows}, {d})")
        if len(results) == 1 and "c" not in step.places:
            return step
        if len(results) == 1 or "c" not in step.places:
            raise ValueError("it does not give back the states that it takes")
        zeros = {"h": torch.zeros_like(x[:, :1]).expand(rows, d), "c": torch.full((rows, d), _FAR, dtype=x.dtype)}
        sizes = [float(result.abs().max()) for result in cell.called(torch.zeros_like(x), zeros)]
    return Step(step.function, step.names, step.places, step.gates, ("h", "c") if sizes[1] >= sizes[0] else ("c", "h"))
