"""Pairs of specs that compute the same function under a change of parameters, and pairs that do not; as data."""

from __future__ import annotations

import functools
from typing import Literal

from pydantic import BaseModel, ConfigDict

from rnn_harness.specs.data_rows import rows_of


class Equivalence(BaseModel):
    """`parameters`: the right spec's parameters out of the left's (NAME, NAME^T, -NAME, [A, B], or 0).

    `left_set`, `right_set`: computed symbols replaced by a constant. `states`: the right spec's states by the left's
    name. `compare`: the right spec's symbols that must equal the left's, by the left's name; the states without it.
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
    """The shipped pairs. Raises SpecError if the file is damaged."""
    return rows_of("equivalences.toml", "equivalences", Equivalence)
