"""The sums and derivatives of backpropagation through time (003:274-394) hold; altered ones do not."""

from __future__ import annotations

import functools

import pytest

from rnn_harness.checks.bptt_identities import UnrolledRecurrence, check_identity, unroll
from rnn_harness.errors import UsageError
from rnn_harness.specs import library
from rnn_harness.subjects.subject import Subject

NAMES = ["E-307", "E-309", "E-310", "E-311", "E-312", "E-313", "E-314", "E-315"]

ALTERED = {
    "a term is lost": (
        "E-312",
        r"+ \frac{\partial s_4}{\partial s_1} \frac{\partial^+ s_1}{\partial W}",
        "",
    ),
    "the sum starts at two": ("E-314", r"\sum_{k=1}^4", r"\sum_{k=2}^4"),
    "the sum stops at three": ("E-314", r"\sum_{k=1}^4", r"\sum_{k=1}^3"),
    "the direct derivative is a total one": (
        "E-314",
        r"\frac{\partial^+ s_k}{\partial W}",
        r"\frac{\partial s_k}{\partial W}",
    ),
    "the total derivative is a direct one": (
        "E-313",
        r"\frac{\partial s_4}{\partial W}",
        r"\frac{\partial^+ s_4}{\partial W}",
    ),
    "the loss of one step stands for all": (
        "E-310",
        r"\sum_{t=1}^T \frac{\partial \mathcal{L}_t(\theta)}{\partial W}",
        r"\frac{\partial \mathcal{L}_4(\theta)}{\partial W}",
    ),
}


@functools.cache
def recurrence() -> UnrolledRecurrence:
    return unroll(Subject.of(library().spec("rnn.sigma")), 7)


def printed(name: str) -> str:
    _, entry = library().entry(name)
    return str(entry.text)


@pytest.mark.parametrize("name", NAMES)
def test_identity_as_printed_holds(name: str) -> None:
    result = check_identity(printed(name), recurrence())
    assert result.agrees, result.where
    assert result.worst <= 1


@pytest.mark.parametrize("change", ALTERED)
def test_altered_identity_is_refuted(change: str) -> None:
    name, right, wrong = ALTERED[change]
    assert printed(name).count(right) >= 1
    result = check_identity(printed(name).replace(right, wrong), recurrence())
    assert not result.agrees
    assert result.worst > 1
    assert "differs from side 1" in result.where


def test_what_is_no_sum_or_derivative_is_refused() -> None:
    with pytest.raises(UsageError, match="cannot stand in an identity"):
        check_identity(r"\frac{\partial s_4}{\partial W} = \tanh(s_4)", recurrence())
