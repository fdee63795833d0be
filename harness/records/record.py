"""Records: what was decided, on what, by whom. Every report is computed from records and from nothing else."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from rnn_harness.cases.case import Case
from rnn_harness.records.probable_comparison import ProbableComparison
from rnn_harness.records.verdict import Outcome, Witness

SCHEMA_VERSION = 1
"""Version of the fields below; it grows when a field changes its meaning or goes."""


class Record(BaseModel):
    """One outcome, immutable.

    Attributes:
        schema_version: version of the fields of this record.
        entry: the equation (or other entry), or the spec for what concerns all of it.
        spec: id of the spec.
        check: id of the check.
        witness: who speaks about the entry.
        outcome: how the check ended.
        reason: why it is refuted or not run, or what there is to add.
        case: the case that the outcome rests on.
        worst_error: largest distance from the true value.
        bound: largest distance that is allowed.
        error_over_bound: worst error divided by its bound.
        bits: effective precision.
        examples: number of cases that counted.
        vacuous: number of cases that could not have shown anything.
        seconds: what the check took.
        seed: from which cases were drawn.
        requested_examples: number of cases that the run was asked to draw; None if it draws none.
        environment: versions that may change the outcome.
        program: for a refutation, a program that shows it.
        kernel: id of the kernel, or the candidate as it was named; empty for a reference.
        dtype: of a kernel, the one format of its cases.
        device: of a kernel, where it ran, with the accelerator's name and the versions of its libraries.
        ran: of a kernel, what the profiler saw.
        expected: why the candidate was expected to be refuted, where its author says so.
        init: the options that the candidate was constructed with.
        harness_error: the traceback, where an error of the harness itself kept the check from being run.
        depends_on: digest of everything that the outcome depends on; empty where it is not known, as of a candidate,
            whose own code may read anything.
        definition: of a candidate that is held against a spec file, or against a cell of the literature, the content of
            that file as JSON, with the constants of the candidate.
        probable: of long sums, how the numbers compare with a bound that holds in all but hardly any case, and which of
            the two bounds decided.
        batch_size: of the last record of those that are made together, how many they are; None of the others.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="strings")

    schema_version: int = SCHEMA_VERSION
    entry: str
    spec: str
    check: str
    witness: Witness
    outcome: Outcome
    reason: str = ""
    case: Case | None = None
    worst_error: float | None = None
    bound: float | None = None
    error_over_bound: float | None = None
    bits: float | None = None
    examples: int = 0
    vacuous: int = 0
    seconds: float = 0.0
    seed: int = 0
    requested_examples: int | None = None
    environment: str = ""
    program: str = ""
    kernel: str = ""
    dtype: str = ""
    device: str = ""
    ran: str = ""
    expected: str = ""
    init: tuple[str, ...] = ()
    harness_error: str = ""
    depends_on: str = ""
    definition: str = ""
    probable: ProbableComparison | None = None
    batch_size: int | None = None

    @property
    def key(self) -> str:
        """What makes two records answers to the same question, decided with the same versions."""
        question = (self.entry, self.spec, self.check, self.witness, str(self.seed), self.environment)
        return "|".join((*question, self.kernel, self.dtype, self.device) if self.kernel else question)

    @property
    def question(self) -> str:
        """What makes two records answers to the same question, whatever the versions they were decided with."""
        question = (self.entry, self.spec, self.check, self.witness, str(self.seed))
        return "|".join((*question, self.kernel, self.dtype, self.device) if self.kernel else question)
