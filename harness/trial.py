"""One subject on one set of numbers: everything a check may ask for, computed once and only if asked.

Dimension legend: T time steps, B batch rows, n input size, d hidden size, k output size.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from rnn_harness.cases import Case, Drawn, draw
from rnn_harness.oracle import Enclosure, GradientEnclosure, Oracle, rounding, truth
from rnn_harness.references import Gradients
from rnn_harness.subjects import Observation, Subject


@dataclass(frozen=True)
class Trial:
    """A subject, its numbers, and the case they were drawn from."""

    subject: Subject
    case: Case
    drawn: Drawn

    @classmethod
    def of(cls, subject: Subject, case: Case) -> Trial:
        """The trial of a case: its numbers are drawn by the subject's layout."""
        return cls(subject, case, draw(case, subject.layout(case.sizes)))

    def at(self, drawn: Drawn) -> Trial:
        """The same subject on other numbers."""
        return Trial(self.subject, self.case, drawn)

    def by(self, subject: Subject) -> Trial:
        """Another subject on the same numbers."""
        return Trial(subject, self.case, self.drawn)

    @cached_property
    def sizes(self) -> dict[str, int]:
        """The program's sizes, read off the numbers (a relation may have added a unit or a feature)."""
        n = self.drawn.inputs.shape[2]
        d = next((value.shape[1] for value in self.drawn.states.values()), None)
        if d is None:
            weight = next(value for name, value in self.drawn.parameters.items() if name.startswith("W_x"))
            d = len(weight)
        return {**self.case.sizes, "n": n, "d": d, "k": self.drawn.d_outputs.shape[2]}

    @cached_property
    def seen(self) -> Observation:
        """What the subject computes."""
        return self.subject.run(self.drawn)

    @cached_property
    def gradients(self) -> Gradients:
        """What the subject's backward computes."""
        return self.subject.gradients(self.drawn, self.seen)

    @cached_property
    def oracle(self) -> Oracle:
        return Oracle(self.subject, self.sizes, rounding(str(self.drawn.dtype)))

    @cached_property
    def exact(self) -> Oracle:
        """The oracle without rounding: balls hold the true values only."""
        return Oracle(self.subject, self.sizes, truth())

    @cached_property
    def enclosure(self) -> Enclosure:
        """What any right forward may compute in this dtype."""
        return self.oracle.forward(self.drawn)

    @cached_property
    def gradient_enclosure(self) -> GradientEnclosure:
        """What any right backward may compute in this dtype."""
        return self.oracle.backward(self.drawn)
