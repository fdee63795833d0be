"""What a printed name denotes: plain name, time, layer, component, transposition.

The index letter of a spec (t, or i in 003:170-194) decides which subscripts are time and which are labels.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from rnn_harness.specs.notation import Name

_ACCENTS = {
    "": "",
    "tilde": "_tilde",
    "hat": "_hat",
    "vec": "_right",
    "overrightarrow": "_right",
    "overleftarrow": "_left",
}


@dataclass(frozen=True, slots=True)
class Denoted:
    """`time` is an offset from now, `step` an absolute time (``s_4``), `layer` an offset from layer l."""

    name: str
    time: int | None = None
    step: int | None = None
    layer: int | None = None
    component: str | None = None
    transposed: bool = False
    latex: str = ""


def _latex(name: Name, label: str, sup: str) -> str:
    base = f"\\{name.accent}{{{name.base}}}" if name.accent else name.base
    label = f"_{{{label}}}" if label else ""
    return base + label + (f"^{{{sup}}}" if sup else "")


def denote(name: Name, time_letter: str, indices: frozenset[str], aliases: dict[str, str]) -> Denoted:
    """Interpret a printed name. `indices` are the letters of class indices, `aliases` other hands' letters."""
    sub = name.sub.replace(" ", "")
    inner = sub[1:-1] if sub.startswith("(") and sub.endswith(")") else sub
    time: int | None = None
    step: int | None = None
    component: str | None = None
    label = ""
    offset = re.fullmatch(rf"{re.escape(time_letter)}([+-]\d+)?", inner)
    if offset:
        time = int(offset[1] or 0)
    elif len(inner) == 2 and inner[0] == time_letter and inner[1] in indices:
        time, component = 0, inner[1]
    elif inner.isdigit():
        step = int(inner)
    else:
        label = re.sub(r"\W", "", sub)
    layer: int | None = None
    transposed = name.sup in ("T", "\\top")
    sup = ""
    layered = re.fullmatch(r"\(l([+-]\d+)?\)", name.sup.replace(" ", ""))
    if layered:
        layer = int(layered[1] or 0)
    elif not transposed:
        sup = re.sub(r"\W", "", name.sup)
    base = aliases.get(name.base, name.base)
    parts = [base + _ACCENTS[name.accent], label, sup, name.direction]
    plain = "_".join(part for part in parts if part)
    plain = aliases.get(plain, plain)
    latex = _latex(name, label, sup or name.direction)
    return Denoted(plain, time, step, layer, component, transposed, latex)
