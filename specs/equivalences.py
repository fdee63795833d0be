"""Pairs of specs that compute the same function under a change of parameters, and pairs that do not; as data."""

from __future__ import annotations

import functools
from typing import Literal

from pydantic import BaseModel, ConfigDict

from rnn_harness.specs.data_rows import load_rows


class Equivalence(BaseModel):
    """A pair of specs, and how the symbols of one follow from those of the other.

    Attributes:
        id: the permanent id.
        title: the pair in words.
        left: the id of the spec that the parameters are drawn for.
        right: the id of the spec that is compared with it.
        parameters: the right spec's parameters out of the left's (NAME, NAME^T, -NAME, [A, B], or 0).
        left_set: computed symbols of the left spec that are replaced by a constant.
        right_set: computed symbols of the right spec that are replaced by a constant.
        inputs: the right spec's inputs by the left's name.
        states: the right spec's states by the left's name.
        compare: the right spec's symbols that must equal the left's, by the left's name; the states without it.
        layers: the number of layers of specs that have layers.
        expected: whether the two are equal or different.
        source: where the pair comes from.
        note: a remark for the reader.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str
    title: str
    left: str
    right: str
    parameters: dict[str, str] = {}
    left_set: dict[str, int] = {}
    right_set: dict[str, int] = {}
    inputs: dict[str, str] = {}
    states: dict[str, str] = {}
    compare: dict[str, str] = {}
    layers: int = 1
    expected: Literal["equal", "different"] = "equal"
    source: str
    note: str = ""


@functools.cache
def equivalences() -> tuple[Equivalence, ...]:
    """Return the shipped pairs. Raises SpecError if the shipped file is damaged."""
    return load_rows("equivalences.toml", "equivalences", Equivalence)
