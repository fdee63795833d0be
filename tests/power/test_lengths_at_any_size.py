"""Rows of several lengths, and no step at all, are judged within proved bounds at any size."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from rnn_harness.cases.case import Case
from rnn_harness.checks.check import Finding
from rnn_harness.evaluation.array_bounds import ArrayBounds
from rnn_harness.evaluation.evaluation import Evaluation
from rnn_harness.kernels import Kernel, Setting
from rnn_harness.kernels.checks.scale import judge_at
from rnn_harness.kernels.drivers.eager import EagerDriver
from rnn_harness.kernels.setting import settings
from rnn_harness.specs import library
from rnn_harness.subjects.subject import Subject
from tests.helpers.wrong_kernels import ALL, Tensors, kernel

LINKED = [spec.id for spec in library().cells if spec.reference is not None]
LENGTHS = {
    "rows of several lengths": (4, (4, 0, 2, 2, 1)),
    "rows that all end": (3, (0, 0, 0, 0, 0)),
    "no step": (0, None),
}


def judged(right: Kernel, dtype: str, n: int, d: int, steps: int, lengths: tuple[int, ...] | None) -> Finding:
    rows = 5 if lengths is None else len(lengths)
    sizes = {"n": n, "d": d, "B": rows, "T": steps}
    case = Case(spec=right.spec, dtype=dtype, seed=3, lengths=lengths, **sizes)  # type: ignore[arg-type]
    return judge_at(right.evaluation(Setting(dtype, "cpu"), case), case)


@pytest.mark.parametrize(("steps", "lengths"), LENGTHS.values(), ids=LENGTHS)
@pytest.mark.parametrize("spec", LINKED)
def test_every_reference_is_right(spec: str, steps: int, lengths: tuple[int, ...] | None) -> None:
    case = Case(spec=spec, dtype="float32", n=3, d=5, B=5, T=steps, lengths=lengths, seed=2)
    finding = judge_at(Evaluation.of(Subject.of(library().spec(spec)), case), case)
    assert finding.agrees, finding.detail


@pytest.mark.parametrize("dtype", ALL)
@pytest.mark.parametrize("spec", ["rnn.sigma", "gru.keep.column", "lstm.peephole"])
def test_a_right_kernel_is_right_at_sizes_in_use(spec: str, dtype: str) -> None:
    right = Kernel("right", "", spec, EagerDriver, settings(ALL, ALL))
    lengths = tuple(row % 4 for row in range(33))
    finding = judged(right, dtype, 33, 65, 3, lengths)
    assert finding.agrees, finding.detail


def _one_step_more(right: Any, p: Tensors, x: Any, s: Tensors, lengths: Any) -> Any:
    return right(p, x, s, None if lengths is None else np.minimum(lengths + 1, len(x)))


def _last_state_of_all(right: Any, p: Tensors, x: Any, s: Tensors, lengths: Any) -> Any:
    return right(p, x, s, lengths)[0], right(p, x, s, None)[1]


def _without_gradient_of_finals(right: Any, p: Tensors, x: Any, s: Tensors, lengths: Any) -> Any:
    outputs, finals = right(p, x, s, lengths)
    return outputs, {name: value.detach() for name, value in finals.items()}


def _gradient_from_the_padding(right: Any, p: Tensors, x: Any, s: Tensors, lengths: Any) -> Any:
    outputs, finals = right(p, x, s, lengths)
    padding = right(p, x, s, None)[0]
    ended = torch.as_tensor(np.arange(len(x))[:, None] >= lengths)[..., None]
    return torch.where(ended, padding - padding.detach(), outputs), finals


def _forgets_rows_without_a_step(right: Any, p: Tensors, x: Any, s: Tensors, lengths: Any) -> Any:
    outputs, finals = right(p, x, s, lengths)
    has_steps = torch.full((x.shape[1],), len(x) > 0) if lengths is None else torch.as_tensor(lengths > 0)
    return outputs, {name: value * has_steps[:, None] for name, value in finals.items()}


WRONG = {
    _one_step_more: "the output h",
    _last_state_of_all: "the final state h",
    _without_gradient_of_finals: "the gradient of",
    _gradient_from_the_padding: "the gradient of",
    _forgets_rows_without_a_step: "the final state h",
}


@pytest.mark.parametrize("dtype", ["float64", "bfloat16"])
@pytest.mark.parametrize(("spoil", "named"), WRONG.items(), ids=[spoil.__name__.strip("_") for spoil in WRONG])
def test_a_kernel_that_is_wrong_about_lengths_is_refuted(spoil: Any, named: str, dtype: str) -> None:
    finding = judged(kernel(spoil), dtype, 3, 4, 3, (3, 0, 1, 2, 3))
    assert not finding.agrees
    assert finding.detail.startswith(named)


@pytest.mark.parametrize(
    ("spoil", "named"),
    [(_forgets_rows_without_a_step, "the final state h"), (_without_gradient_of_finals, "the gradient of states.h")],
    ids=["loses the state", "loses its gradient"],
)
def test_a_kernel_that_is_wrong_without_a_step_is_refuted(spoil: Any, named: str) -> None:
    finding = judged(kernel(spoil), "float32", 3, 4, 0, None)
    assert not finding.agrees
    assert finding.detail.startswith(named)


def test_a_gradient_over_rows_of_two_lengths_may_be_summed_in_any_order() -> None:
    """The bound over both is no narrower than that over each, and the sum of both lies in it."""
    subject = Subject.of(library().spec("gru.keep.column"))
    case = Case(spec="gru.keep.column", dtype="float32", n=3, d=4, B=6, T=3, lengths=(3, 1, 3, 1, 3, 1), seed=5)
    both = ArrayBounds(Evaluation.of(subject, case)).gradients
    alike = case.model_copy(update={"lengths": (3,) * 6})
    unequal, equal = both["parameters.W_hr"], ArrayBounds(Evaluation.of(subject, alike)).gradients["parameters.W_hr"]
    without = ArrayBounds(Evaluation.of(subject, case.model_copy(update={"lengths": None}))).gradients
    np.testing.assert_array_equal(equal.radius, without["parameters.W_hr"].radius)
    parts = []
    for length in (1, 3):
        lengths = tuple(length if row == length else 0 for row in case.lengths or ())
        parts.append(ArrayBounds(Evaluation.of(subject, case.model_copy(update={"lengths": lengths}))).gradients)
    alone = [part["parameters.W_hr"] for part in parts]
    assert (unequal.radius > np.maximum(alone[0].radius, alone[1].radius)).all()
    assert (abs(alone[0].middle + alone[1].middle - unequal.middle) <= unequal.radius).all()
