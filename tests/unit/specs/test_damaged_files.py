"""Whatever happens to a spec file, it is read, or refused with a SpecError: never a traceback, never a hang."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnn_harness.specs import SpecError, audit, library, load_spec

WHOLE = [spec.path.read_text(encoding="utf-8") for spec in library().specs]
PIECES = sorted({piece for text in WHOLE for piece in text.split()})
SIGNS = list("()[]{}=+*_^\\ a1&,.'\"-\n")


def cut(place: int, length: int, text: str) -> str:
    place %= len(text)
    return text[:place] + text[place + length :]


def insert(place: int, piece: str, text: str) -> str:
    place %= len(text)
    return text[:place] + piece + text[place:]


def move(source: int, target: int, text: str) -> str:
    lines = text.split("\n")
    line = lines.pop(source % len(lines))
    lines.insert(target % (len(lines) + 1), line)
    return "\n".join(lines)


places = st.integers(0, 5000)
damage = st.one_of(
    st.builds(functools.partial, st.just(cut), places, st.integers(1, 12)),
    st.builds(functools.partial, st.just(insert), places, st.sampled_from(SIGNS)),
    st.builds(functools.partial, st.just(insert), places, st.sampled_from(PIECES)),
    st.builds(functools.partial, st.just(move), places, places),
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("damaged")


@given(text=st.sampled_from(WHOLE), changes=st.lists(damage, min_size=1, max_size=4))
@settings(max_examples=max(50, settings().max_examples))
def test_a_damaged_file_is_read_or_refused(folder: Path, text: str, changes: list[Callable[[str], str]]) -> None:
    for change in changes:
        text = change(text) or "x"
    path = folder / "damaged.toml"
    path.write_text(text, encoding="utf-8")
    with contextlib.suppress(SpecError):
        spec = load_spec(path)
        for equation in spec.equations:
            spec.assignment(equation.id)
        if spec.is_cell:
            spec.program()
        audit(spec)
