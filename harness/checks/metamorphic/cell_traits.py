"""What a metamorphic property may ask about a subject, and which axes of its parameters are units or input features.

Dimension legend: n input size, d hidden size, k output size.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from rnn_harness.references import Reference
from rnn_harness.subjects.parameter_role import parameter_axes
from rnn_harness.subjects.subject import Subject


@dataclass(frozen=True)
class Traits:
    """The structure of a subject. `cell` is the cell itself, or the first of a stack or a pair."""

    subject: Subject

    @cached_property
    def cell(self) -> Reference:
        reference: Any = self.subject.cell
        if hasattr(reference, "cells"):
            return reference.cells[0]  # type: ignore[no-any-return]
        return getattr(reference, "forward_cell", reference)  # type: ignore[no-any-return]

    @property
    def stacked(self) -> bool:
        return hasattr(self.subject.cell, "cells")

    @property
    def bidirectional(self) -> bool:
        return hasattr(self.subject.cell, "forward_cell")

    @property
    def single(self) -> bool:
        """One cell, one direction."""
        return not self.stacked and not self.bidirectional

    @property
    def causal(self) -> bool:
        """No step looks at later ones."""
        return not self.bidirectional

    @property
    def family(self) -> str:
        return self.cell.name

    @property
    def known(self) -> bool:
        """Whether options and trace have the names that the properties of a family ask for."""
        return self.family in ("rnn", "feedforward", "gru", "lstm")

    @property
    def recurrent(self) -> bool:
        return bool(self.cell.state_names)

    def option(self, name: str, default: Any = None) -> Any:
        """An option of the cell, such as ``candidate`` or ``bias``."""
        return getattr(self.cell, name, default)

    @property
    def bias(self) -> bool:
        return bool(self.option("bias", True))

    @property
    def odd(self) -> bool:
        """Candidate and output activation are tanh, an odd function."""
        if self.family in ("rnn", "feedforward"):
            return bool(self.option("activation") == "tanh")
        return bool(self.option("candidate") == "tanh" and self.option("output", "tanh") == "tanh")

    @property
    def gates(self) -> str:
        """The letters of the gates, candidate included; empty for a cell without gates."""
        return {"gru": "rzg", "lstm": str(self.option("gates", ""))}.get(self.family, "")

    @property
    def has_output_layer(self) -> bool:
        return self.subject.output is not None


def is_gru(traits: Traits) -> bool:
    """One GRU."""
    return traits.single and traits.family == "gru"


def is_lstm(traits: Traits) -> bool:
    """One LSTM."""
    return traits.single and traits.family == "lstm"


def is_rnn(traits: Traits) -> bool:
    """One simple RNN."""
    return traits.single and traits.family == "rnn"


def everything(_: Traits) -> bool:
    """Every subject."""
    return True


def input_weights(names: Any) -> list[str]:
    """The parameters that multiply the inputs of the whole subject."""
    return [name for name in names if "input" in parameter_axes(name)]
