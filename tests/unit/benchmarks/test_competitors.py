"""Who is timed at a point, and by which numbers it is held to be right."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest
import torch

from rnn_harness.arithmetic.assumptions import TF32_OPERANDS
from rnn_harness.benchmarks.speed import competitors as competitors_module
from rnn_harness.benchmarks.speed.competitors import competitors, draw_point
from rnn_harness.benchmarks.speed.correctness import wrong_number
from rnn_harness.benchmarks.speed.grid_point import SpeedPoint
from rnn_harness.kernels import choose_kernels
from rnn_harness.kernels.checks.recognise_arithmetic import round_significand
from rnn_harness.specs import library
from rnn_harness.subjects.subject import Subject
from tests.helpers import wrong_kernels


def test_a_spec_with_an_output_layer_is_timed_without_it_and_held_to_its_states(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    spec = library().spec("rnn.sigma")
    assert spec.reference is not None
    assert spec.reference.output == "softmax"
    point = SpeedPoint(spec.id, 4, 3, 2, 5)
    monkeypatch.setattr(competitors_module, "all_kernels", lambda: choose_kernels((f"eager/{spec.id}",)))
    timed = list(competitors(point))
    assert [row.name for row in timed] == ["reference", "eager/rnn.sigma"]
    for row in timed:
        assert row.calls.forward() is not None
        assert row.calls.both() is not None
        assert row.wrong_number() is None
    arrays = draw_point(point, Subject.of(spec))
    assert set(arrays.parameters) == {"W_x", "W_h", "b"}
    tanh = Subject.of(spec, Subject.of(library().spec("rnn.tanh")).cell)
    assert "state h after the last step" in (wrong_number(tanh, arrays) or "")


@pytest.mark.parametrize(
    ("operands", "is_right"), [(TF32_OPERANDS, True), (None, False)], ids=["said openly", "unsaid"]
)
def test_a_kernel_that_shortens_operands_is_right_only_where_it_says_so(
    operands: Fraction | None, is_right: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Shortened(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, value: torch.Tensor) -> torch.Tensor:
            return torch.from_numpy(round_significand(value.numpy(), 11))

        @staticmethod
        def backward(ctx: Any, gradient: torch.Tensor) -> torch.Tensor:
            return gradient

    def shortened(right: Any, p: dict[str, Any], *arguments: Any) -> Any:
        return right({name: Shortened.apply(value) for name, value in p.items()}, *arguments)

    spoiled = wrong_kernels.kernel(shortened)
    kernel = replace(spoiled, operand_roundoff=operands, profiled=False)
    monkeypatch.setattr(competitors_module, "all_kernels", lambda: (kernel,))
    (judged,) = (row for row in competitors(SpeedPoint(kernel.spec, 33, 32, 2, 2)) if row.name == kernel.id)
    wrong = judged.wrong_number()
    assert wrong is None if is_right else "after the last step" in str(wrong)
