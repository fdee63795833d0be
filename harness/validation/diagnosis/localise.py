"""Which part of a cell is at fault, and when: of a cell that is right on generic numbers, and refuted all the same."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from rnn_harness.arithmetic.assumptions import MANY_BITS
from rnn_harness.array_types import Array
from rnn_harness.cases.case import Case
from rnn_harness.cases.fixed_cases import fixed_cases
from rnn_harness.errors import NotRun, named_error
from rnn_harness.evaluation.evaluation import Evaluation
from rnn_harness.kernels import Kernel, Setting
from rnn_harness.kernels.checks.recognise_arithmetic import are_float32_gradients
from rnn_harness.options import OptionTable
from rnn_harness.records.record import Record
from rnn_harness.records.validation import Diagnosis
from rnn_harness.records.verdict import Outcome
from rnn_harness.validation.diagnosis.gradient_pattern import constant_factor, gradient_pattern, imprecise_gradients
from rnn_harness.validation.diagnosis.wrong_slopes import explain_wrong_slope

CONDITIONS: tuple[tuple[str, Callable[[Case], bool]], ...] = (
    ("B = 1", lambda case: case.B == 1),
    ("B > 1", lambda case: case.B > 1),
    ("n = d", lambda case: case.n == case.d),
    ("d = 1", lambda case: case.d == 1),
    ("n = 1", lambda case: case.n == 1),
    ("there is one step", lambda case: case.T == 1),
    ("there is more than one step", lambda case: case.T > 1),
    ("there are more than two steps", lambda case: case.T > 2),
    ("there are more than three steps", lambda case: case.T > 3),
    ("inputs are large", lambda case: "large" in case.features),
    ("inputs are exactly zero", lambda case: "zeros" in case.features),
    ("batch rows are equal", lambda case: "equal rows" in case.features),
    ("gates are saturated", lambda case: "saturated" in case.features),
)
"""What wrong cases may have in common, in words, and how it shows in a case."""
_BEHAVIOURS = {
    "behaviour.determinism": "the same call twice gives other numbers",
    "behaviour.intact": "its arguments are changed",
    "behaviour.position": "a row's output depends on the other rows of the batch",
    "behaviour.strided": "inputs that do not lie next to each other in memory are read wrongly",
    "behaviour.expanded": "inputs that share memory are read wrongly",
    "behaviour.poison": "what stands past a row's length is read",
    "behaviour.state-between-calls": "a state is kept between calls",
    "behaviour.training": "training mode computes something else",
    "behaviour.no-grad": "without gradients its outputs are less precise",
    "behaviour.frozen-parameters": "gradients get lost or differ where not everything wants one",
    "behaviour.default-state": "called without a state it does not start from zeros",
    "behaviour.state-dict": "something is not in its state_dict",
    "behaviour.formats": "what comes out has another dtype or device",
    "behaviour.large-inputs": "large inputs give what is not finite",
    "behaviour.non-finite-rows": "NaN or infinity in one row changes others",
    "behaviour.step-by-step": "step by step it computes something else than in one call",
}
"""The runtime behaviours that a check refutes, by the check, in words."""


def _cases(spec: str, fixed: dict[str, int] | None) -> Iterator[Case]:
    """Cases that differ in one property from a plain one, and the fixed cases."""
    base = Case(spec=spec, T=2, B=2).model_copy(update=fixed or {})
    changes: list[OptionTable] = [{}, {"B": 3}, {"T": 3}, {"T": 1}, {"T": 4}, {"B": 1}, {"n": 4, "d": 4}]
    changes += [{"d": 1}, {"n": 1}, {"features": ("large",)}, {"features": ("zeros",)}]
    changes += [{"features": ("equal rows",)}, {"features": ("saturated",), "scale": 2.0}]
    for seed, change in enumerate(changes):
        if not fixed or not {"n", "d"} & set(change):
            yield base.model_copy(update={"seed": seed, **change})
    if not fixed:
        yield from (case.model_copy(update={"dtype": "float64"}) for case in fixed_cases(spec))


def _first_refuted_setting(kernel: Kernel, refuted: list[Record]) -> Setting:
    """The first setting in whose dtype something was refuted; else the first setting."""
    dtypes = {record.dtype for record in refuted}
    return next((setting for setting in kernel.settings if setting.dtype in dtypes), kernel.settings[0])


def localise_fault(kernel: Kernel, records: list[Record]) -> Diagnosis | None:
    """Find the part of a cell that is at fault.

    Args:
        kernel: The cell.
        records: What its checks have found.

    Returns:
        The diagnosis, or None where nothing was refuted.
    """
    refuted = [record for record in records if record.outcome is Outcome.REFUTED]
    if not refuted:
        return None
    setting = _first_refuted_setting(kernel, refuted)
    names = {record.check for record in refuted}
    ended = next((record for record in refuted if record.check in ("process.ended", "kernel.dispatch")), None)
    if ended is not None:
        return Diagnosis(spec=kernel.spec, part="behaviour: it cannot be run", difference=ended.reason)
    # A cell that changes its arguments, or keeps a state, is wrong in every number after that.
    for name in ("behaviour.intact", "behaviour.state-between-calls", "behaviour.determinism"):
        if name in names:
            return _behaviour(kernel, name)
    numeric = _forward(kernel, setting, refuted) or _backward(kernel, setting) or _imprecise_gradients(kernel, refuted)
    if numeric is not None:
        return numeric
    for name in _BEHAVIOURS:
        if name in names:
            return _behaviour(kernel, name)
    scaled = next((record for record in refuted if record.check.startswith("scale.")), None)
    if scaled is not None:
        part = "backward" if "gradient" in scaled.reason else "forward"
        return Diagnosis(spec=kernel.spec, part=f"{part}: {scaled.check.partition('.')[2]}", difference=scaled.reason)
    first = refuted[0]
    return Diagnosis(spec=kernel.spec, part=f"{first.check}", difference=first.reason)


def _behaviour(kernel: Kernel, check: str) -> Diagnosis:
    words = check.partition(".")[2].replace("-", " ").replace("_", " ")
    return Diagnosis(spec=kernel.spec, part=f"behaviour: {words}", difference=_BEHAVIOURS[check])


def _forward(kernel: Kernel, setting: Setting, refuted: list[Record]) -> Diagnosis | None:
    """Whether outputs or final states are wrong, and in which cases."""
    wrong: list[Case] = []
    right: list[Case] = []
    parts: set[str] = set()
    for case in _cases(kernel.spec, kernel.fixed_sizes):
        evaluation = kernel.evaluation(setting, case.model_copy(update={"dtype": setting.dtype}))
        try:
            part = _part_beyond_bound(evaluation)
        except NotRun:
            continue
        except Exception:  # a candidate may raise anything; that it does is its fault
            part = "outputs"
        parts.add(part)
        (wrong if part else right).append(case)
    if not wrong:
        return _precision(kernel, refuted)
    lost = [_lost_axes(kernel, setting, case) for case in wrong]
    if all(lost):
        difference = f"axes of length one are lost ({lost[0]}), as squeeze() without an axis does"
        return Diagnosis(spec=kernel.spec, part="forward: shape", difference=difference)
    part = "outputs" if "outputs" in parts else "final states"
    if right and (precision := _precision(kernel, refuted, MANY_BITS)):
        return precision
    if words := _common_condition(wrong, right):
        difference = f"its {part} are wrong where {words}, and only there"
    elif right:
        difference = f"its {part} are wrong in {len(wrong)} of the {len(wrong) + len(right)} cases tried"
    elif precision := _precision(kernel, refuted):
        return precision
    else:
        difference = f"its {part} are wrong"
    return Diagnosis(spec=kernel.spec, part=f"forward: {part}", difference=difference)


def _common_condition(wrong: list[Case], right: list[Case]) -> str:
    """The first condition that holds in every wrong case and in no right one, in words; empty if there is none."""
    for words, is_met in CONDITIONS:
        if all(is_met(case) for case in wrong) and not any(is_met(case) for case in right):
            return words
    return ""


def _precision(kernel: Kernel, refuted: list[Record], least_bits: float = 0.0) -> Diagnosis | None:
    """The precision of the outputs, if that was refuted, and is at least so many bits."""
    record = next((record for record in refuted if record.check == "precision.format"), None)
    if record is None or (record.bits or 0.0) < least_bits:
        return None
    reason = record.reason.partition("; ")[2] or record.reason
    return Diagnosis(spec=kernel.spec, part="forward: precision", difference=f"in {record.dtype}: {reason}")


def _imprecise_gradients(kernel: Kernel, refuted: list[Record]) -> Diagnosis | None:
    """Gradients that are right, but to fewer bits than their dtype has."""
    compared = [record for record in refuted if record.check.startswith("backward.") and record.case is not None]
    # Small errors of steps that may be computed in parallel leave no proved bound; difference quotients see them.
    record = next((record for record in compared if record.check == "backward.bound" and record.bits), None)
    record = record or next(iter(compared), None)
    if record is None or record.case is None:
        return None
    setting = next(setting for setting in kernel.settings if setting.dtype == record.dtype)
    evaluation = kernel.evaluation(setting, record.case)
    if record.dtype == "float64":
        single_step = kernel.evaluation(setting, record.case.model_copy(update={"T": 1}))
        right = {name: _midpoints(balls) for name, balls in single_step.gradient_balls.items()}
        pattern = constant_factor(single_step.flat_gradients, right)
        if pattern is not None:
            return Diagnosis(
                spec=kernel.spec,
                part=f"backward: {pattern.part}",
                difference=f"in {record.dtype}: {pattern.difference}",
            )
    # What is compared next is the sum of all shares, which may be right where one of them is not.
    if not record.bits or record.check == "backward.shares":
        return Diagnosis(spec=kernel.spec, part="backward: gradients", difference=f"in {record.dtype}: {record.reason}")
    words = imprecise_gradients(evaluation.flat_gradients, evaluation.gradient_balls)
    difference = f"in {record.dtype}: {words} have {record.bits:.1f} bits"
    if record.dtype == "float64" and are_float32_gradients(evaluation):
        difference += "; this is what float32 arithmetic gives"
    return Diagnosis(spec=kernel.spec, part="backward: precision", difference=difference)


def _part_beyond_bound(evaluation: Evaluation) -> str:
    """What leaves its bound: ``outputs``, or else ``final states``; empty if nothing does."""
    steps = evaluation.balls.steps
    if _outside(np.stack([step[evaluation.subject.output_name] for step in steps]), evaluation.run.outputs):
        return "outputs"
    last = [
        (steps[-1][name], evaluation.run.finals[source])
        for name, source in evaluation.subject.states.items()
        if f"finals.{source}" not in evaluation.absent
    ]
    return "final states" if any(_outside(balls, values) for balls, values in last) else ""


def _outside(balls: Array, values: Array) -> bool:
    """Whether values have another shape than the balls, are not finite, or lie outside of them."""
    if values.shape != balls.shape or not np.isfinite(values).all():
        return True
    return any(not ball.contains(float(value)) for ball, value in zip(balls.flat, values.flat, strict=True))


def _lost_axes(kernel: Kernel, setting: Setting, case: Case) -> str:
    """The shape of its outputs at one step, where it differs from the right one by axes of length one; else empty."""
    case = case.model_copy(update={"T": 1, "dtype": setting.dtype})
    try:
        shape = kernel.evaluation(setting, case).run.outputs.shape
    except Exception:  # then it is no shape that is wrong
        return ""
    right = (1, case.B, case.d)
    if shape == right or [size for size in shape if size != 1] != [size for size in right if size != 1]:
        return ""
    return f"for T = 1, B = {case.B}, d = {case.d} its outputs have shape {shape}, not {right}"


def _backward(kernel: Kernel, setting: Setting) -> Diagnosis | None:
    """Which gradients are wrong at one step, or else over several, and what they are instead."""
    for steps, words in ((1, ""), (3, ", over time")):
        case = Case(spec=kernel.spec, B=3).model_copy(update=kernel.fixed_sizes or {})
        case = case.model_copy(update={"T": steps, "seed": 7, "dtype": setting.dtype})
        evaluation = kernel.evaluation(setting, case)
        try:
            gradients = evaluation.flat_gradients
        except NotRun:
            return None
        except Exception as error:
            return Diagnosis(spec=kernel.spec, part="backward", difference=f"it raises {named_error(error)}")
        pattern = gradient_pattern(
            gradients, {name: _midpoints(balls) for name, balls in evaluation.gradient_balls.items()}
        )
        if pattern is not None:
            slope = explain_wrong_slope(evaluation) if steps == 1 and setting.dtype == "float64" else ""
            difference = f"{pattern.difference}: {slope}" if slope else pattern.difference
            return Diagnosis(spec=kernel.spec, part=f"backward{words}: {pattern.part}", difference=difference)
    return None


def _midpoints(balls: Array) -> Array:
    return np.array([float(ball.mid()) for ball in balls.flat]).reshape(balls.shape)
