"""What the documents print wrong outside their equations, and where they contradict each other."""

from __future__ import annotations

import functools
from typing import Literal

from pydantic import BaseModel, ConfigDict, model_validator

from rnn_harness.specs.data_rows import rows_of


class Misprint(BaseModel):
    """`prints`: words that stand at a place (document and line). `says`: what they say, in ours; `right`: what is.

    `by`: ``claim`` (`evidence` names claims whose verdicts tell it), ``checks`` (their records must agree), ``reading``
    (nothing is computed from it), ``literature``.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    prints: dict[str, str]
    says: str
    right: str
    by: Literal["claim", "checks", "reading", "literature"]
    evidence: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _is_whole(self) -> Misprint:
        if (self.by in ("claim", "checks")) != bool(self.evidence):
            raise ValueError(f"{self.id}: {self.by} {'needs' if not self.evidence else 'has no'} evidence")
        return self


class Position(BaseModel):
    """One side of a contradiction; `at`: places in the documents, none for what others say."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    at: tuple[str, ...]
    says: str


class Contradiction(BaseModel):
    """`resolved`: what reconciles the positions, or parts them; `evidence`: equivalences (``Q-01``), claims, checks
    and entries that decide it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    topic: str
    positions: tuple[Position, ...]
    resolved: str
    evidence: tuple[str, ...]

    @model_validator(mode="after")
    def _is_whole(self) -> Contradiction:
        if len(self.positions) < 2 or not self.evidence:
            raise ValueError(f"{self.id}: a contradiction has two positions and evidence")
        return self


@functools.cache
def misprints() -> tuple[Misprint, ...]:
    """Errata outside of equations. Raises SpecError if the file is damaged."""
    return rows_of("errata.toml", "errata", Misprint)


@functools.cache
def contradictions() -> tuple[Contradiction, ...]:
    """Contradictions between and inside documents. Raises SpecError if the file is damaged."""
    return rows_of("errata.toml", "contradictions", Contradiction)
