"""The torch witness on a CUDA device: the values of every equation in the balls of their own dtype."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
import torch

from rnn_harness.arithmetic import evaluate
from rnn_harness.arithmetic.compare import error_over_bound
from rnn_harness.arithmetic.torch_arithmetic import TorchArithmetic
from rnn_harness.cases.case import Case, Dtype
from rnn_harness.evaluation.evaluation import Evaluation
from rnn_harness.kernels.drivers.torch_nn import library_kernels
from rnn_harness.specs import library
from rnn_harness.subjects.subject import Subject

LINKED = [spec.id for spec in library().cells if spec.reference is not None]
CHECKS = 2 * len(LINKED)
needs_cuda = pytest.mark.skipif(
    not torch.cuda.is_available(), reason=f"not run: no CUDA device ({CHECKS} checks wait for one)"
)


@pytest.fixture
def no_tf32() -> Iterator[None]:
    with library_kernels(enabled=True, tf32=False):
        yield


@pytest.mark.gpu
@pytest.mark.usefixtures("no_tf32")
@needs_cuda
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("spec", LINKED)
def test_values_on_the_device_lie_in_the_balls(spec: str, dtype: Dtype) -> None:
    evaluation = Evaluation.of(Subject.of(library().spec(spec)), Case(spec=spec, dtype=dtype, seed=3, T=4))
    steps = evaluate(evaluation.program, evaluation.values, TorchArithmetic(dtype, "cuda")).steps
    for exact, computed in zip(evaluation.balls.steps, steps, strict=True):
        for name, balls in exact.items():
            assert error_over_bound(balls, np.asarray(computed[name].detach().cpu()))[0] <= 1, name


def test_the_number_of_checks_that_wait_for_a_device_is_fixed() -> None:
    assert CHECKS == 46
