"""The fused kernels compile for an H100 or H200 ahead of time, and stay within its registers and shared memory."""

from __future__ import annotations

import pytest

from rnn_harness.kernels.drivers.fused.limits import HOPPER_SHARED, SMALLEST_TILE
from rnn_harness.kernels.drivers.fused.resources import LARGEST_TILES
from tests.helpers.compile_for_hopper import CompiledKernel, CompileJob, compile_for_hopper

pytest.importorskip("triton", reason="not run: triton is not installed")
MOST_SPILLED = 64
"""Bytes a thread: a few registers, written once a step at the most."""
MODULE = "rnn_harness.kernels.drivers.fused.{}_kernels"
_GRU, _LSTM = {"KEEP": True, "TANH": True}, {"TANH": True, "TANH_OUT": True, "FORGET": True}
_SIGMA_LSTM = {"TANH": False, "TANH_OUT": False, "PEEPHOLE": False}
VARIANTS: dict[str, tuple[str, str, dict[str, bool]]] = {
    "RNN": ("rnn", "rnn", {"TANH": True}),
    "GRU before": ("gru", "gru", {**_GRU, "BEFORE": True}),
    "GRU after": ("gru", "gru", {**_GRU, "BEFORE": False}),
    "LSTM": ("lstm", "lstm", {**_LSTM, "PEEPHOLE": False}),
    "LSTM with peepholes": ("lstm with peepholes", "lstm", {**_LSTM, "PEEPHOLE": True}),
    "sigmoid RNN": ("rnn", "rnn", {"TANH": False}),
    "GRU write before": ("gru", "gru", {"KEEP": False, "TANH": True, "BEFORE": True}),
    "GRU write after": ("gru", "gru", {"KEEP": False, "TANH": True, "BEFORE": False}),
    "sigmoid GRU": ("gru", "gru", {"KEEP": False, "TANH": False, "BEFORE": True}),
    "sigmoid LSTM": ("lstm", "lstm", {**_SIGMA_LSTM, "FORGET": True}),
    "LSTM without forget gate": ("lstm", "lstm", {**_SIGMA_LSTM, "FORGET": False}),
}
"""Of each: the kernel's name in the table of sizes, its family, its flags."""
MAIN_VARIANTS = tuple(VARIANTS)[:5]
BY_A_FLAG = tuple(VARIANTS)[5:]
ARITHMETICS = sorted({arithmetic for _, arithmetic in LARGEST_TILES})


def _assert_fits(
    arithmetic: str, variants: tuple[str, ...], lengths: bool = False, halvings: int = 0
) -> list[CompiledKernel]:
    """Compile forward and backward at the largest size, or at a smaller one, and compare with the table."""
    is_tf32 = arithmetic.startswith("tf32")
    dtype, precision = ("float32", arithmetic) if is_tf32 else (arithmetic, "ieee")
    jobs, allowed = [], []
    for name, family, flags in (VARIANTS[variant] for variant in variants):
        largest = LARGEST_TILES[name, arithmetic]
        side = largest.side >> halvings
        if side < SMALLEST_TILE:
            continue
        for part in ("forward", "backward"):
            module = MODULE.format(family)
            jobs.append(CompileJob(module, f"{family}_{part}", dtype, precision, side, flags, lengths))
            allowed.append(largest.shared >> halvings)  # what `largest_hidden_size` counts on
    compiled = compile_for_hopper(jobs)
    for job, shared, result in zip(jobs, allowed, compiled, strict=True):
        where = f"{job.kernel} {job.flags} in {arithmetic} at {job.side}: {result}"
        assert 0 < result.shared <= shared <= HOPPER_SHARED, where
        assert result.spilled <= MOST_SPILLED, where
        assert not result.has_narrow_offsets, where
    return compiled


def test_the_largest_lstm_in_bfloat16_fits_and_uses_tensor_cores() -> None:
    assert all(result.has_tensor_cores for result in _assert_fits("bfloat16", ("LSTM with peepholes",)))


deep = pytest.mark.deep(
    "tests/unit/kernels/test_fused_compiles_for_hopper.py::test_the_largest_lstm_in_bfloat16_fits_and_uses_tensor_cores"
)


@deep
@pytest.mark.parametrize("lengths", [False, True], ids=["rows of one length", "rows of several lengths"])
@pytest.mark.parametrize("arithmetic", ARITHMETICS)
def test_every_kernel_fits_at_its_largest_size(arithmetic: str, lengths: bool) -> None:
    compiled = _assert_fits(arithmetic, MAIN_VARIANTS, lengths=lengths)
    assert all(result.has_tensor_cores for result in compiled) is (arithmetic != "float32")


@deep
@pytest.mark.parametrize("arithmetic", ARITHMETICS)
def test_a_variant_that_differs_by_a_flag_fits_at_the_same_size(arithmetic: str) -> None:
    compiled = _assert_fits(arithmetic, BY_A_FLAG, lengths=True)
    assert all(result.has_tensor_cores for result in compiled) is (arithmetic != "float32")


@deep
@pytest.mark.parametrize("halvings", [1, 2], ids=["half of the largest size", "a quarter of it"])
@pytest.mark.parametrize("arithmetic", ARITHMETICS)
def test_at_a_smaller_size_a_kernel_needs_no_more_than_is_counted_on(arithmetic: str, halvings: int) -> None:
    _assert_fits(arithmetic, MAIN_VARIANTS, halvings=halvings)
