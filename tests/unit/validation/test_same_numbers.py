"""Two results are the same numbers only where every one is; what is no number equals nothing but itself."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from rnn_harness.validation.judging.usage_checks import same_numbers

NAN, INFINITY = float("nan"), float("inf")


@pytest.mark.parametrize(
    ("first", "second", "are_same"),
    [
        ([1.0, NAN, INFINITY], [1.0, NAN, INFINITY], True),
        ([NAN], [0.0], False),
        ([INFINITY], [torch.finfo(torch.float32).max], False),
        ([1.0], [1.0 + 2**-23], False),
        ([1.0], [1.0, 1.0], False),
    ],
    ids=["no number and infinity again", "no number and zero", "infinity and the largest", "one bit", "another shape"],
)
def test_results_are_compared_bit_for_bit(first: list[float], second: list[float], are_same: bool) -> None:
    results: tuple[Tensor, Tensor] = (torch.tensor(first), torch.tensor(second))
    assert same_numbers(*results) is are_same
