"""The settings under which kernels run: warnings, TF32 and sums in both directions, formats that torch lacks."""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from rnn_harness.engine.runner import Runner, RunPlan
from rnn_harness.kernels import Kernel, Setting, choose_kernels, judge_kernels
from rnn_harness.kernels.drivers.torch_nn import LayerDriver, library_kernels
from rnn_harness.kernels.environment.torch_formats import computes_in
from rnn_harness.kernels.judge import SINGLE_CASE_CHECKS, kernel_cases
from rnn_harness.kernels.torch_reference import TorchReference
from rnn_harness.records.record import Record
from rnn_harness.records.verdict import Outcome
from rnn_harness.references import get_reference
from rnn_harness.runtime.target_gradients import target_gradients
from tests.helpers.wrong_kernels import Tensors, WrongDriver, kernel

MATMUL = torch.backends.cuda.matmul


def first_record(judged: Kernel, dtype: str = "float32") -> Record:
    """What is said of whether a kernel runs at all."""
    return next(judge_kernels((replace(judged, settings=(Setting(dtype, "cpu"),)),)))


def raising(error: Exception) -> Kernel:
    def run(right: Any, p: Tensors, x: torch.Tensor, s: Tensors, lengths: Any) -> Any:
        raise error

    return kernel(run)


def test_a_kernel_that_warns_is_judged_all_the_same_where_warnings_are_errors() -> None:
    def run(right: Any, p: Tensors, x: torch.Tensor, s: Tensors, lengths: Any) -> Any:
        warnings.warn("TensorFloat32 tensor cores are available but not enabled", UserWarning, stacklevel=1)
        return right(p, x, s, lengths)

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert first_record(kernel(run)).outcome is Outcome.AGREES


def test_an_operator_that_torch_lacks_is_recognised_by_the_type_of_its_error() -> None:
    record = first_record(raising(NotImplementedError("no such operator")))
    assert (record.outcome, record.reason) == (
        Outcome.NOT_RUN,
        "torch has no such kernel in float32: no such operator",
    )


def test_a_kernel_that_only_says_so_is_refuted() -> None:
    record = first_record(raising(RuntimeError("my cell is not implemented for batches of 2")))
    assert record.outcome is Outcome.REFUTED
    assert "cannot be run forward and backward: my cell is not implemented for batches of 2" in record.reason


@pytest.mark.parametrize("name", ["behaviour.strided", "behaviour.expanded"])
def test_a_kernel_that_refuses_states_which_are_not_contiguous_is_not_refuted(name: str) -> None:
    def run(right: Any, p: Tensors, x: torch.Tensor, s: Tensors, lengths: Any) -> Any:
        if not all(state.is_contiguous() for state in s.values()):
            raise RuntimeError("rnn: hx is not contiguous")  # as cuDNN does
        return right(p, x, s, lengths)

    judged, setting = kernel(run), Setting("float64", "cpu")
    (check,) = (check for check in SINGLE_CASE_CHECKS if check.name == name)
    runner = Runner(
        judged.subject(setting), RunPlan((check,), dtype="float64"), lambda case: judged.evaluation(setting, case)
    )
    runner.try_case(kernel_cases(judged, setting)[0], guarded=False)
    (record,) = runner.results().records(seed=0, shrink=False)
    assert record.outcome is Outcome.NOT_RUN
    assert "hx is not contiguous" in record.reason


def test_a_format_counts_as_lacking_only_where_torch_computes_nothing_in_it(monkeypatch: pytest.MonkeyPatch) -> None:
    assert all(computes_in(dtype, "cpu") for dtype in ("float64", "float32", "bfloat16"))

    def lacking(*arguments: Any) -> Any:
        raise RuntimeError('"addmm_impl_cpu_" not implemented for Half')

    monkeypatch.setattr(torch, "tanh", lacking)
    computes_in.cache_clear()
    assert not computes_in("float16", "cpu")
    computes_in.cache_clear()


@pytest.fixture
def flags_of_calls(monkeypatch: pytest.MonkeyPatch) -> dict[str, tuple[bool, ...]]:
    """Flags that stood while a kernel ran forward and while it ran backward: TF32 twice, narrow sums twice."""
    flags: dict[str, tuple[bool, ...]] = {}

    def note(name: str, function: Any) -> Any:
        def noted(*arguments: Any) -> Any:
            narrow = MATMUL.allow_bf16_reduced_precision_reduction, MATMUL.allow_fp16_reduced_precision_reduction
            flags[name] = (torch.backends.cudnn.allow_tf32, MATMUL.allow_tf32, *narrow)
            return function(*arguments)

        return noted

    module = "rnn_harness.kernels.torch_reference.target_gradients"
    monkeypatch.setattr(module, note("backward", target_gradients))
    monkeypatch.setattr(torch.func, "functional_call", note("forward", torch.func.functional_call))
    return flags


@pytest.mark.parametrize("tf32", [False, True], ids=["TF32 not allowed", "TF32 allowed"])
def test_tf32_is_the_same_in_the_backward_as_in_the_forward_and_sums_are_whole(
    tf32: bool, flags_of_calls: dict[str, tuple[bool, ...]]
) -> None:
    reference = get_reference("gru", reset="after", update="keep")
    cell = TorchReference(LayerDriver("gru", fused=True, tf32=tf32), reference, "float32")
    shapes = reference.parameter_shapes(2, 3)
    parameters = {name: np.full(shape, 0.1, np.float32) for name, shape in shapes.items()}
    with library_kernels(enabled=True, tf32=not tf32):
        run = cell.forward(parameters, np.ones((2, 1, 2), np.float32))
        cell.backward(run, np.ones((2, 1, 3), np.float32))
        assert MATMUL.allow_tf32 is not tf32
    assert flags_of_calls == {"forward": (tf32, tf32, False, False), "backward": (tf32, tf32, False, False)}
    assert MATMUL.allow_bf16_reduced_precision_reduction


def test_a_candidate_sums_as_torch_does_by_default() -> None:
    seen: list[bool] = []

    class Candidate(WrongDriver):
        is_candidate = True

    def run(right: Any, p: Tensors, x: torch.Tensor, s: Tensors, lengths: Any) -> Any:
        seen.append(MATMUL.allow_bf16_reduced_precision_reduction)
        return right(p, x, s, lengths)

    reference = get_reference("gru", update="keep", reset="before")
    parameters = {name: np.ones(shape, np.float32) for name, shape in reference.parameter_shapes(2, 3).items()}
    for driver in (Candidate(reference, run), WrongDriver(reference, run)):
        TorchReference(driver, reference, "float32").forward(parameters, np.ones((2, 1, 2), np.float32))
    assert seen == [True, False]


@pytest.mark.parametrize("name", ["fused", "fused-tf32", "fused-tf32x3", "split", "split-tf32", "split-tf32x3"])
def test_triton_kernels_say_why_they_do_not_run_on_cuda_in_the_interpreter(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("triton", reason="not run: triton is not installed")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setenv("TRITON_INTERPRET", "1")
    judged = [kernel for kernel in choose_kernels(()) if kernel.id.startswith(f"{name}/")]
    assert len(judged) == 10
    reasons = {judged_kernel.not_run_reason(Setting("float32", "cuda")) for judged_kernel in judged}
    assert reasons == {"TRITON_INTERPRET=1 is set, and Triton's interpreter is for CPU tensors: unset it"}


def test_a_compiled_function_is_held_to_its_own_value_on_the_processor_alone() -> None:
    (compiled,) = choose_kernels(("compiled/rnn.sigma",))
    assert compiled.options(Setting("float32", "cuda")).absolute_function_error
    assert not compiled.options(Setting("float32", "cpu")).absolute_function_error
