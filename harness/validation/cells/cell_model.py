"""A recurrent cell drawn by its features: what a target may be, and the mistakes that it may have, as data.

It says which features a target shows; whether the target is right, the equations of a spec decide.

Dimension legend: T time steps, B batch rows, n input size, d hidden size.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from rnn_harness.array_types import Array
from rnn_harness.validation.cells.activations import ACTIVATIONS

Arrays = Mapping[str, Array]
LETTERS = {"rnn": ("",), "gru": ("r", "z", "g"), "lstm": ("i", "f", "o", "g")}


@dataclass(frozen=True, order=True)
class Fault:
    """One mistake. `where`: a gate's letter, ``reset``, ``update``, ``cell``, ``output`` or ``state``."""

    where: str
    what: str


@dataclass(frozen=True)
class CellModel:
    """`family`: rnn, gru or lstm. `gate`, `candidate`, `output`: activations of the gates, of the candidate (of a plain
    RNN: of the state) and of the cell state. `update`, `reset`: of a GRU. `forget`: of an LSTM, ``own``, ``none``,
    ``coupled`` (1 - i stands in its place) or ``coupling`` (1 - f stands in the place of the input gate). `offset`:
    what is added to the forget gate before its activation. `peephole`: empty, ``full`` or ``diagonal``; `seen`: which
    cell state the output gate's peephole sees, ``new`` or ``old``. `clip`: what the arguments of gates and candidate
    are kept within, 0 for no limit; `cell_clip`: the same for the cell state.
    """

    family: str
    gate: str = "sigmoid"
    candidate: str = "tanh"
    output: str = "tanh"
    update: str = "keep"
    reset: str = "before"
    forget: str = "own"
    offset: float = 0.0
    peephole: str = ""
    seen: str = "new"
    clip: float = 0.0
    cell_clip: float = 0.0
    faults: tuple[Fault, ...] = ()

    @property
    def letters(self) -> tuple[str, ...]:
        """The gates and the candidate."""
        absent = {"own": "", "coupling": "i"}.get(self.forget, "f")
        return tuple(one for one in LETTERS[self.family] if one != absent or not absent)

    @property
    def state_names(self) -> tuple[str, ...]:
        return ("h", "c") if self.family == "lstm" else ("h",)

    def roles(self, kind: str) -> tuple[str, ...]:
        """The reference's names that a slot of that kind may have."""
        if kind in ("x", "h"):
            own = tuple(f"W_{kind}{letter}" for letter in self.letters)
            full = tuple(f"W_c{letter}" for letter in self.letters if letter in "ifo" and letter)
            return own + (full if kind == "h" and self.peephole == "full" else ())
        own = tuple(f"b_{letter}" if letter else "b" for letter in self.letters)
        inner = ("b_hg",) if self.family == "gru" and self.reset == "after" else ()
        diagonal = tuple(f"W_c{letter}" for letter in self.letters if letter in "ifo" and letter)
        return own + inner + (diagonal if self.peephole == "diagonal" else ())

    def run(self, parameters: Arrays, inputs: Array, states: tuple[Array, ...]) -> tuple[Array, tuple[Array, ...]]:
        """(hidden states (T, B, d), final states (B, d)). Parameters that are absent are zero."""
        return CellModelRun(self, parameters).run(inputs, states)


def _spread(value: Any, like: Array) -> Array:
    """A sum in which absent parameters left numbers, as an array."""
    if isinstance(value, np.ndarray) and value.shape == like.shape:
        return value
    spread: Array = np.zeros_like(like) + value
    return spread


class CellModelRun:
    """Runs a sketch with some parameters."""

    def __init__(self, model: CellModel, parameters: Arrays) -> None:
        self.model, self.parameters = model, parameters
        self.faults = frozenset((edit.where, edit.what) for edit in model.faults)
        self.activations, self.biases = {}, {}
        for letter in LETTERS[model.family]:
            usual = model.candidate if letter in ("g", "") else model.gate
            own = (what[3:] for where, what in self.faults if where == letter and what.startswith("as "))
            self.activations[letter] = ACTIVATIONS[next(own, usual)].apply
            source = next((one for one in LETTERS[model.family] if self.has(letter, f"bias of {one}")), letter)
            self.biases[letter] = parameters.get(f"b_{source}" if source else "b", 0.0)

    def has(self, where: str, what: str) -> bool:
        """Whether the sketch has that mistake."""
        return (where, what) in self.faults

    def run(self, inputs: Array, states: tuple[Array, ...]) -> tuple[Array, tuple[Array, ...]]:
        """As the sketch's."""
        now = tuple(np.zeros_like(one) for one in states) if self.has("state", "ignored") else states
        if self.has("state", "exchanged"):
            now = now[::-1]
        if self.has("state", "cell ignored"):
            now = (now[0], np.zeros_like(now[1]))
        steps = reversed(range(len(inputs))) if self.has("state", "reversed") else range(len(inputs))
        outputs = np.empty((len(inputs), *states[0].shape))
        step = {"rnn": self._rnn, "gru": self._gru, "lstm": self._lstm}[self.model.family]
        first, before = now, now[0]
        for t in steps:
            given = first if self.has("state", "not carried") else now
            x = inputs[max(t - 1, 0)] if self.has("state", "input late") else inputs[t]
            late = before if self.has("state", "late") else given[0]
            found = step(x, given, late)
            if self.has("output", "residual"):
                found = (found[0] + given[0], *found[1:])
            before, now = given[0], found
            outputs[t] = now[0]
        return outputs, now

    def _term(self, letter: str, term: str, value: Any) -> Any:
        """One term of a gate's sum, as the mistakes have it."""
        if not self.faults:
            return value
        if self.has(letter, f"{term} dropped"):
            return 0.0
        if self.has(letter, f"{term} negated"):
            return -value
        return 2 * value if self.has(letter, f"{term} doubled") else value

    def _product(self, name: str, vector: Array, letter: str = "", term: str = "") -> Any:
        weight = self.parameters.get(name)
        if weight is None:
            return 0.0
        turned = self.has(letter, f"{term} transposed") and weight.shape[0] == weight.shape[1]
        return vector @ (weight if turned else weight.T)

    def _sum(self, letter: str, x: Array, h: Array, c: Array | None = None, peek: Array | None = None) -> Array:
        """A gate before its activation. `c`: the cell state; `peek`: the one its peephole sees."""
        source = c if c is not None and self.has(letter, "recurrent from cell") else h
        total = self._term(letter, "input", self._product(f"W_x{letter}", x))
        total = total + self._term(letter, "recurrent", self._product(f"W_h{letter}", source, letter, "recurrent"))
        total = total + self._term(letter, "bias", self.biases[letter])
        weight = self.parameters.get(f"W_c{letter}")
        if weight is not None and peek is not None:
            seen = peek * weight if weight.ndim == 1 else self._product(f"W_c{letter}", peek, letter, "peephole")
            total = total + self._term(letter, "peephole", seen)
        return _spread(total, h)

    def _apply(self, letter: str, total: Array) -> Array:
        limit = self.model.clip
        return self.activations[letter](np.clip(total, -limit, limit) if limit else total)

    def _rnn(self, x: Array, states: tuple[Array, ...], late: Array) -> tuple[Array, ...]:
        return (self._apply("", self._sum("", x, late)),)

    def _gru(self, x: Array, states: tuple[Array, ...], late: Array) -> tuple[Array, ...]:
        (h,), model = states, self.model
        r = self._apply("r", self._sum("r", x, late))
        z = self._apply("z", self._sum("z", x, late))
        if self.has("reset", "unused"):
            r = np.ones_like(r)
        if self.has("reset", "by update gate"):
            r = z
        if self.has("reset", "inverted"):
            r = 1 - r
        g = self._apply("g", self._candidate(x, h, r))
        own, new = (z, 1 - z) if model.update == "keep" else (1 - z, z)
        own = self._weight("state", own, new)
        new = self._weight("candidate", new, own if not self.has("update", "state by candidate's weight") else new)
        return (own * (r * h if self.has("update", "reset state kept") else h) + new * g,)

    def _weight(self, what: str, own: Array, other: Array) -> Array:
        if self.has("update", f"{what} dropped"):
            return np.zeros_like(own)
        if self.has("update", f"{what} whole"):
            return np.ones_like(own)
        names = {"state": "state by candidate's weight", "candidate": "candidate by state's weight"}
        return other if self.has("update", names[what]) else own

    def _candidate(self, x: Array, h: Array, r: Array) -> Array:
        total = self._term("g", "input", self._product("W_xg", x)) + self._term("g", "bias", self.biases["g"])
        if self.model.reset == "before":
            if self.has("reset", "recurrent weights skipped"):
                return _spread(total + r * h, h)
            inner = self._product("W_hg", r * h, "g", "recurrent")
            return _spread(total + self._term("g", "recurrent", inner), h)
        inner = self._term("g", "recurrent", self._product("W_hg", h, "g", "recurrent"))
        bias = self._term("g", "inner bias", self.parameters.get("b_hg", 0.0))
        if self.has("reset", "on everything"):
            return _spread(r * (total + inner + bias), h)
        if self.has("reset", "not on the bias"):
            return _spread(total + r * inner + bias, h)
        return _spread(total + r * (inner + bias), h)

    def _lstm(self, x: Array, states: tuple[Array, ...], late: Array) -> tuple[Array, ...]:
        (_, c), model = states, self.model
        g = self._apply("g", self._sum("g", x, late, c))
        i, f = self._input_and_forget(x, late, c)
        for what, value in (("forget unused", np.ones_like(f)), ("forget coupled", 1 - i), ("forget by input", i)):
            f = value if self.has("cell", what) else f
        f = 1 - f if self.has("cell", "forget inverted") else f
        i = 1 - f if self.has("cell", "input coupled") else i
        o_early = self._apply("o", self._sum("o", x, late, c, c))
        i = np.ones_like(i) if self.has("cell", "input unused") else i
        i = o_early if self.has("cell", "input by output") else i
        new = self._cell(f, c, i, g)
        o = o_early if model.seen == "old" else self._apply("o", self._sum("o", x, late, c, new))
        return self._hidden(o, c, new, g), new

    def _input_and_forget(self, x: Array, h: Array, c: Array) -> tuple[Array, Array]:
        kind = self.model.forget
        if kind in ("own", "coupling"):
            f = self._apply("f", self._sum("f", x, h, c, c) + self.model.offset)
            return (1 - f if kind == "coupling" else self._apply("i", self._sum("i", x, h, c, c))), f
        i = self._apply("i", self._sum("i", x, h, c, c))
        return i, np.ones_like(i) if kind == "none" else 1 - i

    def _cell(self, f: Array, c: Array, i: Array, g: Array) -> Array:
        written = i + g if self.has("cell", "candidate added") else i * g
        if self.has("cell", "candidate dropped"):
            written = np.zeros_like(written)
        kept = np.zeros_like(c) if self.has("cell", "old dropped") else f * c
        new = kept - written if self.has("cell", "candidate subtracted") else kept + written
        new = np.tanh(new) if self.has("cell", "squashed") else new
        limit = self.model.cell_clip
        kept_within: Array = np.clip(new, -limit, limit) if limit else new
        return kept_within

    def _hidden(self, o: Array, c: Array, new: Array, g: Array) -> Array:
        source = c if self.has("output", "old cell") else g if self.has("output", "candidate") else new
        own = (what[3:] for where, what in self.faults if where == "output" and what.startswith("as "))
        activation = ACTIVATIONS[next(own, self.model.output)]
        if self.has("output", "activation outside"):
            return activation.apply(o * source)
        shown = activation.apply(source)
        return shown if self.has("output", "gate unused") else o * shown
