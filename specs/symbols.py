"""What a printed name denotes: plain name, time, layer, component, transposition.

The index letter of a spec (t, or i in 003:170-194) decides which subscripts are time and which are labels. Time may
also stand above, as in ``h^{(t)}`` or ``a^{\\langle t-1 \\rangle}``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from rnn_harness.specs.notation import Name

_ACCENTS = {
    "": "",
    "vec": "_right",
    "overrightarrow": "_right",
    "overleftarrow": "_left",
    "overline": "_bar",
}
_DRESS = re.compile(r"\\(text|textrm|mathrm|mathit|mathsf|mathbf|operatorname)\s*\{([^{}]*)\}")
_GREEK = re.compile(
    "alpha|beta|gamma|delta|(var)?epsilon|zeta|eta|(var)?theta|iota|kappa|lambda|mu|nu|xi|rho|sigma|tau|upsilon|"
    "(var)?phi|chi|psi|omega|Gamma|Delta|Theta|Lambda|Xi|Sigma|Upsilon|Phi|Psi|Omega|ell"
)
_TRANSPOSED = ("T", "\\top", "\\intercal")


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
    letter = f"\\{name.base}" if _GREEK.fullmatch(name.base) else name.base
    if len(letter) > 1 and letter == name.base:
        letter = f"\\mathrm{{{letter}}}"
    base = f"\\{name.accent}{{{letter}}}" if name.accent else letter
    label = f"_{{{label}}}" if label else ""
    return base + label + (f"^{{{sup}}}" if sup else "")


def _bare(text: str) -> str:
    """Without fonts, blanks and one pair of enclosing parentheses."""
    text = _DRESS.sub(r"\2", text).replace(" ", "")
    return text[1:-1] if text.startswith("(") and text.endswith(")") else text


def _offset(text: str, letter: str) -> int | None:
    """0 for ``t``, -1 for ``t-1``; None if `text` is not the index letter with an offset."""
    found = re.fullmatch(rf"{re.escape(letter)}([+-]\d{{1,4}})?", text)
    return int(found[1] or 0) if found else None


@dataclass
class _Reading:
    letter: str
    indices: frozenset[str]
    time: int | None = None
    step: int | None = None
    layer: int | None = None
    component: str | None = None
    transposed: bool = False

    def below(self, text: str) -> str:
        """Read a subscript; what is left of it is a label."""
        labels = []
        for part in text.split(","):
            inner = _bare(part)
            offset = _offset(inner, self.letter)
            if offset is not None and self.time is None:
                self.time = offset
            elif self.time is not None and inner in self.indices:
                self.component = inner
            elif len(inner) == 2 and inner[0] == self.letter and inner[1] in self.indices:
                self.time, self.component = 0, inner[1]
            elif inner.isdigit() and "," not in text:
                self.step = int(inner)
            else:
                labels.append(re.sub(r"\W", "", _DRESS.sub(r"\2", part)))
        return "".join(labels)

    def above(self, text: str) -> str:
        """Read a superscript; what is left of it is a label."""
        labels = []
        for part in re.sub(r"\)\s*(?=T$|\\top$)", "),", text).split(","):
            bare = _DRESS.sub(r"\2", part).strip()
            inner = re.sub(r"^(\\langle|<|\()|(\\rangle|>|\))$", "", bare.replace(" ", ""))
            enclosed = inner != bare.replace(" ", "")
            offset = _offset(inner, self.letter) if enclosed else None
            layer = _offset(inner, "l") if enclosed else None
            if bare in _TRANSPOSED:
                self.transposed = True
            elif layer is not None:
                self.layer = layer
            elif offset is not None and self.time is None:
                self.time = offset
            else:
                labels.append(re.sub(r"\W", "", bare))
        return "".join(labels)


def denote(name: Name, time_letter: str, indices: frozenset[str], aliases: dict[str, str]) -> Denoted:
    """Interpret a printed name. `indices` are the letters of class indices, `aliases` other hands' letters."""
    found = _Reading(time_letter, indices)
    label = found.below(name.sub) if name.sub else ""
    sup = found.above(name.sup) if name.sup else ""
    base = aliases.get(name.base, name.base)
    accent = _ACCENTS.get(name.accent, f"_{name.accent}")
    plain = "_".join(part for part in (base + accent, label, sup, name.direction) if part)
    plain = aliases.get(plain, plain)
    latex = _latex(name, label, sup or name.direction)
    return Denoted(plain, found.time, found.step, found.layer, found.component, found.transposed, latex)
