"""What a reference takes for granted, and what it refuses by name: untested until the references were mutated."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable

import numpy as np
import pytest
from jaxtyping import TypeCheckError

from rnn_harness.references import (
    ArgumentError,
    OutputLayer,
    chunked_bptt,
    clip_by_norm,
    clip_by_value,
    cross_entropy,
    encode_decode,
    get_reference,
    one_hot,
    one_to_many,
    one_to_one,
    reference_names,
    sigmoid,
    softmax,
    truncated_bptt,
)
from rnn_harness.references.feedforward import Feedforward

ROW = np.array([[[0.5, -1.0]]])
LAYER = {"W_y": np.eye(2), "b_y": np.zeros(2)}
DENSE = {"W_x": np.eye(2), "b": np.zeros(2)}


def test_what_is_not_said_is_the_document_s_first_choice() -> None:
    assert Feedforward().forward(DENSE, ROW).outputs == pytest.approx(sigmoid(ROW))
    assert OutputLayer().forward(LAYER, ROW) == pytest.approx(softmax(ROW))
    assert get_reference("stacked").state_names == ("layer0.h", "layer1.h")
    assert get_reference("bidirectional").state_names == ("forward.h", "backward.h")
    assert get_reference("bidirectional").parameter_shapes(2, 3)["forward.W_h"] == (3, 3)
    assert get_reference("stacked").name == "stacked"
    assert reference_names() == ("feedforward", "rnn", "gru", "lstm", "stacked", "bidirectional")


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: Feedforward("softsign"), "activation is 'softsign'"),
        (lambda: OutputLayer("softsign"), "activation is 'softsign', expected one of 'softmax'"),
        (lambda: OutputLayer().forward(LAYER | {"W_z": np.eye(2)}, ROW), "parameters: unknown W_z"),
        (lambda: OutputLayer().forward(LAYER | {"W_y": np.eye(3)}, ROW), r"parameter W_y has shape \(3, 3\)"),
        (lambda: Feedforward().forward(DENSE | {"W_x": np.eye(3)}, ROW), r"parameter W_x has shape \(3, 3\)"),
        (lambda: _rnn_from({"h": np.zeros((1, 3))}), r"state h has shape \(1, 3\), expected \(1, 2\)"),
        (lambda: get_reference("gru", c=1, b=2, a=3, e=4, d=5), "no option a, b, c, d, e; it has update"),
        (lambda: clip_by_norm({"w": ROW}, np.inf), "the limit is inf"),
        (lambda: clip_by_value({"w": ROW}, np.inf), "the limit is inf"),
        (lambda: clip_by_norm({"w": np.array([1.0, np.nan])}, 1.0), "the gradient of w is not finite"),
        (lambda: next(chunked_bptt(get_reference("rnn"), {}, ROW, ROW, 0)), "the window is 0"),
        (lambda: one_to_many(get_reference("rnn"), {}, ROW[0], 0), "steps is 0"),
        (lambda: cross_entropy(ROW, np.zeros((2, 1), dtype=np.intp)), r"classes has shape \(2, 1\)"),
        (lambda: cross_entropy(np.zeros((2, 1, 2)), np.array([[-1], [1]])), "classes reach from -1 to 1"),
        (lambda: cross_entropy(ROW, np.array([[2]])), "classes reach from 2 to 2, expected 0..1"),
    ],
)
def test_wrong_use_names_its_argument(call: Callable[[], object], message: str, request: pytest.FixtureRequest) -> None:
    with pytest.raises((ArgumentError, TypeCheckError)) as caught:
        call()
    if caught.type is TypeCheckError:
        # With --jaxtyping-packages the annotations are checked at run time, and refuse a wrong shape first.
        assert request.config.getoption("--jaxtyping-packages")
    else:
        assert re.search(message, str(caught.value))


def _rnn_from(states: dict[str, np.ndarray]) -> object:
    parameters = {"W_x": np.eye(2), "W_h": np.eye(2), "b": np.zeros(2)}
    return get_reference("rnn").forward(parameters, ROW, states)


def test_lists_are_taken_as_arrays_and_dtypes_are_kept(request: pytest.FixtureRequest) -> None:
    if request.config.getoption("--jaxtyping-packages"):
        with pytest.raises(TypeCheckError):
            one_hot([0, 2], 3)  # type: ignore[arg-type]  # the annotations ask for arrays
        return
    assert one_hot([0, 2], 3).tolist() == [[1, 0, 0], [0, 0, 1]]  # type: ignore[arg-type]
    assert one_hot(np.array([1]), 2, np.float32).dtype == np.float32
    listed = Feedforward().forward(DENSE, ROW.tolist())
    assert np.array_equal(listed.outputs, Feedforward().forward(DENSE, ROW).outputs)
    cell, weights = get_reference("feedforward"), DENSE
    assert np.array_equal(one_to_one(cell, weights, ROW[0].tolist()), listed.outputs[0])


def test_a_layer_without_memory_is_silent_past_a_row_s_length_and_where_exp_overflows() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        run = Feedforward().forward(DENSE, np.full((2, 1, 2), -800.0), lengths=np.array([1]))
    assert not run.outputs.any()
    assert Feedforward().forward(DENSE, np.ones((2, 1, 2)), lengths=np.array([1])).outputs[1].tolist() == [[0, 0]]


def test_the_loss_of_no_step_is_zero_and_steps_past_the_length_do_not_count() -> None:
    assert cross_entropy(np.zeros((0, 2, 3)), np.zeros((0, 2), dtype=np.intp))[0] == 0
    logits = np.random.default_rng(0).standard_normal((3, 2, 4))
    classes = np.array([[0, 1], [2, 3], [1, 0]])
    parts = cross_entropy(logits[:, :1], classes[:, :1])[0] + cross_entropy(logits[:1, 1:], classes[:1, 1:])[0]
    assert cross_entropy(logits, classes, np.array([3, 1]))[0] == pytest.approx(parts)


def test_one_to_many_reads_its_input_once_and_zeros_then() -> None:
    cell = get_reference("rnn")
    parameters = {"W_x": np.eye(2), "W_h": np.eye(2) / 2, "b": np.zeros(2)}
    outputs = one_to_many(cell, parameters, ROW[0], 2)
    assert outputs[0] == pytest.approx(np.tanh(ROW[0]))
    assert outputs[1] == pytest.approx(np.tanh(np.tanh(ROW[0]) / 2))
    assert one_to_many(cell, parameters, ROW[0], 1) == pytest.approx(outputs[:1])


def test_an_encoder_and_a_decoder_have_weights_of_their_own() -> None:
    cell = get_reference("rnn")
    first = {"W_x": np.eye(2), "W_h": np.zeros((2, 2)), "b": np.zeros(2)}
    second = {"W_x": np.zeros((2, 2)), "W_h": np.eye(2) / 2, "b": np.ones(2)}
    encoded, decoded = encode_decode(cell, cell, (first, second), ROW, ROW)
    assert encoded.outputs == pytest.approx(np.tanh(ROW))
    assert decoded.outputs == pytest.approx(np.tanh(np.tanh(ROW) / 2 + 1))


def test_truncation_after_one_step_leaves_each_step_s_own_gradient() -> None:
    """By hand: delta_t = e_t (1 - h_t^2); inputs delta_t W_x, and the first state delta_0 W_h."""
    rng = np.random.default_rng(0)
    cell = get_reference("rnn")
    weights = {name: rng.standard_normal(shape) for name, shape in cell.parameter_shapes(2, 3).items()}
    inputs, states, e = (
        rng.standard_normal((4, 2, 2)),
        {"h": rng.standard_normal((2, 3))},
        rng.standard_normal((4, 2, 3)),
    )
    run = cell.forward(weights, inputs, states)
    delta = e * (1 - run.outputs**2)
    truncated = truncated_bptt(cell, weights, inputs, e, 1, states)
    assert truncated.inputs == pytest.approx(delta @ weights["W_x"])
    assert truncated.states["h"] == pytest.approx(delta[0] @ weights["W_h"])
    whole, full = truncated_bptt(cell, weights, inputs, e, 4, states), cell.backward(run, e)
    assert whole.inputs == pytest.approx(full.inputs)
    assert whole.states["h"] == pytest.approx(full.states["h"])
