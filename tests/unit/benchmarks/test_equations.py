"""Specs that are measured by their equations alone: their numbers are held against other ways to the same."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from rnn_harness.array_types import Array
from rnn_harness.benchmarks import equations
from rnn_harness.benchmarks.decay.decay import decay_curve
from rnn_harness.benchmarks.decay.equation_steps import EquationSteps, equations_agree
from rnn_harness.benchmarks.decay.jacobian_product import cell_steps
from rnn_harness.benchmarks.decay.measure import DECAY_CELLS, measure_decay_of_equations
from rnn_harness.benchmarks.equations import measured_spec
from rnn_harness.benchmarks.parameters import spec_count
from rnn_harness.benchmarks.speed.competitors import competitors
from rnn_harness.benchmarks.speed.grid_point import SpeedPoint, WeightBlock
from rnn_harness.cli._app import app
from rnn_harness.errors import NotRun, UsageError
from rnn_harness.kernels.drivers.equations import EquationsDriver
from rnn_harness.references import Reference
from rnn_harness.specs import Spec, library, literature
from rnn_harness.subjects.subject import Subject
from rnn_harness.validation.judging.own_specs import without_reference
from rnn_harness.validation.spec_search.rewrites import rewrites

TYPICAL = ("mgu", "fastgrnn", "sru", "lstm.peephole.diagonal")
"""Cells with a vector of weights, with scalars, with inputs of the size of the state, and with two states."""


@pytest.mark.parametrize(
    "name",
    [
        *TYPICAL,
        *(
            pytest.param(
                spec.id,
                marks=pytest.mark.deep("tests/unit/benchmarks/test_equations.py::test_a_spec_alone_is_measured"),
            )
            for spec in literature()
            if spec.id not in TYPICAL and len(spec.program().inputs) == 1
        ),
    ],
)
def test_a_spec_alone_is_measured(name: str) -> None:
    """Its numbers are right, its parameters are counted, and its Jacobians are those of the derived backward."""
    point = SpeedPoint(name, 5, 5, 2, 4)
    (alone,) = competitors(point)
    assert alone.wrong_number() is None
    assert alone.calls.both() is not None
    assert point.operations > 0
    count = spec_count(measured_spec(name))
    assert (count.agrees, count.compared_with) == (True, ("the arrays of its torch module",))
    decay = measure_decay_of_equations(name, 12, 5, 1)
    assert decay.agrees
    assert 0 < decay.rate < 2


def test_a_spec_of_several_inputs_is_told_not_to_be_measured_alone() -> None:
    with pytest.raises(UsageError, match="grud is no bare cell of one step with one input"):
        measured_spec("grud")


@pytest.mark.parametrize("name", ["RNN", "GRU", "LSTM"])
def test_a_decay_by_the_equations_is_that_of_the_hand_written_steps(name: str) -> None:
    spec_id, cell = DECAY_CELLS[name]
    spec = library().spec(spec_id)
    parameters = _drawn(cell)
    given = Subject.of(spec).values(parameters, np.zeros((1, 1, 3)), _zeros(cell), {"n": 3, "d": 5}).parameters
    by_equations = decay_curve(EquationSteps(without_reference(spec), given, {"n": 3, "d": 5}), 3, 30, 0)
    by_hand = decay_curve(cell_steps(cell, parameters), 3, 30, 0)
    np.testing.assert_allclose(by_equations.norms, by_hand.norms, rtol=1e-9)


def _drawn(cell: Reference) -> dict[str, Array]:
    rng = np.random.default_rng(0)
    return {name: rng.standard_normal(shape) / 2 for name, shape in cell.parameter_shapes(3, 5).items()}


def _zeros(cell: Reference) -> dict[str, Array]:
    return {name: np.zeros((1, 5)) for name in cell.state_names}


def test_no_time_is_shown_of_equations_that_are_computed_wrongly(monkeypatch: pytest.MonkeyPatch) -> None:
    class Wrong(EquationsDriver):
        def __init__(self, spec: Spec) -> None:
            super().__init__(spec)
            self._program = rewrites(spec.program())[0].program

    monkeypatch.setattr(equations, "EquationsDriver", Wrong)
    (alone,) = competitors(SpeedPoint("mgu", 3, 5, 2, 4))
    assert "after the last step" in str(alone.wrong_number())


def test_a_wrong_jacobian_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    spec, sizes = measured_spec("mgu"), {"n": 3, "d": 4}
    rng = np.random.default_rng(0)
    shapes = {v.name: tuple(axis.size(sizes) for axis in v.shape) for v in spec.program().parameters}
    parameters = {name: rng.standard_normal(shape) / 2 for name, shape in shapes.items()}
    assert equations_agree(spec, parameters, sizes, 0)
    right = EquationSteps.pull_back
    monkeypatch.setattr(EquationSteps, "pull_back", lambda self, t, rows: right(self, t, rows) * 1.001)
    assert not equations_agree(spec, parameters, sizes, 0)


def test_a_cell_without_a_memory_has_no_decay(tmp_path: Path) -> None:
    text = measured_spec("minlstm").path.read_text().replace('id = "minlstm', 'id = "forgetful')
    lines = [
        line if "h_{t-1}" not in line else r"printed = 'h_t = 0 h_{t-1} + \tilde{h}_t'" for line in text.split("\n")
    ]
    file = tmp_path / "forgetful.toml"
    file.write_text("\n".join(lines))
    with pytest.raises(NotRun, match="no gradient reaches the state one step before"):
        measure_decay_of_equations(str(file), 12, 5, 1)


def test_the_products_of_a_spec_alone_are_those_of_its_weights() -> None:
    assert SpeedPoint("mgu", 3, 5, 2, 7).weight_rows == {
        WeightBlock(3, of_inputs=True): 10,
        WeightBlock(5, of_inputs=False): 10,
    }


def test_a_spec_of_a_file_is_measured_by_its_name(tmp_path: Path) -> None:
    spec = next(spec for spec in literature() if spec.id == "mgu")
    file = tmp_path / "own.toml"
    file.write_text(spec.path.read_text().replace('id = "mgu', 'id = "own'))
    result = CliRunner().invoke(app, ["bench", "parameters", "--quick", "--spec", str(file), "--spec", "star"])
    assert result.exit_code == 0
    assert "2*d*(d + n + 1)" in result.stdout
    assert "d*(d + 2*n + 2)" in result.stdout
    assert "gru" not in result.stdout
