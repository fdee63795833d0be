"""A recurrent cell as a set of features, with the faults that it may have: what a target is compared with.

It says which features a target shows; whether the target is right, the equations of a spec decide.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from rnn_harness.array_types import Array
from rnn_harness.families import FAMILIES
from rnn_harness.subjects.parameter_role import ParameterKind, ParameterRole
from rnn_harness.validation.cells.activations import ACTIVATIONS

Arrays = Mapping[str, Array]
Term = Array | float
"""A summand of a gate: an array (B, d), or a number where the parameter is absent."""
BlockKind = Literal["x", "h", "b"]
"""What a block of parameters may be by its shape: input weights, recurrent weights, or a vector."""
PEEPHOLE_GATES = ("i", "f", "o")


@dataclass(frozen=True, order=True)
class Fault:
    """One mistake in a cell.

    Attributes:
        where: A gate's letter, or ``reset``, ``update``, ``cell``, ``output`` or ``state``.
        change: What is wrong there, such as ``bias dropped``; `rnn_harness.validation.diagnosis.faults` lists them.
    """

    where: str
    change: str


@dataclass(frozen=True)
class CellModel:
    """The features of a cell.

    Attributes:
        family: ``rnn``, ``gru`` or ``lstm``.
        gate: The activation of the gates.
        candidate: The activation of the candidate; of a simple RNN, that of the state.
        output: The activation through which an LSTM's cell state goes.
        update: What an open update gate of a GRU does with the state: ``keep`` or ``write``.
        reset: Whether a GRU's reset gate acts ``before`` or ``after`` the recurrent product.
        forget: The forget gate of an LSTM: ``own``, ``none``, ``coupled`` (1 - i stands for it) or ``coupling`` (1 - f
            stands for the input gate).
        offset: What is added to the forget gate before its activation.
        peephole: The peepholes of an LSTM: none (empty), ``full`` or ``diagonal``.
        peephole_state: The cell state that the output gate's peephole reads, ``new`` or ``old``.
        clip: The limit within which the arguments of gates and candidate stay, 0 for none.
        cell_clip: The limit within which the cell state stays, 0 for none.
        faults: The mistakes.
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
    peephole_state: str = "new"
    clip: float = 0.0
    cell_clip: float = 0.0
    faults: tuple[Fault, ...] = ()

    @property
    def letters(self) -> tuple[str, ...]:
        """The letters of the gates and the candidate that have parameters."""
        absent = {"own": (), "coupling": ("i",)}.get(self.forget, ("f",))
        return tuple(letter for letter in FAMILIES[self.family].gates if letter not in absent)

    @property
    def state_names(self) -> tuple[str, ...]:
        """The names of the states."""
        return FAMILIES[self.family].states

    def activation_name(self, letter: str) -> str:
        """Return the name of a gate's activation, or of the candidate's.

        Args:
            letter: The gate's letter.
        """
        return self.candidate if letter in ("g", "") else self.gate

    def parameter_names(self, kind: BlockKind) -> tuple[str, ...]:
        """Return the reference's names that a block of a kind may have.

        Args:
            kind: What the block is by its shape. A full peephole has the shape of recurrent weights.
        """
        peepholes = self._names(ParameterKind.PEEPHOLE, PEEPHOLE_GATES)
        if kind == "x":
            return self._names(ParameterKind.INPUT)
        if kind == "h":
            return self._names(ParameterKind.RECURRENT) + (peepholes if self.peephole == "full" else ())
        inner = ("b_hg",) if self.family == "gru" and self.reset == "after" else ()
        return self._names(ParameterKind.BIAS) + inner + (peepholes if self.peephole == "diagonal" else ())

    def _names(self, kind: ParameterKind, letters: tuple[str, ...] | None = None) -> tuple[str, ...]:
        chosen = (letter for letter in self.letters if letters is None or letter in letters)
        return tuple(ParameterRole(kind, letter).name for letter in chosen)

    def run(self, parameters: Arrays, inputs: Array, states: tuple[Array, ...]) -> tuple[Array, tuple[Array, ...]]:
        """Run the cell over a sequence.

        Args:
            parameters: Arrays by the reference's names; one that is absent counts as zero.
            inputs: (T, B, n).
            states: One array (B, d) for each of `state_names`.

        Returns:
            The hidden states (T, B, d) and the final states, each (B, d).
        """
        return CellModelRun(self, parameters).run(inputs, states)


def _as_array(value: Term, shaped: Array) -> Array:
    """Turn a sum of terms into an array, also where every parameter of it is absent."""
    if isinstance(value, np.ndarray) and value.shape == shaped.shape:
        return value
    array: Array = np.zeros_like(shaped) + value
    return array


def _replaced_activation(faults: tuple[Fault, ...], where: str, right: str) -> str:
    """The name of the activation that a fault puts in a place; `right` where no fault does."""
    return next(
        (fault.change[3:] for fault in faults if fault.where == where and fault.change.startswith("as ")), right
    )


class CellModelRun:
    """A cell model with its parameters, ready to run.

    Args:
        model: The features of the cell, with its faults.
        parameters: The parameters that it has, by the reference's names; a bias that is not there counts as zero.
    """

    def __init__(self, model: CellModel, parameters: Arrays) -> None:
        self.model, self.parameters = model, parameters
        self.faults = frozenset((fault.where, fault.change) for fault in model.faults)
        self.activations, self.biases = {}, {}
        letters = FAMILIES[model.family].gates
        for letter in letters:
            name = _replaced_activation(model.faults, letter, model.activation_name(letter))
            self.activations[letter] = ACTIVATIONS[name].apply
            source = next((other for other in letters if self.has(letter, f"bias of {other}")), letter)
            self.biases[letter] = parameters.get(ParameterRole(ParameterKind.BIAS, source).name, 0.0)

    def has(self, where: str, change: str) -> bool:
        """Say whether the model has a mistake.

        Args:
            where: The place of a `Fault`.
            change: What is wrong there, as in `Fault`.
        """
        return (where, change) in self.faults

    def run(self, inputs: Array, states: tuple[Array, ...]) -> tuple[Array, tuple[Array, ...]]:
        """Run over a sequence, as `CellModel.run` does.

        Args:
            inputs: (T, B, n).
            states: The initial states (B, d), in the order of the model's state names.

        Returns:
            The hidden states (T, B, d), and the last states (B, d).
        """
        first = self._first_states(states)
        steps = reversed(range(len(inputs))) if self.has("state", "reversed") else range(len(inputs))
        outputs = np.empty((len(inputs), *states[0].shape))
        step = {"rnn": self._rnn, "gru": self._gru, "lstm": self._lstm}[self.model.family]
        current, before = first, first[0]
        for t in steps:
            previous = first if self.has("state", "not carried") else current
            x = inputs[max(t - 1, 0)] if self.has("state", "input late") else inputs[t]
            recurrent = before if self.has("state", "late") else previous[0]
            new = step(x, previous, recurrent)
            if self.has("output", "residual"):
                new = (new[0] + previous[0], *new[1:])
            before, current = previous[0], new
            outputs[t] = current[0]
        return outputs, current

    def _first_states(self, states: tuple[Array, ...]) -> tuple[Array, ...]:
        """The initial states as the faults have them."""
        first = tuple(np.zeros_like(state) for state in states) if self.has("state", "ignored") else states
        if self.has("state", "exchanged"):
            first = first[::-1]
        if self.has("state", "cell ignored"):
            first = (first[0], np.zeros_like(first[1]))
        return first

    def _term(self, letter: str, term: str, value: Term) -> Term:
        """One term of a gate's sum, as the faults have it."""
        if not self.faults:
            return value
        if self.has(letter, f"{term} dropped"):
            return 0.0
        if self.has(letter, f"{term} negated"):
            return -value
        return 2 * value if self.has(letter, f"{term} doubled") else value

    def _product(self, name: str, vector: Array, letter: str = "", term: str = "") -> Term:
        weight = self.parameters.get(name)
        if weight is None:
            return 0.0
        transposed = self.has(letter, f"{term} transposed") and weight.shape[0] == weight.shape[1]
        product: Array = vector @ (weight if transposed else weight.T)
        return product

    def _sum(self, letter: str, x: Array, h: Array, c: Array | None = None, peek: Array | None = None) -> Array:
        """A gate before its activation. `c`: the old cell state; `peek`: the cell state that its peephole reads."""
        source = c if c is not None and self.has(letter, "recurrent from cell") else h
        total = self._term(letter, "input", self._product(f"W_x{letter}", x))
        total = total + self._term(letter, "recurrent", self._product(f"W_h{letter}", source, letter, "recurrent"))
        total = total + self._term(letter, "bias", self.biases[letter])
        weight = self.parameters.get(f"W_c{letter}")
        if weight is not None and peek is not None:
            product = peek * weight if weight.ndim == 1 else self._product(f"W_c{letter}", peek, letter, "peephole")
            total = total + self._term(letter, "peephole", product)
        return _as_array(total, h)

    def _apply(self, letter: str, total: Array) -> Array:
        limit = self.model.clip
        return self.activations[letter](np.clip(total, -limit, limit) if limit else total)

    def _rnn(self, x: Array, states: tuple[Array, ...], recurrent: Array) -> tuple[Array, ...]:
        return (self._apply("", self._sum("", x, recurrent)),)

    def _gru(self, x: Array, states: tuple[Array, ...], recurrent: Array) -> tuple[Array, ...]:
        (h,), model = states, self.model
        r = self._apply("r", self._sum("r", x, recurrent))
        z = self._apply("z", self._sum("z", x, recurrent))
        if self.has("reset", "unused"):
            r = np.ones_like(r)
        if self.has("reset", "by update gate"):
            r = z
        if self.has("reset", "inverted"):
            r = 1 - r
        g = self._apply("g", self._candidate(x, h, r))
        state_weight, candidate_weight = (z, 1 - z) if model.update == "keep" else (1 - z, z)
        faulty_state_weight = self._weight("state", state_weight, candidate_weight)
        # A state that has the candidate's weight already leaves the candidate nothing to exchange it for.
        shared = self.has("update", "state by candidate's weight")
        new = self._weight("candidate", candidate_weight, candidate_weight if shared else faulty_state_weight)
        return (faulty_state_weight * (r * h if self.has("update", "reset state kept") else h) + new * g,)

    def _weight(self, part: str, right: Array, exchanged: Array) -> Array:
        """The weight of the old state or of the candidate, as the faults have it."""
        if self.has("update", f"{part} dropped"):
            return np.zeros_like(right)
        if self.has("update", f"{part} whole"):
            return np.ones_like(right)
        faults = {"state": "state by candidate's weight", "candidate": "candidate by state's weight"}
        return exchanged if self.has("update", faults[part]) else right

    def _candidate(self, x: Array, h: Array, r: Array) -> Array:
        total = self._term("g", "input", self._product("W_xg", x)) + self._term("g", "bias", self.biases["g"])
        if self.model.reset == "before":
            if self.has("reset", "recurrent weights skipped"):
                return _as_array(total + r * h, h)
            inner = self._product("W_hg", r * h, "g", "recurrent")
            return _as_array(total + self._term("g", "recurrent", inner), h)
        inner = self._term("g", "recurrent", self._product("W_hg", h, "g", "recurrent"))
        bias = self._term("g", "inner bias", self.parameters.get("b_hg", 0.0))
        if self.has("reset", "on everything"):
            return _as_array(r * (total + inner + bias), h)
        if self.has("reset", "on the input"):
            return _as_array(r * total + inner + bias, h)
        if self.has("reset", "not on the bias"):
            return _as_array(total + r * inner + bias, h)
        return _as_array(total + r * (inner + bias), h)

    def _lstm(self, x: Array, states: tuple[Array, ...], recurrent: Array) -> tuple[Array, ...]:
        (_, c), model = states, self.model
        recurrent = c if self.has("state", "cell for hidden") else recurrent
        g = self._apply("g", self._sum("g", x, recurrent, c))
        i, f = self._input_and_forget(x, recurrent, c)
        for fault, value in (("forget unused", np.ones_like(f)), ("forget coupled", 1 - i), ("forget by input", i)):
            f = value if self.has("cell", fault) else f
        f = f + 1 if self.has("cell", "forget plus one") else f
        f = 1 - f if self.has("cell", "forget inverted") else f
        i = 1 - f if self.has("cell", "input coupled") else i
        o_early = self._apply("o", self._sum("o", x, recurrent, c, c))
        i = np.ones_like(i) if self.has("cell", "input unused") else i
        i = o_early if self.has("cell", "input by output") else i
        new = self._cell(f, c, i, g)
        o = o_early if model.peephole_state == "old" else self._apply("o", self._sum("o", x, recurrent, c, new))
        return self._hidden(o, c, new, g), new

    def _input_and_forget(self, x: Array, h: Array, c: Array) -> tuple[Array, Array]:
        forget = self.model.forget
        if forget in ("own", "coupling"):
            f = self._apply("f", self._sum("f", x, h, c, c) + self.model.offset)
            return (1 - f if forget == "coupling" else self._apply("i", self._sum("i", x, h, c, c))), f
        i = self._apply("i", self._sum("i", x, h, c, c))
        return i, np.ones_like(i) if forget == "none" else 1 - i

    def _cell(self, f: Array, c: Array, i: Array, g: Array) -> Array:
        written = i + g if self.has("cell", "candidate added") else i * g
        if self.has("cell", "candidate dropped"):
            written = np.zeros_like(written)
        retained = np.zeros_like(c) if self.has("cell", "old dropped") else f * c
        new = retained - written if self.has("cell", "candidate subtracted") else retained + written
        new = np.tanh(new) if self.has("cell", "squashed") else new
        limit = self.model.cell_clip
        clipped: Array = np.clip(new, -limit, limit) if limit else new
        return clipped

    def _hidden(self, o: Array, c: Array, new: Array, g: Array) -> Array:
        source = c if self.has("output", "old cell") else g if self.has("output", "candidate") else new
        activation = ACTIVATIONS[_replaced_activation(self.model.faults, "output", self.model.output)]
        if self.has("output", "activation outside"):
            return activation.apply(o * source)
        activated = activation.apply(source)
        return activated if self.has("output", "gate unused") else o * activated
