"""A spec for a cell that no shipped spec has: its equations, written from its features."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from rnn_harness.families import FAMILIES
from rnn_harness.specs import Spec, parse_spec
from rnn_harness.specs.schema import Equation
from rnn_harness.subjects.parameter_role import ParameterKind, ParameterRole, parameter_role
from rnn_harness.validation.cells.activations import ACTIVATIONS, ARGUMENT
from rnn_harness.validation.cells.cell_model import CellModel

OFFSET_DIGITS = 6
"""The digits behind the point of what is added to a forget gate."""


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

    def _sum(self, letter: str, cell_state: str = "c_{t-1}") -> str:
        """The argument of a gate. `cell_state`: the one that its peephole reads."""
        text = f"{_latex(f'W_x{letter}')} x_t + {_latex(f'W_h{letter}')} h_{{t-1}}"
        if f"W_c{letter}" in self.names:
            product = r" \odot " if self.model.peephole == "diagonal" else " "
            text += f" + {_latex(f'W_c{letter}')}{product}{cell_state}"
        return text + self._bias(ParameterRole(ParameterKind.BIAS, letter).name)

    def equations(self) -> Iterator[str]:
        """Yield the equations of one step; the last gives the hidden state."""
        yield from {"rnn": self._rnn, "gru": self._gru, "lstm": self._lstm}[self.model.family]()

    def _rnn(self) -> Iterator[str]:
        yield f"h_t = {_applied(self.model.candidate, self._sum(''), self.model.clip)}"

    def _gru(self) -> Iterator[str]:
        model = self.model
        for letter in "rz":
            yield f"{letter}_t = {_applied(model.gate, self._sum(letter), model.clip)}"
        outer = f"W_{{xg}} x_t{self._bias('b_g')}"
        if model.reset == "before":
            total = rf"{outer} + W_{{hg}} (r_t \odot h_{{t-1}})"
        else:
            total = rf"{outer} + r_t \odot (W_{{hg}} h_{{t-1}}{self._bias('b_hg')})"
        yield f"g_t = {_applied(model.candidate, total, model.clip)}"
        old_weight, new_weight = ("z_t", "(1 - z_t)") if model.update == "keep" else ("(1 - z_t)", "z_t")
        yield rf"h_t = {old_weight} \odot h_{{t-1}} + {new_weight} \odot g_t"

    def _lstm(self) -> Iterator[str]:
        model = self.model
        if model.forget != "coupling":
            yield f"i_t = {_applied(model.gate, self._sum('i'), model.clip)}"
        if model.forget in ("own", "coupling"):
            offset = (
                f" {'+' if model.offset > 0 else '-'} {abs(model.offset):.{OFFSET_DIGITS}f}" if model.offset else ""
            )
            yield f"f_t = {_applied(model.gate, self._sum('f') + offset, model.clip)}"
        yield f"g_t = {_applied(model.candidate, self._sum('g'), model.clip)}"
        retained = {"none": "c_{t-1}", "coupled": r"(1 - i_t) \odot c_{t-1}"}.get(model.forget, r"f_t \odot c_{t-1}")
        written = r"(1 - f_t) \odot g_t" if model.forget == "coupling" else r"i_t \odot g_t"
        yield f"c_t = {_clipped(f'{retained} + {written}', model.cell_clip)}"
        peek = "c_t" if model.peephole_state == "new" else "c_{t-1}"
        yield f"o_t = {_applied(model.gate, self._sum('o', peek), model.clip)}"
        yield rf"h_t = o_t \odot {_applied(model.output, 'c_t')}"


USUAL_UPDATE, RARE_UPDATE = "F-900", "F-901"
"""The ids of a GRU's last equation in two other forms: with the gate as it is, and with its complement."""


def alternative_updates(model: CellModel, candidate: str) -> dict[str, str]:
    """Write a GRU's last equation in its other forms, which round differently: as a step from one end to the other.

    Args:
        model: The cell.
        candidate: The candidate's letter in the spec.

    Returns:
        The equations by their ids; none where the cell is no GRU.
    """
    if model.family != "gru":
        return {}
    from_candidate = rf"h_t = {candidate}_t + {{weight}} \odot (h_{{{{t-1}}}} - {candidate}_t)"
    from_state = rf"h_t = h_{{{{t-1}}}} + {{weight}} \odot ({candidate}_t - h_{{{{t-1}}}})"
    usual, rare = (from_candidate, from_state) if model.update == "keep" else (from_state, from_candidate)
    return {USUAL_UPDATE: usual.format(weight="z_t"), RARE_UPDATE: rare.format(weight="(1 - z_t)")}


def spec_text(model: CellModel, names: frozenset[str]) -> str:
    """Write the spec file of a cell.

    Args:
        model: The cell, without faults.
        names: The reference's names of the parameters that it has.
    """
    shapes = {name: _shape(model, parameter_role(name).kind) for name in sorted(names)}
    declared = ", ".join(f'{name} = "{shape}"' for name, shape in shapes.items())
    states = ", ".join(f'{name} = "d"' for name in model.state_names)
    lines = [
        'id = "candidate"',
        f'title = "{FAMILIES[model.family].title}, as identified"',
        'inputs = { x = "n" }',
        f"states = {{ {states} }}",
        f"parameters = {{ {declared} }}",
    ]
    for number, text in enumerate(_Writer(model, names).equations(), 1):
        lines.append(f"\n[[equations]]\nid = \"F-{number:03}\"\nline = {number}\nprinted = '{text}'")
    for name, text in alternative_updates(model, "g").items():
        lines.append(f"\n[[equations]]\nid = \"{name}\"\nline = 1\nprinted = '{text}'\nalternative = true")
    return "\n".join(lines) + "\n"


def _shape(model: CellModel, kind: ParameterKind) -> str:
    """The shape of a parameter in the notation of specs: n is the input size, d the hidden size."""
    if kind in (ParameterKind.BIAS, ParameterKind.RECURRENT_BIAS):
        return "d"
    if kind is ParameterKind.PEEPHOLE and model.peephole != "full":
        return "d"
    return "d n" if kind is ParameterKind.INPUT else "d d"


def with_alternative_updates(spec: Spec, model: CellModel) -> Spec:
    """Add the other forms of a GRU's last equation to a shipped spec as alternatives, but for one that it has.

    Args:
        spec: A shipped spec; that of another family stays as it is.
        model: The cell that it describes.
    """
    link = spec.reference
    if model.family != "gru" or link is None:
        return spec
    symbol_of = {quantity: name for name, quantity in link.trace.items()}
    state, gate, candidate = (_symbol(symbol_of[key]) for key in ("hidden_state", "update_gate", "candidate"))
    symbols = {"h_": f"{state}_", "z_": f"{gate}_", "g_": f"{candidate}_"}
    has_usual = any(equation.alternative and equation.id.startswith("T-") for equation in spec.model.equations)
    equations = tuple(
        Equation(
            id=name,
            line=1,
            document="rewritten",
            printed=re.sub("|".join(symbols), lambda match: symbols[match[0]], text),
            alternative=True,
        )
        for name, text in alternative_updates(model, "g").items()
        if not (has_usual and name == USUAL_UPDATE)
    )
    return replace(spec, model=spec.model.model_copy(update={"equations": (*spec.model.equations, *equations)}))


def _symbol(name: str) -> str:
    head, _, tail = name.partition("_")
    return rf"\{tail}{{{head}}}" if tail else head


def alternative_ids(spec: Spec, with_rare: bool = False) -> tuple[str, ...]:
    """List the equations that a candidate may compute in the place of the printed ones.

    Args:
        spec: The spec of the candidate.
        with_rare: Whether forms are among them that hardly anybody computes by.
    """
    alternatives = (equation.id for equation in spec.model.equations if equation.alternative and equation.id[0] in "TF")
    return tuple(name for name in alternatives if with_rare or name != RARE_UPDATE)


def generate_spec(model: CellModel, names: frozenset[str]) -> Spec:
    """Generate the spec of a cell, without a reference.

    Args:
        model: The cell; its faults are left out.
        names: The reference's names of the parameters that it has.
    """
    return parse_spec(spec_text(replace(model, faults=()), names), Path("candidate.toml"))
