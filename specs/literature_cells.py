"""The cells of the literature: one file each, beside those of the documents, which stay first."""

from __future__ import annotations

import functools
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
