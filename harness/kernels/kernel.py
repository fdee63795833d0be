"""What a kernel is: a torch implementation of one spec, with what it requires, takes, and must be shown to run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction

from rnn_harness.arithmetic.assumptions import UNIT_ROUNDOFF
from rnn_harness.cases.case import Case
from rnn_harness.checks import Check
from rnn_harness.evaluation.evaluation import Evaluation
from rnn_harness.evaluation.judging_options import BIAS_PARTS, FEW_STEPS, LONG, NARROW, JudgingOptions
from rnn_harness.kernels.driver_protocol import Driver
from rnn_harness.kernels.setting import Setting
from rnn_harness.kernels.spec_signature import SpecSignature
from rnn_harness.kernels.torch_reference import TorchReference
from rnn_harness.references import Reference, get_reference
from rnn_harness.specs import Spec, library
from rnn_harness.subjects.subject import Subject


@dataclass(frozen=True)
class Kernel:
    """A torch implementation of one spec.

    Attributes:
        id: What users type.
        title: What the kernel is, in a few words.
        spec: The id of the spec with which it must agree.
        build: Makes its driver from the reference of the spec.
        settings: The dtypes it has on each device.
        expected_events: Patterns of profiler events that a run must show.
        forbidden_events: Patterns of profiler events that a run must not show.
        alternatives: Ids of equations of the spec by which it may compute instead of the printed ones.
        missing_requirement: Says why it cannot run on a setting; None if it can.
        fixed_sizes: The sizes at which it is tried, where every new size would compile it again.
        interpreted: Whether on CPU it runs in an interpreter, a hundred times slower.
        operand_roundoff: Unit roundoff to which it openly shortens the operands of its matrix products.
        rounds_products: Whether in a narrow format it may round every product of a sum by itself, as code does that
            multiplies and adds in steps of its own.
        known_wrong: A defect of torch that it is kept to show; such a kernel runs only where it is named.
        metamorphic: Whether the metamorphic properties are tried on it.
        custom_spec: The spec itself, where it is none of the shipped ones.
        own_checks: Checks of its own, each tried on a single case.
        skipped_checks: Names of checks that say nothing about it.
        shrinks_refutations: Whether the case of a refutation is shrunk as soon as it is refuted.
        profiled: Whether the events of torch's profiler are recorded.
        absolute_function_error: Whether its functions are exact relative to 1, not to their own value.
        absolute_function_devices: The devices on which that holds of a kernel which elsewhere is exact relative to
            the value.
        is_single_inside: Whether it computes in float32 although it is given float64.
        varies_between_runs: Whether torch documents that the same call may give other bits each time; then a repeated
            run must lie within its bounds.
        long_steps: How many time steps a long sequence has.
        is_single_step: Whether it is called once for each step.
        bias_parts: As how many numbers it holds a bias at most.
    """

    id: str
    title: str
    spec: str
    build: Callable[[Reference], Driver]
    settings: tuple[Setting, ...]
    expected_events: tuple[str, ...] = ()
    forbidden_events: tuple[str, ...] = ()
    alternatives: tuple[str, ...] = ()
    missing_requirement: Callable[[Setting], str | None] = field(default=lambda _: None)
    fixed_sizes: dict[str, int] | None = None
    interpreted: bool = False
    operand_roundoff: Fraction | None = None
    rounds_products: bool = False
    known_wrong: str = ""
    metamorphic: bool = True
    custom_spec: Spec | None = None
    own_checks: tuple[Check, ...] = ()
    skipped_checks: tuple[str, ...] = ()
    shrinks_refutations: bool = True
    profiled: bool = True
    absolute_function_error: bool = False
    absolute_function_devices: tuple[str, ...] = ()
    is_single_inside: bool = False
    varies_between_runs: bool = False
    long_steps: int = LONG
    is_single_step: bool = False
    bias_parts: int = BIAS_PARTS

    def subject(self, setting: Setting) -> Subject:
        """Give the kernel as the subject of the checks, which then judge it like a reference.

        Args:
            setting: The dtype and the device in which the kernel runs.
        """
        spec = self.specification
        link = spec.reference
        reference: Reference = SpecSignature(spec) if link is None else get_reference(link.name, **link.options)
        cell = TorchReference(self.build(reference), reference, setting.dtype, setting.device)
        return Subject(spec, cell, absent=cell.absent) if link is None else Subject.of(spec, cell, cell.absent)

    @property
    def specification(self) -> Spec:
        """The spec, loaded."""
        if self.custom_spec is not None:
            return self.custom_spec
        return next(spec for spec in library().specs if spec.id == self.spec)

    def evaluation(self, setting: Setting, case: Case) -> Evaluation:
        """Give what the kernel does on a case.

        Args:
            setting: The dtype, and the device.
            case: Sizes, dtype and seed; the arrays are drawn from it.
        """
        return Evaluation.of(self.subject(setting), case, self.options(setting))

    def options(self, setting: Setting) -> JudgingOptions:
        """Give the options by which the kernel is judged in a setting.

        Args:
            setting: The dtype and the device in which the kernel runs.
        """
        long_steps = FEW_STEPS if self.is_slow(setting) else self.long_steps
        operands = self.operand_roundoff
        if operands is None and self.rounds_products and setting.dtype in NARROW:
            operands = UNIT_ROUNDOFF[setting.dtype]
        return JudgingOptions(
            self.alternatives,
            operands,
            self.absolute_function_error or setting.device in self.absolute_function_devices,
            long_steps,
            bool(self.fixed_sizes),
            self.arithmetic(setting),
            self.varies_between_runs,
            self.is_single_step,
            self.bias_parts,
        )

    def arithmetic(self, setting: Setting) -> str:
        """Name the format in which it computes, where that is narrower than the dtype; else the empty string.

        Args:
            setting: The dtype and the device in which the kernel runs.
        """
        return "float32" if self.is_single_inside and setting.dtype == "float64" else ""

    def is_slow(self, setting: Setting) -> bool:
        """Say whether it is interpreted here, and so tried on fewer and shorter cases.

        Args:
            setting: Only its device counts.
        """
        return self.interpreted and setting.device == "cpu"

    def not_run_reason(self, setting: Setting) -> str | None:
        """Say why a setting cannot be tried here; None if it can.

        Args:
            setting: The dtype and the device in which the kernel would run.
        """
        import torch

        if setting.device == "cuda" and not torch.cuda.is_available():
            return "no CUDA device"
        return self.missing_requirement(setting)
