"""Records: one outcome each, immutable, one line of JSON. Every report is computed from them alone."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import sys
from importlib.metadata import PackageNotFoundError, version

from pydantic import BaseModel, ConfigDict, Field

from rnn_harness.cases import Case
from rnn_harness.outcomes import Outcome

WITNESSES = ("reference", "numeric", "symbolic", "torch", "text")
_PACKAGES = ("rnn-harness", "numpy", "python-flint", "sympy", "torch", "hypothesis")


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="strings")


class Environment(_Frozen):
    """Where the records were made; written once, and named by `id` in every record."""

    python: str
    implementation: str
    system: str
    machine: str
    processors: int
    packages: dict[str, str]

    @property
    def id(self) -> str:
        """A short name that changes when anything here does."""
        text = json.dumps(self.model_dump(), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:12]

    @classmethod
    def here(cls) -> Environment:
        """This process's environment. Reads package metadata only; nothing heavy is imported."""
        packages = {}
        for name in _PACKAGES:
            try:
                packages[name] = version(name)
            except PackageNotFoundError:
                packages[name] = "absent"
        return cls(
            python=platform.python_version(),
            implementation=sys.implementation.name,
            system=platform.system(),
            machine=platform.machine(),
            processors=os.cpu_count() or 1,
            packages=packages,
        )


class Record(_Frozen):
    """One check's outcome about one entry (or one whole spec, when `entry` is empty).

    `witness` is one of `WITNESSES`. `share` is the worst error as a part of its bound; beyond 1 is refuted.
    `cases` counts the cases that decided. `case` is the one of the worst share, or the shrunk counterexample;
    `counterexample` then is a program that shows it. `odd_one_out` names what the vote blames.
    """

    spec: str
    entry: str = ""
    document: str = ""
    line: int = 0
    title: str = ""
    check: str
    witness: str
    outcome: Outcome
    reason: str = ""
    error: float | None = None
    bound: float | None = None
    share: float | None = None
    bits: float | None = None
    cases: int = 0
    case: Case | None = None
    counterexample: str = ""
    odd_one_out: str = ""
    errata: tuple[str, ...] = ()
    seed: int = 0
    examples: int = 0
    seconds: float = Field(default=0.0, ge=0)
    environment: str = ""

    @property
    def key(self) -> tuple[str, ...]:
        """What makes two records the same piece of work: `--resume` skips a key that is already there."""
        numbers = (str(self.seed), str(self.examples))
        return (self.spec, self.entry, self.check, self.witness, *numbers, self.environment)

    @property
    def about(self) -> str:
        """The entry's id, or the spec's."""
        return self.entry or self.spec
