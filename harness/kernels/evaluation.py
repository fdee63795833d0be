"""A trial of a kernel: the bound is that of its format, of how it accumulates, and of the forms it computes by.

Dimension legend: T time steps, B batch rows.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from typing import Any

from rnn_harness.arithmetic import Trajectory, evaluate
from rnn_harness.arithmetic.assumptions import (
    ABSOLUTE_FUNCTION_ROUNDINGS,
    GUARD_MARGIN,
    NARROW_MARGIN,
    UNDERFLOW,
    UNIT_ROUNDOFF,
)
from rnn_harness.arithmetic.ball import BallArithmetic, Rounding
from rnn_harness.array_types import Array
from rnn_harness.cases.case import Case, CaseArrays, draw_arrays
from rnn_harness.derivatives import Cotangents, derive, differentiate
from rnn_harness.evaluation.evaluation import Evaluation
from rnn_harness.kernels.alternative_forms import forms, widest
from rnn_harness.subjects.subject import Subject

NARROW = ("bfloat16", "float16")
"""Formats whose kernels accumulate in float32."""


LONG, FEW_STEPS = 1000, 50
"""Steps of a long sequence, and of one for a kernel that is interpreted."""


def rounding(dtype: str, operands: Fraction | None = None, absolute: bool = False) -> Rounding:
    """What a right kernel of that dtype does: narrow formats accumulate and apply functions in float32.

    `absolute`: its functions are exact against 1, not against their own value.
    """
    wide = UNIT_ROUNDOFF["float32"] if dtype in NARROW else None
    own = ABSOLUTE_FUNCTION_ROUNDINGS * UNIT_ROUNDOFF[dtype] if absolute else None
    return Rounding(UNIT_ROUNDOFF[dtype], UNDERFLOW[dtype], wide, operands, absolute=own)


def arrays_for(subject: Subject, case: Case) -> CaseArrays:
    """The arrays of a case; parameters and states that the kernel does not have are zero."""
    arrays = draw_arrays(case, subject)
    for name in getattr(subject.cell, "absent", ()):
        state = name.removeprefix("states.")
        (arrays.parameters[name] if state == name else arrays.states[state])[...] = 0
    return arrays


class KernelEvaluation(Evaluation):
    """A kernel on a case. `alternatives`: equations by which it may compute in place of the printed ones. `operands`:
    how far it shortens the operands of matrix products. `long`: steps of a long sequence. `fixed`: it exists for some
    sizes alone.
    """

    alternatives: tuple[str, ...] = ()
    operands: Fraction | None = None
    absolute: bool = False
    long: int = LONG
    fixed: bool = False

    @classmethod
    def of_kernel(
        cls, subject: Subject, case: Case, alternatives: tuple[str, ...] = (), operands: Fraction | None = None
    ) -> KernelEvaluation:
        """Draw the case and try it."""
        evaluation = cls(subject, arrays_for(subject, case))
        evaluation.alternatives, evaluation.operands = alternatives, operands
        evaluation.absent = tuple(getattr(subject.cell, "absent", ()))
        evaluation.margin = NARROW_MARGIN if case.dtype in NARROW else GUARD_MARGIN
        return evaluation

    def on(self, arrays: CaseArrays, cell: Any = None) -> KernelEvaluation:
        """The same kernel (or `cell` in its place) on other numbers."""
        subject = self.subject if cell is None else replace(self.subject, cell=cell)
        evaluation = type(self)(subject, arrays)
        evaluation.alternatives, evaluation.operands = self.alternatives, self.operands
        evaluation.margin, evaluation.long, evaluation.absent = self.margin, self.long, self.absent
        evaluation.absolute, evaluation.fixed = self.absolute, self.fixed
        return evaluation

    @functools.cached_property
    def bounded(self) -> BallArithmetic:
        return BallArithmetic(rounding(self.case.dtype, self.operands, self.absolute))

    @functools.cached_property
    def _trajectories(self) -> list[Trajectory[Array]]:
        return [evaluate(one, self.values, self.bounded) for one in forms(self.subject.spec, self.alternatives)]

    @functools.cached_property
    def balls(self) -> Trajectory[Array]:
        found = self._trajectories[0]
        for other in self._trajectories[1:]:
            for step, wider in zip(found.steps, other.steps, strict=True):
                step.update({name: widest([value, wider[name]]) for name, value in step.items()})
        return found

    @functools.cached_property
    def gradient_balls(self) -> dict[str, Array]:
        d_outputs, d_finals = self.spec_cotangents
        found = []
        with self.bounded.scope():
            for one in forms(self.subject.spec, self.alternatives):
                trajectory = evaluate(one, self.values, self.bounded)
                back = differentiate(derive(one), trajectory, d_outputs, d_finals, self.bounded)
                found.append(self.gathered(back))
            return {name: widest([one[name] for one in found]) for name in found[0]}

    def gathered(self, found: Cotangents[Array]) -> dict[str, Array]:
        return self._present(super().gathered(found))

    def _present(self, rows: dict[str, Array]) -> dict[str, Array]:
        """Without what belongs to parameters and states that the kernel does not have."""
        return {name: value for name, value in rows.items() if name.removeprefix("parameters.") not in self.absent}

    @property
    def flat_gradients(self) -> dict[str, Array]:
        return self._present(super().flat_gradients)

    @property
    def flat_values(self) -> dict[str, Array]:
        return self._present(super().flat_values)

    def objective(self, values: Mapping[str, Array], arithmetic: Any) -> Any:
        own = {name: self.arrays.states[name.removeprefix("states.")] for name in self.absent if "." in name}
        zero = own | {f"parameters.{name}": self.arrays.parameters[name] for name in self.absent if "." not in name}
        return super().objective({**zero, **values}, arithmetic)
