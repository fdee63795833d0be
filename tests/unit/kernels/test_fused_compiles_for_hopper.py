"""The fused kernels compile for an H100 or H200 ahead of time, and stay within its registers and shared memory."""

from __future__ import annotations

import pytest

from rnn_harness.kernels.drivers.fused.limits import HOPPER_SHARED
from rnn_harness.kernels.drivers.fused.resources import LARGEST_TILES
from tests.helpers.compile_for_hopper import CompiledKernel, CompileJob, compile_for_hopper

pytest.importorskip("triton", reason="not run: triton is not installed")
MOST_SPILLED = 64
"""Bytes a thread: a few registers, written once a step at the most."""
MODULE = "rnn_harness.kernels.drivers.fused.{}_kernels"
_GRU, _LSTM = {"KEEP": True, "TANH": True}, {"TANH": True, "TANH_OUT": True, "FORGET": True}
VARIANTS: dict[str, tuple[str, str, dict[str, bool]]] = {
    "RNN": ("rnn", "rnn", {"TANH": True}),
    "GRU before": ("gru", "gru", {**_GRU, "BEFORE": True}),
    "GRU after": ("gru", "gru", {**_GRU, "BEFORE": False}),
    "LSTM": ("lstm", "lstm", {**_LSTM, "PEEPHOLE": False}),
    "LSTM with peepholes": ("lstm with peepholes", "lstm", {**_LSTM, "PEEPHOLE": True}),
}
"""Of each: the kernel's name in the table of sizes, its family, its flags."""


def _jobs(arithmetic: str, variants: tuple[str, ...], lengths: bool) -> list[CompileJob]:
    """List forward and backward at the largest size that the kernels take."""
    split = arithmetic.startswith("tf32")
    dtype, precision = ("float32", arithmetic) if split else (arithmetic, "ieee")
    jobs = []
    for name, family, flags in (VARIANTS[variant] for variant in variants):
        side = LARGEST_TILES[name, arithmetic].side
        for part in ("forward", "backward"):
            module = MODULE.format(family)
            jobs.append(CompileJob(module, f"{family}_{part}", dtype, precision, side, flags, lengths))
    return jobs


def _assert_fits(
    arithmetic: str, variants: tuple[str, ...] = tuple(VARIANTS), lengths: bool = False
) -> list[CompiledKernel]:
    jobs = _jobs(arithmetic, variants, lengths)
    compiled = compile_for_hopper(jobs)
    names = [VARIANTS[variant][0] for variant in variants for _ in ("forward", "backward")]
    for name, job, result in zip(names, jobs, compiled, strict=True):
        where = f"{job.kernel} {job.flags} in {arithmetic} at {job.side}: {result}"
        assert 0 < result.shared <= LARGEST_TILES[name, arithmetic].shared <= HOPPER_SHARED, where
        assert result.spilled <= MOST_SPILLED, where
        assert not result.has_narrow_offsets, where
    return compiled


def test_the_largest_lstm_in_bfloat16_fits_and_uses_tensor_cores() -> None:
    assert all(result.has_tensor_cores for result in _assert_fits("bfloat16", ("LSTM with peepholes",)))


@pytest.mark.deep(
    "tests/unit/kernels/test_fused_compiles_for_hopper.py::test_the_largest_lstm_in_bfloat16_fits_and_uses_tensor_cores"
)
@pytest.mark.parametrize("lengths", [False, True], ids=["rows of one length", "rows of several lengths"])
@pytest.mark.parametrize("arithmetic", sorted({arithmetic for _, arithmetic in LARGEST_TILES}))
def test_every_kernel_fits_at_its_largest_size(arithmetic: str, lengths: bool) -> None:
    compiled = _assert_fits(arithmetic, lengths=lengths)
    assert all(result.has_tensor_cores for result in compiled) is (arithmetic != "float32")
