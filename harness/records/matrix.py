"""A table of implementations and their properties, as plain data: what stands in ``matrix.json``."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

from rnn_harness.records.judged_target import Ending

Property = Literal["forward", "gradients", "precision", "behaviour", "lengths", "training"]
PROPERTIES: dict[Property, str] = {
    "forward": "forward",
    "gradients": "gradients",
    "precision": "precision",
    "behaviour": "runtime behaviour",
    "lengths": "lengths",
    "training": "training",
}
"""The columns of the table besides what an implementation computes, with their headings."""
_CHECKS: dict[Property, tuple[str, ...]] = {
    "lengths": (
        "metamorphic.sequence-lengths",
        "metamorphic.gradients-with-lengths",
        "behaviour.poison",
        "consistency.lengths",
        "wiring.lengths",
    ),
    "training": (
        "behaviour.training",
        "behaviour.no-grad",
        "behaviour.frozen-parameters",
        "consistency.training",
        "consistency.registered",
        "consistency.parameters-used",
        "wiring.evaluation",
        "weights.",
    ),
    "gradients": (
        "backward.",
        "scale.gradients",
        "behaviour.gradgrad",
        "behaviour.jvp",
        "metamorphic.gradient-",
        "metamorphic.adjoint",
        "metamorphic.constant-input-gradient",
        "consistency.final-state-gradients",
        "consistency.long-gradients",
        "consistency.gradients-add-up",
        "consistency.difference-quotients",
        "consistency.complex-steps",
        "consistency.two-calls-one-backward",
        "wiring.gradients",
        "wiring.two-calls",
    ),
    "precision": (
        "precision.functions",
        "precision.long",
        "precision.accumulation",
        "behaviour.formats",
        "behaviour.takes-format",
        "behaviour.autocast",
        "consistency.formats",
        "metamorphic.float32-precision",
    ),
    "forward": ("precision.format", "forward.", "scale.", "numbers.", "metamorphic.", "model."),
    "behaviour": ("behaviour.", "consistency.", "kernel.", "process.", "wiring.", "expected-failure"),
}
"""How the names of the checks begin that decide a property; the first property with a check's beginning has it."""


def property_of(check: str) -> Property | None:
    """Return the property that a check of a target decides; None for what a target is.

    Args:
        check: The name of a check.
    """
    return next((name for name, beginnings in _CHECKS.items() if check.startswith(beginnings)), None)


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="strings")


class PropertyCell(_Model):
    """A cell of the table: what the checks of one property say of one implementation.

    Attributes:
        property: What the checks are about: the column.
        outcome: ``refuted`` if a check is, and was not expected to be; ``agrees`` if one agrees; else ``not run``.
        agreeing: The number of checks that agree.
        refuted: The number of checks that are refuted.
        bits: The effective precision by dtype, of the property ``precision``.
        note: What a reader must know of these numbers; empty for most.
        check: The first check that is refuted, or that was not run.
        dtype: The dtype of that check.
        reason: What that check says.
        program: A program that shows it, if there is one.
    """

    property: Property
    outcome: Literal["agrees", "refuted", "not run"]
    agreeing: int = 0
    refuted: int = 0
    bits: dict[str, float] = {}
    note: str = ""
    check: str = ""
    dtype: str = ""
    reason: str = ""
    program: str = ""


class MatrixRow(_Model):
    """An implementation.

    Attributes:
        name: The target with its options.
        package: The distribution that it comes from.
        version: The version of that distribution.
        environment: The environment that it was judged in.
        target: What was validated.
        init: Options of its constructor.
        ending: The verdict, or that there is none.
        computes: The spec that it equals, or what it is in words; empty where that is unknown.
        sentence: What it is, in full.
        difference: What is wrong with it, and the nearest cell.
        reason: Why there is no verdict.
        cells: The cells, in the order of `PROPERTIES`.
        program: The program of the smallest counterexample.
        review: What a person who looked at a refutation says of it.
        versions: The versions that may change an outcome.
        date: When it was judged, in UTC.
        seconds: What it took.
    """

    name: str
    package: str
    version: str
    environment: str
    target: str
    init: tuple[str, ...]
    ending: Ending
    computes: str = ""
    sentence: str = ""
    difference: str = ""
    reason: str = ""
    cells: tuple[PropertyCell, ...] = ()
    program: str = ""
    review: str = ""
    versions: str = ""
    date: str = ""
    seconds: float = 0.0

    @property
    def key(self) -> str:
        """What makes rows of two runs rows of one implementation."""
        return f"{self.environment}: {self.name}"

    @property
    def is_defective(self) -> bool:
        """Whether something is refuted."""
        return self.ending == "refuted"


class Matrix(_Model):
    """The table of one run.

    Attributes:
        kind: What the document is.
        schema_version: The version of the fields.
        title: What the suite is about.
        date: When the last implementation was judged, in UTC.
        rows: The implementations.
        changes: What changed since the run before, one sentence each; empty for the first run.
    """

    kind: Literal["matrix"] = "matrix"
    schema_version: Literal[1] = 1
    title: str
    date: str
    rows: tuple[MatrixRow, ...]
    changes: tuple[str, ...] = ()

    def count(self, ending: Ending) -> int:
        """Return how many implementations ended so.

        Args:
            ending: A verdict, or ``not driven`` or ``not judged``.
        """
        return sum(row.ending == ending for row in self.rows)
