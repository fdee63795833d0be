"""The mistakes that a cell is searched for, in words: which part is at fault, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Iterator

from rnn_harness.validation.cells.activations import ACTIVATIONS
from rnn_harness.validation.cells.cell_model import CellModel, Fault

NAMES = {
    "r": "reset gate",
    "z": "update gate",
    "g": "candidate",
    "i": "input gate",
    "f": "forget gate",
    "o": "output gate",
    "": "state",
}
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
_STRUCTURE: dict[str, dict[Fault, tuple[str, str]]] = {
    "any": {
        Fault("state", "ignored"): ("initial state", "the initial state is not used"),
        Fault("state", "not carried"): ("state", "every step starts from the initial state"),
        Fault("state", "late"): ("recurrent input", "the gates see the state of two steps before"),
        Fault("state", "reversed"): ("time", "the steps are taken in reverse order"),
        Fault("output", "residual"): ("state", "the old state is added to the new one"),
        Fault("state", "input late"): ("input", "the input comes one step late"),
    },
    "rnn": {},
    "gru": {
        Fault("reset", "unused"): ("reset gate", "the reset gate is not used"),
        Fault("reset", "by update gate"): ("reset gate", "the update gate is used in the place of the reset gate"),
        Fault("reset", "inverted"): ("reset gate", "1 - r is used in the place of r"),
        Fault("reset", "on everything"): (
            "reset gate",
            "the reset gate multiplies the whole argument of the candidate, the input too",
        ),
        Fault("reset", "not on the bias"): (
            "candidate, recurrent bias",
            "the recurrent bias of the candidate is added outside the reset gate",
        ),
        Fault("reset", "recurrent weights skipped"): (
            "candidate, recurrent weights",
            "the reset state is added without the candidate's recurrent weights",
        ),
        Fault("update", "state dropped"): ("update", "the old state is left out of the new one"),
        Fault("update", "state whole"): ("update", "the old state is added whole, without the update gate"),
        Fault("update", "candidate whole"): ("update", "the candidate is added whole, without the update gate"),
        Fault("update", "state by candidate's weight"): ("update", "old state and candidate have the same weight"),
        Fault("update", "candidate by state's weight"): ("update", "candidate and old state have the same weight"),
        Fault("update", "reset state kept"): ("update", "the reset state is kept in the place of the state"),
    },
    "lstm": {
        Fault("state", "exchanged"): ("initial states", "hidden state and cell state are exchanged"),
        Fault("state", "cell ignored"): ("initial cell state", "the initial cell state is not used"),
        Fault("cell", "forget unused"): ("forget gate", "the forget gate is not used"),
        Fault("cell", "forget coupled"): ("forget gate", "1 - i is used in the place of the forget gate"),
        Fault("cell", "input coupled"): ("input gate", "1 - f is used in the place of the input gate"),
        Fault("cell", "forget by input"): ("forget gate", "the input gate is used in the place of the forget gate"),
        Fault("cell", "forget inverted"): ("forget gate", "1 - f is used in the place of f"),
        Fault("cell", "input unused"): ("input gate", "the input gate is not used"),
        Fault("cell", "input by output"): ("input gate", "the output gate is used in the place of the input gate"),
        Fault("cell", "candidate added"): ("cell state", "input gate and candidate are added, not multiplied"),
        Fault("cell", "candidate dropped"): ("cell state", "the candidate is not written into the cell state"),
        Fault("cell", "candidate subtracted"): ("cell state", "the candidate is subtracted from the cell state"),
        Fault("cell", "old dropped"): ("cell state", "the old cell state is left out of the new one"),
        Fault("cell", "squashed"): ("cell state", "tanh is applied to the cell state before it is kept"),
        Fault("output", "old cell"): ("hidden state", "the hidden state is made from the old cell state"),
        Fault("output", "candidate"): ("hidden state", "the hidden state is made from the candidate"),
        Fault("output", "activation outside"): ("hidden state", "tanh is applied after the output gate, not before"),
        Fault("output", "gate unused"): ("output gate", "the output gate is not used"),
    },
}


def candidate_faults(model: CellModel) -> Iterator[Fault]:
    """The single mistakes that a cell of that kind may have, likely ones first."""
    for edit in (*_STRUCTURE[model.family], *_STRUCTURE["any"]):
        if edit.what == "on everything" and model.reset != "after":
            continue
        if edit.what == "not on the bias" and model.reset != "after":
            continue
        if edit.what == "recurrent weights skipped" and model.reset != "before":
            continue
        coupling = edit.what.startswith("forget") or edit.what == "input coupled"
        if edit.where == "cell" and coupling and model.forget != "own":
            continue
        yield edit
    if model.family == "lstm":
        yield from (Fault("output", f"as {name}") for name in ACTIVATIONS if name != model.output)
    for letter in model.letters:
        yield from (Fault(letter, f"{term} {change}") for term, change in _terms(model, letter))
        usual = model.candidate if letter in ("g", "") else model.gate
        yield from (Fault(letter, f"as {name}") for name in ACTIVATIONS if name != usual)
        yield from (Fault(letter, f"bias of {other}") for other in model.letters if other != letter)
        if model.family == "lstm":
            yield Fault(letter, "recurrent from cell")


def _terms(model: CellModel, letter: str) -> Iterator[tuple[str, str]]:
    for term in ("bias", "recurrent", "input"):
        yield from ((term, change) for change in ("dropped", "negated", "doubled"))
    yield "recurrent", "transposed"
    if letter == "g" and model.family == "gru" and model.reset == "after":
        yield from (("inner bias", change) for change in ("dropped", "negated", "doubled"))
    if letter in ("i", "f", "o") and model.peephole:
        yield from (("peephole", change) for change in ("dropped", "negated", "transposed"))


def describe_fault(model: CellModel, edit: Fault) -> tuple[str, str]:
    """(the part at fault, what is wrong with it)."""
    for family in (model.family, "any"):
        if edit in _STRUCTURE[family]:
            return _STRUCTURE[family][edit]
    if edit.where == "output":
        own, usual = (ACTIVATIONS[one].wording for one in (edit.what[3:], model.output))
        return "hidden state, activation", f"the cell state goes through {own} in the place of {usual}"
    name = NAMES[edit.where]
    if edit.what.startswith("as "):
        usual = model.candidate if edit.where in ("g", "") else model.gate
        wording = ACTIVATIONS[edit.what[3:]].wording
        return f"{name}, activation", f"the {name} has {wording} in the place of {ACTIVATIONS[usual].wording}"
    if edit.what.startswith("bias of "):
        other = NAMES[edit.what.removeprefix("bias of ")]
        return f"{name}, bias", f"the {name} has the bias of the {other}"
    if edit.what == "recurrent from cell":
        return f"{name}, recurrent weights", f"the recurrent weights of the {name} see the cell state"
    term, _, change = edit.what.rpartition(" ")
    plural = "are" if _TERMS[term].endswith("s") and term != "bias" else "is"
    return f"{name}, {_TERMS[term]}", f"the {_TERMS[term]} of the {name} {plural} {_CHANGES[change]}"
