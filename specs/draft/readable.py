r"""Displays as the notation reads them: without the words of a row, ``\{...\}``, ``|...|``, arrays, ``x(n)``."""

from __future__ import annotations

import re
from dataclasses import dataclass

from rnn_harness.specs.draft.plain_letters import code_as_latex, letters_as_latex

_MATRIX = r"\\begin\{array\}\s*\{\s*[clr]\s*\}"
_COLUMN = r"\\begin\{(?:pmatrix|bmatrix|matrix)\}(?:(?!\\end\{).)*\\end\{(?:pmatrix|bmatrix|matrix)\}"
_REWRITES = tuple(
    (re.compile(pattern, re.DOTALL), replacement)
    for pattern, replacement in (
        (r"(?<!\\)%[^\n]*", ""),
        (r"\\(?:Delta|delta)\s*t(?![A-Za-z_])", r"\\delta_{step}"),
        # A second column of a row holds words: what the row is called.
        (r"&\s*&\s*(?:\\q?quad|\\[,;: ])*\s*(?:\\(?:text|textrm|textit|mbox)\s*\{.*|\([A-Za-z].*)$", ""),
        (r"\\(?:q?quad|[,;])\s*\\(?:text|textrm|mbox)\s*\{\s*,?\s*(?:where|with|for)\b.*$", ""),
        (r"(?:\\q?quad|,|\\ )\s*\\(?:text|textrm|mbox)\s*\{\s*,?\s*and\s*\}", r"\\quad "),
        (r"^\s*\\(?:mathrm|mathbf|text|textrm|textbf|textit)\s*\{[^{}]*\}\s*:?(?:\\q?quad|\\[,;: ]|\s)*&(?!\s*=)", ""),
        (r"\\\\[\s&]*(?:\\q?quad)?\s*(?=\\(?:odot|circ|cdot|times|otimes|star)(?![A-Za-z]))", " "),
        (r"(?<=[\s,}])(?:\\,)?\s*\\(?:\||Vert(?![A-Za-z]))", ";"),
        (r"&\s*\\(?:text|textrm|mbox)\s*\{[^{}]*\}\s*$", ""),
        (r"\\varsigma(?![A-Za-z])", r"\\sigma"),
        (r"\{\s*\}", ""),
        (r"&\s*$", ""),
        (r"(?<!\^)(?<!\^\{)\\ast(?![A-Za-z])", "*"),
        (r"(\\(?:mathrm|operatorname|text)\s*\{\s*softmax\s*\}|\\softmax)_(?:\{\w+\}|\w)", r"\1"),
        (r"\[([^\[\]]*)\]_\{?\+\}?", r"\\operatorname{relu}(\1)"),
        (r"\\[td]frac(?![A-Za-z])", r"\\frac"),
        (r"\\frac\s*(\w)\s*(\w)(?![\w{])", r"\\frac{\1}{\2}"),
        (r"\\mathop\s*\{\s*\\(?:mathrm|rm|operatorname)\s*\{?\s*(\w+)\s*\}?\s*\}", r"\\operatorname{\1}"),
        (r"\{\s*\\(bf|rm|it|cal)\s+([A-Za-z])\s*\}", r"\\math\1{\2}"),
        (rf"({_MATRIX})(.*?)\\end\{{array\}}", r"\\begin{pmatrix}\2\\end{pmatrix}"),
        (r"\\left\s*[(\[.]\s*(" + _COLUMN + r")\s*\\right\s*[)\].]", r"\1"),
        (r"[(\[]\s*(" + _COLUMN + r")\s*[)\]]", r"\1"),
        (r"(\\(?:left|[bB]igg?l?)\s*)?\\lbrace(?![A-Za-z])|(\\(?:left|[bB]igg?l?)\s*)?\\\{", "("),
        (r"(\\(?:right|[bB]igg?r?)\s*)?\\rbrace(?![A-Za-z])|(\\(?:right|[bB]igg?r?)\s*)?\\\}", ")"),
        (
            r"(?:\\left)?\s*(?:\||\\lvert)((?:(?!\\right)[^|=])+?)(?:\\right)?\s*(?:\||\\rvert)",
            r"\\operatorname{abs}(\1)",
        ),
        (r"([_^])\s*(\\(?!top|intercal|prime)[A-Za-z]+)(?![A-Za-z{])(?!\s*\{)", r"\1{\2}"),
        (r"\^\s*(?:\{\s*(?:\\,)?\s*)?\*\s*(?:\})?", r"^{star}"),
        (r"\^\s*\{\s*\\ast\s*\}", r"^{star}"),
        (r"([_^]\{)\s*(?:\\[,;:!]\s*)+", r"\1"),
        (r"_\{\s*(\\?[A-Za-z]+)_\{?([tn])\}?\s*\}", r"_{\1,\2}"),
        (r"\^\s*(?:\{\s*(t\s*[-+]\s*\d+|t)\s*\}|(t)(?![A-Za-z]))", r"^{(\1\2)}"),
        (r"_\{\s*t(?:'|\^\{?\\prime\}?)\s*\}", r"'_{t}"),
        (r"(?<![A-Za-z\\{])(LN|LayerNorm)\s*\(", r"\\operatorname{\1}("),
        (r"\\sum_(?:\{\s*([a-z])\s*\}|([a-z]))(?!\s*\^)", r"\\sum_{\1\2=1}^{N}"),
        (r"(\\sum_\{\s*[a-z]\s*=\s*\d+\s*\}\^)\{[^{}]*\{[^{}]*\}[^{}]*\}", r"\1{N}"),
    )
)
_OR = re.compile(
    r"(?:\\\s)?\s*\\(?:text|textrm|mbox)\s*\{\s*(?:or|OR|Or)\s*\}(?P<other>.*?)(?=,\s*\\q?quad|$)", re.DOTALL
)
_GIVEN_T = re.compile(r"\s*((?:\\\w+\s*\{\s*)*[A-Za-z]\}*)\s*\^\s*(?:\{\s*T\s*\}|T(?![A-Za-z]))[^=]*=")
_TIMED = re.compile(r"(?P<name>[A-Za-z}])\s*\(\s*(?P<time>(?P<letter>[tnk])\s*(?:[-+]\s*\d+)?)\s*\)")


@dataclass(frozen=True)
class TimedMarks:
    """What has a time in a document, besides what carries one below or above.

    Attributes:
        letters: The letters of which the document prints ``x(n)`` and ``x(n-1)`` for a time.
        words: The words that have a time in code that prints none.
    """

    letters: frozenset[str]
    words: frozenset[str]


def readable(text: str, timed: TimedMarks, is_code: bool) -> tuple[str, tuple[str, ...]]:
    r"""Write a display as the notation reads it; one that it reads already stays as it is.

    Args:
        text: The display as printed, in LaTeX, in Unicode or as code.
        timed: What has a time in the document.
        is_code: Whether it stands in code or in plain text.

    Returns:
        The LaTeX, and in words what was left out.
    """
    notes: list[str] = []
    if is_code and "\\" not in text:
        return code_as_latex(letters_as_latex(text), timed.words).strip(), ()
    text = letters_as_latex(text) if not text.isascii() else text
    for pattern, replacement in _REWRITES:
        text = pattern.sub(replacement, text)
    alternative = _OR.search(text)
    if alternative is not None:
        choice = re.sub(r"^(\\\s|\s)+", "", alternative["other"]).strip(" ,")
        notes.append(f"the document lets one choose; {choice} is left out")
        text = _OR.sub("", text)
    if timed.letters:
        text = _TIMED.sub(
            lambda match: (
                f"{match['name']}_{{{match['time'].replace(' ', '')}}}"
                if match["letter"] in timed.letters
                else match[0]
            ),
            text,
        )
    return text.strip(), tuple(notes)


def with_labelled_results(texts: list[str]) -> list[str]:
    r"""Write the T of ``c^T_t = ...`` as a label, ``c^{(T)}_t``, wherever it stands: no equation gives a transpose.

    Args:
        texts: The displays of a document, as the notation reads them.
    """
    bases = {match[1] for text in texts if (match := _GIVEN_T.match(text))}
    for base in bases:
        pattern = re.compile(rf"(?<![A-Za-z\\]){re.escape(base)}\s*\^\s*(?:\{{\s*T\s*\}}|T(?![A-Za-z]))")
        label = f"{base}^{{(T)}}".replace("\\", r"\\")
        texts = [pattern.sub(label, text) for text in texts]
    return texts


def letters_of_time(text: str) -> frozenset[str]:
    """Return the letters that a document counts time by in parentheses behind a symbol: ``x(n-1)`` beside ``x(n)``.

    Args:
        text: The document.
    """
    return frozenset(re.findall(r"(?<!\\left)[A-Za-z}]\s*\(\s*([tnk])\s*[-−–+]\s*1\s*\)", text))
