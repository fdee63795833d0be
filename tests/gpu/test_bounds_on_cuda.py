"""Balls that are computed on a CUDA device hold Arb's, as those of torch on the processor do."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from rnn_harness.arithmetic.array_ball import ArrayBallArithmetic
from rnn_harness.arithmetic.array_ball_values import ArrayBall
from rnn_harness.arithmetic.array_operations import NUMPY, emulates_float64, torch_operations
from rnn_harness.arithmetic.assumptions import UNIT_ROUNDOFF
from rnn_harness.arithmetic.ball import BallArithmetic
from rnn_harness.specs import library
from rnn_harness.specs.expression import Function
from tests.unit.arithmetic.test_array_bounds import ROUNDINGS, ball_pair, compared, scaled, uses_relu, widest_allowed
from tests.unit.arithmetic.test_bounds import CELLS, drawn, everything

needs_cuda = pytest.mark.skipif(not torch.cuda.is_available(), reason="not run: no CUDA device")


def on_processor(ball: ArrayBall) -> ArrayBall:
    middle, radius = (part.cpu() for part in (ball.middle, ball.radius))  # type: ignore[attr-defined]
    return ArrayBall(NUMPY.converted(middle), NUMPY.converted(radius), ball.is_exact)


@pytest.mark.gpu
@needs_cuda
@pytest.mark.parametrize("spec", CELLS)
def test_the_ball_on_cuda_holds_the_arb_ball_forward_and_backward(spec: str) -> None:
    assert not emulates_float64()
    program, on_cuda = library().spec(spec).program(), torch_operations("cuda")
    for seed, allowed in enumerate(ROUNDINGS):
        dtype = "float64" if allowed.unit == UNIT_ROUNDOFF["float64"] else "float32"
        case = scaled(drawn(program, dtype, seed, steps=2), (1.0, 0.5, 3.0)[seed % 3])
        arrays = everything(program, case, ArrayBallArithmetic(allowed, on_cuda))
        back = {name: on_processor(ball) for name, ball in arrays.items()}
        widest = compared(back, everything(program, case, BallArithmetic(allowed)))
        assert widest <= widest_allowed(allowed) or uses_relu(program), (allowed, widest)


@pytest.mark.gpu
@needs_cuda
@pytest.mark.parametrize("function", list(Function))
def test_functions_on_cuda_hold_arbs_balls_far_out_near_zero_and_of_every_width(function: Function) -> None:
    rng, on_cuda, shape = np.random.default_rng(5), torch_operations("cuda"), (40, 3)
    for allowed in ROUNDINGS:
        arrays, balls = ArrayBallArithmetic(allowed, on_cuda), BallArithmetic(allowed)
        middle = rng.standard_normal(shape) * np.exp2(rng.integers(-60, 12, shape).astype(float))
        radius = np.abs(middle) * np.exp2(rng.integers(-60, 3, shape).astype(float)) * rng.integers(0, 2, shape)
        with balls.scope(), arrays.scope():
            first, second = ball_pair(abs(middle) if function is Function.LOG else middle, radius)
            moved = ArrayBall(on_cuda.converted(first.middle), on_cuda.converted(first.radius))
            compared({"f": on_processor(arrays.apply(function, moved))}, {"f": balls.apply(function, second)})
