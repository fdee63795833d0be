"""What the documents claim, and how each claim is decided."""

from __future__ import annotations

import functools
from typing import Literal

from pydantic import BaseModel, ConfigDict, model_validator

from rnn_harness.specs.data_rows import load_rows

Verdict = Literal["true", "true under conditions", "false", "depends"]
By = Literal["checks", "measured", "literature", "definition", "not testable"]


class Claim(BaseModel):
    """A sentence of a document that can be decided.

    Attributes:
        id: the permanent id.
        at: every place where it stands, document and line.
        says: the claim in our words.
        by: how it is decided.
        evidence: checks as ``spec/check``, entries (``E-328``) and equivalences (``Q-01``) whose records must agree, or
            the name of a measurement.
        verdict: the verdict where the evidence agrees; None of a measured claim, whose verdict its measurement gives.
        when: the conditions, the counterexample, the source, or why it cannot be tested.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    at: tuple[str, ...]
    says: str
    by: By
    evidence: tuple[str, ...] = ()
    verdict: Verdict | None = None
    when: str = ""

    @model_validator(mode="after")
    def _is_complete(self) -> Claim:
        """Check that evidence, verdict and reason are there where the claim needs them."""
        decided = self.by in ("checks", "measured")
        if decided != bool(self.evidence):
            raise ValueError(f"{self.id}: a claim decided by {self.by} {'needs' if decided else 'has no'} evidence")
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
