"""What a bound in arrays costs, as ratios in one process: to Arb's bound, and to torch's own step."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from rnn_harness.arithmetic import evaluate
from rnn_harness.arithmetic.array_ball import ArrayBallArithmetic
from rnn_harness.arithmetic.ball import BallArithmetic
from rnn_harness.benchmarks.speed.stopwatch import ratio_interval, time_interleaved
from rnn_harness.cases.case import Case
from rnn_harness.derivatives import derive, differentiate
from rnn_harness.evaluation.array_bounds import ArrayBounds
from rnn_harness.evaluation.evaluation import Evaluation
from rnn_harness.specs import library
from rnn_harness.subjects.subject import Subject


def evaluation(n: int, d: int, rows: int, steps: int) -> Evaluation:
    case = Case(spec="lstm.column", n=n, d=d, B=rows, T=steps, dtype="float32")
    return Evaluation.of(Subject.of(library().spec("lstm.column")), case)


def bound_in(judged: Evaluation, arithmetic: Callable[[], ArrayBallArithmetic] | Callable[[], BallArithmetic]) -> None:
    used = arithmetic()
    d_outputs, d_finals = judged.spec_cotangents
    trajectory = evaluate(judged.program, judged.values, used)  # type: ignore[misc]
    differentiate(derive(judged.program), trajectory, d_outputs, d_finals, used)


@pytest.mark.parametrize(("size", "goal", "repeats"), [((3, 4, 2, 3), 0.3, 11), ((64, 64, 16, 1), 0.002, 3)])
def test_a_bound_in_arrays_against_arbs(size: tuple[int, int, int, int], goal: float, repeats: int) -> None:
    judged = evaluation(*size)
    samples = time_interleaved(
        {
            "arrays": lambda: bound_in(judged, lambda: ArrayBallArithmetic(judged.rounding)),
            "arb": lambda: bound_in(judged, lambda: BallArithmetic(judged.rounding)),
        },
        repeats,
    )
    print(f"\n(n,d,B,T) = {size}: arrays / Arb (goal <= {goal}): {ratio_interval(samples, 'arrays', 'arb')}")


def test_the_bound_of_a_step_against_torchs_own_step() -> None:
    torch = pytest.importorskip("torch")
    n = d = 256
    judged = evaluation(n, d, 32, 1)
    cell = torch.nn.LSTMCell(n, d)
    numbers = [torch.randn(32, size, requires_grad=True) for size in (n, d, d)]

    def step() -> None:
        h, c = cell(numbers[0], (numbers[1], numbers[2]))
        (h.sum() + c.sum()).backward()

    def bound() -> None:
        bounds = ArrayBounds(judged)
        assert bounds.outputs.is_finite
        assert bounds.gradients

    samples = time_interleaved({"bound": bound, "torch": step}, 9)
    print(f"\nLSTM, n = d = 256, B = 32: bound / step (goal <= 15): {ratio_interval(samples, 'bound', 'torch')}")
