"""What a metamorphic property may ask about a subject: its wiring, its family and the options of its cell.

The options are those of the spec's own reference: a mutant or a kernel stands for the same cell.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol, runtime_checkable

from rnn_harness.references import Reference
from rnn_harness.references.bidirectional import Bidirectional
from rnn_harness.references.feedforward import Feedforward
from rnn_harness.references.gru import GRU
from rnn_harness.references.lstm import LSTM
from rnn_harness.references.rnn import RNN
from rnn_harness.references.stacked import Stacked
from rnn_harness.subjects.parameter_role import parameter_axes
from rnn_harness.subjects.subject import Subject


@runtime_checkable
class CellPair(Protocol):
    """Two cells that read the inputs in opposite directions."""

    @property
    def forward_cell(self) -> Reference:
        """The cell that reads from the first step to the last."""

    @property
    def backward_cell(self) -> Reference:
        """The cell that reads from the last step to the first."""


@runtime_checkable
class CellStack(Protocol):
    """Layers of cells."""

    @property
    def cells(self) -> tuple[Reference, ...]:
        """The cells from the bottom up."""


@runtime_checkable
class _CellWithBiasOption(Protocol):
    """A cell that can do without biases."""

    @property
    def bias(self) -> bool:
        """Whether it has biases."""


@dataclass(frozen=True)
class Traits:
    """The structure of a subject.

    Attributes:
        subject: The subject whose cell, layers and directions are asked about.
    """

    subject: Subject

    @cached_property
    def cell(self) -> Reference:
        """The spec's own cell; of a stack the bottom one, of a pair the forward one."""
        reference = self.subject.reference
        if isinstance(reference, Stacked):
            return reference.cells[0]
        return reference.forward_cell if isinstance(reference, Bidirectional) else reference

    @property
    def stacked(self) -> bool:
        """Whether it is a stack."""
        return isinstance(self.subject.reference, Stacked)

    @property
    def bidirectional(self) -> bool:
        """Whether it is a pair of opposite directions."""
        return isinstance(self.subject.reference, Bidirectional)

    @property
    def single(self) -> bool:
        """Whether it is one cell in one direction."""
        return not self.stacked and not self.bidirectional

    @property
    def causal(self) -> bool:
        """Whether no step reads later ones."""
        return not self.bidirectional

    @property
    def recurrent(self) -> bool:
        """Whether it has a state."""
        return bool(self.cell.state_names)

    @property
    def known(self) -> bool:
        """Whether options and trace have the names that the properties of a family ask for."""
        return isinstance(self.cell, RNN | Feedforward | GRU | LSTM)

    @property
    def rnn(self) -> RNN | None:
        """The simple RNN with its options; None if the cell is another."""
        return self.cell if isinstance(self.cell, RNN) else None

    @property
    def gru(self) -> GRU | None:
        """The GRU with its options; None if the cell is another."""
        return self.cell if isinstance(self.cell, GRU) else None

    @property
    def lstm(self) -> LSTM | None:
        """The LSTM with its options; None if the cell is another."""
        return self.cell if isinstance(self.cell, LSTM) else None

    @property
    def bias(self) -> bool:
        """Whether it has biases; a cell of a family that is not known may have some."""
        return self.cell.bias if isinstance(self.cell, _CellWithBiasOption) else True

    @property
    def candidate_activation(self) -> str:
        """The activation of the candidate, in a simple RNN of the state; empty where the family is not known."""
        if isinstance(self.cell, RNN | Feedforward):
            return self.cell.activation
        return self.cell.candidate if isinstance(self.cell, GRU | LSTM) else ""

    @property
    def odd(self) -> bool:
        """Whether candidate and output activation are tanh, an odd function."""
        output = self.lstm.output if self.lstm else "tanh"
        return self.candidate_activation == "tanh" and output == "tanh"


def is_gru(traits: Traits) -> bool:
    """Say whether the subject is one GRU.

    Args:
        traits: The structure of the subject.
    """
    return traits.single and traits.gru is not None


def is_lstm(traits: Traits) -> bool:
    """Say whether the subject is one LSTM.

    Args:
        traits: The structure of the subject.
    """
    return traits.single and traits.lstm is not None


def is_rnn(traits: Traits) -> bool:
    """Say whether the subject is one simple RNN.

    Args:
        traits: The structure of the subject.
    """
    return traits.single and traits.rnn is not None


def everything(_: Traits) -> bool:
    """Support every subject.

    Args:
        _: The structure of any subject.
    """
    return True


def input_weights(names: Iterable[str]) -> list[str]:
    """Return the parameters that multiply the inputs of the whole subject.

    Args:
        names: Names of parameters, with the prefixes of layers and directions; upper layers read no inputs.
    """
    return [name for name in names if "input" in parameter_axes(name)]
