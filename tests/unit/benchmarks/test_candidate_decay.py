"""The decay of a candidate's gradient: by its own vector-Jacobian products or by its equations, as the record says."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from rnn_harness.benchmarks.decay.candidate_decay import measure_decay_of_candidate
from rnn_harness.benchmarks.decay.candidate_steps import CandidateSteps
from rnn_harness.benchmarks.decay.jacobian_product import cell_steps
from rnn_harness.comparison.own_decay import candidate_driver
from rnn_harness.comparison.tied_cell import tie
from rnn_harness.errors import NotRun
from rnn_harness.references import get_reference
from rnn_harness.validation import ValidationRequest, target_of
from rnn_harness.validation.loading.target import Target
from tests.helpers.user_cells import HalfGradient, WithoutState

N, D = 3, 5


class HalfGradientOfState(nn.RNNCell):
    """Half of the gradient is lost at every step back."""

    def forward(self, input: Tensor, hx: Tensor | None = None) -> Tensor:  # noqa: A002  # as torch names it
        return super().forward(input, HalfGradient.apply(hx))


class CutFromItsState(nn.RNNCell):
    """No gradient passes a step."""

    def forward(self, input: Tensor, hx: Tensor | None = None) -> Tensor:  # noqa: A002  # as torch names it
        return super().forward(input, None if hx is None else hx.detach())


class LeakySine(nn.Module):
    """A cell that is in no list: a leaky state, driven by a sine."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.weight = nn.Linear(input_size, hidden_size)

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        return 0.75 * h + torch.sin(self.weight(x))


class LeakySineOutputs(LeakySine):
    """The same over a sequence; its outputs lie above its state, which does not come back."""

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        outputs = []
        for step in x:
            h = super().forward(step, h)
            outputs.append(h + 1)
        return torch.stack(outputs)


@pytest.fixture(autouse=True)
def _loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    """A request names a class of this file, which is made a target here."""
    monkeypatch.setattr("rnn_harness.benchmarks.decay.candidate_decay.load_compared", _target)


_CELLS = (nn.RNNCell, HalfGradientOfState, CutFromItsState, WithoutState, LeakySine, LeakySineOutputs)


def _target(request: ValidationRequest) -> Target:
    cells = {cell.__name__: cell for cell in _CELLS}
    return target_of(request.target, cells[request.target])


def test_a_candidates_own_products_are_those_of_the_written_backward() -> None:
    tied = tie(_target(ValidationRequest("RNNCell")), ValidationRequest("RNNCell"))
    driver, widths = candidate_driver(tied, N, D)
    rng = np.random.default_rng(0)
    cell = get_reference("rnn")
    parameters = {name: rng.standard_normal(shape) for name, shape in cell.parameter_shapes(N, D).items()}
    leaves = {name: torch.tensor(value) for name, value in driver.table.pack(parameters).items()}
    own, written = CandidateSteps(driver, leaves, widths, "float64"), cell_steps(cell, parameters)
    inputs, adjoints = rng.standard_normal((4, N)), rng.standard_normal((2, D))
    for steps in (own, written):
        steps.run(inputs, np.zeros(D))
    np.testing.assert_allclose(own.last_state(inputs, np.zeros(D)), written.last_state(inputs, np.zeros(D)), rtol=1e-12)
    for t in range(4):
        np.testing.assert_allclose(own.pull_back(t, adjoints), written.pull_back(t, adjoints), rtol=1e-12)
    tiny = 1e-60 * adjoints  # no numbers of float32, whose products are taken all the same
    single = CandidateSteps(driver, {name: leaf.float() for name, leaf in leaves.items()}, widths, "float32")
    single.run(inputs, np.zeros(D))
    np.testing.assert_allclose(single.pull_back(3, tiny), own.pull_back(3, tiny), rtol=1e-4)


def test_half_of_the_gradient_at_every_step_halves_the_factor_and_is_told() -> None:
    rows = {
        name: measure_decay_of_candidate(ValidationRequest(name), 40, 8, 2)
        for name in ("RNNCell", "HalfGradientOfState")
    }
    right, half = rows["RNNCell"], rows["HalfGradientOfState"]
    assert (right.jacobians, right.jacobians_note, right.initialisation) == ("candidate", "", "its constructor's")
    assert (right.dtype, right.parameters) == ("float64", 8 * 16 + 8 * 8 + 2 * 8)
    assert half.jacobians == "candidate"
    assert "they are not those of its equations: rnn-harness validate HalfGradientOfState" in half.jacobians_note
    assert half.rate == pytest.approx(right.rate / 2, rel=1e-9)


def test_a_cell_that_takes_no_state_is_measured_by_its_equations_which_is_told() -> None:
    row = measure_decay_of_candidate(ValidationRequest("WithoutState"), 40, 8, 1)
    assert (row.jacobians, row.jacobians_note) == ("equations", "it takes no initial state h")
    assert 0 < row.rate < 1


def test_where_no_gradient_passes_a_step_there_is_no_factor() -> None:
    with pytest.raises(NotRun, match="no gradient reaches the state one step before"):
        measure_decay_of_candidate(ValidationRequest("CutFromItsState"), 20, 8, 1)


def test_an_unknown_cell_is_measured_by_its_own_products() -> None:
    """Its Jacobian is 0.75 times the identity, whatever its inputs are."""
    row = measure_decay_of_candidate(ValidationRequest("LeakySine"), 40, 8, 1)
    assert (row.spec, row.jacobians, row.jacobians_note) == ("", "candidate", "")
    assert row.rate == pytest.approx(0.75, rel=1e-9)


def test_an_unknown_layer_that_does_not_give_back_its_state_is_not_measured() -> None:
    with pytest.raises(NotRun, match="it does not return its states"):
        measure_decay_of_candidate(ValidationRequest("LeakySineOutputs"), 20, 8, 1)
