"""Bounds that are computed in torch, where a kernel runs, decide as those in NumPy do; here on the processor."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch

from rnn_harness.arithmetic.array_operations import NUMPY, torch_operations
from rnn_harness.cases.case import Case
from rnn_harness.checks.check import Finding
from rnn_harness.engine.runner import Runner, RunPlan
from rnn_harness.evaluation.array_bounds import ArrayBounds
from rnn_harness.kernels import Kernel, Setting, all_kernels
from rnn_harness.kernels.checks import bound_operations as places
from rnn_harness.kernels.checks.scale import CHECKS, judge_at
from rnn_harness.records.record import Record
from rnn_harness.subjects.case_arrays import draw_arrays
from tests.helpers import wrong_kernels
from tests.helpers.wrong_kernels import ALL, Tensors, kernel
from tests.power.test_any_size import SPECS, right
from tests.power.test_lost_precision import off_by

TORCH = torch_operations("cpu")


@pytest.fixture
def in_torch(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Judge as on a CUDA device, where bounds and results are tensors; the device is the processor."""

    def judge(compute: Any, *arguments: Any) -> Any:
        with monkeypatch.context() as patch:
            patch.setattr(places, "runs_on_cuda", lambda _: True)
            return compute(*arguments)

    return judge


def call(compute: Any, *arguments: Any) -> Any:
    return compute(*arguments)


def finding_of(judged: Kernel, dtype: str, sizes: tuple[int, ...], lengths: tuple[int, ...] | None = None) -> Finding:
    n, d, rows, steps = sizes
    case = Case(spec=judged.spec, dtype=dtype, n=n, d=d, B=rows, T=steps, seed=1, lengths=lengths)  # type: ignore[arg-type]
    return judge_at(judged.evaluation(Setting(dtype, "cpu"), case), case)


def assert_equal(first: Finding, second: Finding) -> None:
    """The same words and verdict; numbers to what float64 rounds otherwise in torch's sums."""
    assert (first.entry, first.agrees, (first.probable is None)) == (
        second.entry,
        second.agrees,
        second.probable is None,
    )
    assert first.detail.split(" is ")[0] == second.detail.split(" is ")[0]
    if first.bound is None or second.bound is None:  # of another shape nothing is measured
        assert (first.bound, first.error_over_bound) == (second.bound, second.error_over_bound)
        return
    assert first.bound == pytest.approx(second.bound, rel=1e-6)
    assert first.error_over_bound == pytest.approx(second.error_over_bound, rel=1e-3, abs=0.02)
    if first.probable is not None and second.probable is not None:
        assert first.probable.decided_by == second.probable.decided_by
        assert first.probable.failure_probability == second.probable.failure_probability


@pytest.mark.parametrize("dtype", ALL)
@pytest.mark.parametrize("spec", SPECS)
def test_a_right_kernel_agrees_by_bounds_in_torch_as_by_those_in_numpy(spec: str, dtype: str, in_torch: Any) -> None:
    for sizes in ((37, 67, 33, 3), (129, 128, 8, 1)):
        expected, found = finding_of(right(spec), dtype, sizes), in_torch(finding_of, right(spec), dtype, sizes)
        assert found.agrees
        assert_equal(expected, found)


@pytest.mark.parametrize("layer", ["nn.LSTM/both/native", "nn.GRU/layers/native", "nn.LSTM/projected/native"])
def test_layers_and_directions_of_torch_agree_by_bounds_in_torch(layer: str, in_torch: Any) -> None:
    judged = next(shipped for shipped in all_kernels() if shipped.id == layer)
    expected, found = (compute(finding_of, judged, "float32", (37, 67, 33, 3)) for compute in (call, in_torch))
    assert found.agrees
    assert_equal(expected, found)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_rows_of_several_lengths_and_no_step_are_judged_in_torch(dtype: str, in_torch: Any) -> None:
    for sizes, lengths in (((5, 7, 4, 5), (5, 0, 3, 5)), ((5, 7, 3, 0), None)):
        arguments = (right("lstm.sigma"), dtype, sizes, lengths)
        expected, found = finding_of(*arguments), in_torch(finding_of, *arguments)
        assert found.agrees
        assert_equal(expected, found)


def wrong_gradient(rightful: Any, p: Tensors, x: torch.Tensor, s: Tensors, lengths: Any) -> Any:
    outputs, finals = rightful(p, x, s, lengths)
    return outputs + 1e-3 * (x.sum() - x.sum().detach()), finals


def without_a_number(rightful: Any, p: Tensors, x: torch.Tensor, s: Tensors, lengths: Any) -> Any:
    outputs, finals = rightful(p, x, s, lengths)
    return outputs.index_fill(2, torch.tensor([1]), torch.nan), finals


def in_another_shape(rightful: Any, p: Tensors, x: torch.Tensor, s: Tensors, lengths: Any) -> Any:
    outputs, finals = rightful(p, x, s, lengths)
    return outputs[..., :-1], finals


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("run", [wrong_gradient, without_a_number, in_another_shape, wrong_kernels.without_steps])
def test_a_wrong_kernel_is_refuted_by_bounds_in_torch_with_the_same_words(run: Any, dtype: str, in_torch: Any) -> None:
    sizes = (33, 31, 16, 0 if run is wrong_kernels.without_steps else 1)
    expected, found = finding_of(kernel(run), dtype, sizes), in_torch(finding_of, kernel(run), dtype, sizes)
    assert not found.agrees
    assert_equal(expected, found)


def test_a_gate_off_by_what_no_proved_bound_refutes_is_named_by_bounds_in_torch(in_torch: Any) -> None:
    for roundings, agrees in ((120, True), (2000, False)):
        judged, sizes = off_by(roundings), (256, 256, 8, 1)
        expected, found = finding_of(judged, "float32", sizes), in_torch(finding_of, judged, "float32", sizes)
        assert found.agrees is agrees
        assert_equal(expected, found)


def record_of(judged: Kernel) -> Record:
    (check,) = (check for check in CHECKS if check.name == "scale.sizes")
    setting = Setting("float32", "cpu")
    runner = Runner(
        judged.subject(setting), RunPlan((check,), dtype="float32"), lambda c: judged.evaluation(setting, c)
    )
    runner.try_case(Case(spec=judged.spec, dtype="float32"), guarded=False)
    (record,) = runner.results().records(0, shrink=False)
    return record


@pytest.mark.parametrize("roundings", [0, 70, 2000])
def test_the_record_of_a_kernel_is_that_of_bounds_in_numpy(roundings: int, in_torch: Any) -> None:
    expected, found = record_of(off_by(roundings)), in_torch(record_of, off_by(roundings))
    measured = {"worst_error", "bound", "error_over_bound", "bits", "seconds", "reason", "probable"}
    first, second = expected.model_dump(exclude=measured), found.model_dump(exclude=measured)
    assert first == second
    assert found.outcome is expected.outcome
    assert (found.probable is None) == (expected.probable is None)


def test_results_of_a_kernel_stay_tensors_of_their_own_beside_bounds_in_torch() -> None:
    judged, case = right("lstm.sigma"), Case(spec="lstm.sigma", dtype="bfloat16", seed=1)
    evaluation = judged.evaluation(Setting("bfloat16", "cpu"), case)
    stays = evaluation.subject.cell.on_device()  # type: ignore[attr-defined]
    tried = evaluation.on(draw_arrays(case, evaluation.subject), stays)
    run: Any = tried.run
    assert str(run.outputs.dtype) == "torch.bfloat16"
    before = run.saved.outputs.detach().clone()
    run.saved.outputs.data.zero_()  # as a kernel may use a buffer again
    assert torch.equal(before, run.outputs)
    assert all(torch.is_tensor(gradient) for gradient in tried.flat_gradients.values())


def test_only_a_kernel_on_a_cuda_device_has_its_bounds_computed_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CUBLAS_EMULATE_DOUBLE_PRECISION", raising=False)
    case = Case(spec="lstm.sigma", dtype="float32", seed=1)
    evaluation = right("lstm.sigma").evaluation(Setting("float32", "cpu"), case)
    assert places.bound_operations(evaluation) is NUMPY
    cell: Any = evaluation.subject.cell
    cell.device = "cuda:1"
    place: Any = places.bound_operations(evaluation)
    assert place.device == "cuda:1"
    monkeypatch.setenv("CUBLAS_EMULATE_DOUBLE_PRECISION", "1")
    assert places.bound_operations(evaluation) is NUMPY


def test_bounds_for_which_a_device_has_no_memory_are_computed_in_numpy(
    in_torch: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    computed = ArrayBounds.compute

    def compute(bounds: Any) -> None:
        if bounds._operations is not NUMPY:
            raise torch.cuda.OutOfMemoryError("no memory")
        computed(bounds)

    monkeypatch.setattr(ArrayBounds, "compute", compute)
    expected = finding_of(right("lstm.sigma"), "float32", (33, 31, 16, 1))
    found = in_torch(finding_of, right("lstm.sigma"), "float32", (33, 31, 16, 1))
    assert replace(found) == replace(expected)
