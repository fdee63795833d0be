r"""Interpret a printed name: its plain name, time, layer, component and transposition.

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
_FONT = re.compile(r"\\(text|textrm|mathrm|mathit|mathsf|mathbf|operatorname)\s*\{([^{}]*)\}")
_GREEK = re.compile(
    "alpha|beta|gamma|delta|(var)?epsilon|zeta|eta|(var)?theta|iota|kappa|lambda|mu|nu|xi|rho|sigma|tau|upsilon|"
    "(var)?phi|chi|psi|omega|Gamma|Delta|Theta|Lambda|Xi|Sigma|Upsilon|Phi|Psi|Omega|ell"
)
_TRANSPOSED = ("T", "\\top", "\\intercal")
_SIGNS = {"*": "star", "\\ast": "star", "+": "plus", "-": "minus"}
"""Labels that are signs: c^* is no c."""


@dataclass(frozen=True, slots=True)
class Denoted:
    """The interpretation of a printed name.

    Attributes:
        name: the plain name, for example ``W_xi``.
        time: the offset from now; None for a name without time.
        step: an absolute time, as in ``s_4``.
        layer: the offset from layer l; None for a name without layer.
        component: the letter of the class index that picks an entry.
        transposed: whether the transpose is printed.
        latex: the name in LaTeX, without its time.
    """

    name: str
    time: int | None = None
    step: int | None = None
    layer: int | None = None
    component: str | None = None
    transposed: bool = False
    latex: str = ""


def letter_latex(base: str) -> str:
    """Write a letter or a word in LaTeX.

    Args:
        base: The letter, its Greek name, or a word.
    """
    if _GREEK.fullmatch(base):
        return f"\\{base}"
    return base if len(base) == 1 else f"\\mathrm{{{base}}}"


def _latex(name: Name, label: str, sup: str) -> str:
    """Write a name in LaTeX with its labels below and above."""
    letter = letter_latex(name.base)
    base = f"\\{name.accent}{{{letter}}}" if name.accent else letter
    label = f"_{{{label}}}" if label else ""
    return base + label + (f"^{{{sup}}}" if sup else "")


def _bare(text: str) -> str:
    """Remove fonts, blanks and one pair of enclosing parentheses or brackets."""
    text = _FONT.sub(r"\2", text).replace(" ", "")
    return text[1:-1] if text[:1] + text[-1:] in ("()", "[]") else text


def _offset(text: str, letter: str) -> int | None:
    """Return 0 for ``t``, -1 for ``t-1``; None if `text` is not the index letter with an offset."""
    match = re.fullmatch(rf"{re.escape(letter)}([+-]\d{{1,4}})?", text)
    return int(match[1] or 0) if match else None


@dataclass
class _Decorations:
    """The meanings of the sub- and superscripts read so far."""

    letter: str
    indices: frozenset[str]
    time: int | None = None
    step: int | None = None
    layer: int | None = None
    component: str | None = None
    transposed: bool = False

    def below(self, text: str) -> str:
        """Read a subscript; return the part of it that is a label."""
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
                labels.append(re.sub(r"\W", "", _FONT.sub(r"\2", part)))
        return "".join(labels)

    def above(self, text: str) -> str:
        """Read a superscript; return the part of it that is a label."""
        labels = []
        for part in re.sub(r"\)\s*(?=T$|\\top$)", "),", text).split(","):
            bare = _FONT.sub(r"\2", part).strip()
            inner = re.sub(r"^(\\langle|<|\()|(\\rangle|>|\))$", "", bare.replace(" ", ""))
            enclosed = inner != bare.replace(" ", "")
            offset = _offset(inner if enclosed else inner.strip("[]"), self.letter)
            offset = offset if enclosed or inner.startswith("[") else None
            layer = _offset(inner, "l") if enclosed else None
            if bare in _TRANSPOSED:
                self.transposed = True
            elif layer is not None:
                self.layer = layer
            elif offset is not None and self.time is None:
                self.time = offset
            else:
                labels.append(_SIGNS.get(bare) or re.sub(r"\W", "", bare))
        return "".join(labels)


def denote(name: Name, time_letter: str, indices: frozenset[str], aliases: dict[str, str]) -> Denoted:
    """Interpret a printed name.

    Args:
        name: the name with its decorations.
        time_letter: the index letter of time.
        indices: the letters of class indices.
        aliases: plain names that stand for printed ones, such as another author's letters.
    """
    decorations = _Decorations(time_letter, indices)
    label = decorations.below(name.sub) if name.sub else ""
    sup = decorations.above(name.sup) if name.sup else ""
    if decorations.time is not None and decorations.step is not None:  # h_1^{(t)}: the digit is no time
        label, decorations.step = f"{label}{decorations.step}", None
    base = aliases.get(name.base, name.base)
    accent = _ACCENTS.get(name.accent, f"_{name.accent}")
    plain = "_".join(part for part in (base + accent, label, sup, name.direction) if part)
    plain = aliases.get(plain, plain)
    latex = _latex(name, label, sup or name.direction)
    return Denoted(
        plain,
        decorations.time,
        decorations.step,
        decorations.layer,
        decorations.component,
        decorations.transposed,
        latex,
    )
