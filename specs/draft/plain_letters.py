r"""Equations in plain letters as LaTeX: ``f[t] = σ(Wf·x[t])`` is ``f_{t} = \sigma(W_{f} \cdot x_{t})``."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

_SIGNS = {
    "−": "-",
    "–": "-",
    "·": r"\cdot ",
    "⋅": r"\cdot ",
    "×": r"\times ",
    "⊙": r"\odot ",
    "∘": r"\circ ",
    "○": r"\circ ",
    "⊗": r"\otimes ",
    "⊕": r"\oplus ",
    "∗": "*",
    "′": "'",
    "ᵀ": "^T",
    "⊤": r"^\top ",
    "√": r"\sqrt",
    "∑": r"\sum",
}
_GREEK_OF_NAMES = {"lamda": "lambda", "final sigma": "varsigma"}
_MARKS = {"\u0303": "tilde", "\u0302": "hat", "\u0304": "bar", "\u0305": "bar", "\u0307": "dot", "\u030c": "check"}
_BELOW, _ABOVE = "₀₁₂₃₄₅₆₇₈₉₊₋₍₎ₐₑₕᵢⱼₖₗₘₙₒₚᵣₛₜᵤᵥₓ", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁽⁾ⁱⁿ"
_FUNCTIONS = (
    "tanh|sigmoid|sigm|logistic|softmax|relu|exp|log|ln|softplus|sqrt|abs|max|min|hardtanh|hardsigmoid|"
    "clamp|clip|maximum|minimum|dropout|ReLU|Softmax|Sigmoid|Tanh|Linear|Affine|Dense|FC"
)
_GREEK = "alpha|beta|gamma|delta|epsilon|lambda|sigma|tau|phi|psi|rho|theta|mu|eta|omega|kappa"
_TIME = r"\[\s*[tnk]\s*(?:[-+]\s*\d+)?\s*\]|\(\s*[tnk]\s*(?:[-+]\s*\d+)?\s*\)"
_WORD = re.compile(
    rf"(?P<function>(?<![A-Za-z0-9_\\])(?:np\.|torch\.|math\.)?(?:(?:{_FUNCTIONS})(?=\s*\()|(?:[A-Za-z]{{4,}}|[a-z]{{3}}|[A-Z]{{3}})(?=\()))"
    rf"|(?P<letter>\\tilde\{{\w+\}}|\\hat\{{\w+\}}|\\bar\{{\w+\}}|\\[A-Za-z]+(?=[_\[(])|[A-Za-z])"
    rf"(?P<rest>[A-Za-z0-9]*)(?P<labels>(?:_(?:\{{[^{{}}]*\}}|[A-Za-z0-9]+))*)(?P<time>{_TIME})?(?P<prime>'*)"
    r"|(?P<command>\\[A-Za-z]+)"
)
_ACCENTS = re.compile(r"_?(?P<accent>tilde|hat|bar|cand)$")
_BEFORE = re.compile(r"\b([A-Za-z]\w*?)_(?:prev|old)\b|\bprev_(\w+)")
_COMMENT = re.compile(r"\s*(?:#|//|%).*$|\s{2,}\(\s*\d+(?:\.\d+)?[a-z]?\s*\)\s*$|\s{2,}\[\d+\]\s*$")


def letters_as_latex(text: str) -> str:
    """Write the signs of Unicode in an equation as LaTeX.

    Args:
        text: The equation; signs that LaTeX has no command for here stay as they are.
    """
    parts: list[str] = []
    for sign in unicodedata.normalize("NFD", text):
        if sign in _MARKS and parts:
            parts[-1] = rf"\{_MARKS[sign]}{{{parts[-1].strip()}}}"
        elif sign in _BELOW:
            parts.append(f"_{{{unicodedata.normalize('NFKC', sign)}}}")
        elif sign in _ABOVE:
            parts.append(f"^{{{unicodedata.normalize('NFKC', sign)}}}")
        else:
            parts.append(_SIGNS.get(sign) or _greek(sign) or sign)
    joined = re.sub(r"_\{(\w|[+−])\}(?:_\{(?:\w|[+−])\})*", _one_subscript, "".join(parts))
    return joined.replace("−", "-")


def _one_subscript(match: re.Match[str]) -> str:
    """Return several subscripts of one sign each as one."""
    return f"_{{{re.sub(r'_|[{}]', '', match[0])}}}"


def _greek(sign: str) -> str:
    """Return the command of a Greek letter, with a blank behind it; empty for another sign."""
    match = re.fullmatch(r"GREEK (SMALL|CAPITAL) LETTER (.+)", unicodedata.name(sign, ""))
    if match is None:
        return ""
    name = _GREEK_OF_NAMES.get(match[2].lower(), match[2].lower())
    return rf"\{name if match[1] == 'SMALL' else name.capitalize()} "


def words_of_a_step(lines: Iterable[str]) -> frozenset[str]:
    """Return the words that have a time in code that prints none: what has a ``h_prev``, what is given, and ``x``.

    Args:
        lines: The equations that are printed as code.
    """
    lines = list(lines)
    before = {word for line in lines for pair in _BEFORE.findall(line) for word in pair if word}
    results = {line.partition("=")[0].strip() for line in lines}
    return frozenset(before | results | {"x"}) if before else frozenset()


def code_as_latex(text: str, timed_words: frozenset[str]) -> str:
    r"""Write an equation that is printed as code as LaTeX.

    Args:
        text: The equation: ``Wf`` is a W with the label f, ``h[t-1]`` and ``h(n-1)`` have a time, ``.`` and ``.*``
            between blanks multiply entry by entry, and what stands behind ``#`` is a remark.
        timed_words: The words that have a time where none is printed.
    """
    text = _COMMENT.sub("", _COMMENT.sub("", text))
    text = re.sub(r"([A-Za-z])~(?=_|\[|\()", r"\1_tilde", text)
    if timed_words:
        text = _BEFORE.sub(lambda match: f"{match[1] or match[2]}[t-1]", text)
        words = "|".join(map(re.escape, sorted(timed_words)))
        text = re.sub(rf"(?<![\w.])(?:{words})(?![\w(\[])", r"\g<0>[t]", text)
    text = re.sub(r"_\((\s*[tnk][^()]*)\)", r"_{\1}", text)
    text = re.sub(r"_t([-+]\d)(?!\w)", r"_{t\1}", text)
    text = re.sub(r"\s\.\*?\s", r" \\odot ", text).replace("@", " ").replace("**2", "^2")
    return _WORD.sub(_written, text)


def _written(match: re.Match[str]) -> str:
    """Return a word of a printed equation in LaTeX."""
    if match["command"]:
        return match[0]
    if match["function"]:
        return rf"\operatorname{{{match['function'].rpartition('.')[2]}}}"
    letter, tail = match["letter"], match["rest"]
    labels = [label.strip("{}") for label in re.findall(r"\{[^{}]*\}|[A-Za-z0-9]+", match["labels"])]
    word = letter + tail
    word = "epsilon" if word == "eps" else word
    if re.fullmatch(_GREEK, word):
        letter, tail = rf"\{word}", ""
    is_timed = bool(match["time"]) or any(re.match(r"[tnk](?:\W|$)", label) for label in labels)
    if is_timed and letter.isupper() and len(tail) == 1 and not labels[1:]:  # Wx_t is W x_t: no weight has a time
        return f"{letter} {_written_symbol(tail, '', labels, match)}"
    return _written_symbol(letter, tail, labels, match)


def _written_symbol(letter: str, tail: str, labels: list[str], match: re.Match[str]) -> str:
    """Return a symbol in LaTeX.

    Args:
        letter: The letter.
        tail: What follows it in the same word: a label, or the name of an accent.
        labels: Its labels.
        match: The word as printed, with its time and its primes.
    """
    accent = _ACCENTS.search(tail) or (_ACCENTS.fullmatch(labels[0]) if labels else None)
    if accent is not None:
        letter = rf"\{accent['accent'].replace('cand', 'tilde')}{{{letter}}}"
        tail, labels = (_ACCENTS.sub("", tail), labels) if _ACCENTS.search(tail) else (tail, labels[1:])
    parts = [tail] * bool(tail) + labels
    if match["time"]:
        parts.append(match["time"].strip("[]()").replace(" ", ""))
    below = f"_{{{','.join(parts)}}}" if parts else ""
    return f"{letter}{match['prime']}{below}" + " " * (not below)
