"""What the documents claim, and how each claim is decided."""

from __future__ import annotations

import functools
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from rnn_harness.specs.data_rows import load_rows

Verdict = Literal["true", "true under conditions", "false", "depends"]
By = Literal["checks", "measured", "literature", "not testable"]


class Falsifier(BaseModel):
    """What would make a claim false; for a claim that is decided by checks, a thing that is tried.

    Attributes:
        says: what would make it false, in words; of a claim that is false, what would make it true.
        mutants: wrong references that are so, by their names, one at least for each spec whose checks are evidence;
            the evidence must refute each.
        entry: the id of an entry of the evidence that would say so if it read `text`.
        text: the entry's text that makes the claim false; of worked numbers, the expression that they ask for.
        fact: the name of a fact of the evidence, whose own opposite is tried.
        pair: the id of a pair of specs of the evidence.
        parameters: parameters of the pair with which it would not be what the claim says.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    says: str
    mutants: tuple[str, ...] = ()
    entry: str = ""
    text: str = ""
    fact: str = ""
    pair: str = ""
    parameters: dict[str, str] = {}

    @property
    def is_tried(self) -> bool:
        """Whether it names something that can be run."""
        return bool(self.mutants or self.entry or self.pair or self.fact)


class Claim(BaseModel):
    """A sentence of a document that can be decided.

    Attributes:
        id: the permanent id.
        prints: words that stand there, by every place (document and line) where the claim stands.
        says: the claim in our words.
        by: how it is decided.
        evidence: checks as ``spec/check``, entries (``E-328``) and equivalences (``Q-01``) whose records must agree, or
            the name of a measurement.
        verdict: the verdict where the evidence agrees; None of a measured claim, whose verdict its measurement gives.
        false_if: what would make it false; every claim that is decided has it.
        when: the conditions, the counterexample, the source, or why it cannot be tested.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    prints: dict[str, str] = Field(min_length=1)
    says: str
    by: By
    evidence: tuple[str, ...] = ()
    verdict: Verdict | None = None
    false_if: Falsifier | None = None
    when: str = ""

    @property
    def at(self) -> tuple[str, ...]:
        """Every place where it stands, document and line."""
        return tuple(self.prints)

    @model_validator(mode="after")
    def _is_complete(self) -> Claim:
        """Check that evidence, verdict and reason are there where the claim needs them."""
        decided = self.by in ("checks", "measured")
        if decided != bool(self.evidence):
            raise ValueError(f"{self.id}: a claim decided by {self.by} {'needs' if decided else 'has no'} evidence")
        if self.by != "not testable" and self.false_if is None:
            raise ValueError(f"{self.id}: say in false_if what would make it false")
        if self.false_if is not None and self.false_if.is_tried != (self.by == "checks"):
            raise ValueError(
                f"{self.id}: false_if names a mutant, entry, pair or fact where checks decide, and only there"
            )
        if self.by == "literature" and not self.when:
            raise ValueError(f"{self.id}: say in when which publication, and where in it")
        if self.by == "not testable":
            if self.verdict is not None or not self.when:
                raise ValueError(f"{self.id}: what cannot be tested has no verdict, and a reason")
        elif self.by == "measured" and self.verdict is not None:
            raise ValueError(f"{self.id}: what is measured has the verdict of its measurement, none is written down")
        elif self.verdict is None and self.by != "measured":
            raise ValueError(f"{self.id}: a verdict is missing")
        return self


@functools.cache
def claims() -> tuple[Claim, ...]:
    """Return all claims of the documents. Raises SpecError if the shipped file is damaged."""
    return load_rows("claims.toml", "claims", Claim)
