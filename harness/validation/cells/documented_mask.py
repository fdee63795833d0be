"""Which value of a mask lets something count, as the documentation of a module has it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rnn_harness.validation.cells.own_documentation import documentation_texts

if TYPE_CHECKING:
    from torch import nn

_VALUE = r"(?<![\w.-])(?P<{0}>true|ones|1(?:\.0?)?|false|zeros|0(?:\.0?)?)(?![\w.-]|\s+of\b)"
_MEANING = (
    r"(?P<negation>(?:\bnot|\bnever|\bno)\W+(?:be\W+)?|\bnon\W*|\bun|\bin)?(?<![a-mo-z])"
    r"(?:(?P<counts>valid|real|kept|keep|measured|observed|present|attend(?:ed)?|available|unmasked)|"
    r"(?P<hidden>padd(?:ed|ing)|pad|missing|masked|ignored?|absent|hidden|exclude[ds]?|imputed))\b"
)
_FORWARDS = re.compile(f"{_VALUE.format('value')}(?P<between>[^.;,\n]{{0,40}}?){_MEANING}", re.I)
_BACKWARDS = re.compile(rf"{_MEANING}(?:\s+\w+)?\s*(?:is|are|=|:|have|has)\s*{_VALUE.format('value')}", re.I)
_ANY_VALUE = re.compile(_VALUE.format("value"), re.I)
_NEGATED = re.compile(r"\b(?:not|never|cannot|no|without|prevent\w*|avoid\w*|unless|except)\b|n't", re.I)
_DEFAULT = re.compile(r"default\w*\W*(?:to|is)?\W*\w+", re.I)
_SHAPE = re.compile(r"[(\[]\s*\w+(?:\s*,\s*\w+)*\s*,?\s*[)\]]")
_MOST_LETTERS = 160
_TORCH_NAME = re.compile(r"\w*key_padding_mask")


@dataclass(frozen=True)
class DocumentedMask:
    """What a module says about a mask.

    Attributes:
        counting: The value at which something counts: 1 (true) or 0 (false).
        words: Where it says so, as it stands there.
    """

    counting: int
    words: str


def documented_mask(module: nn.Module, argument: str) -> DocumentedMask | None:
    """Read which value of a mask lets something count.

    Args:
        module: The module, of which docstrings and comments are read.
        argument: The name of the mask.

    Returns:
        What it says; None where it says nothing, or contradicts itself.
    """
    documented = mask_in_texts(documentation_texts(module), argument)
    if documented is None and _TORCH_NAME.fullmatch(argument):
        return DocumentedMask(0, f"{argument}, by which torch means true where something is ignored")
    return documented


def mask_in_texts(texts: Iterable[str], argument: str) -> DocumentedMask | None:
    """Read which value of a mask lets something count.

    Args:
        texts: Docstrings and comments.
        argument: The name of the mask.

    Returns:
        What they say; None where they say nothing, or contradict themselves.
    """
    readings = [mask for text in texts for mask in _read(text, argument)]
    return readings[0] if len({mask.counting for mask in readings}) == 1 else None


_LEFT_OUT = r"\b(?:0(?:\.0?)?|false|zero|padd(?:ed|ing)|pad|masked|invalid|missing|past)\b"
_KEEPS = (
    r"(?:\b(?:hidden|cell|last|previous|old)?\s*states?\b[^.;]{0,30}\b(?:carried|kept|held|unchanged|frozen|preserved)\b|"
    r"\b(?:keeps?|carry|carries|holds?|freezes?|preserves?)\s+(?:the|its)\s+(?:\w+\s+)?states?\b|"
    r"\bsteps?\s+(?:is|are)\s+skipped\b)"
)
_KEPT_STATE = re.compile(
    rf"{_LEFT_OUT}[^.;]{{0,60}}?{_KEEPS}|{_KEEPS}[^.;]{{0,40}}?\b(?:where|when|while|if|at|on)\b[^.;]{{0,30}}?{_LEFT_OUT}",
    re.I,
)
_RESETS = re.compile(r"\b(?:resets?|resetting|zeroed|zeroes|episodes?|dones?|clear(?:s|ed)?)\b", re.I)


def kept_state_in_texts(texts: Iterable[str], argument: str) -> str:
    """Read that a state stays as it is at the steps that a mask leaves out.

    Args:
        texts: Docstrings and comments.
        argument: The name of the mask.

    Returns:
        The words that say so, in a text that names the mask; empty where none does, or where they are denied.
    """
    for text in texts:
        if re.search(rf"(?<!\w){re.escape(argument)}(?!\w)", text) is None or _RESETS.search(text):
            continue
        for sentence in re.split(r"\.\s|;|>>>|\n\s*\n", text):
            match = _KEPT_STATE.search(" ".join(sentence.split()))
            if match is not None and not _NEGATED.search(sentence):
                return match[0].strip()
    return ""


def _read(text: str, argument: str) -> Iterator[DocumentedMask]:
    """Read one text: what stands behind the name of the mask, up to the end of its sentence."""
    for match in re.finditer(rf"(?<!\w){re.escape(argument)}(?!\w)", text):
        behind = text[match.end() : match.end() + _MOST_LETTERS]
        sentence = " ".join(_SHAPE.sub(" ", re.split(r"\.\s|;|>>>|\n\s*\n", behind, maxsplit=1)[0]).split())
        sentence = _DEFAULT.sub("", sentence)
        words = f"{argument} {sentence}".strip()
        for pair in _FORWARDS.finditer(sentence):
            if not _ANY_VALUE.search(pair["between"]) and not _NEGATED.search(pair["between"]):
                yield DocumentedMask(_counting(pair), words)
        for pair in _BACKWARDS.finditer(sentence):
            yield DocumentedMask(_counting(pair), words)


def _counting(pair: re.Match[str]) -> int:
    """The value at which something counts, from a value and what is said of it."""
    value = int(pair["value"].lower().startswith(("t", "o", "1")))
    counts = (pair["counts"] is not None) != (pair["negation"] is not None)
    return value if counts else 1 - value
