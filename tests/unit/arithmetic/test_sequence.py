"""The fast NumPy evaluation is the plain one: same names, same values within the bound, at every border."""

from __future__ import annotations

import numpy as np
import pytest

from rnn_harness.arithmetic import NumpyArithmetic, Values, evaluate
from rnn_harness.arithmetic.ball import BallArithmetic
from rnn_harness.arithmetic.compare import error_over_bound
from rnn_harness.arithmetic.compile.fuse import plan
from rnn_harness.array_types import Array
from rnn_harness.specs import library
from rnn_harness.specs.expression import Function, Variable
from rnn_harness.specs.program import Program

CELLS = [spec.id for spec in library().cells]
SIZES = {"n": 3, "d": 2, "k": 2, "m": 3}


def drawn(program: Program, steps: int, batch: int) -> Values:
    rng = np.random.default_rng([steps, batch])

    def positive(*shape: int) -> Array:
        values: Array = np.exp(rng.standard_normal(shape))
        return values if program.spec.startswith("loss") else values - 1

    def shape(variable: Variable) -> tuple[int, ...]:
        return tuple(axis.size(SIZES) for axis in variable.shape)

    return Values(
        {v.name: positive(*shape(v)) for v in program.parameters},
        {v.name: positive(steps, batch, *shape(v)) for v in program.inputs},
        {v.name: positive(batch, *shape(v)) for v in program.states},
        SIZES,
        {"c": rng.integers(0, 2, (steps, batch))},
    )


@pytest.mark.parametrize(("steps", "batch"), [(1, 1), (1, 3), (4, 1), (3, 2), (0, 2), (2, 0)])
@pytest.mark.parametrize("spec", CELLS)
def test_fast_and_plain_evaluation_lie_in_the_same_balls(spec: str, steps: int, batch: int) -> None:
    program = library().spec(spec).program()
    values = drawn(program, steps, batch)
    fast, plain = NumpyArithmetic(), NumpyArithmetic()
    plain.fused = False
    assert fast.fused
    balls = BallArithmetic.of("float64")
    runs = [evaluate(program, values, one).steps for one in (fast, plain)]
    bounds = evaluate(program, values, balls).steps if batch else runs[1]
    assert [len(run) for run in runs] == [steps, steps]
    for found, also, bound in zip(*runs, bounds, strict=True):
        assert found.keys() == also.keys() == bound.keys()
        for name, value in found.items():
            assert np.shape(value) == np.shape(also[name]) == np.shape(bound[name]), name
            if batch:
                assert error_over_bound(bound[name], value)[0] <= 1, name
                assert error_over_bound(bound[name], also[name])[0] <= 1, name


def test_gates_of_an_lstm_are_one_product_a_step_and_one_sigmoid() -> None:
    (one,) = [one for one in library().spec("lstm.column").program().passes if one.direction]
    found = plan(one)
    assert len(found.blocks) == 4
    assert {product.operand.name for block in found.blocks for product in block.recurrent} == {"h"}
    assert [block.function for block in found.blocks] == [Function.SIGMOID] * 3 + [Function.TANH]
    assert plan(one) is found


def test_the_read_out_does_not_wait_for_the_recurrence() -> None:
    program = library().spec("rnn.sigma").program()
    waited = [a.target.name for one in program.passes if one.direction for a in plan(one).walk]
    assert "y" not in waited
    assert program.states[0].name in waited


def test_the_candidate_of_a_reset_before_gru_keeps_its_own_recurrent_product() -> None:
    (one,) = [one for one in library().spec("gru.keep.column").program().passes if one.direction]
    recurrent = {block.target.name: len(block.recurrent) for block in plan(one).blocks}
    assert sorted(recurrent.values()) == [0, 1, 1]
