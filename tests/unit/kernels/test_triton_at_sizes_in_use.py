"""The Triton kernels at the sizes that people use, in every format, within the proved bounds; in the interpreter.

What the interpreter is too slow for is judged on a GPU: tests/gpu/test_sizes_on_cuda.py.
"""

from __future__ import annotations

import pytest

from rnn_harness.cases.case import Case
from rnn_harness.kernels import Kernel, Setting, all_kernels
from rnn_harness.kernels.checks.scale import judge_at
from rnn_harness.kernels.drivers.fused import KernelRefusal, largest_hidden_size, unavailable_reason

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
    variant = "lstm with peepholes" if name.endswith("peephole") else TRITON[name].spec.partition(".")[0]
    if name.startswith("fused/") and d > largest_hidden_size(variant, dtype):
        with pytest.raises(KernelRefusal, match=f"hidden size {d} is too large"):
            assert_right_at(TRITON[name], dtype, 16, d, 17, 1)
    else:
        assert_right_at(TRITON[name], dtype, 16, d, 17, 1)
