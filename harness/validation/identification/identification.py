"""What a target is: the cell, which parameter is which, and how it is called; and the same in words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from rnn_harness.families import FAMILIES, gate_short_name
from rnn_harness.records.html_block import html_block
from rnn_harness.subjects.parameter_role import ParameterKind, ParameterRole, find_role, is_kind
from rnn_harness.validation.cells.activations import ACTIVATIONS
from rnn_harness.validation.cells.calling_convention import CallingConvention
from rnn_harness.validation.cells.cell_model import CellModel, Fault
from rnn_harness.validation.identification.decode import ParameterAssignment
from rnn_harness.validation.identification.spec_model import shipped_spec

MOST_NAMES = 3
"""Names of parameters without influence in a sentence."""


@dataclass(frozen=True)
class Identification:
    """What a target is.

    Attributes:
        model: The cell that it computes, faults included.
        assignment: Which parameter is which.
        states: The names of its states, in its order.
        convention: How it is called.
        unused: Its parameters that have no influence, and are no part of the cell.
        forgotten: Those of them that are the biases which the cell lacks, or the gates of a larger one.
        constants: Its parameters of a single number with the value at which it is this cell; it keeps that value.
    """

    model: CellModel
    assignment: ParameterAssignment
    states: tuple[str, ...]
    convention: CallingConvention
    unused: tuple[str, ...] = ()
    forgotten: tuple[str, ...] = ()
    constants: tuple[tuple[str, float], ...] = ()

    @property
    def faults(self) -> tuple[Fault, ...]:
        """What is wrong with it; empty if nothing is."""
        return self.model.faults

    @property
    def bias(self) -> bool:
        """Whether it has any bias."""
        return bool(_biases(self.assignment))

    @property
    def spec(self) -> str | None:
        """The shipped spec of that variant; None if there is none."""
        return shipped_spec(self.model, self.bias)

    @property
    def absent(self) -> tuple[str, ...]:
        """What the spec has and the target has not.

        A second bias of the candidate; ``states.c`` for a state that cannot be given, ``finals.c`` for one that does
        not come back.
        """
        names = self.assignment.names
        biases = (name for name in self.model.parameter_names("b") if _is_bias(name)) if self.bias else ()
        states = tuple(f"states.{name}" for name in self.states[self.convention.states :])
        return (*(name for name in biases if name not in names), *states, *self._finals_not_returned())

    def _finals_not_returned(self) -> tuple[str, ...]:
        """The final states that it does not give back; the hidden state after the last step is its last output."""
        if not self.convention.sequence or not self.convention.taken:
            return ()
        returned = len(self.convention.taken) - 1
        return tuple(f"finals.{name}" for name in self.states[returned:] if name != "h")

    def __str__(self) -> str:
        return self.sentence()

    def __repr__(self) -> str:
        return f"<{self.spec or self.model.family}: {self.sentence()}>"

    def _repr_html_(self) -> str:
        blocks = self.assignment.table.blocks
        rows = (f"{block.parameter}, block {block.block + 1} of {block.of}: {block.name}" for block in blocks)
        return html_block(self.sentence(), "\n".join(rows))

    def sentence(self) -> str:
        """Say what it is and how it is called."""
        parts = [describe_cell(self), str(self.convention)]
        if self.constants:
            parts.append("with " + ", ".join(f"{name} = {value:g}" for name, value in self.constants))
        if self.unused:
            more = len(self.unused) - MOST_NAMES
            names = ", ".join(self.unused[:MOST_NAMES]) + (f" and {more} more parameters" if more > 0 else "")
            parts.append(f"{names} without influence")
        return "; ".join(parts)


def describe_cell(identification: Identification) -> str:
    """Say which variant a target is and how its parameters are stored.

    Args:
        identification: What the target is.
    """
    model, assignment = identification.model, identification.assignment
    layout = assignment.layout
    parts = list(_variant(model))
    if model.family != "rnn":
        order, recurrent = assignment.gate_order("x"), assignment.gate_order("h")
        parts.append(f"gates {'interleaved' if layout.interleaved else 'stacked'} {_gate_list(order)}")
        if recurrent != order and sorted(recurrent) == sorted(order):
            parts.append(f"recurrent weights in the order {_gate_list(recurrent)}")
    parts.append(_describe_biases(model, _biases(assignment)))
    if any(block.side for block in layout.gate_blocks):
        parts.append("weights on [h, x]" if layout.recurrent_first else "weights on [x, h]")
    flipped = any(role.flipped and not _is_bias(role.name) for _, role in assignment.roles)
    if flipped or any(form.turned for _, form in layout.forms if not form.vector):
        parts.append("weights transposed, (input, output)")
    if identification.states == ("c", "h"):
        parts.append("the cell state comes first")
    return f"{FAMILIES[model.family].title}: {'; '.join(parts)}"


def _is_bias(name: str) -> bool:
    return is_kind(name, ParameterKind.BIAS, ParameterKind.RECURRENT_BIAS)


def _biases(assignment: ParameterAssignment) -> list[ParameterRole]:
    roles = (find_role(name) for name in assignment.names)
    return [role for role in roles if role is not None and role.is_bias]


_UPDATE_GATE = {
    "keep": "update gate z = 1 keeps the old state",
    "write": "update gate z = 1 takes the candidate",
}


def _gate_list(letters: str) -> str:
    return ", ".join(gate_short_name(letter) for letter in letters)


def _variant(model: CellModel) -> Iterator[str]:
    """The features of a model that are not the usual ones, in words; of a GRU, also those that every GRU has."""
    if model.family == "rnn":
        yield f"{ACTIVATIONS[model.candidate].wording} activation"
        return
    if model.family == "gru":
        yield f"reset {model.reset} the recurrent product"
        yield _UPDATE_GATE[model.update]
    if model.forget != "own":
        forget = {"none": "no forget gate", "coupled": "forget gate coupled to the input gate"}
        yield forget.get(model.forget, "input gate coupled to the forget gate")
    if model.peephole:
        yield f"{model.peephole} peepholes, the output gate's on the {model.peephole_state} cell state"
    if model.gate != "sigmoid":
        yield f"{ACTIVATIONS[model.gate].wording} gates"
    if model.candidate != "tanh":
        yield f"{ACTIVATIONS[model.candidate].wording} candidate"
    if model.family == "lstm" and model.output != "tanh":
        yield f"{ACTIVATIONS[model.output].wording} output"
    if model.clip:
        yield f"arguments clipped at {model.clip:g}"
    if model.cell_clip:
        yield f"cell state kept within -{model.cell_clip:g} and {model.cell_clip:g}"
    if model.offset:
        yield f"{model.offset:g} is added to the forget gate"


def _describe_biases(model: CellModel, biases: list[ParameterRole]) -> str:
    """The number of biases, and where they stand."""
    each = " a gate" if model.family != "rnn" else ""
    gates = len(model.letters)
    if not biases:
        return "no bias"
    if len(biases) == gates and len(set(biases)) == gates:
        if model.reset == "after" and model.family == "gru":
            inside = any(bias.kind is ParameterKind.RECURRENT_BIAS for bias in biases)
            return f"one bias{each}, the candidate's {'inside' if inside else 'outside'} the reset"
        return f"one bias{each}"
    if len(biases) == 2 * gates:
        return f"two biases{each}"
    return "biases for " + ", ".join(
        "candidate's reset part" if bias.kind is ParameterKind.RECURRENT_BIAS else gate_short_name(bias.gate)
        for bias in biases
    )
