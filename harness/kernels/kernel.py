"""What a kernel is: a torch implementation of one spec, with what it needs, takes, and must be seen to run.

Dimension legend: n input size, d hidden size, T time steps, B batch rows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from rnn_harness.cases.case import Case
from rnn_harness.checks import Check
from rnn_harness.evaluation.evaluation import Evaluation
from rnn_harness.evaluation.judging_options import FEW_STEPS, LONG, JudgingOptions
from rnn_harness.kernels.spec_signature import SpecSignature
from rnn_harness.kernels.torch_reference import Driver, TorchReference
from rnn_harness.references import Reference, get_reference
from rnn_harness.specs import Spec, library
from rnn_harness.subjects.subject import Subject


@dataclass(frozen=True)
class Setting:
    """A dtype on a device."""

    dtype: str
    device: str

    def __str__(self) -> str:
        return f"{self.dtype} on {self.device}"


@dataclass(frozen=True)
class Kernel:
    """`id`: what users type. `spec`: the spec it must agree with. `build`: makes its driver for the spec's reference.

    `settings`: the dtypes it has on each device. `expects`, `never`: patterns of events that a run must show, and
    must not. `alternatives`: equations of the spec that it may use in place of the printed ones. `needs`: why it
    cannot run here, or None. `fixed`: sizes it is tried at, where every new size would compile it anew. `known_wrong`:
    a defect of torch it is kept to show; it is left out unless it is named. `interpreted`: on CPU it runs in an
    interpreter, a hundred times slower. `metamorphic`: whether those properties are tried on it. `given`: the spec
    itself, where it is none of the shipped ones. `operands`: how far it shortens the operands of its matrix products,
    openly. `own_checks`: checks of its own, tried once; `skipped_checks`: those that say nothing about it. `shrinks`:
    whether a refutation is shrunk where it is found; `watched`: whether what torch runs is looked at.
    `absolute`: its functions are exact against 1, not against their own value.
    """

    id: str
    title: str
    spec: str
    build: Callable[[Reference], Driver]
    settings: tuple[Setting, ...]
    expects: tuple[str, ...] = ()
    never: tuple[str, ...] = ()
    alternatives: tuple[str, ...] = ()
    needs: Callable[[Setting], str | None] = field(default=lambda _: None)
    fixed: dict[str, int] | None = None
    interpreted: bool = False
    operands: Fraction | None = None
    known_wrong: str = ""
    metamorphic: bool = True
    given: Spec | None = None
    own_checks: tuple[Check, ...] = ()
    skipped_checks: tuple[str, ...] = ()
    shrinks: bool = True
    watched: bool = True
    absolute: bool = False

    def subject(self, setting: Setting) -> Subject:
        """The kernel in the place of its spec's reference."""
        spec = self.specification
        link = spec.reference
        like: Any = SpecSignature(spec) if link is None else get_reference(link.name, **link.options)
        cell = TorchReference(self.build(like), like, setting.dtype, setting.device)
        return Subject(spec, cell, absent=cell.absent) if link is None else Subject.of(spec, cell, cell.absent)

    @property
    def specification(self) -> Spec:
        """The spec, loaded."""
        if self.given is not None:
            return self.given
        return next(spec for spec in library().specs if spec.id == self.spec)

    def evaluation(self, setting: Setting, case: Case) -> Evaluation:
        """The kernel on a case."""
        return Evaluation.of(self.subject(setting), case, self.options(setting))

    def options(self, setting: Setting) -> JudgingOptions:
        """How it is judged in that setting."""
        long_steps = FEW_STEPS if self.is_slow(setting) else LONG
        return JudgingOptions(self.alternatives, self.operands, self.absolute, long_steps, bool(self.fixed))

    def is_slow(self, setting: Setting) -> bool:
        """Whether it is interpreted here, and so tried on fewer and shorter cases."""
        return self.interpreted and setting.device == "cpu"

    def missing(self, setting: Setting) -> str | None:
        """Why this setting cannot be tried here; None if it can."""
        import torch

        if setting.device == "cuda" and not torch.cuda.is_available():
            return "no CUDA device"
        return self.needs(setting)


def settings(cpu: tuple[str, ...] = (), cuda: tuple[str, ...] = ()) -> tuple[Setting, ...]:
    """Dtypes by device."""
    return (*(Setting(dtype, "cpu") for dtype in cpu), *(Setting(dtype, "cuda") for dtype in cuda))
