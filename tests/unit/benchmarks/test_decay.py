"""The decay of gradients: exact products of Jacobians, without underflow, and what they are known to come to."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from rnn_harness.arithmetic import NumpyArithmetic, evaluate
from rnn_harness.benchmarks.decay import jacobian_product
from rnn_harness.benchmarks.decay.decay import DecayCurve, decay_curve, segment_inputs
from rnn_harness.benchmarks.decay.horizon import gradient_horizon, last_crossing
from rnn_harness.benchmarks.decay.initialisation import INITIALISATIONS, find_initialisation
from rnn_harness.benchmarks.decay.jacobian_product import cell_steps
from rnn_harness.benchmarks.decay.measure import DECAY_CELLS, measure_decay
from rnn_harness.derivatives import derive, differentiate
from rnn_harness.references import get_reference
from rnn_harness.specs import library
from rnn_harness.subjects.subject import LAYERS, Subject

N, D = 3, 5


def _parameters(name: str, seed: int = 0, width: int = D) -> dict[str, Any]:
    return find_initialisation("torch").draw(DECAY_CELLS[name][1], N, width, np.random.default_rng(seed))


@pytest.mark.parametrize("name", DECAY_CELLS)
def test_the_norms_are_those_of_the_references_own_gradients(name: str) -> None:
    """D h_T / d s_{T-k} by one backward of the reference for every unit of h_T."""
    cell, steps = DECAY_CELLS[name][1], 12
    parameters = _parameters(name)
    length = math.isqrt(steps)
    x = np.concatenate(
        [segment_inputs(0, k, min(length, steps - s), N, 1.0) for k, s in enumerate(range(0, steps, length))]
    )
    curve = decay_curve(cell_steps(cell, parameters), N, steps, 0)
    state = {state_name: np.zeros((1, D)) for state_name in cell.state_names}
    before = [state]
    for t in range(steps):
        state = cell.forward(parameters, x[t : t + 1, None], state).finals
        before.append(state)
    for lag in (1, 2, 5, 12):
        start = steps - lag
        run = cell.forward(parameters, x[start:, None], before[start])
        rows, cell_rows = [], []
        for unit in range(D):
            d_outputs = np.zeros((lag, 1, D))
            d_outputs[-1, 0, unit] = 1
            gradients = cell.backward(run, d_outputs).states
            rows.append(np.concatenate([gradients[state_name][0] for state_name in cell.state_names]))
            cell_rows.append(gradients[cell.state_names[-1]][0])
        expected = math.log10(np.linalg.norm(rows) / math.sqrt(D))
        assert curve.norms[lag] == pytest.approx(expected, abs=1e-9)
        if curve.cell_norms is not None:
            assert curve.cell_norms[lag] == pytest.approx(
                math.log10(np.linalg.norm(cell_rows) / math.sqrt(D)), abs=1e-9
            )


@pytest.mark.parametrize(
    "name", [name for name in DECAY_CELLS if DECAY_CELLS[name][0] not in ("lstm.noforget", "rnn.sigma")]
)
def test_a_step_pulls_adjoints_as_the_derived_backward_does(name: str) -> None:
    spec = library().spec(DECAY_CELLS[name][0])
    subject = Subject.of(spec)
    parameters = _parameters(name, 3)
    rng = np.random.default_rng(4)
    x = rng.standard_normal((1, N))
    state = rng.standard_normal(cell_steps(DECAY_CELLS[name][1], parameters).state_size) / 2
    step = cell_steps(DECAY_CELLS[name][1], parameters)
    step.run(x, state)
    adjoint = rng.standard_normal((1, len(state)))
    pulled = step.pull_back(0, adjoint)[0]
    names = subject.cell.state_names
    states = {state_name: state[None, k * D : (k + 1) * D] for k, state_name in enumerate(names)}
    arithmetic = NumpyArithmetic(np.float64)
    values = subject.values(parameters, x[:, None], states, {"n": N, "d": D, "k": 1})
    trajectory = evaluate(spec.program(LAYERS), values, arithmetic)
    finals = {symbol: adjoint[:, names.index(state_name) * D :][:, :D] for symbol, state_name in subject.states.items()}
    outputs = {subject.output_name: np.zeros((1, 1, D))}
    gradients = differentiate(derive(spec.program(LAYERS)), trajectory, outputs, finals, arithmetic)
    derived = {state_name: gradients.states[symbol][0] for symbol, state_name in subject.states.items()}
    assert pulled == pytest.approx(np.concatenate([derived[state_name] for state_name in names]), abs=1e-12)


DEEP = pytest.mark.deep("tests/unit/benchmarks/test_decay.py::test_the_rates_that_others_measured_lie_in_the_interval")


@pytest.mark.parametrize(
    ("name", "initial", "rate"),
    [
        ("RNN", "torch", 0.572),
        ("sigmoid RNN", "torch", 0.146),
        ("RNN", "orthogonal", 0.774),
        ("RNN", "gain-0.9", 0.905),
        ("RNN", "gain-1.5", 1.050),
        ("RNN", "gain-3", 1.341),
        ("GRU", "torch", 0.641),
        ("GRU", "keep", 0.983),
        ("LSTM", "torch", 0.633),
        ("LSTM", "forget-1", 0.858),
        pytest.param("LSTM", "forget-5", 1.013, marks=DEEP),
        pytest.param("LSTM", "chrono", 0.991, marks=DEEP),
        pytest.param("LSTM without forget gate", "torch", 1.013, marks=DEEP),
    ],
)
def test_the_rates_that_others_measured_lie_in_the_interval(name: str, initial: str, rate: float) -> None:
    """Those of three other seeds, by jacrev (ledger of the documents); theirs have a spread of their own."""
    measurement = measure_decay(name, initial, 200, 128, 6)
    assert measurement.ci_low is not None
    assert measurement.ci_high is not None
    spread = measurement.ci_high / measurement.ci_low
    assert measurement.ci_low / spread <= rate <= measurement.ci_high * spread


def test_nothing_underflows_where_float64_ends() -> None:
    cell = get_reference("rnn", activation="sigmoid")
    parameters = find_initialisation("torch").draw(cell, N, 16, np.random.default_rng(0))
    curve = decay_curve(cell_steps(cell, parameters), N, 3000, 0)
    assert curve.norms[3000] < -1500
    assert np.isfinite(curve.norms).all()
    steps = np.diff(curve.norms[1000:])
    assert np.median(steps) == pytest.approx((curve.norms[3000] - curve.norms[1000]) / 2000, rel=0.1)


def test_leaving_out_rows_that_no_longer_matter_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    from rnn_harness.benchmarks.decay import decay as decay_module

    cell = get_reference("lstm")
    parameters = find_initialisation("chrono").draw(cell, N, 8, np.random.default_rng(1))

    def curve() -> DecayCurve:
        return decay_curve(cell_steps(cell, parameters), N, 300, 1)

    reduced = curve()
    monkeypatch.setattr(decay_module, "_drop_negligible", lambda rows: rows)
    assert reduced.norms == pytest.approx(curve().norms, abs=1e-10)


def test_every_initialisation_has_the_shapes_of_its_cells() -> None:
    for initial in INITIALISATIONS:
        for family in initial.families:
            cell = get_reference(family)
            parameters = initial.draw(cell, N, D, np.random.default_rng(0))
            assert {name: value.shape for name, value in parameters.items()} == cell.parameter_shapes(N, D)


def test_a_variant_that_has_no_fast_form_is_told() -> None:
    cell = get_reference("lstm", peephole="full")
    with pytest.raises(ValueError, match="the decay of lstm in this variant is not measured"):
        cell_steps(cell, {})


@pytest.mark.parametrize("name", DECAY_CELLS)
def test_a_wrong_jacobian_is_seen_in_the_sample(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    cell, parameters = DECAY_CELLS[name][1], _parameters(name)
    assert jacobian_product.jacobians_agree(cell, parameters, N, 0, 1.0)
    steps_class = type(cell_steps(cell, parameters))
    right = steps_class.pull_back
    monkeypatch.setattr(
        steps_class, "pull_back", lambda self, t, adjoints: right(self, t, adjoints) * (1.001 if t == 3 else 1)
    )
    assert not jacobian_product.jacobians_agree(cell, parameters, N, 0, 1.0)
    assert measure_decay(name, "torch", 20, 8, 2).agrees is False


def test_the_horizon_is_where_the_curve_itself_crosses_and_nowhere_else() -> None:
    falling = np.array([0.0, -1.0, -3.0, -5.0, -6.0])
    assert last_crossing(falling, -4.0) == pytest.approx(2.5)
    assert last_crossing(falling, -6.0) is None, "at T it is still seen"
    assert last_crossing(np.array([0.0, -5.0, -3.0, -5.0]), -4.0) == pytest.approx(2.5), "it came back once"
    assert last_crossing(np.array([0.0, -1.0, -math.inf]), -4.0) == 1.0
    horizon = gradient_horizon([falling, falling - np.arange(5) / 10], -4.0)
    assert horizon is not None
    assert horizon.low < horizon.steps < horizon.high
    assert gradient_horizon([falling, falling / 2], -4.0) is None, "one seed does not cross within T"


def test_nothing_is_said_beyond_the_steps_that_were_measured() -> None:
    near, far = (measure_decay("LSTM", "chrono", steps, 16, 3) for steps in (40, 4000))
    assert near.float32_horizon is None
    assert near.float32_reach == "beyond 40 steps"
    assert far.float32_horizon is not None
    assert far.float32_horizon_low is not None
    assert far.float32_horizon_high is not None
    assert far.float32_horizon_low < far.float32_horizon < far.float32_horizon_high


def test_the_horizon_of_a_plain_lstm_is_nearer_than_its_rate_would_have_it() -> None:
    """The first step of the curve is larger than the later ones: two steps nearer (the ledger's correction)."""
    measurement = measure_decay("LSTM", "torch", 200, 128, 6)
    assert measurement.float32_horizon is not None
    assert measurement.float32_horizon < math.log(2.0**-23) / math.log(measurement.rate) - 1
    assert measurement.log10_norm(32) is not None
    assert measurement.float32_horizon_low is not None
    assert measurement.float32_horizon_high is not None
    at_32, at_64 = (measurement.log10_norm(lag) or 0.0 for lag in (32, 64))
    between = 32 + 32 * (at_32 - math.log10(2.0**-23)) / (at_32 - at_64)
    assert measurement.float32_horizon_low < between < measurement.float32_horizon_high


@pytest.mark.parametrize("name", DECAY_CELLS)
def test_no_step_is_larger_than_the_bound_per_step(name: str) -> None:
    for initial in INITIALISATIONS:
        cell = DECAY_CELLS[name][1]
        is_drawn = set(initial.draw(cell, N, D, np.random.default_rng(0))) == set(cell.parameter_shapes(N, D))
        if cell.name in initial.families and is_drawn:
            measurement = measure_decay(name, initial.name, 60, 12, 2)
            lags = [0, *(point.step for point in measurement.log10_norms)]
            norms = [0.0, *(point.value for point in measurement.log10_norms)]
            if measurement.bound_per_step is None:
                assert name.startswith("LSTM"), "only an LSTM's weights alone bound nothing"
                continue
            for lag, norm in zip(lags, norms, strict=True):
                assert norm <= lag * math.log10(measurement.bound_per_step) + 2.0**-30


def test_a_headline_needs_an_interval_below_one() -> None:
    unsure = measure_decay("LSTM without forget gate", "torch", 100, 12, 3)
    assert unsure.ci_high is not None
    assert unsure.ci_high > 1
    assert unsure.half_life is None
    assert not unsure.surely_decays
