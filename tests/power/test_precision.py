"""A kernel that is coarser than its format is refuted, and the finding says what its arithmetic looks like."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from rnn_harness.arithmetic.assumptions import TF32_OPERANDS, UNIT_ROUNDOFF
from rnn_harness.arithmetic.compare_arrays import compare_arrays
from rnn_harness.arithmetic.rounding import Rounding
from rnn_harness.cases.case import Case, Dtype
from rnn_harness.engine.runner import run_check
from rnn_harness.errors import NotRun
from rnn_harness.evaluation.evaluation import Evaluation
from rnn_harness.evaluation.judging_options import LONG as LONG_STEPS
from rnn_harness.evaluation.own_states import bounds_from_own_states
from rnn_harness.kernels import Kernel, Setting
from rnn_harness.kernels.checks.precision import CHECKS
from rnn_harness.kernels.drivers.eager import EagerDriver
from rnn_harness.kernels.judge import kernel_cases
from rnn_harness.kernels.setting import settings
from rnn_harness.specs import library
from rnn_harness.subjects.case_arrays import draw_arrays
from rnn_harness.subjects.subject import Subject
from tests.helpers.wrong_kernels import ALL, kernel, spoil_step

FORMAT, ACCUMULATION, LONG = CHECKS


def _format(kernel: Kernel, dtype: str, seed: int = 1) -> Any:
    case = Case(spec=kernel.spec, n=5, d=6, B=3, T=2, dtype=dtype, seed=seed)  # type: ignore[arg-type]
    (finding,) = run_check(FORMAT, kernel.evaluation(Setting(dtype, "cpu"), case))
    return finding


def _short(bits: int) -> Callable[[Tensor], Tensor]:
    """Rounded to that many bits of significand."""

    def round_value(value: Tensor) -> Tensor:
        mantissa, exponent = torch.frexp(value.detach())
        return value + (torch.ldexp(torch.round(mantissa * 2**bits) / 2**bits, exponent) - value.detach())

    return round_value


def _by_operands(turn: Callable[[Tensor], Tensor]) -> Kernel:
    """A GRU that keeps the state (001:280), its matrix products of shortened operands."""

    def change(_: Any) -> Any:
        def step(p: dict[str, Tensor], x: Tensor, s: dict[str, Tensor]) -> dict[str, Tensor]:
            h = s["h"]

            def affine(gate: str, state: Tensor) -> Tensor:
                into = turn(x) @ turn(p[f"W_x{gate}"]).T + turn(state) @ turn(p[f"W_h{gate}"]).T
                return into + p[f"b_{gate}"]

            r, z = torch.sigmoid(affine("r", h)), torch.sigmoid(affine("z", h))
            return {"h": z * h + (1 - z) * torch.tanh(affine("g", r * h))}

        return step

    return spoil_step(change)


def _approximate(x: Tensor) -> Tensor:
    """Tanh with the relative error of the hardware's approximation."""
    return torch.tanh(x) * (1 + 2**-10.9 * torch.sin(40 * x))


def _by_functions() -> Kernel:
    def change(_: Any) -> Any:
        def step(p: dict[str, Tensor], x: Tensor, s: dict[str, Tensor]) -> dict[str, Tensor]:
            h = s["h"]

            def affine(gate: str, state: Tensor) -> Tensor:
                return x @ p[f"W_x{gate}"].T + state @ p[f"W_h{gate}"].T + p[f"b_{gate}"]

            def sigmoid(a: Tensor) -> Tensor:
                return torch.sigmoid(a) * (1 + 2**-10.9 * torch.sin(40 * a))

            r, z = sigmoid(affine("r", h)), sigmoid(affine("z", h))
            return {"h": z * h + (1 - z) * _approximate(affine("g", r * h))}

        return step

    return spoil_step(change)


def test_operands_of_eleven_bits_are_recognised_as_tf32() -> None:
    finding = _format(_by_operands(_short(11)), "float32")
    assert not finding.agrees
    assert "this is what matrix products of TF32 or float16 operands (11 bits) gives" in finding.detail
    assert 8 < finding.bits < 14


def test_approximate_functions_are_recognised() -> None:
    finding = _format(_by_functions(), "float32")
    assert not finding.agrees
    assert "approximate tanh and sigmoid" in finding.detail


def test_operands_of_eight_bits_are_recognised_as_bfloat16() -> None:
    finding = _format(_by_operands(lambda v: v + (v.detach().bfloat16().float() - v.detach())), "float32")
    assert not finding.agrees
    assert "matrix products of bfloat16 operands (8 bits)" in finding.detail


def _summing(wide: bool) -> Kernel:
    """A GRU that adds its products one by one, in float32 or in the format of storage."""

    def run(_: Any, p: Any, inputs: Any, s: Any, lengths: Any) -> Any:
        def product(left: Tensor, weight: Tensor) -> Tensor:
            total = torch.zeros((len(left), len(weight)), dtype=torch.float32 if wide else left.dtype)
            for k in range(left.shape[1]):
                total = total + left[:, k : k + 1].to(total.dtype) * weight[:, k].to(total.dtype)
            return total.to(left.dtype)

        h, hidden = s["h"], []
        for x in inputs:
            a = {gate: product(x, p[f"W_x{gate}"]) + p[f"b_{gate}"] for gate in "rzg"}
            r, z = (torch.sigmoid(a[gate] + product(h, p[f"W_h{gate}"])) for gate in "rz")
            h = z * h + (1 - z) * torch.tanh(a["g"] + product(r * h, p["W_hg"]))
            hidden.append(h)
        return torch.stack(hidden), {"h": h}

    return kernel(run)


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_long_sums_accumulated_in_a_narrow_format_are_refuted_and_recognised(dtype: str) -> None:
    case = Case(spec="gru.keep.column", dtype=dtype, seed=1)  # type: ignore[arg-type]
    (finding,) = run_check(ACCUMULATION, _summing(wide=False).evaluation(Setting(dtype, "cpu"), case))
    assert not finding.agrees
    assert f"this is what sums accumulated in {dtype} gives" in finding.detail
    (right,) = run_check(ACCUMULATION, _summing(wide=True).evaluation(Setting(dtype, "cpu"), case))
    assert right.agrees, right.detail


def test_a_wrong_formula_looks_like_no_arithmetic() -> None:
    finding = _format(kernel(lambda right, p, x, s, lengths: right(p, 2 * x, s, lengths)), "float32")
    assert not finding.agrees
    assert "no known arithmetic explains it" in finding.detail


def test_a_kernel_that_states_tf32_is_held_to_tf32() -> None:
    tf32 = _by_operands(_short(11))
    stated = Kernel(tf32.id, tf32.title, tf32.spec, tf32.build, tf32.settings, operand_roundoff=TF32_OPERANDS)
    assert _format(stated, "float32").agrees
    worse = _by_operands(_short(7))
    assert not _format(
        Kernel("", "", worse.spec, worse.build, worse.settings, operand_roundoff=TF32_OPERANDS), "float32"
    ).agrees


def test_a_bound_for_sums_kept_in_float32_is_tighter_than_one_for_bfloat16_throughout() -> None:
    precise = kernel(lambda right, *arguments: right(*arguments))
    case = Case(spec=precise.spec, n=8, d=8, dtype="bfloat16", seed=1)
    evaluation = precise.evaluation(Setting("bfloat16", "cpu"), case)
    throughout = Evaluation(evaluation.subject, evaluation.arrays, allowed=Rounding(UNIT_ROUNDOFF["bfloat16"]))
    tight, loose = (float(run.balls.steps[0]["h"][0, 0].rad()) for run in (evaluation, throughout))
    assert 0 < tight < loose / 2


@pytest.mark.parametrize("dtype", ["float64", "float32", "bfloat16"])
def test_a_long_run_is_judged_step_by_step_and_its_drift_reported(dtype: Dtype) -> None:
    precise = kernel(lambda right, *arguments: right(*arguments))
    (finding,) = run_check(
        LONG, precise.evaluation(Setting(dtype, "cpu"), Case(spec=precise.spec, dtype=dtype, seed=1))
    )
    assert finding.agrees
    assert "over 1000 steps the state is off by at most" in finding.detail
    assert finding.bits is not None
    assert finding.bits > {"float64": 45, "float32": 17, "bfloat16": 3}[dtype]


def _long_evaluation(kernel: Kernel, dtype: str) -> Evaluation:
    setting = Setting(dtype, "cpu")
    evaluation = kernel.evaluation(setting, kernel_cases(kernel, setting)[0])
    case = evaluation.case.model_copy(update={"T": LONG_STEPS, "B": 1, "scale": 0.5})
    return evaluation.on(draw_arrays(case, evaluation.subject))


@pytest.mark.parametrize("dtype", ["float64", "float32", "bfloat16", "float16"])
@pytest.mark.parametrize("spec", ["rnn.tanh", "gru.keep.column", "lstm.column"])
def test_a_right_kernel_stays_in_the_bound_from_its_own_states_over_a_thousand_steps(spec: str, dtype: str) -> None:
    evaluation = _long_evaluation(Kernel("right", "", spec, EagerDriver, settings(ALL)), dtype)
    bounds = bounds_from_own_states(evaluation)
    assert compare_arrays(bounds, evaluation.run.outputs).error_over_bound <= 1
    # The last step's bound is no wider than a few steps' worth: nothing is amplified.
    assert bounds.radius[-1].max() <= 16 * bounds.radius[0].max()


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("spec", ["rnn.tanh", "gru.keep.column", "lstm.column"])
def test_a_hundred_roundings_at_one_of_a_thousand_steps_leave_the_bound(spec: str, dtype: str) -> None:
    unit = float(UNIT_ROUNDOFF[dtype])

    def spoil(right: Any, p: Any, x: Any, s: Any, lengths: Any) -> Any:
        outputs, finals = right(p, x, s, lengths)
        step = torch.arange(len(outputs))[:, None, None] == 700
        largest = outputs.abs().amax(dim=-1, keepdim=True)
        return outputs + 100 * unit * largest * step.to(outputs.dtype), finals

    evaluation = _long_evaluation(kernel(spoil, spec), dtype)
    worst = compare_arrays(bounds_from_own_states(evaluation), evaluation.run.outputs)
    assert worst.error_over_bound > 1
    assert worst.where[0] in (700, 701)


def test_a_state_that_comes_from_the_step_after_is_not_judged_from_the_step_before() -> None:
    subject = Subject.of(library().spec("gru.bidirectional"))
    with pytest.raises(NotRun, match="step after"):
        bounds_from_own_states(Evaluation.of(subject, Case(spec="gru.bidirectional")))
