"""Cases are replayable, exact in their dtype, and could have failed; links are adjoint; records survive."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings

from rnn_harness.array_types import Array
from rnn_harness.cases.case import FEATURES, Case
from rnn_harness.cases.strategies import case_strategy
from rnn_harness.errors import UsageError
from rnn_harness.evaluation.evaluation import Evaluation
from rnn_harness.evaluation.vacuity import vacuity_reason
from rnn_harness.specs import library
from rnn_harness.subjects.case_arrays import draw_arrays
from rnn_harness.subjects.parameter_map import assemble, parse_map, scatter
from rnn_harness.subjects.subject import Subject

GRU = Subject.of(library().spec("gru.keep.column"))
CASE = Case(spec="gru.keep.column", seed=4)


def test_the_same_json_draws_the_same_numbers() -> None:
    again = Case.model_validate_json(CASE.model_dump_json())
    one, two = draw_arrays(CASE, GRU), draw_arrays(again, GRU)
    assert np.array_equal(one.inputs, two.inputs)
    assert all(np.array_equal(one.parameters[k], two.parameters[k]) for k in one.parameters)
    other = draw_arrays(CASE.model_copy(update={"seed": 5}), GRU)
    assert not np.array_equal(one.inputs, other.inputs)


def test_all_bits_of_float64_numbers_are_random() -> None:
    arrays = draw_arrays(CASE.model_copy(update={"n": 37, "d": 67}), GRU)
    drawn = [*arrays.parameters.values(), arrays.inputs, *arrays.states.values(), arrays.d_outputs]
    for value in drawn:
        last_bits = np.frexp(value)[0] * 2.0**53 % 2
        assert (last_bits == 1).any(), "no number uses its last bit"
        assert not np.array_equal(value, value.astype(np.float32).astype(np.float64))


def test_on_the_common_grain_float32_holds_every_number_and_sums_are_exact() -> None:
    drawn = draw_arrays(CASE.model_copy(update={"features": ("large", "saturated"), "scale": 4.0}), GRU)
    grained = drawn.on_common_grain()
    for name, value in grained.parameters.items():
        assert np.array_equal(value, value.astype(np.float32).astype(np.float64))
        assert np.abs(value - drawn.parameters[name]).max() <= np.abs(value).max() * 2.0**-19
        assert np.array_equal((value + value[::-1]) - value[::-1], value)
    again = grained.on_common_grain()
    assert all(np.array_equal(value, again.parameters[name]) for name, value in grained.parameters.items())
    narrow = draw_arrays(CASE.model_copy(update={"dtype": "float32"}), GRU)
    assert narrow.on_common_grain().inputs is narrow.inputs


def test_specials_are_where_they_are_said_to_be() -> None:
    drawn = {s: draw_arrays(CASE.model_copy(update={"features": (s,), "T": 4, "B": 3}), GRU) for s in FEATURES}
    assert np.abs(drawn["large"].inputs).max() > 8
    assert (drawn["zeros"].inputs == 0).any()
    assert np.array_equal(drawn["equal rows"].inputs[:, 0], drawn["equal rows"].inputs[:, 1])
    plain = draw_arrays(CASE, GRU).parameters["b_r"]
    assert np.abs(drawn["saturated"].parameters["b_r"]).max() > np.abs(plain).max()


@given(case_strategy("gru.keep.column", lengths=True))
@settings(max_examples=max(50, settings().max_examples))
def test_drawn_cases_are_small_and_lengths_fit(case: Case) -> None:
    assert max(case.n, case.d, case.B) <= 4
    assert case.lengths is not None
    assert len(case.lengths) == case.B
    assert all(0 <= length <= case.T for length in case.lengths)


def evaluation(**arrays: Any) -> Evaluation:
    return Evaluation(GRU, dataclasses.replace(draw_arrays(CASE, GRU), **arrays))


def test_a_generic_case_counts() -> None:
    assert vacuity_reason(evaluation()) is None


def changed(name: str, value: Array) -> dict[str, dict[str, Array]]:
    return {"parameters": {**draw_arrays(CASE, GRU).parameters, name: value}}


@pytest.mark.parametrize(
    ("judged", "reason"),
    [
        (Evaluation.of(GRU, CASE.model_copy(update={"T": 1})), "T is 1"),
        (Evaluation.of(GRU, CASE.model_copy(update={"B": 0})), "no batch row"),
        (evaluation(states={"h": np.zeros((2, 4))}), "initial state h is zero"),
        (evaluation(d_outputs=np.ones((3, 2, 4))), "output gradient is constant"),
        (evaluation(**changed("b_z", np.ones(4))), "parameter b_z is constant"),
        (evaluation(**changed("W_hz", np.eye(4))), "parameter W_hz is symmetric"),
        (evaluation(**changed("b_r", np.array([99.0, 98, 97, 96]))), "reset_gate is saturated everywhere"),
        (evaluation(inputs=np.zeros((3, 2, 3))), "W_x. moves the output by less than"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_case_that_could_not_fail_is_vacuous_and_says_why(judged: Evaluation, reason: str) -> None:
    import re

    vacuous = vacuity_reason(judged)
    assert vacuous is not None
    assert re.search(reason, vacuous), vacuous


@pytest.mark.parametrize("value", [0.0, 1.0, float("nan")])
def test_what_the_subject_computes_excuses_nothing(value: float) -> None:
    made = evaluation()
    run = made.run
    pinned = {name: np.full_like(array, value) for name, array in run.trace.items()}
    made.run = dataclasses.replace(run, trace=pinned)
    assert vacuity_reason(made) is None


@pytest.mark.parametrize("text", ["A", "A^T", "-A", "[A, B]", "[B^T, -A, A]"])
def test_gathering_gradients_is_the_adjoint_of_assembling_parameters(text: str) -> None:
    rng = np.random.default_rng(0)
    source = {"A": rng.standard_normal((3, 3)), "B": rng.standard_normal((3, 3))}
    blocks = parse_map(text)
    whole = assemble(blocks, source)
    cotangent = rng.standard_normal(whole.shape)
    gathered: dict[str, np.ndarray] = {}
    scatter(blocks, cotangent, source, gathered)
    assert (whole * cotangent).sum() == pytest.approx(
        sum((source[name] * gradient).sum() for name, gradient in gathered.items()), rel=2.0**-40
    )


def test_a_map_that_cannot_be_read_is_refused_with_its_text() -> None:
    with pytest.raises(UsageError, match=r"parameter map 'W_x \+ 1' cannot be read; expected NAME"):
        parse_map("W_x + 1")
