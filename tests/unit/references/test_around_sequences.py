"""Losses, clipping, truncation, windows, splits, wirings, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
from jaxtyping import TypeCheckError

from rnn_harness.references import (
    ArgumentError,
    OutputLayer,
    chronological_split,
    chunked_bptt,
    clip_by_norm,
    clip_by_value,
    cross_entropy,
    encode_decode,
    get_reference,
    global_norm,
    many_to_many,
    many_to_one,
    one_hot,
    one_to_many,
    one_to_one,
    sigmoid,
    stateful_batches,
    truncated_bptt,
    windows,
)
from rnn_harness.references.activations import sigmoid_to

RNG = np.random.default_rng(0)
RNN = get_reference("rnn")
P = {name: RNG.normal(size=shape) for name, shape in RNN.parameter_shapes(2, 4).items()}
X = RNG.normal(size=(6, 3, 2))


def test_sigmoid_neither_overflows_nor_warns_and_keeps_relative_accuracy() -> None:
    with np.errstate(all="raise", under="ignore"):
        far = sigmoid(np.array([-np.inf, -1e4, -700.0, 0.0, 1e4, np.inf]))
    assert far[[0, 1, 3, 4, 5]].tolist() == [0, 0, 0.5, 1, 1]
    assert far[2] == pytest.approx(np.exp(-700.0), rel=2.0**-40, abs=0)


@pytest.mark.parametrize("columns", [2, 3, 4, 5, 8])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_sigmoid_in_place_is_right_for_one_column_of_several(columns: int, dtype: str) -> None:
    # NumPy 2.4.6's np.negative(x, out=x) is wrong for float32 columns with a stride of 16 bytes.
    table = np.linspace(-2, 2, 8 * columns, dtype=dtype).reshape(8, columns)
    expected = sigmoid(table[:, -1].copy())
    sigmoid_to(table[:, -1], table[:, -1])
    assert np.array_equal(table[:, -1], expected)


def test_cross_entropy_is_minus_log_softmax_and_its_gradient_sums_to_zero() -> None:
    logits = RNG.normal(size=(3, 2, 4))
    classes = RNG.integers(0, 4, (3, 2))
    loss, gradient = cross_entropy(logits, classes)
    y = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
    assert loss == pytest.approx(-np.log(np.take_along_axis(y, classes[:, :, None], -1)).sum(), rel=2.0**-40)
    unit = np.eye(4)[classes]
    assert np.abs(gradient - (y - unit)).max() <= 8 * np.spacing(1.0)
    padded, masked = cross_entropy(logits, classes, np.array([3, 1]))
    assert padded < loss
    assert not masked[1:, 1].any()
    assert cross_entropy(logits * 1e4, classes)[0] < np.inf
    with pytest.raises(ArgumentError, match=r"classes reach from 0 to 9, expected 0\.\.3"):
        cross_entropy(logits, np.where(np.arange(6).reshape(3, 2) == 0, 9, 0))


def test_clipping_by_norm_keeps_the_direction_and_by_value_does_not() -> None:
    gradients = {"a": np.array([3.0, 0.1]), "b": np.array([4.0])}
    normed = clip_by_norm(gradients, 1.0)
    assert global_norm(normed) == pytest.approx(1.0, rel=2.0**-40)
    assert normed["a"][0] / normed["b"][0] == pytest.approx(0.75, rel=2.0**-40)
    assert clip_by_norm(normed, 2.0)["a"] is not None
    assert np.array_equal(clip_by_norm(normed, 2.0)["a"], normed["a"])
    valued = clip_by_value(gradients, 1.0)
    assert valued["a"].tolist() == [1.0, 0.1]
    assert np.array_equal(clip_by_value(valued, 1.0)["a"], valued["a"])


@pytest.mark.parametrize("clip", [clip_by_norm, clip_by_value], ids=["by norm", "by value"])
def test_clipping_refuses_what_it_cannot_repair(clip) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ArgumentError, match="the gradient of a is not finite"):
        clip({"a": np.array([np.inf])}, 1.0)
    with pytest.raises(ArgumentError, match=r"limit is 0\.0, expected a positive"):
        clip({"a": np.array([1.0])}, 0.0)


def test_truncation_with_a_long_window_is_the_full_gradient_and_with_one_step_the_direct_part() -> None:
    run = RNN.forward(P, X)
    e = RNG.normal(size=run.outputs.shape)
    full = RNN.backward(run, e)
    long = truncated_bptt(RNN, P, X, e, 99)
    for name, gradient in full.parameters.items():
        assert np.abs(long.parameters[name] - gradient).max() <= 64 * np.spacing(np.abs(gradient).max())
    delta = e * (1 - run.outputs**2)
    short = truncated_bptt(RNN, P, X, e, 1)
    direct = np.einsum("tbd,tbn->dn", delta, X)
    assert np.abs(short.parameters["W_x"] - direct).max() <= 64 * np.spacing(np.abs(direct).max())
    with pytest.raises(ArgumentError, match="the window is 0"):
        truncated_bptt(RNN, P, X, e, 0)


def test_chunks_carry_the_state_and_cut_the_gradient() -> None:
    run = RNN.forward(P, X)
    parts = list(chunked_bptt(RNN, P, X, np.ones_like(run.outputs), 4))
    assert len(parts) == 2
    second = RNN.forward(P, X[4:], RNN.forward(P, X[:4]).finals)
    assert np.array_equal(second.outputs, run.outputs[4:])
    assert np.array_equal(parts[1].inputs, RNN.backward(second, np.ones((2, 3, 4))).inputs)


def test_one_hot_codes_are_rows_of_the_identity() -> None:
    codes = one_hot(np.array([[0, 2]]), 3)
    assert codes.tolist() == [[[1, 0, 0], [0, 0, 1]]]
    with pytest.raises(ArgumentError, match="indices reach from 0 to 3"):
        one_hot(np.array([0, 3]), 3)


def test_windows_are_consecutive_and_counted_by_the_formula() -> None:
    inputs, targets = windows(np.arange(10), width=3, shift=2, offset=1)
    assert inputs.tolist() == [[0, 1, 2], [2, 3, 4], [4, 5, 6], [6, 7, 8]]
    assert np.array_equal(targets, inputs + 1)
    with pytest.raises(ArgumentError, match="holds no window of 3"):
        windows(np.arange(3), 3)


def test_stateful_batches_go_on_where_the_batch_before_ended() -> None:
    batches = list(stateful_batches(np.arange(13), batch=2, width=3))
    assert [inputs[:, 0].tolist() for inputs, _ in batches] == [[0, 1, 2], [3, 4, 5]]
    assert [inputs[:, 1].tolist() for inputs, _ in batches] == [[6, 7, 8], [9, 10, 11]]
    assert all(np.array_equal(targets, inputs + 1) for inputs, targets in batches)
    with pytest.raises(ArgumentError, match="a series of 4 cannot be read"):
        list(stateful_batches(np.arange(4), 2, 3))


@pytest.mark.parametrize("length", [0, 1, 9, 10, 11, 1000])
def test_split_is_in_order_without_gap_or_overlap(length: int) -> None:
    parts = chronological_split(length)
    assert [i for one in parts for i in one] == list(range(length))
    assert len(parts[0]) == length * 7 // 10
    assert abs(len(parts[1]) - 0.2 * length) <= 1


def test_wirings_read_and_write_what_their_names_say() -> None:
    dense = np.tanh(X[0] @ P["W_x"].T + P["b"])
    assert np.abs(one_to_one(RNN, P, X[0]) - dense).max() <= 4 * np.spacing(1.0)
    many = one_to_many(RNN, P, X[0], 4)
    assert many.shape == (4, 3, 4)
    assert np.array_equal(many[0], one_to_one(RNN, P, X[0]))
    assert np.array_equal(many_to_one(RNN, P, X), many_to_many(RNN, P, X)[-1])
    read, written = encode_decode(RNN, RNN, (P, P), X, X[:2])
    again = RNN.forward(P, X[:2], read.finals)
    assert np.array_equal(written.outputs, again.outputs)
    with pytest.raises(ArgumentError, match="at least one step"):
        many_to_one(RNN, P, X[:0])


def test_output_layer_of_each_kind_differentiates() -> None:
    hidden = RNG.normal(size=(2, 3, 4))
    for activation in ("softmax", "sigmoid", "identity"):
        layer = OutputLayer(activation)
        parameters = {name: RNG.normal(size=shape) for name, shape in layer.parameter_shapes(4, 5).items()}
        d_y = RNG.normal(size=(2, 3, 5))
        d_hidden, gradients = layer.backward(parameters, hidden, layer.forward(parameters, hidden), d_y)
        step = 2.0**-20
        for name, value in (("hidden", hidden), ("W_y", parameters["W_y"]), ("b_y", parameters["b_y"])):
            direction = RNG.normal(size=value.shape)
            ends = []
            for sign in (1, -1):
                moved = {**parameters, "hidden": hidden, name: value + sign * step * direction}
                ends.append((layer.forward({k: moved[k] for k in parameters}, moved["hidden"]) * d_y).sum())
            slope = (ends[0] - ends[1]) / (2 * step)
            claimed = ((d_hidden if name == "hidden" else gradients[name]) * direction).sum()
            assert claimed == pytest.approx(slope, rel=2.0**-20, abs=2.0**-20)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: get_reference("gur"), "reference is 'gur', expected one of feedforward, rnn"),
        (lambda: get_reference("gru", mode=1), "reference gru has no option mode; it has update"),
        (lambda: get_reference("gru", update="forget"), "update is 'forget', expected one of 'keep', 'write'"),
        (lambda: get_reference("rnn", activation="relu"), "activation is 'relu'"),
        (lambda: get_reference("stacked", layers=0), "at least one layer"),
        (lambda: RNN.forward(P, X[0]), r"inputs has shape \(3, 2\), expected \(T, B, input_size\)"),
        (lambda: RNN.forward(P, X.astype(int)), "inputs has dtype int64, expected float32 or float64"),
        (lambda: RNN.forward({**P, "W_x": P["W_x"].T}, X), r"W_x has shape \(2, 4\), expected \(4, 2\)"),
        (lambda: RNN.forward({"W_h": P["W_h"]}, X), "missing W_x, b; expected W_x, W_h, b"),
        (lambda: RNN.forward(P, X.astype(np.float32)), "has dtype float64, expected float32 like the inputs"),
        (lambda: RNN.forward(P, X, {"c": X}), "states: missing h; unknown c"),
        (lambda: RNN.forward(P, X, None, np.array([9, 0, 0])), r"leave the range 0\.\.6"),
        (lambda: RNN.backward(RNN.forward(P, X), X), "d_outputs has shape"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_wrong_use_is_refused_with_the_value_and_what_was_expected(  # type: ignore[no-untyped-def]
    call, message: str, request: pytest.FixtureRequest
) -> None:
    try:
        with pytest.raises(ArgumentError, match=message):
            call()
    except TypeCheckError:
        # With --jaxtyping-packages the annotations are checked at run time, and refuse a wrong shape or dtype first.
        if not request.config.getoption("--jaxtyping-packages"):
            raise
