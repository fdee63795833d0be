"""Which function a letter stands for, by what the text around the equations says of it."""

from __future__ import annotations

import re

from rnn_harness.specs.draft.plain_letters import letters_as_latex

_APPLIED = r"\s*(?:\\[!,;:]\s*)*(?:\\(?:left|[bB]igg?l?)\s*)?[(\[]"
_GREEK = (
    r"\\(?P<greek>sigma|phi|varphi|psi|Phi|Psi|Theta|rho|theta|eta|chi|zeta)(?:_(?:\{(?:\\\w+\{)?(?P<long>\w+)\}?\}|(?P<short>\w)))?"
    rf"(?:\(\s*\\cdot\s*\))?(?![A-Za-z_])(?!{_APPLIED})"
)
_LATIN = (
    r"(?:(?<=[$(])|\b(?:where|with)\s*\})\s*(?:\\(?:mathcal|mathscr|mathrm)\s*\{?)?(?P<latin>[fghFGH])(?:_(?P<index>\w))?\}?"
    r"(?=\s*(?:\$|=|\\\)|\\in|:))"
)
_LETTER = re.compile(f"{_GREEK}|{_LATIN}")
"""A letter of a function, with or without an index, that is not applied to anything."""
UNKNOWN = "?"
"""Stands for a function that a document names, and no spec has, or lets one choose."""
_WORDS = {
    "tanh": r"\\?tanh|hyperbolic tangent",
    "softmax": r"softmax",
    "relu": r"(?<!leaky )(?<!leaky-)\bre-?lu|(?<!leaky )rectif\w+",
    "sigmoid": r"(?<!hard )sigmoid|logistic|\\mathrm\{sigm\}",
    "identity": r"identity|linear (?:function|activation)",
    "softplus": r"softplus",
    UNKNOWN: r"leaky|hard[- ]?(?:sigmoid|tanh)|gelu|\belu|swish|softsign|step function|heaviside|sign function",
}
"""Words for functions; the last ones have none in a spec."""
_FORMULA = re.compile(r"(?:(?<![A-Za-z\\])\\?[A-Za-z]+\s*\(\s*[a-z]\s*\)\s*&?=\s*)+")
_FORMULAS = {
    "tanh": r"\\tanh|\\[td]?frac\{\s*e\^\{?(\w)\}?\s*-\s*e\^\{-\1\}\s*\}",
    "sigmoid": r"1\s*/\s*\(\s*1\s*\+\s*(?:e\^|\\exp)|\\[td]?frac\{1\}\{1\s*\+\s*(?:e\^|\\exp)",
    "relu": r"\\max\s*(?:\\left)?\s*(?:\(|\\\{)\s*(?:0\s*,|\w\s*,\s*0)",
}
_FURTHEST = 100
"""Within so many characters behind a letter its function is named."""
_IN_TURN = re.compile(r"respectively|\bresp\b", re.IGNORECASE)
_JOINED = re.compile(r"[\s$,\\()]*(?:and|or|resp\.)?[\s$,\\()]*")
_SENTENCE = re.compile(r"[.;]\s|\n\s*\n|\\\[|\\begin|\$\$")
_AFFINE = re.compile(
    r"\$\s*(?:\\\w+\s*\{)?(?P<letter>[A-Z])\}?(?:_\{?[^$]*?)?(?::[^$]*)?\$[^.$]{0,60}\b(?:affine|linear)\s+(?:transform|map|layer)"
)
_CHOICE = re.compile(r"\\in\s*\\?\{")


def functions_told(text: str) -> dict[str, str]:
    r"""Find the functions that a document names in words, ``$\sigma_c$ is the hyperbolic tangent``.

    Args:
        text: The document.

    Returns:
        The function of every letter, as ``sigma_c``, of which one is named before another letter follows; `UNKNOWN` for
        one that no spec has.
    """
    text = (letters_as_latex(text) if not text.isascii() else text).replace("\\varsigma", "\\sigma")
    function_of = _given_by_formulas(text)
    letters = list(_LETTER.finditer(text))
    waiting: list[str] = []
    for place, match in enumerate(letters):
        index = match["long"] or match["short"] or match["index"]
        waiting.append((match["greek"] or match["latin"]) + (f"_{index}" if index else ""))
        end = letters[place + 1].start() if place + 1 < len(letters) else len(text)
        if _JOINED.fullmatch(text[match.end() : end]):
            continue  # g and h share what is said of them
        words = text[match.end() : min(match.end() + _FURTHEST, end)]
        functions = _named_functions(words)[: len(waiting) if _IN_TURN.search(words) else 1]
        for place_of_letter, letter in enumerate(waiting if functions else ()):
            function_of.setdefault(letter, functions[min(place_of_letter, len(functions) - 1)])
        waiting = []
    return function_of


def _given_by_formulas(text: str) -> dict[str, str]:
    r"""Find the functions that a document gives by a formula, ``f(z) = 1/(1+e^{-z})`` or ``g(x) = h(x) = \tanh(x)``."""
    function_of: dict[str, str] = {}
    for match in _FORMULA.finditer(text):
        formula = text[match.end() : match.end() + _FURTHEST]
        function = next((name for name, pattern in _FORMULAS.items() if re.match(pattern, formula)), "")
        for letter in re.findall(r"\\?([A-Za-z]+)\s*\(", match[0]) if function else ():
            function_of.setdefault(letter, function)
    return function_of


def _named_functions(words: str) -> list[str]:
    """Return the functions that a sentence names, in order."""
    sentence = _SENTENCE.search(words)
    words = words[: sentence.start()] if sentence else words
    if _CHOICE.match(words.lstrip()):
        return [UNKNOWN]
    named = {
        function: first.start() for function, pattern in _WORDS.items() if (first := re.search(pattern, words, re.I))
    }
    return sorted(named, key=lambda function: named[function])


def affine_letters(text: str) -> frozenset[str]:
    """Find the letters of which a document says that they are maps with a matrix and a bias.

    Args:
        text: The document.
    """
    return frozenset(match["letter"] for match in _AFFINE.finditer(text))
