"""What two cells are to each other: the result of ``rnn-harness compare``, as plain data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from rnn_harness.records.html_block import html_block

ComparisonOutcome = Literal["same", "different", "undecided"]
Inclusion = Literal["", "left", "right"]
DecaySource = Literal["", "products", "equations"]
"""By what the decay of a gradient was measured: the cell's own vector-Jacobian products, or its equations."""


@dataclass(frozen=True)
class MeasuredPrecision:
    """How precise a cell was on sequences that were drawn.

    Attributes:
        dtype: In which it ran, ``float64`` or ``float32``.
        bits: Correct bits of its largest error, relative to the largest output.
        is_within_bound: Whether every output lies within the proved bound of its equations.
    """

    dtype: str
    bits: float
    is_within_bound: bool


@dataclass(frozen=True)
class ComparedCell:
    """One of two cells.

    Attributes:
        target: Its name, as it was typed.
        sentence: What it computes.
        spec: The shipped spec that it is, or the spec file; empty if there is none.
        parameters: The number of its parameters at the sizes of the measurement.
        sizes: The sizes of the measurement, in words; empty where it was not measured.
        forward_seconds: The median time of a forward over a sequence; None where it was not measured.
        backward_seconds: The median time of a forward and a backward; None where it has no gradients.
        precision: How precise it was, by dtype.
        decay: The factor by which the gradient shrinks at every step back, with the weights that its constructor
            draws; None where it could not be computed, or where the gradient is zero or not finite.
        decay_by: Whether that is by its own vector-Jacobian ``products`` or by its ``equations``; empty where it could
            not be computed.
        decay_by_equations: The same by its equations, beside that by its own products; None where it is not known.
        decay_note: Why its own products could not be taken; empty where they were, or nothing was computed.
        note: Why something was not measured; empty if all was.
        is_model: Whether it is a model of several recurrent layers.
    """

    target: str
    sentence: str
    spec: str = ""
    parameters: int = 0
    sizes: str = ""
    forward_seconds: float | None = None
    backward_seconds: float | None = None
    precision: tuple[MeasuredPrecision, ...] = ()
    decay: float | None = None
    decay_by: DecaySource = ""
    decay_by_equations: float | None = None
    decay_note: str = ""
    note: str = ""
    is_model: bool = False


@dataclass(frozen=True)
class Counterexample:
    """Numbers on which two cells differ.

    Attributes:
        numbers: All numbers that are not zero, with the sizes; by the names of the equations.
        gap: Which value differs, and its two values by the equations.
        left_equation: The first equation of the left that gives another value; empty where no two can be paired.
        right_equation: The equation of the right for the same value.
        left_output: What the left itself gave on these numbers; empty where it was not run on them.
        right_output: What the right itself gave.
    """

    numbers: str
    gap: str
    left_equation: str = ""
    right_equation: str = ""
    left_output: str = ""
    right_output: str = ""


@dataclass(frozen=True)
class Comparison:
    """What two cells are to each other.

    Attributes:
        outcome: Whether they are the same function.
        sentence: Why, in one sentence.
        left: The first cell.
        right: The second cell.
        included: Which of the two the other contains, though they are not the same: it computes nothing that the other
            could not compute with other weights.
        proof: What was proved, and how.
        map: How the weights of the right follow from those of the left, one line for each.
        conditions: What must hold for the weights if the two are to agree.
        obstacles: Differences that no weights remove.
        counterexample: The smallest numbers found on which they differ; None where they are the same.
        rounding: What both gave on the same drawn sequences, in words.
        calls: In which orders they take the axes of a sequence; empty where these are the same, or not known.
        lengths: What they are to each other on rows of several lengths; empty where neither takes lengths.
    """

    outcome: ComparisonOutcome
    sentence: str
    left: ComparedCell
    right: ComparedCell
    included: Inclusion = ""
    proof: str = ""
    map: tuple[str, ...] = ()
    conditions: tuple[str, ...] = ()
    obstacles: tuple[str, ...] = ()
    counterexample: Counterexample | None = None
    rounding: str = ""
    calls: str = ""
    lengths: str = ""

    def __str__(self) -> str:
        from rnn_harness.records.comparison_text import comparison_text

        return comparison_text(self)

    def __repr__(self) -> str:
        return f"<Comparison of {self.left.target} and {self.right.target}: {self.outcome}; print it for a summary>"

    def _repr_html_(self) -> str:
        title = f"{self.left.target} and {self.right.target}: {self.outcome}"
        return html_block(title, str(self))
