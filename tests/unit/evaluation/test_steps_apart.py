"""Steps that are computed as one batch have the bounds that they have one by one."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import pytest

from rnn_harness.arithmetic import Values, evaluate
from rnn_harness.arithmetic.array_ball import ArrayBallArithmetic
from rnn_harness.arithmetic.array_ball_values import stacked
from rnn_harness.cases.case import Case
from rnn_harness.evaluation.evaluation import Evaluation
from rnn_harness.evaluation.own_states import bounds_from_own_states
from rnn_harness.evaluation.steps_apart import step_parts
from rnn_harness.kernels import Kernel, Setting
from rnn_harness.kernels.drivers.equations import EquationsDriver
from rnn_harness.kernels.setting import settings
from rnn_harness.specs import Spec, library, literature
from rnn_harness.specs.expression import Variable
from rnn_harness.subjects.subject import Subject

CELLS = [spec.id for spec in library().cells if len(spec.program(2).passes) == 1 and spec.reference is not None]

LITERATURE = [
    spec for spec in literature() if len(spec.program().passes) == len(spec.model.inputs) == 1 and not spec.reference
]


def one_by_one(evaluation: Evaluation) -> Any:
    """The bounds of every step by itself: seen states are the subject's own, the others are carried on as balls."""
    arithmetic, values = ArrayBallArithmetic(evaluation.rounding), evaluation.values
    outputs, name = evaluation.run.outputs, evaluation.subject.output_name
    assigned = {a.target.name: a.expression for a in evaluation.program.passes[0].assignments}
    source = assigned.get(name)
    shown = source.name if isinstance(source, Variable) and source.time == 0 else name
    states: Any = {symbol: arithmetic.array(value) for symbol, value in values.states.items()}
    rows = []
    for t in range(values.steps):
        inputs = {symbol: value[t : t + 1] for symbol, value in values.inputs.items()}
        with arithmetic.scope():
            step = evaluate(evaluation.program, Values(values.parameters, inputs, states, values.sizes), arithmetic)
            rows.append(step.steps[0][name])
            states = {symbol: step.steps[0][symbol] for symbol in states}
            if shown in states:
                states[shown] = arithmetic.before_storing(outputs[t])
    return stacked(rows)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("spec", CELLS)
@pytest.mark.parametrize(("rows", "steps"), [(2, 4), (1, 1), (3, 3)])
def test_steps_as_one_batch_have_the_bounds_of_single_steps(spec: str, dtype: str, rows: int, steps: int) -> None:
    case = Case(spec=spec, n=3, d=3, B=rows, T=steps, dtype=dtype, seed=5)  # type: ignore[arg-type]
    assert_same_bounds(Evaluation.of(Subject.of(library().spec(spec)), case))


@pytest.mark.parametrize("spec", LITERATURE[::8], ids=lambda spec: spec.id)
def test_steps_of_cells_of_the_literature_as_one_batch_have_the_bounds_of_single_steps(spec: Spec) -> None:
    assert_same_bounds(by_its_equations(spec))


@pytest.mark.deep(
    "tests/unit/evaluation/test_steps_apart.py::"
    "test_steps_of_cells_of_the_literature_as_one_batch_have_the_bounds_of_single_steps"
)
@pytest.mark.parametrize("spec", LITERATURE, ids=lambda spec: spec.id)
def test_steps_of_every_cell_of_the_literature_as_one_batch_have_the_bounds_of_single_steps(spec: Spec) -> None:
    assert_same_bounds(by_its_equations(spec))


def by_its_equations(spec: Spec) -> Evaluation:
    judged = Kernel("", "", spec.id, lambda _: EquationsDriver(spec), settings(("float32",)), custom_spec=spec)
    return judged.evaluation(Setting("float32", "cpu"), Case(spec=spec.id, n=3, d=3, B=2, T=4, dtype="float32", seed=5))


def assert_same_bounds(evaluation: Evaluation) -> None:
    expected, found = one_by_one(evaluation), bounds_from_own_states(evaluation)
    assert found.shape == expected.shape
    assert (found.radius > 0).all()
    assert np.allclose(found.radius, expected.radius, rtol=1e-6, atol=0)
    # Other sums round otherwise, within what the radii hold for the midpoints' own rounding.
    assert (abs(found.middle - expected.middle) <= 1e-13 * (1 + abs(expected.middle))).all()


def test_only_what_waits_for_an_unseen_state_is_walked() -> None:
    (lstm,) = library().spec("lstm.column").program().passes
    parts = step_parts(lstm, frozenset({"c"}))
    assert [a.target.name for a in parts.before] == ["i", "f", "o", "g"]
    assert [a.target.name for a in parts.walked] == ["c"]
    assert [a.target.name for a in parts.after] == ["h", "y"]
    (peephole,) = library().spec("lstm.peephole").program().passes
    assert [a.target.name for a in step_parts(peephole, frozenset({"c"})).walked] == ["f", "i", "c"]
    everything = step_parts(lstm, frozenset())
    assert everything.before == lstm.assignments
    assert not everything.walked
    assert not everything.after


def test_what_depends_on_parameters_alone_has_no_rows() -> None:
    for spec in library().cells:
        for pass_ in spec.program(2).passes:
            rows = step_parts(pass_, frozenset()).rows
            assert {cast("Any", state).name for state in pass_.carried} <= rows
