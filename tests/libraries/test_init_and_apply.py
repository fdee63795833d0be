"""Functions of JAX that come as a pair, ``init`` and ``apply``, are driven."""

from __future__ import annotations

from typing import Any

import pytest

from rnn_harness.errors import UsageError
from rnn_harness.validation import load_target
from rnn_harness.validation.identification.identify import identify
from rnn_harness.validation.loading.adapters.step_signature import StepSignature
from tests.helpers import HELPERS

pytest.importorskip("haiku")
PATH = HELPERS / "init_and_apply.py"


@pytest.mark.parametrize(
    ("name", "spec", "call"),
    [
        ("stax_layer", "gru.keep.column", "called with a sequence, batch first, and no state"),
        ("lstm_cell", "lstm.column", "called with one step, and two states as a tuple"),
        ("Elman", "rnn.tanh", "called with one step, and one state before the input, one vector at a time"),
        pytest.param(
            "unrolled",
            "gru.write.concatenated",
            "called with a sequence, time first, and no state",
            marks=pytest.mark.deep("tests/libraries/test_init_and_apply.py::test_a_pair_of_functions_is_identified"),
        ),
    ],
)
def test_a_pair_of_functions_is_identified(name: str, spec: str, call: str) -> None:
    (identification,) = identify(load_target(f"{PATH}:{name}"))
    assert (identification.spec, str(identification.convention)) == (spec, call)


def test_a_wrong_pair_of_functions_is_no_known_cell() -> None:
    assert [found.spec for found in identify(load_target(f"{PATH}:ElmanOfHalf"))] != ["rnn.tanh"]


def test_what_a_pair_of_functions_gave_is_told() -> None:
    with pytest.raises(UsageError, match=r"apply\(params, x \(7, 5\)\) gave \(3, 2\); expected init\(key\)"):
        load_target(f"{PATH}:no_pair")


def test_a_state_is_not_given_to_a_function_that_takes_none_and_any_keyword() -> None:
    def apply(params: Any, inputs: Any, **_: Any) -> Any:
        return params, inputs

    step = StepSignature(apply)
    assert step.call(1, (2,)) == (1, 2)
    with pytest.raises(ValueError, match="longer"):
        step.call(1, (2, 3))
