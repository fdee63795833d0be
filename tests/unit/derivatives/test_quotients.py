"""The cotangents of a quotient, and the softmax of large numbers: what no equation of the documents asks for."""

from __future__ import annotations

import numpy as np
import pytest

from rnn_harness.arithmetic.numpy_arithmetic import softmax
from rnn_harness.derivatives.reverse_mode import contributions, negate, propagate, times
from rnn_harness.specs.dimensions import Dimension
from rnn_harness.specs.expression import Divide, Role, Variable

D = (Dimension.parse("d"),)
A, B, SEED = (Variable(name, D, 0, Role.INTERMEDIATE) for name in ("a", "b", "seed"))


def test_a_quotient_hands_on_what_its_operands_are_worth() -> None:
    """D(a/b)/da = 1/b, d(a/b)/db = -(a/b)/b."""
    into = contributions()
    quotient = Divide(A, B)
    propagate(quotient, SEED, into)
    assert into[A] == [Divide(SEED, B)]
    assert into[B] == [negate(Divide(times(SEED, quotient), B))]


@pytest.mark.parametrize("shift", [0.0, 400.0, -800.0])
def test_softmax_of_the_oracle_does_not_overflow(shift: float) -> None:
    powers = np.exp([-1.0, 0.0])
    with np.errstate(all="raise"):
        assert softmax(np.array([[1.0, 2.0]]) + shift)[0] == pytest.approx(powers / powers.sum(), rel=2.0**-40)
