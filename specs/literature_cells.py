"""The cells of the literature: one file each, beside those of the documents, which stay first."""

from __future__ import annotations

import functools
import re
from importlib import resources
from pathlib import Path

from rnn_harness.specs.load import parse_spec
from rnn_harness.specs.spec import Spec


@functools.cache
def literature() -> tuple[Spec, ...]:
    """Load the cells of the literature, simple ones first: by the number of their parameters, then by id."""
    folder = resources.files("rnn_harness.specs") / "literature"
    files = sorted((entry for entry in folder.iterdir() if entry.name.endswith(".toml")), key=lambda entry: entry.name)
    specs = [parse_spec(entry.read_text(encoding="utf-8"), Path(str(entry))) for entry in files]
    return tuple(sorted(specs, key=lambda spec: (len(spec.model.parameters), spec.id)))


def search_literature(words: str) -> tuple[Spec, ...]:
    """Find the cells of the literature whose id, title or paper holds some words.

    Args:
        words: The words, in any case; all must occur.
    """
    wanted = words.lower().split()

    def text(spec: Spec) -> str:
        return f"{spec.id} {spec.title} {spec.model.document}".lower()

    return tuple(spec for spec in literature() if all(word in text(spec) for word in wanted))


_WORDS_OF_A_NAME = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_FAMILIES = frozenset({"gru", "lstm", "rnn"})


def specs_called(name: str) -> tuple[Spec, ...]:
    """Find the cells of the literature that a class or a function is called after.

    Args:
        name: The name of the class or function: ``IndRNN``, ``LayerNormGRUCell``, ``sru_step``.

    Returns:
        The cells, those whose ids the longest part of the name stands for first; none for a plain ``MyGRUCell``.
    """
    words = [word.lower() for word in _WORDS_OF_A_NAME.findall(name)]
    parts = {"".join(words[start:end]) for end in range(len(words) + 1) for start in range(end)}

    def length(spec: Spec) -> int:
        family, _, variant = spec.id.replace("_", "").partition(".")
        if family not in _FAMILIES:
            return len(family) if family in parts else 0
        beginnings = (part for part in parts if len(part) > 3 and variant.startswith(part))
        return max(map(len, beginnings), default=0) if family in parts else 0

    called = [(length(spec), spec) for spec in literature()]
    return tuple(spec for long, spec in sorted(called, key=lambda pair: -pair[0]) if long)
