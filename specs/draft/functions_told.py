"""Which function a letter stands for, by what the text around the equations says of it."""

from __future__ import annotations

import re

_LETTER = re.compile(
    r"\\(?P<letter>sigma|phi|varphi|psi)(?:_(?:\{(?:\\\w+\{)?(?P<long>\w+)\}?\}|(?P<short>\w)))?(?![A-Za-z_(])"
)
"""A letter of a function, with or without an index, that is not applied to anything."""
_WORDS = {
    "tanh": r"\\?tanh|hyperbolic tangent",
    "softmax": r"softmax",
    "relu": r"re-?lu|rectif\w+",
    "sigmoid": r"sigmoid|logistic",
    "identity": r"identity|linear (?:function|activation)",
}
_FURTHEST = 60
"""Within so many characters behind a letter its function is named."""


def functions_told(text: str) -> dict[str, str]:
    r"""Find the functions that a document names in words, ``$\sigma_c$ is the hyperbolic tangent``.

    Args:
        text: The document.

    Returns:
        The function of every letter, as ``sigma_c``, of which one is named before another letter follows.
    """
    function_of: dict[str, str] = {}
    letters = list(_LETTER.finditer(text))
    ends = [letter.start() for letter in letters[1:]]
    for match, end in zip(letters, (*ends, len(text))[: len(letters)], strict=True):
        stop = min(match.end() + _FURTHEST, end)
        named = {
            function: first.start()
            for function, words in _WORDS.items()
            if (first := re.search(words, text[match.end() : stop], re.IGNORECASE))
        }
        index = match["long"] or match["short"]
        letter = match["letter"] + (f"_{index}" if index else "")
        if named and letter not in function_of:
            function_of[letter] = min(named, key=lambda function: named[function])
    return function_of
