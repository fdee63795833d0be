"""What the documents print wrong outside their equations, and where they contradict each other."""

from __future__ import annotations

import functools
from typing import Literal

from pydantic import BaseModel, ConfigDict, model_validator

from rnn_harness.specs.claims import Verdict
from rnn_harness.specs.data_rows import load_rows


class Misprint(BaseModel):
    """A place where a document is wrong in its words.

    Attributes:
        id: the permanent id.
        prints: the printed words by their place (document and line).
        says: their statement, in our words.
        right: the right statement.
        by: how it is decided: ``claim`` (the verdicts of claims show it: none is plainly true), ``checks`` (their
            records must agree), ``reading`` (nothing is computed from it) or ``literature``.
        evidence: the claims or checks that decide it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    prints: dict[str, str]
    says: str
    right: str
    by: Literal["claim", "checks", "reading", "literature"]
    evidence: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _is_complete(self) -> Misprint:
        """Check that evidence is there where it is needed, and nowhere else."""
        if (self.by in ("claim", "checks")) != bool(self.evidence):
            raise ValueError(f"{self.id}: {self.by} {'needs' if not self.evidence else 'has no'} evidence")
        return self


class Position(BaseModel):
    """One side of a contradiction.

    Attributes:
        at: places in the documents; empty where the position is not theirs.
        says: the position in our words.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    at: tuple[str, ...]
    says: str


class Contradiction(BaseModel):
    """Positions of the documents that cannot all be right.

    Attributes:
        id: the permanent id.
        topic: the subject in a few words.
        positions: the positions, at least two.
        resolved: the reason why they agree after all, or the one that is right.
        evidence: equivalences (``Q-01``), claims, checks and entries that decide it.
        verdicts: the verdicts that each claim of the evidence may have where the contradiction is resolved so.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    topic: str
    positions: tuple[Position, ...]
    resolved: str
    evidence: tuple[str, ...]
    verdicts: dict[str, tuple[Verdict, ...]] = {}

    @model_validator(mode="after")
    def _is_complete(self) -> Contradiction:
        """Check that there are two positions and evidence, and what every claim of it must say."""
        if len(self.positions) < 2 or not self.evidence:
            raise ValueError(f"{self.id}: a contradiction has two positions and evidence")
        claims = {name for name in self.evidence if name.startswith("C-")}
        if claims != set(self.verdicts):
            raise ValueError(f"{self.id}: verdicts are those of {sorted(claims) or 'no claim'}, its evidence")
        return self


@functools.cache
def misprints() -> tuple[Misprint, ...]:
    """Return the errata outside of equations. Raises SpecError if the shipped file is damaged."""
    return load_rows("errata.toml", "errata", Misprint)


@functools.cache
def contradictions() -> tuple[Contradiction, ...]:
    """Return the contradictions between and inside documents. Raises SpecError if the shipped file is damaged."""
    return load_rows("errata.toml", "contradictions", Contradiction)
