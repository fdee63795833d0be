"""What a worker says of a target that is compared: plain data, from which the comparison is made elsewhere."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal

from rnn_harness.comparison.relation import FamilyCell
from rnn_harness.runtime.plain_array import PlainArray
from rnn_harness.validation.cells.cell_model import CellModel, Fault

Activation = Literal["tanh", "sigmoid", "relu", "identity", "hard sigmoid", "hard sigmoid 0.2", "hard tanh"]
"""The names of `ACTIVATIONS`."""
SequenceOrder = Literal["", "time first", "batch first"]
CellKind = Literal["family", "spec", "unknown"]


@dataclass(frozen=True)
class PlainModel:
    """The features of a cell, as plain data that is checked when it is read.

    Attributes:
        family: One of the three families.
        gate: The activation of the gates, a key of `ACTIVATIONS`.
        candidate: That of the candidate.
        output: That of an LSTM's output.
        update: Whether an open update gate of a GRU keeps or writes.
        reset: Whether a GRU's reset gate acts before or after the recurrent product.
        forget: What an LSTM's forget gate is.
        offset: What is added to it before its activation.
        peephole: Which peepholes an LSTM has.
        peephole_state: The cell state that the output gate's peephole reads.
        clip: The limit of arguments, 0 for none.
        cell_clip: The limit of the cell state, 0 for none.
        faults: Where a mistake is, and what it is, for each.
    """

    family: Literal["rnn", "gru", "lstm"]
    gate: Activation
    candidate: Activation
    output: Activation
    update: Literal["keep", "write"]
    reset: Literal["before", "after"]
    forget: Literal["own", "none", "coupled", "coupling"]
    offset: float
    peephole: Literal["", "full", "diagonal"]
    peephole_state: Literal["new", "old"]
    clip: float
    cell_clip: float
    faults: tuple[tuple[str, str], ...] = ()

    @classmethod
    def of(cls, model: CellModel) -> PlainModel:
        """Take the features of a cell.

        Args:
            model: The cell.
        """
        return cls(**{**vars(model), "faults": tuple((fault.where, fault.change) for fault in model.faults)})

    def model(self) -> CellModel:
        """Return the cell."""
        return CellModel(**{**vars(self), "faults": tuple(Fault(*pair) for pair in self.faults)})


@dataclass(frozen=True)
class CellTimes:
    """How long a cell took.

    Attributes:
        sizes: The sizes, in words.
        forward: Seconds of a forward, the median of some.
        backward: Seconds of a forward and a backward; None where it has no gradients.
        torch_layer: The layer of torch that was timed beside it, the nearest in what it computes.
        torch_forward: Seconds of a forward of that layer.
        torch_backward: Seconds of a forward and a backward of it.
    """

    sizes: str
    forward: float
    backward: float | None
    torch_layer: str
    torch_forward: float
    torch_backward: float


@dataclass(frozen=True)
class OwnDecay:
    """How fast the gradient of a cell shrinks by its own vector-Jacobian products.

    Attributes:
        factor: The factor at every step back; None where the gradient is zero or not finite, or was not taken.
        reason: Why it was not taken; empty where it was.
    """

    factor: float | None
    reason: str = ""


@dataclass(frozen=True)
class CellDescription:
    """What a target is.

    Attributes:
        target: Its name, as it was typed.
        kind: A cell of a ``family``, of a ``spec`` that is no family's, or ``unknown``.
        sentence: The cell in words; of an unknown one, why it is unknown.
        spec: The id or the file of the spec that it is; of a family, the shipped spec or nothing.
        model: The features of a cell of a family.
        names: The names of the parameters that it has, by its reference or by its spec.
        places: Where each of these stands in its own parameters, by name.
        map: Its parameter map as JSON: a `MapFile` of a family's, a `SpecMapFile` of a spec's.
        reading: In which order it reads a sequence; empty for forward.
        order: Whether its sequences are ``time first`` or ``batch first``; empty where it takes steps, or single rows.
        sizes: Its only input and hidden size; None if it can have any.
        dtypes: The dtypes it takes.
        parameters: The number of its parameters, and at which sizes, in words.
        initial: The parameters that its constructor draws, by the names of `names`, for the decay of its gradient.
        decay: How fast its gradient shrinks with the weights that its constructor draws, by its own code; None where
            that was not asked, or the constructor draws none.
        times: How long it took; None where it was not timed.
        absolute_function_error: Whether its functions are exact against 1 and not against their own value.
        without_influence: Parameters of its class that its outputs do not depend on.
        is_complete: Whether it has every bias and every state that its shipped spec has.
        notes: What could not be measured, and why.
    """

    target: str
    kind: CellKind
    sentence: str
    spec: str = ""
    model: PlainModel | None = None
    names: tuple[str, ...] = ()
    places: dict[str, tuple[str, ...]] = field(default_factory=dict)
    map: str = ""
    reading: str = ""
    order: SequenceOrder = ""
    sizes: tuple[int, int] | None = None
    dtypes: tuple[str, ...] = ()
    parameters: tuple[int, str] = (0, "")
    initial: dict[str, PlainArray] = field(default_factory=dict)
    decay: OwnDecay | None = None
    times: CellTimes | None = None
    absolute_function_error: bool = False
    without_influence: tuple[str, ...] = ()
    is_complete: bool = False
    notes: tuple[str, ...] = ()

    @property
    def family_cell(self) -> FamilyCell | None:
        """The cell without its faults; None where it is none of a family."""
        if self.kind != "family" or self.model is None:
            return None
        return FamilyCell(replace(self.model.model(), faults=()), frozenset(self.names))

    @property
    def faults(self) -> tuple[tuple[str, str], ...]:
        """The faults with which it is a cell of a family."""
        return () if self.model is None else self.model.faults


def order_in_words(left_side: CellDescription, right_side: CellDescription) -> str:
    """Say that two targets want the axes of a sequence in two orders; empty if they do not.

    Args:
        left_side: The first target.
        right_side: The second target.
    """
    axes = {"time first": "(T, B, n)", "batch first": "(B, T, n)"}
    if not left_side.order or not right_side.order or left_side.order == right_side.order:
        return ""
    first, second = (f"{side.target} takes a sequence as {axes[side.order]}" for side in (left_side, right_side))
    return f"{first}, {second}: exchange the first two axes"
