"""The faults that a cell is searched for, in words: which part is at fault, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from rnn_harness.families import GATE_NAMES
from rnn_harness.validation.cells.activations import ACTIVATIONS
from rnn_harness.validation.cells.cell_model import PEEPHOLE_GATES, CellModel, Fault


@dataclass(frozen=True)
class FaultDescription:
    """A fault in words.

    Attributes:
        part: The part that is at fault.
        difference: What is wrong with it.
    """

    part: str
    difference: str


_TERMS = {
    "input": "input weights",
    "recurrent": "recurrent weights",
    "bias": "bias",
    "inner bias": "recurrent bias",
    "peephole": "peephole",
}
_CHANGES = {
    "dropped": "not used",
    "negated": "subtracted instead of added",
    "doubled": "counted twice",
    "transposed": "transposed",
}
_STRUCTURE: dict[str, dict[Fault, FaultDescription]] = {
    "any": {
        Fault("state", "ignored"): FaultDescription("initial state", "the initial state is not used"),
        Fault("state", "not carried"): FaultDescription("state", "every step starts from the initial state"),
        Fault("state", "late"): FaultDescription("recurrent input", "the gates see the state of two steps before"),
        Fault("state", "reversed"): FaultDescription("time", "the steps are taken in reverse order"),
        Fault("output", "residual"): FaultDescription("state", "the old state is added to the new one"),
        Fault("state", "input late"): FaultDescription("input", "the input comes one step late"),
    },
    "rnn": {},
    "gru": {
        Fault("reset", "unused"): FaultDescription("reset gate", "the reset gate is not used"),
        Fault("reset", "by update gate"): FaultDescription(
            "reset gate", "the update gate is used in the place of the reset gate"
        ),
        Fault("reset", "inverted"): FaultDescription("reset gate", "1 - r is used in the place of r"),
        Fault("reset", "on everything"): FaultDescription(
            "reset gate",
            "the reset gate multiplies the whole argument of the candidate, the input too",
        ),
        Fault("reset", "on the input"): FaultDescription(
            "reset gate", "the reset gate multiplies the input part of the candidate in the place of the recurrent one"
        ),
        Fault("reset", "not on the bias"): FaultDescription(
            "candidate, recurrent bias",
            "the recurrent bias of the candidate is added outside the reset gate",
        ),
        Fault("reset", "recurrent weights skipped"): FaultDescription(
            "candidate, recurrent weights",
            "the reset state is added without the candidate's recurrent weights",
        ),
        Fault("update", "state dropped"): FaultDescription("update", "the old state is left out of the new one"),
        Fault("update", "state whole"): FaultDescription(
            "update", "the old state is added without being scaled by the update gate"
        ),
        Fault("update", "candidate whole"): FaultDescription(
            "update", "the candidate is added without being scaled by the update gate"
        ),
        Fault("update", "state by candidate's weight"): FaultDescription(
            "update", "old state and candidate have the same weight"
        ),
        Fault("update", "candidate by state's weight"): FaultDescription(
            "update", "candidate and old state have the same weight"
        ),
        Fault("update", "reset state kept"): FaultDescription(
            "update", "the reset state is kept in the place of the state"
        ),
    },
    "lstm": {
        Fault("state", "exchanged"): FaultDescription("initial states", "hidden state and cell state are exchanged"),
        Fault("state", "cell for hidden"): FaultDescription(
            "recurrent input", "the gates see the old cell state in the place of the hidden state"
        ),
        Fault("state", "cell ignored"): FaultDescription("initial cell state", "the initial cell state is not used"),
        Fault("cell", "forget unused"): FaultDescription("forget gate", "the forget gate is not used"),
        Fault("cell", "forget coupled"): FaultDescription(
            "forget gate", "1 - i is used in the place of the forget gate"
        ),
        Fault("cell", "input coupled"): FaultDescription("input gate", "1 - f is used in the place of the input gate"),
        Fault("cell", "forget by input"): FaultDescription(
            "forget gate", "the input gate is used in the place of the forget gate"
        ),
        Fault("cell", "forget plus one"): FaultDescription(
            "forget gate", "1 is added to the forget gate after its activation, not before"
        ),
        Fault("cell", "forget inverted"): FaultDescription("forget gate", "1 - f is used in the place of f"),
        Fault("cell", "input unused"): FaultDescription("input gate", "the input gate is not used"),
        Fault("cell", "input by output"): FaultDescription(
            "input gate", "the output gate is used in the place of the input gate"
        ),
        Fault("cell", "candidate added"): FaultDescription(
            "cell state", "input gate and candidate are added, not multiplied"
        ),
        Fault("cell", "candidate dropped"): FaultDescription(
            "cell state", "the candidate is not written into the cell state"
        ),
        Fault("cell", "candidate subtracted"): FaultDescription(
            "cell state", "the candidate is subtracted from the cell state"
        ),
        Fault("cell", "old dropped"): FaultDescription("cell state", "the old cell state is left out of the new one"),
        Fault("cell", "squashed"): FaultDescription(
            "cell state", "tanh is applied to the cell state before it is kept"
        ),
        Fault("output", "old cell"): FaultDescription(
            "hidden state", "the hidden state is made from the old cell state"
        ),
        Fault("output", "candidate"): FaultDescription("hidden state", "the hidden state is made from the candidate"),
        Fault("output", "activation outside"): FaultDescription(
            "hidden state", "tanh is applied after the output gate, not before"
        ),
        Fault("output", "gate unused"): FaultDescription("output gate", "the output gate is not used"),
    },
}


_MAY_BE_MEANT = frozenset([Fault("output", "residual")])
"""Faults that make another cell which people use on purpose: they refute only what should be the cell without them."""
_LINEAR_STATE = Fault("", "as identity")
"""A simple RNN without an activation: people use one as a cell; beside a read-out of its own it was forgotten."""


def may_be_meant(model: CellModel, has_read_out: bool) -> bool:
    """Say whether all faults of a cell may be there on purpose.

    Args:
        model: The cell, with its faults.
        has_read_out: Whether a step gives an output besides its states.
    """
    meant = _MAY_BE_MEANT if model.family != "rnn" or has_read_out else {*_MAY_BE_MEANT, _LINEAR_STATE}
    return bool(model.faults) and meant.issuperset(model.faults)


def candidate_faults(model: CellModel) -> Iterator[Fault]:
    """List the single faults that a cell may have, likely ones first.

    Args:
        model: The right cell.
    """
    for fault in (*_STRUCTURE[model.family], *_STRUCTURE["any"]):
        if _is_possible(model, fault):
            yield fault
    if model.family == "lstm":
        yield from (Fault("output", f"as {name}") for name in ACTIVATIONS if name != model.output)
    for letter in model.letters:
        yield from (Fault(letter, f"{term} {change}") for term, change in _term_changes(model, letter))
        right = model.activation_name(letter)
        yield from (Fault(letter, f"as {name}") for name in ACTIVATIONS if name != right)
        yield from (
            Fault(letter, f"bias of {source_letter}") for source_letter in model.letters if source_letter != letter
        )
        if model.family == "lstm":
            yield Fault(letter, "recurrent from cell")


def _is_possible(model: CellModel, fault: Fault) -> bool:
    """Whether a cell has what a fault of its structure concerns."""
    if fault.change in ("on everything", "on the input", "not on the bias"):
        return model.reset == "after"
    if fault.change == "recurrent weights skipped":
        return model.reset == "before"
    about_forget = fault.where == "cell" and (fault.change.startswith("forget") or fault.change == "input coupled")
    if fault == Fault("cell", "forget by input"):
        return model.forget != "none"
    return not about_forget or model.forget == "own"


def _term_changes(model: CellModel, letter: str) -> Iterator[tuple[str, str]]:
    """The terms of a gate's sum, each with what may be wrong with it."""
    for term in ("bias", "recurrent", "input"):
        yield from ((term, change) for change in ("dropped", "negated", "doubled"))
    yield "recurrent", "transposed"
    if letter == "g" and model.family == "gru" and model.reset == "after":
        yield from (("inner bias", change) for change in ("dropped", "negated", "doubled"))
    if letter in PEEPHOLE_GATES and model.peephole:
        yield from (("peephole", change) for change in ("dropped", "negated", "transposed"))


def describe_fault(model: CellModel, fault: Fault) -> FaultDescription:
    """Describe a fault.

    Args:
        model: The cell that has it.
        fault: A mistake in one place of a cell.
    """
    for family in (model.family, "any"):
        if fault in _STRUCTURE[family]:
            return _STRUCTURE[family][fault]
    if fault.where == "output":
        actual, right = (ACTIVATIONS[name].wording for name in (fault.change[3:], model.output))
        difference = f"the cell state goes through {actual} in the place of {right}"
        return FaultDescription("hidden state, activation", difference)
    gate = GATE_NAMES[fault.where]
    if fault.change.startswith("as "):
        actual = ACTIVATIONS[fault.change[3:]].wording
        right = ACTIVATIONS[model.activation_name(fault.where)].wording
        return FaultDescription(f"{gate}, activation", f"the {gate} has {actual} in the place of {right}")
    if fault.change.startswith("bias of "):
        source = GATE_NAMES[fault.change.removeprefix("bias of ")]
        return FaultDescription(f"{gate}, bias", f"the {gate} has the bias of the {source}")
    if fault.change == "recurrent from cell":
        difference = f"the recurrent weights of the {gate} see the cell state"
        return FaultDescription(f"{gate}, recurrent weights", difference)
    term, _, change = fault.change.rpartition(" ")
    words = _TERMS[term]
    verb = "are" if words.endswith("weights") else "is"
    return FaultDescription(f"{gate}, {words}", f"the {words} of the {gate} {verb} {_CHANGES[change]}")
