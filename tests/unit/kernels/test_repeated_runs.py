"""Runs that may give other bits each time: cuDNN's on CUDA, as torch documents, which must lie within their bounds."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import pytest
import torch
from torch import Tensor

from rnn_harness.checks.check import Finding
from rnn_harness.engine.runner import run_check
from rnn_harness.gpu import sizes
from rnn_harness.gpu.sizes import SizeJob, judge_size
from rnn_harness.kernels import Kernel, Setting, all_kernels, judge, judge_kernels
from rnn_harness.kernels.environment.repeatable import hold_workspace
from rnn_harness.kernels.judge import SINGLE_CASE_CHECKS, kernel_cases
from rnn_harness.kernels.torch_packing import layer_table
from rnn_harness.specs import library
from rnn_harness.validation import candidate_kernel, identify, load_target
from rnn_harness.validation.cells.calling_convention import plain_convention
from rnn_harness.validation.judging.candidate_kernel import spec_kernel
from rnn_harness.validation.loading import device as device_module
from rnn_harness.validation.loading.device import on_device
from rnn_harness.validation.loading.driver import TargetDriver
from tests.helpers import wrong_kernels

CHECKS = {check.name: check for check in SINGLE_CASE_CHECKS}
VARIABLE = "CUBLAS_WORKSPACE_CONFIG"
_count = itertools.count()


def finding(kernel: Kernel, check: str) -> Finding:
    """What a check finds of a kernel on its first case."""
    setting = Setting("float32", "cpu")
    (result,) = run_check(CHECKS[check], kernel.evaluation(setting, kernel_cases(kernel, setting)[0]))
    return result


def drops_out(right: Any, p: Any, x: Tensor, s: Any, lengths: Any) -> tuple[Tensor, Any]:
    """Every second run differs by a thousandth."""
    outputs, finals = right(p, x, s, lengths)
    return outputs * (1 + (next(_count) % 2) * 1e-3), finals


def test_a_kernel_whose_runs_may_vary_agrees_where_each_lies_in_its_bound() -> None:
    forgetful = wrong_kernels.kernel(wrong_kernels.forgetful)
    varying = finding(replace(forgetful, varies_between_runs=True), "behaviour.determinism")
    assert varying.agrees
    assert "differ, all within the bound" in varying.detail
    assert not finding(forgetful, "behaviour.determinism").agrees


def without_numbers(right: Any, p: Any, x: Tensor, s: Any, lengths: Any) -> tuple[Tensor, Any]:
    """The outputs are no numbers."""
    outputs, finals = right(p, x, s, lengths)
    return outputs * float("nan"), finals


@pytest.mark.parametrize("check", ["behaviour.determinism", "behaviour.position"])
def test_what_is_no_number_again_is_no_other_number(check: str) -> None:
    kernel, setting = wrong_kernels.kernel(without_numbers), Setting("float32", "cpu")
    results = run_check(CHECKS[check], kernel.evaluation(setting, kernel_cases(kernel, setting)[0]))
    assert [result.detail for result in results if not result.agrees] == []


@pytest.mark.parametrize(
    ("spoil", "check"),
    [(drops_out, "behaviour.determinism"), (wrong_kernels.leaking, "behaviour.poison")],
    ids=["a thousandth", "NaN from the padding"],
)
def test_a_kernel_whose_runs_may_vary_is_refuted_beyond_the_bound(spoil: Any, check: str) -> None:
    assert not finding(replace(wrong_kernels.kernel(spoil), varies_between_runs=True), check).agrees


def test_the_runs_of_cudnn_alone_may_vary() -> None:
    varying = {kernel.id for kernel in all_kernels() if kernel.varies_between_runs}
    assert varying == {kernel.id for kernel in all_kernels() if "/cudnn" in kernel.id} != set()


def test_what_asks_for_equal_bits_is_not_asked_of_runs_that_may_vary() -> None:
    names = {}
    for varies in (False, True):
        kernel = replace(wrong_kernels.kernel(wrong_kernels.forgetful), varies_between_runs=varies)
        wanted = judge._wanted(kernel, Setting("float64", "cpu"), judge.kernel_checks())
        names[varies] = {check.name for check in wanted}
    assert names[False] - names[True] == {"metamorphic.repeatability"}


@pytest.fixture
def no_workspace(monkeypatch: pytest.MonkeyPatch) -> None:
    """The workspace of cuBLAS is not set, and afterwards as it was."""
    monkeypatch.setenv(VARIABLE, "")
    monkeypatch.delenv(VARIABLE)


@pytest.mark.usefixtures("no_workspace")
@pytest.mark.parametrize(("device", "value"), [("cuda", ":4096:8"), ("cuda:1", ":4096:8"), ("cpu", None)])
def test_the_workspace_of_cublas_is_fixed_on_cuda_alone(device: str, value: str | None) -> None:
    hold_workspace(device)
    assert os.environ.get(VARIABLE) == value


def test_a_workspace_that_the_user_has_set_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, ":16:8")
    hold_workspace("cuda")
    assert os.environ[VARIABLE] == ":16:8"


class BuiltError(Exception):
    """Ends the judging where the kernel is built."""


@pytest.mark.usefixtures("no_workspace")
def test_the_workspace_is_fixed_before_a_kernel_is_built_to_be_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str | None] = []

    def build(reference: Any) -> Any:
        seen.append(os.environ.get(VARIABLE))
        raise BuiltError

    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(judge, "device_description", lambda device: "a card")
    monkeypatch.setattr(judge, "computes_in", lambda dtype, device: True)
    on_cuda = (Setting("float32", "cuda"),)
    kernel = replace(wrong_kernels.kernel(wrong_kernels.forgetful), id="fake", build=build, settings=on_cuda)
    list(judge_kernels((kernel,)))
    monkeypatch.delenv(VARIABLE)
    monkeypatch.setattr(sizes, "all_kernels", lambda: (kernel,))
    with pytest.raises(BuiltError):
        judge_size(lambda record: None, SizeJob("fake", on_cuda[0], (3, 4, 2, 1)))
    assert seen == [":4096:8", ":4096:8"]


def _memory() -> Any:
    """What torch does with memory that nothing was written into."""
    return torch.utils.deterministic


@pytest.fixture
def torch_as_before() -> Iterator[None]:
    """Flags of torch are afterwards as they were."""
    matmul, cudnn = torch.backends.cuda.matmul, torch.backends.cudnn
    tf32, memory = (matmul.allow_tf32, cudnn.allow_tf32), _memory()
    fill = memory.fill_uninitialized_memory
    yield
    torch.use_deterministic_algorithms(False)
    memory.fill_uninitialized_memory = fill
    matmul.allow_tf32, cudnn.allow_tf32 = tf32


@pytest.fixture
def a_card(monkeypatch: pytest.MonkeyPatch) -> None:
    """Any device is taken for one that is there."""
    monkeypatch.setattr(device_module, "available_device", lambda device: f"{device} (a card)")


@pytest.mark.usefixtures("no_workspace", "torch_as_before", "a_card")
def test_a_cell_of_somebody_on_cuda_runs_by_repeatable_algorithms_and_its_runs_may_vary() -> None:
    target, spec = load_target("torch.nn:RNN"), library().spec("rnn.tanh")
    convention = plain_convention(True, 1, packed=False, layered=True)
    driver = cast(TargetDriver, SimpleNamespace(convention=convention, table=layer_table("rnn")))
    assert not spec_kernel(target, spec, driver, ("float32",)).varies_between_runs
    moved = on_device(target, "cuda:1")
    assert os.environ[VARIABLE] == ":4096:8"
    assert torch.are_deterministic_algorithms_enabled()
    assert torch.is_deterministic_algorithms_warn_only_enabled()
    assert not _memory().fill_uninitialized_memory
    assert spec_kernel(moved, spec, driver, ("float32",)).varies_between_runs
    assert moved.capabilities.notes[-1] == (
        "it ran on cuda:1 (a card), with TF32 switched off and torch's deterministic algorithms"
    )


@pytest.mark.usefixtures("no_workspace", "torch_as_before", "a_card")
@pytest.mark.deep(
    "tests/unit/kernels/test_repeated_runs.py::"
    "test_a_cell_of_somebody_on_cuda_runs_by_repeatable_algorithms_and_its_runs_may_vary"
)
def test_the_runs_of_a_cell_that_was_identified_may_vary_on_cuda() -> None:
    target = load_target("torch.nn:RNN")
    match = identify(target)[0]
    assert not candidate_kernel(target, match).varies_between_runs
    assert candidate_kernel(on_device(target, "cuda"), match).varies_between_runs
