"""The Triton kernels at the sizes that people use, in every format, within the proved bounds; in the interpreter.

What the interpreter is too slow for is judged on a GPU: tests/gpu/test_sizes_on_cuda.py.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from rnn_harness.cases.case import Case
from rnn_harness.kernels import Kernel, Setting, all_kernels
from rnn_harness.kernels.checks.scale import judge_at
from rnn_harness.kernels.drivers.fused import KernelRefusal, largest_hidden_size, unavailable_reason
from tests.helpers import wrong_kernels
from tests.helpers.rows_of_lengths import assert_no_step_changes_nothing, assert_rows_end_at_their_lengths

pytestmark = pytest.mark.skipif(
    unavailable_reason("cpu") is not None, reason=f"not run: {unavailable_reason('cpu')}; tests/gpu judges them"
)
FORMATS = ("float64", "float32", "bfloat16", "float16")
TRITON = {kernel.id: kernel for kernel in all_kernels() if kernel.id.startswith(("fused/", "split/"))}


def assert_right_at(kernel: Kernel, dtype: str, n: int, d: int, rows: int, steps: int) -> None:
    case = Case(spec=kernel.spec, dtype=dtype, n=n, d=d, B=rows, T=steps, seed=1)  # type: ignore[arg-type]
    finding = judge_at(kernel.evaluation(Setting(dtype, "cpu"), case), case)
    assert finding.agrees, finding.detail


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
@pytest.mark.parametrize("name", ["fused/lstm.column", "split/lstm.column"])
def test_an_lstm_is_right_beyond_one_tile(name: str, dtype: str) -> None:
    assert_right_at(TRITON[name], dtype, 5, 17, 3, 2)


@pytest.mark.deep("tests/unit/kernels/test_triton_at_sizes_in_use.py::test_an_lstm_is_right_beyond_one_tile")
@pytest.mark.parametrize("d", [16, 17, 64])
@pytest.mark.parametrize("dtype", FORMATS)
@pytest.mark.parametrize("name", TRITON)
def test_every_kernel_is_right_around_a_tile_and_at_64(name: str, dtype: str, d: int) -> None:
    if not _is_taken(name, dtype, d):
        with pytest.raises(KernelRefusal, match=f"hidden size {d} is too large"):
            assert_right_at(TRITON[name], dtype, 16, d, 17, 1)
    else:
        assert_right_at(TRITON[name], dtype, 16, d, 17, 1)


def _is_taken(name: str, dtype: str, d: int) -> bool:
    """Whether a kernel takes a hidden size in a format: fused ones hold all weights on one processor."""
    variant = "lstm with peepholes" if name.endswith("peephole") else TRITON[name].spec.partition(".")[0]
    return name.startswith("split/") or d <= largest_hidden_size(variant, dtype)


AT_64 = [(name, dtype) for name in TRITON for dtype in FORMATS if _is_taken(name, dtype, 64)]


@pytest.mark.parametrize("rows", [16, 17])
def test_rows_of_several_lengths_are_right_at_64_units(rows: int) -> None:
    assert_rows_end_at_their_lengths(TRITON["fused/rnn.tanh"], Setting("float32", "cpu"), 16, 64, rows, 3)


def _one_step_more(right: Any, p: Any, x: Any, s: Any, lengths: Any) -> Any:
    return right(p, x, s, None if lengths is None else np.minimum(lengths + 1, len(x)))


def _without_gradient_of_finals(right: Any, p: Any, x: Any, s: Any, lengths: Any) -> Any:
    outputs, finals = right(p, x, s, lengths)
    return (outputs, finals) if lengths is None else (outputs, {name: value.detach() for name, value in finals.items()})


@pytest.mark.parametrize(
    "spoil", [_one_step_more, _without_gradient_of_finals], ids=["a step too many", "a lost gradient"]
)
def test_a_kernel_that_is_wrong_about_lengths_is_noticed(spoil: Any) -> None:
    with pytest.raises(AssertionError, match=r"the output h|the gradient of"):
        assert_rows_end_at_their_lengths(wrong_kernels.kernel(spoil), Setting("float64", "cpu"), 3, 4, 5, 3)


def test_no_step_at_64_units_changes_nothing() -> None:
    for name in ("fused/rnn.tanh", "split/lstm.column"):
        assert_no_step_changes_nothing(TRITON[name], Setting("float32", "cpu"), 16, 64, 33)


at_64 = pytest.mark.deep(
    "tests/unit/kernels/test_triton_at_sizes_in_use.py::test_rows_of_several_lengths_are_right_at_64_units"
)


@at_64
@pytest.mark.parametrize("rows", [1, 16, 33])
@pytest.mark.parametrize(("name", "dtype"), AT_64)
def test_every_kernel_takes_rows_of_several_lengths_at_64_units(name: str, dtype: str, rows: int) -> None:
    assert_rows_end_at_their_lengths(TRITON[name], Setting(dtype, "cpu"), 16, 64, rows, 2)


@at_64
@pytest.mark.parametrize(("name", "dtype"), AT_64)
def test_no_step_at_64_units_changes_nothing_in_any_kernel(name: str, dtype: str) -> None:
    for rows in (1, 16, 33):
        assert_no_step_changes_nothing(TRITON[name], Setting(dtype, "cpu"), 16, 64, rows)


@at_64
@pytest.mark.parametrize("rows", [1, 16, 33])
@pytest.mark.parametrize("steps", [1, 2])
@pytest.mark.parametrize(("name", "dtype"), AT_64)
def test_every_kernel_is_right_over_one_and_two_steps_at_64_units(name: str, dtype: str, steps: int, rows: int) -> None:
    assert_right_at(TRITON[name], dtype, 16, 64, rows, steps)
