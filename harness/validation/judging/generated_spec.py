"""A spec for a cell that no shipped spec has: its equations, written from its features.

Dimension legend: n input size, d hidden size.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from rnn_harness.specs import Spec, parse_spec
from rnn_harness.specs.schema import Equation
from rnn_harness.validation.cells.activations import ACTIVATIONS, ARGUMENT
from rnn_harness.validation.cells.cell_model import CellModel

_TITLES = {"rnn": "simple RNN", "gru": "GRU", "lstm": "LSTM"}


def _latex(name: str) -> str:
    head, _, tail = name.partition("_")
    return f"{head}_{{{tail}}}" if tail else head


def _clipped(argument: str, clip: float) -> str:
    if not clip:
        return argument
    limit = np.format_float_positional(clip, trim="0")
    relu = r"\operatorname{relu}"
    return f"({relu}({argument} + {limit}) - {relu}({argument} - {limit}) - {limit})"


def _applied(activation: str, argument: str, clip: float = 0.0) -> str:
    argument = _clipped(argument, clip)
    return ACTIVATIONS[activation].written.replace(ARGUMENT, argument)


class _Writer:
    """Writes one sketch with the parameters that the target has."""

    def __init__(self, model: CellModel, names: frozenset[str]) -> None:
        self.model, self.names = model, names

    def _bias(self, name: str) -> str:
        return f" + {_latex(name)}" if name in self.names else ""

    def _sum(self, letter: str, seen: str = "c_{t-1}") -> str:
        text = f"{_latex(f'W_x{letter}')} x_t + {_latex(f'W_h{letter}')} h_{{t-1}}"
        if f"W_c{letter}" in self.names:
            product = r" \odot " if self.model.peephole == "diagonal" else " "
            text += f" + {_latex(f'W_c{letter}')}{product}{seen}"
        return text + self._bias(f"b_{letter}" if letter else "b")

    def equations(self) -> Iterator[str]:
        """The equations of one step; the last gives the hidden state."""
        yield from {"rnn": self._rnn, "gru": self._gru, "lstm": self._lstm}[self.model.family]()

    def _rnn(self) -> Iterator[str]:
        yield f"h_t = {_applied(self.model.candidate, self._sum(''), self.model.clip)}"

    def _gru(self) -> Iterator[str]:
        model = self.model
        for letter in "rz":
            yield f"{letter}_t = {_applied(model.gate, self._sum(letter), model.clip)}"
        own = f"W_{{xg}} x_t{self._bias('b_g')}"
        if model.reset == "before":
            total = rf"{own} + W_{{hg}} (r_t \odot h_{{t-1}})"
        else:
            total = rf"{own} + r_t \odot (W_{{hg}} h_{{t-1}}{self._bias('b_hg')})"
        yield f"g_t = {_applied(model.candidate, total, model.clip)}"
        kept, written = ("z_t", "(1 - z_t)") if model.update == "keep" else ("(1 - z_t)", "z_t")
        yield rf"h_t = {kept} \odot h_{{t-1}} + {written} \odot g_t"

    def _lstm(self) -> Iterator[str]:
        model = self.model
        if model.forget != "coupling":
            yield f"i_t = {_applied(model.gate, self._sum('i'), model.clip)}"
        if model.forget in ("own", "coupling"):
            offset = f" {'+' if model.offset > 0 else '-'} {abs(model.offset):.6f}" if model.offset else ""
            yield f"f_t = {_applied(model.gate, self._sum('f') + offset, model.clip)}"
        yield f"g_t = {_applied(model.candidate, self._sum('g'), model.clip)}"
        kept = {"none": "c_{t-1}", "coupled": r"(1 - i_t) \odot c_{t-1}"}.get(model.forget, r"f_t \odot c_{t-1}")
        written = r"(1 - f_t) \odot g_t" if model.forget == "coupling" else r"i_t \odot g_t"
        yield f"c_t = {_clipped(f'{kept} + {written}', model.cell_clip)}"
        peek = "c_t" if model.seen == "new" else "c_{t-1}"
        yield f"o_t = {_applied(model.gate, self._sum('o', peek), model.clip)}"
        yield rf"h_t = o_t \odot {_applied(model.output, 'c_t')}"


def alternative_update(model: CellModel, candidate: str) -> str | None:
    """The other common way to write a GRU's last equation; it rounds otherwise. `candidate`: its name in the spec."""
    if model.family != "gru":
        return None
    if model.update == "keep":
        return rf"h_t = {candidate}_t + z_t \odot (h_{{t-1}} - {candidate}_t)"
    return rf"h_t = h_{{t-1}} + z_t \odot ({candidate}_t - h_{{t-1}})"


def spec_text(model: CellModel, names: frozenset[str]) -> str:
    """The text of a spec file of a sketch whose parameters are `names`."""
    vectors = {name for name in names if name.startswith("b") or (name.startswith("W_c") and model.peephole != "full")}
    shapes = {name: "d" if name in vectors else "d n" if name.startswith("W_x") else "d d" for name in sorted(names)}
    declared = ", ".join(f'{name} = "{shape}"' for name, shape in shapes.items())
    states = ", ".join(f'{name} = "d"' for name in model.state_names)
    lines = [
        'id = "candidate"',
        f'title = "{_TITLES[model.family]}, as identified"',
        'inputs = { x = "n" }',
        f"states = {{ {states} }}",
        f"parameters = {{ {declared} }}",
    ]
    printed = list(_Writer(model, names).equations())
    other = alternative_update(model, "g")
    for number, text in enumerate([*printed, *([other] if other else [])], 1):
        alternative = "\nalternative = true" if number > len(printed) else ""
        lines.append(f"\n[[equations]]\nid = \"F-{number:03}\"\nline = {number}\nprinted = '{text}'{alternative}")
    return "\n".join(lines) + "\n"


def with_alternative_update(spec: Spec, model: CellModel) -> Spec:
    """A shipped spec of a GRU with the other way to write its last equation as an alternative, if it has none."""
    link = spec.reference
    if model.family != "gru" or link is None or any(one.alternative for one in spec.model.equations):
        return spec
    own = {kind: name for name, kind in link.trace.items()}
    state, gate, candidate = (_symbol(own[kind]) for kind in ("hidden_state", "update_gate", "candidate"))
    text = alternative_update(model, "g")
    assert text is not None, "a GRU has one"
    symbols = {"h_": f"{state}_", "z_": f"{gate}_", "g_": f"{candidate}_"}
    text = re.sub("|".join(symbols), lambda found: symbols[found[0]], text)
    equation = Equation(id="F-900", line=1, document="rewritten", printed=text, alternative=True)
    return replace(spec, model=spec.model.model_copy(update={"equations": (*spec.model.equations, equation)}))


def _symbol(name: str) -> str:
    head, _, tail = name.partition("_")
    return rf"\{tail}{{{head}}}" if tail else head


def alternative_ids(spec: Spec) -> tuple[str, ...]:
    """The equations that a candidate may compute in place of the printed ones."""
    return tuple(one.id for one in spec.model.equations if one.alternative and one.id[0] in "TF")


def generate_spec(model: CellModel, names: frozenset[str]) -> Spec:
    """The spec of a sketch, without a reference."""
    return parse_spec(spec_text(replace(model, faults=()), names), Path("candidate.toml"))
