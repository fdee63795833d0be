"""The result of a validation as one document: identification, diagnosis, checks, counterexample."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from pydantic import BaseModel, ConfigDict

from rnn_harness.records.html_block import html_block
from rnn_harness.records.parameter_map_file import MapFile, SpecMapFile
from rnn_harness.records.record import Record
from rnn_harness.records.verdict import Outcome

Verdict = Literal["agrees", "consistent", "refuted", "undecided"]
SINGLE_INSIDE = "it computes in float32 although it takes float64, and is judged in float64 by what float32 rounds"
"""What an identification says of a target that computes its numbers of float64 in float32."""
IDENTIFICATION_CHECK = "identification.unique"
"""The check that a target is what it should be."""
PROCESS_CHECK = "process.ended"
"""The check that a target leaves its process running; there is a record of it only where the process ended."""
CONFINED_CHECK = "process.confined"
"""The fact that a target's process had no network and could write to no file; there is a record of it only then."""
FUNCTIONS_CHECK = "precision.functions"
"""The measurement of how accurate a target's functions are; its reason says so where they are accurate against 1 alone.
"""
TAKEN_CHECK = "behaviour.takes-format"
"""The check that a target computes in a dtype; there is a record of it only where it does not, or not in all it does.
"""
PART_CHECK = "model.part"
"""The check that a recurrent part of a model is a right cell, with one record for each part."""
WIRING_CHECKS = "wiring."
"""Before the names of the checks of what is between the parts of a model."""
_DECISIVE = (PART_CHECK, *(f"{WIRING_CHECKS}{check}" for check in ("rows", "evaluation", "carried-state")))
"""What must be decided of a model before it can be said to agree."""
CONSISTENCY = "consistency."
"""Before the name of a check that needs no equation: what any recurrent cell must do."""
LOSS_GRADIENTS_CHECK = f"{CONSISTENCY}loss-gradients"
"""The check that the gradients of a loss are its slopes."""
NUMBERS_CHECK = "numbers.reevaluated"
"""The check, in the process that waits, of numbers that came back: a worker's records count only where it agrees."""
NOT_ABOUT_NUMBERS = (
    IDENTIFICATION_CHECK,
    "kernel.dispatch",
    FUNCTIONS_CHECK,
    TAKEN_CHECK,
    NUMBERS_CHECK,
    CONFINED_CHECK,
)
"""Checks that decide nothing by themselves about what a target computes."""


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="strings")


class IdentificationRecord(_Model):
    """What a target computes.

    Attributes:
        answer: ``unique``, ``ambiguous`` (several cells cannot be told apart) or ``unknown``.
        spec: The shipped spec, or ``candidate`` for a spec that was generated from what was identified.
        sentence: The first cell in words.
        candidates: Every cell that it may be, in words.
        map: Which parameter of the target is which of the spec.
    """

    answer: Literal["unique", "ambiguous", "unknown"]
    spec: str = ""
    sentence: str = ""
    candidates: tuple[str, ...] = ()
    map: MapFile | SpecMapFile | None = None


class Diagnosis(_Model):
    """What is wrong with a cell.

    Attributes:
        spec: The nearest known cell, by its spec or in words.
        part: What is at fault: ``forward: ...``, ``backward: ...`` or ``behaviour: ...``.
        difference: How it differs from that cell, or what it does wrong.
    """

    spec: str
    part: str
    difference: str

    def sentence(self) -> str:
        """Say what it is, or which spec it equals, but for what is wrong."""
        verb = "is" if self.spec.startswith(("a ", "an ")) else "equals"
        name = "the equations of what it is" if self.spec == "candidate" else self.spec
        return f"{verb} {name}, but {self.difference}" if self.difference else self.spec


class PartRecord(_Model):
    """One recurrent part of a model.

    Attributes:
        name: Its name in the model.
        title: What it is, with its sizes.
        judged_as: The name under which the records stand of the cell that was judged for it.
    """

    name: str
    title: str
    judged_as: str


class ModelRecord(_Model):
    """What a model consists of.

    Attributes:
        parts: Its recurrent parts.
        wiring: What was seen of what is between them, in words.
    """

    parts: tuple[PartRecord, ...]
    wiring: tuple[str, ...]


class CounterexampleProgram(_Model):
    """The smallest counterexample, and a program that shows it.

    Attributes:
        sizes: n, d, T and B, by name.
        nonzero: How many of its numbers are not zero.
        place: Where the number stands that differs: ``outputs[0, 0, 0]``.
        computed: The number that the target gives there.
        expected: The number that the equations give there.
        bound: By how much the two may differ, by the rounding of the dtype.
        program: The program; it ends in an assertion that fails.
    """

    sizes: dict[str, int]
    nonzero: int
    place: str
    computed: float
    expected: float
    bound: float
    program: str


class Validation(_Model):
    """Everything that was decided about one target.

    Attributes:
        kind: What the document is.
        schema_version: The version of the fields, to be raised when one changes its meaning.
        target: Its name.
        outcome: ``agrees``, ``consistent`` (it equals no known cell, and breaks no property of recurrent cells),
            ``refuted`` or ``undecided``.
        spec: What it was compared with.
        identification: What it computes, if that was reached.
        diagnosis: What is wrong with it, if anything is.
        checks: Every record.
        counterexample: Numbers that show what is wrong, if there are some.
        environment: The versions that may change an outcome.
        model: Its recurrent parts and their wiring, if it is a model and not a single cell.
    """

    kind: Literal["validation"] = "validation"
    schema_version: Literal[1] = 1
    target: str
    outcome: Verdict
    spec: str
    identification: IdentificationRecord | None
    diagnosis: Diagnosis | None
    checks: tuple[Record, ...]
    counterexample: CounterexampleProgram | None
    environment: str
    model: ModelRecord | None = None

    @property
    def has_decided_gradients(self) -> bool:
        """Whether any check of its gradients agrees."""
        return any(record.check.startswith("backward.") and record.outcome is Outcome.AGREES for record in self.checks)

    @property
    def how_far(self) -> str:
        """What of the target agrees, as the end of a sentence; empty where its forward and its gradients do."""
        if self.model is not None or self.has_decided_gradients:
            return ""
        agreeing = {record.check for record in self.checks if record.outcome is Outcome.AGREES}
        is_in_loss = LOSS_GRADIENTS_CHECK in agreeing
        return ", forward; the gradients of its loss are right" if is_in_loss else ", forward; no gradient was decided"

    def __str__(self) -> str:
        from rnn_harness.records.validation_summary import summary_text

        return summary_text(self)

    def _repr_html_(self) -> str:
        return html_block(f"{self.target}: {self.outcome}", str(self))

    def __repr__(self) -> str:
        return f"<Validation of {self.target}: {self.outcome}, {len(self.checks)} checks; print it for a summary>"


def outcome_of(records: Iterable[Record]) -> Verdict:
    """Decide the outcome of a target from its records.

    Args:
        records: The records of one target, in any order.

    Returns:
        ``refuted`` if a record is, and was not expected to be; ``undecided`` if the worker could not go on through no
        fault of the target's, or said what the numbers that it returned do not say, the harness itself failed in a
        check, or a part of a model is undecided; ``agrees`` if a check of its numbers agrees; ``consistent`` if it is
        compared with no equations and a property of recurrent cells holds; else ``undecided``.
    """
    checks = list(records)
    if any(record.outcome is Outcome.REFUTED and not record.expected for record in checks):
        return "refuted"
    if any(record.harness_error for record in checks):
        return "undecided"
    waited_for = (PROCESS_CHECK, NUMBERS_CHECK)
    if any(record.check in waited_for and record.outcome is Outcome.NOT_RUN for record in checks):
        return "undecided"
    if any(record.check in _DECISIVE and record.outcome is Outcome.NOT_RUN for record in checks):
        return "undecided"
    agreeing = [record.check for record in checks if record.outcome is Outcome.AGREES]
    if any(check not in NOT_ABOUT_NUMBERS and not check.startswith(CONSISTENCY) for check in agreeing):
        return "agrees"
    return "consistent" if any(check.startswith(CONSISTENCY) for check in agreeing) else "undecided"
