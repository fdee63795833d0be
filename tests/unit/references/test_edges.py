"""References at the edges of what they take, each with the right value: what survived when they were mutated."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from rnn_harness.references import ArgumentError, OutputLayer, cross_entropy, get_reference, one_hot
from rnn_harness.references.activations import softmax
from rnn_harness.references.arguments import expect_shape
from rnn_harness.references.lstm import LSTM
from rnn_harness.references.sequences import stateful_batches, windows


@pytest.mark.parametrize("shift", [0.0, 400.0, 800.0, -800.0])
def test_softmax_of_large_logits_is_that_of_their_differences(shift: float) -> None:
    """exp(-1), exp(0) and exp(-3) over their sum, whatever is added to all of them."""
    powers = np.exp([-1.0, 0.0, -3.0])
    with np.errstate(all="raise"):
        assert softmax(np.array([1.0, 2.0, -1.0]) + shift) == pytest.approx(powers / powers.sum(), rel=2.0**-40)


def test_softmax_of_an_output_layer_at_logit_400() -> None:
    layer = OutputLayer("softmax")
    parameters = {"W_y": np.array([[400.0], [0.0], [-400.0]]), "b_y": np.array([0.0, 399.0, 0.0])}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        y = layer.forward(parameters, np.ones((1, 1, 1)))
    share = 1 / (1 + np.exp(-1.0))
    assert y[0, 0, :2] == pytest.approx([share, 1 - share], rel=2.0**-40)
    assert 0 <= y[0, 0, 2] < 2.0**-1000


def test_cross_entropy_at_logit_400_is_the_difference_of_the_logits() -> None:
    logits = np.array([[[400.0, 0.0, 399.0]]])
    loss, gradient = cross_entropy(logits, np.array([[1]]))
    assert loss == pytest.approx(400 + np.log1p(np.exp(-1.0)), rel=2.0**-40)
    assert np.isfinite(gradient).all()


@pytest.mark.parametrize("family", ["rnn", "gru", "lstm"])
@pytest.mark.parametrize("name", ["stacked", "bidirectional"])
def test_without_states_a_wrapper_starts_from_zeros(name: str, family: str) -> None:
    cell = get_reference(name, cell=family)
    rng = np.random.default_rng(0)
    parameters = {key: rng.standard_normal(shape) for key, shape in cell.parameter_shapes(3, 4).items()}
    inputs = rng.standard_normal((3, 2, 3))
    zeros = {key: np.zeros((2, 4)) for key in cell.state_names}
    bare, explicit = cell.forward(parameters, inputs), cell.forward(parameters, inputs, zeros)
    assert np.array_equal(bare.outputs, explicit.outputs)
    for key, value in explicit.finals.items():
        assert np.array_equal(bare.finals[key], value)
    cotangent = rng.standard_normal(bare.outputs.shape)
    gradients, expected = cell.backward(bare, cotangent), cell.backward(explicit, cotangent)
    assert gradients.parameters.keys() == expected.parameters.keys()
    for key, value in expected.parameters.items():
        assert np.array_equal(gradients.parameters[key], value)


@pytest.mark.parametrize("option", ["candidate", "output"])
def test_an_activation_that_there_is_not_is_refused_by_name(option: str) -> None:
    with pytest.raises(ArgumentError, match="softsign"):
        LSTM(**{option: "softsign"})  # type: ignore[arg-type]


def test_the_output_activation_is_the_one_asked_for() -> None:
    parameters = {key: np.zeros(shape) for key, shape in LSTM().parameter_shapes(1, 1).items()}
    parameters["b_g"][...] = 50.0
    run = {output: LSTM(output=output).forward(parameters, np.zeros((1, 1, 1))) for output in ("tanh", "sigmoid")}
    assert run["tanh"].outputs[0, 0, 0] == pytest.approx(0.5 * np.tanh(0.5))
    assert run["sigmoid"].outputs[0, 0, 0] == pytest.approx(0.5 / (1 + np.exp(-0.5)))


@pytest.mark.parametrize(
    ("indices", "message"),
    [([0, 3], "from 0 to 3"), ([-1, 2], "from -1 to 2"), ([3], "from 3 to 3"), ([-1], "from -1 to -1")],
)
def test_an_index_outside_the_classes_is_refused(indices: list[int], message: str) -> None:
    with pytest.raises(ArgumentError, match=f"indices reach {message}, expected 0..2"):
        one_hot(np.array(indices), 3)


def test_the_first_and_the_last_class_are_encoded() -> None:
    assert one_hot(np.array([0, 2]), 3).tolist() == [[1, 0, 0], [0, 0, 1]]


def test_no_index_has_no_code() -> None:
    codes = one_hot(np.empty((2, 0), dtype=np.intp), 3)
    assert codes.shape == (2, 0, 3)
    assert one_hot(np.empty(0, dtype=np.intp), 3).shape == (0, 3)


def test_the_offset_is_not_the_shift() -> None:
    """Windows two apart, targets three later: by hand from 0..9."""
    inputs, targets = windows(np.arange(10), width=2, shift=2, offset=3)
    assert inputs.tolist() == [[0, 1], [2, 3], [4, 5]]
    assert targets.tolist() == [[3, 4], [5, 6], [7, 8]]
    inputs, targets = windows(np.arange(10), width=2, shift=3, offset=2)
    assert inputs.tolist() == [[0, 1], [3, 4], [6, 7]]
    assert targets.tolist() == [[2, 3], [5, 6], [8, 9]]


def test_a_width_of_one_is_a_window_and_a_width_of_none_is_not() -> None:
    inputs, targets = windows(np.arange(3), width=1)
    assert inputs.tolist() == [[0], [1]]
    assert targets.tolist() == [[1], [2]]
    for wrong in ({"width": 0}, {"width": 1, "shift": 0}, {"width": 1, "offset": 0}):
        with pytest.raises(ArgumentError, match="must be at least 1"):
            windows(np.arange(3), **wrong)


def test_the_last_window_that_just_fits_is_cut_and_the_next_is_refused() -> None:
    assert windows(np.arange(4), width=3)[1].tolist() == [[1, 2, 3]]
    with pytest.raises(ArgumentError, match="a series of 3 holds no window of 3"):
        windows(np.arange(3), width=3)


def test_stateful_batches_of_width_one_read_sample_by_sample() -> None:
    batches = [(x[:, 0].tolist(), y[:, 0].tolist()) for x, y in stateful_batches(np.arange(4), 1, 1)]
    assert batches == [([0], [1]), ([1], [2]), ([2], [3])]
    (only,) = stateful_batches(np.arange(2), 1, 1)
    assert (only[0].tolist(), only[1].tolist()) == ([[0]], [[1]])
    for batch, width in ((0, 1), (1, 0), (1, 4)):
        with pytest.raises(ArgumentError, match="cannot be read as"):
            next(stateful_batches(np.arange(4), batch, width))


def test_each_row_of_a_softmax_is_shifted_by_its_own_largest_logit() -> None:
    """Rows 1,000 apart: a shift by the largest of all would leave 0 / 0 in the lower one."""
    with np.errstate(all="raise"):
        rows = softmax(np.array([[0.0, -1.0], [-1000.0, -1001.0]]))
    assert rows[0] == pytest.approx(rows[1])
    assert rows.sum(axis=1) == pytest.approx([1.0, 1.0])


def test_names_that_are_missing_or_unknown_are_listed_in_order() -> None:
    cell = get_reference("lstm")
    shapes = cell.parameter_shapes(1, 1)
    with pytest.raises(ArgumentError, match="missing W_hf, W_hg, W_hi, W_ho, W_xf"):
        cell.forward({}, np.zeros((1, 1, 1)))
    weights = {name: np.zeros(shape) for name, shape in shapes.items()}
    more = {f"extra_{letter}": np.zeros(1) for letter in "gcabfde"}
    listed = ", ".join(sorted(more))
    with pytest.raises(ArgumentError, match=f"parameters: unknown {listed}; expected"):
        cell.forward(weights | more, np.zeros((1, 1, 1)))


def test_lists_of_numbers_are_arrays() -> None:
    assert expect_shape("row", [1.0, 2.0], (2,)).tolist() == [1.0, 2.0]
