"""The split kernels compile for an H100 or H200 ahead of time, and stay within its registers and shared memory."""

from __future__ import annotations

import pytest

from rnn_harness.kernels.drivers.fused.limits import HOPPER_SHARED
from rnn_harness.kernels.drivers.split.layout import LARGEST_SPLITS, needed_shared_memory
from tests.helpers.compile_for_hopper import CompileJob, compile_for_hopper
from tests.unit.kernels.test_fused_compiles_for_hopper import BY_A_FLAG, MAIN_VARIANTS, MOST_SPILLED, VARIANTS

pytest.importorskip("triton", reason="not run: triton is not installed")
MODULE = "rnn_harness.kernels.drivers.split.{}_kernels"
ARITHMETICS = sorted({arithmetic for _, arithmetic in LARGEST_SPLITS})


def _assert_fits(arithmetic: str, variants: tuple[str, ...], lengths: bool = False, units: int | None = None) -> None:
    """Compile forward and backward at the largest size, or at a smaller one, and compare with the table."""
    is_tf32 = arithmetic.startswith("tf32")
    dtype, precision = ("float32", arithmetic) if is_tf32 else (arithmetic, "ieee")
    jobs, allowed = [], []
    for name, family, flags in (VARIANTS[variant] for variant in variants):
        largest = LARGEST_SPLITS[name, arithmetic]
        d = units or largest.d
        if d > largest.d:
            continue
        for part in ("forward", "backward"):
            module = MODULE.format(family)
            jobs.append(CompileJob(module, f"{family}_{part}", dtype, precision, d, flags, lengths, largest.columns))
            allowed.append(needed_shared_memory(name, arithmetic, d))
    for job, shared, result in zip(jobs, allowed, compile_for_hopper(jobs), strict=True):
        where = f"{job.kernel} {job.flags} in {arithmetic} at {job.side}: {result}"
        assert 0 < result.shared <= shared <= HOPPER_SHARED, where
        assert result.spilled <= MOST_SPILLED, where
        assert result.has_tensor_cores is (arithmetic != "float32"), where
        assert not result.has_narrow_offsets, where


def test_an_lstm_of_1024_units_in_bfloat16_fits_and_uses_tensor_cores() -> None:
    assert LARGEST_SPLITS["lstm", "bfloat16"].d == 1024
    _assert_fits("bfloat16", ("LSTM",))


deep = pytest.mark.deep(
    "tests/unit/kernels/test_split_compiles_for_hopper.py::"
    "test_an_lstm_of_1024_units_in_bfloat16_fits_and_uses_tensor_cores"
)


@deep
@pytest.mark.parametrize("lengths", [False, True], ids=["rows of one length", "rows of several lengths"])
@pytest.mark.parametrize("arithmetic", ARITHMETICS)
def test_every_kernel_fits_at_its_largest_size(arithmetic: str, lengths: bool) -> None:
    _assert_fits(arithmetic, MAIN_VARIANTS, lengths=lengths)


@deep
@pytest.mark.parametrize("arithmetic", ARITHMETICS)
def test_a_variant_that_differs_by_a_flag_fits_at_the_same_size(arithmetic: str) -> None:
    _assert_fits(arithmetic, BY_A_FLAG, lengths=True)


@deep
@pytest.mark.parametrize("units", [128, 256, 512])
@pytest.mark.parametrize("arithmetic", ARITHMETICS)
def test_a_kernel_fits_at_the_sizes_below_its_largest(arithmetic: str, units: int) -> None:
    _assert_fits(arithmetic, MAIN_VARIANTS, units=units)
