"""The split kernels compile for an H100 or H200 ahead of time, and stay within its registers and shared memory."""

from __future__ import annotations

import pytest

from rnn_harness.kernels.drivers.fused.limits import HOPPER_SHARED
from rnn_harness.kernels.drivers.split.layout import LARGEST_SPLITS
from tests.helpers.compile_for_hopper import CompileJob, compile_for_hopper
from tests.unit.kernels.test_fused_compiles_for_hopper import MOST_SPILLED, VARIANTS

pytest.importorskip("triton", reason="not run: triton is not installed")
MODULE = "rnn_harness.kernels.drivers.split.{}_kernels"


def _assert_fits(arithmetic: str, variants: tuple[str, ...] = tuple(VARIANTS), lengths: bool = False) -> None:
    """Compile forward and backward at the largest size that the kernels take, and compare with the table."""
    split = arithmetic.startswith("tf32")
    dtype, precision = ("float32", arithmetic) if split else (arithmetic, "ieee")
    jobs, entries = [], []
    for name, family, flags in (VARIANTS[variant] for variant in variants):
        largest = LARGEST_SPLITS[name, arithmetic]
        for part in ("forward", "backward"):
            kernel = f"{family}_{part}"
            module = MODULE.format(family)
            jobs.append(CompileJob(module, kernel, dtype, precision, largest.d, flags, lengths, largest.columns))
            entries.append(largest)
    for job, largest, result in zip(jobs, entries, compile_for_hopper(jobs), strict=True):
        where = f"{job.kernel} {job.flags} in {arithmetic} at {job.side}: {result}"
        assert 0 < result.shared <= largest.shared <= HOPPER_SHARED, where
        assert result.spilled <= MOST_SPILLED, where
        assert result.has_tensor_cores is (arithmetic != "float32"), where
        assert not result.has_narrow_offsets, where


def test_an_lstm_of_1024_units_in_bfloat16_fits_and_uses_tensor_cores() -> None:
    assert LARGEST_SPLITS["lstm", "bfloat16"].d == 1024
    _assert_fits("bfloat16", ("LSTM",))


@pytest.mark.deep(
    "tests/unit/kernels/test_split_compiles_for_hopper.py::"
    "test_an_lstm_of_1024_units_in_bfloat16_fits_and_uses_tensor_cores"
)
@pytest.mark.parametrize("lengths", [False, True], ids=["rows of one length", "rows of several lengths"])
@pytest.mark.parametrize("arithmetic", sorted({arithmetic for _, arithmetic in LARGEST_SPLITS}))
def test_every_kernel_fits_at_its_largest_size(arithmetic: str, lengths: bool) -> None:
    _assert_fits(arithmetic, lengths=lengths)
