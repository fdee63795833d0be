"""One step at any size is judged within a proved bound: right kernels agree, a wrong tile or a coarse gate does not."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from rnn_harness.cases.case import Case
from rnn_harness.kernels import Kernel, Setting
from rnn_harness.kernels.checks.scale import LARGE_SINGLE_STEPS, SINGLE_STEPS, judge_at
from rnn_harness.kernels.drivers.eager import EagerDriver
from rnn_harness.kernels.setting import settings
from tests.helpers.wrong_kernels import ALL, Tensors, kernel

SPECS = ("rnn.sigma", "gru.keep.column", "lstm.sigma", "lstm.peephole")


def right(spec: str) -> Kernel:
    return Kernel("right", "", spec, EagerDriver, settings(ALL, ALL))


def agrees_at(judged: Kernel, dtype: str, n: int, d: int, rows: int, steps: int = 1, seed: int = 1) -> bool:
    case = Case(spec=judged.spec, dtype=dtype, n=n, d=d, B=rows, T=steps, seed=seed)  # type: ignore[arg-type]
    return judge_at(judged.evaluation(Setting(dtype, "cpu"), case), case).agrees


def edge(width: int) -> Any:
    """A kernel whose last unit beyond a whole number of tiles is off by a share of itself."""

    def run(rightful: Any, p: Tensors, x: torch.Tensor, s: Tensors, lengths: Any) -> Any:
        outputs, finals = rightful(p, x, s, lengths)
        units = torch.arange(outputs.shape[2])
        spoiled = (units >= outputs.shape[2] // width * width) & (units == outputs.shape[2] - 1)
        return outputs * (1 + 2.0**-10 * spoiled.to(outputs.dtype)), finals

    return run


@pytest.mark.parametrize("spec", SPECS)
@pytest.mark.parametrize("dtype", ALL)
def test_a_right_kernel_agrees_at_the_edges_of_tiles(spec: str, dtype: str) -> None:
    for n, d, rows in SINGLE_STEPS:
        assert agrees_at(right(spec), dtype, n, d, rows), (n, d, rows)


@pytest.mark.deep("tests/power/test_any_size.py::test_a_right_kernel_agrees_at_the_edges_of_tiles")
@pytest.mark.parametrize("spec", SPECS)
@pytest.mark.parametrize("dtype", ALL)
def test_a_right_kernel_agrees_at_the_largest_sizes(spec: str, dtype: str) -> None:
    for n, d, rows in LARGE_SINGLE_STEPS:
        assert agrees_at(right(spec), dtype, n, d, rows), (n, d, rows)


@pytest.mark.parametrize(("n", "d", "rows"), [size for size in SINGLE_STEPS if size[1] % 16])
def test_a_wrong_unit_behind_the_last_whole_tile_is_refuted(n: int, d: int, rows: int) -> None:
    assert not agrees_at(kernel(edge(16)), "float32", n, d, rows)


@pytest.mark.parametrize(("dtype", "relative"), [("float64", 2.0**-40), ("float32", 2.0**-12)])
def test_what_the_picked_tolerance_let_through_is_refuted(dtype: str, relative: float) -> None:
    # At 37 x 67 x 33 an error of 2^-26 (float64) or 2^-12 (float32) of the largest value counted as right.
    def spoil(rightful: Any, p: Tensors, x: torch.Tensor, s: Tensors, lengths: Any) -> Any:
        outputs, finals = rightful(p, x, s, lengths)
        return outputs * (1 + relative), finals

    assert not agrees_at(kernel(spoil), dtype, 37, 67, 33)
    assert agrees_at(right("gru.keep.column"), dtype, 37, 67, 33)
