"""What the cells accept, and what they refuse in which words: the argument, its value and the choices."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
import pytest
from jaxtyping import TypeCheckError

from rnn_harness.array_types import Array
from rnn_harness.references import ArgumentError, get_reference
from rnn_harness.references.arguments import alive_steps, expect_names, expect_shape, output_gradients
from rnn_harness.references.bidirectional import Bidirectional, reverse_time
from rnn_harness.references.gru import GRU
from rnn_harness.references.lstm import LSTM
from rnn_harness.references.rnn import RNN

ROW = np.array([[[0.5, -1.0]], [[0.25, 2.0]]])
WEIGHTS = {"W_x": np.eye(2), "W_h": np.eye(2) / 2, "b": np.zeros(2)}
STATE = {"h": np.zeros((1, 2))}


def _forward(**changes: object) -> object:
    base: dict[str, object] = {"parameters": WEIGHTS, "inputs": ROW, "states": STATE}
    return RNN().forward(**base | changes)  # type: ignore[arg-type]


def _backward(d_outputs: Array, d_finals: dict[str, Array] | None = None) -> object:
    run = RNN().forward(WEIGHTS, ROW, STATE)
    return RNN().backward(run, d_outputs, d_finals)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: GRU(update="x"), "update is 'x', expected one of 'keep', 'write'"),
        (lambda: GRU(reset="x"), "reset is 'x', expected one of 'before', 'after'"),
        (lambda: GRU(bias="x"), "bias is 'x', expected one of True, False"),  # type: ignore[arg-type]
        (lambda: GRU(candidate="x"), "activation is 'x', expected one of 'sigmoid', 'tanh'"),
        (lambda: LSTM(candidate="x"), "activation is 'x', expected one of 'sigmoid', 'tanh'"),
        (lambda: LSTM(output="x"), "activation is 'x', expected one of 'sigmoid', 'tanh'"),
        (lambda: LSTM(forget="x"), "forget is 'x', expected one of True, False"),  # type: ignore[arg-type]
        (lambda: LSTM(bias="x"), "bias is 'x', expected one of True, False"),  # type: ignore[arg-type]
        (lambda: LSTM(peephole="x"), "peephole is 'x', expected one of None, 'full', 'diagonal'"),
        (lambda: RNN(activation="x"), "activation is 'x', expected one of 'sigmoid', 'tanh'"),
        (lambda: RNN(bias="x"), "bias is 'x', expected one of True, False"),  # type: ignore[arg-type]
        (
            lambda: Bidirectional(RNN(), RNN(), merge="x"),
            "merge is 'x', expected one of 'concat', 'sum', 'mean', 'mul'",
        ),
        (lambda: expect_shape("a", np.zeros(2), (3,)), r"a has shape \(2,\), expected \(3,\)"),
        (
            lambda: expect_shape("a", np.zeros(2), (2,), np.dtype("float32")),
            "a has dtype float64, expected float32 like the inputs",
        ),
        (lambda: expect_names("a", ["x", "z"], ["x", "y"]), "a: missing y; unknown z; expected x, y"),
        (lambda: expect_names("a", ["x"], ["x", "y"]), "a: missing y; expected x, y"),
        (lambda: expect_names("a", ["x", "z"], ["x"]), "a: unknown z; expected x"),
        (lambda: _forward(inputs=ROW[0]), r"inputs has shape \(1, 2\), expected \(T, B, input_size\)"),
        (lambda: _forward(inputs=ROW.astype(int)), "inputs has dtype int64, expected float32 or float64"),
        (lambda: _forward(parameters={}), "parameters: missing W_h, W_x, b; expected W_x, W_h, b"),
        (
            lambda: _forward(parameters=WEIGHTS | {"b": np.zeros(3)}),
            r"parameter b has shape \(3,\), expected \(2,\)",
        ),
        (lambda: _forward(states={}), "states: missing h; expected h"),
        (lambda: _forward(states={"h": np.zeros((1, 3))}), r"state h has shape \(1, 3\), expected \(1, 2\)"),
        (lambda: alive_steps(np.array([1, 2]), 3, 1), r"lengths is array\(\[1, 2\]\), expected 1 whole numbers"),
        (lambda: alive_steps(np.array([1.0]), 3, 1), r"lengths is array\(\[1\.\]\), expected 1 whole numbers"),
        (lambda: alive_steps(np.array([-1, 2]), 3, 2), r"lengths \[-1, 2\] leave the range 0\.\.3"),
        (lambda: alive_steps(np.array([0, 4]), 3, 2), r"lengths \[0, 4\] leave the range 0\.\.3"),
        (lambda: _backward(np.ones((2, 1, 3))), r"d_outputs has shape \(2, 1, 3\), expected \(2, 1, 2\)"),
        (lambda: _backward(np.ones((2, 1, 2)), {"c": np.ones((1, 2))}), "d_finals: missing h; unknown c; expected h"),
        (
            lambda: _backward(np.ones((2, 1, 2)), {"h": np.ones((1, 3))}),
            r"d_finals h has shape \(1, 3\), expected \(1, 2\)",
        ),
    ],
)
def test_a_refusal_says_all_of_it(call: Callable[[], object], message: str, request: pytest.FixtureRequest) -> None:
    with pytest.raises((ArgumentError, TypeCheckError)) as caught:
        call()
    if caught.type is TypeCheckError:
        # With --jaxtyping-packages the annotations are checked at run time, and refuse a wrong argument first.
        assert request.config.getoption("--jaxtyping-packages")
    else:
        assert re.fullmatch(message, str(caught.value))


def test_cells_are_torch_s_where_nothing_is_said() -> None:
    assert GRU() == GRU(update="keep", reset="before", candidate="tanh", bias=True)
    assert LSTM() == LSTM(candidate="tanh", output="tanh", forget=True, bias=True, peephole=None)
    assert RNN() == RNN(activation="tanh", bias=True)
    assert Bidirectional(RNN(), RNN()).merge == "concat"
    assert Bidirectional(RNN(), RNN()).name == "bidirectional"
    assert LSTM().gates == "oifg"
    assert LSTM(forget=False).gates == "oig"


def test_lists_and_integers_of_every_sign_are_lengths(request: pytest.FixtureRequest) -> None:
    arrays = [np.array([1, 0, 3]), np.array([1, 0, 3], np.uint8)]
    # The annotations ask for arrays; where they are checked at run time, a list is refused.
    lists = [] if request.config.getoption("--jaxtyping-packages") else [[1, 0, 3]]
    for lengths in (*arrays, *lists):
        alive = alive_steps(lengths, 3, 3)  # type: ignore[arg-type]
        assert alive is not None
        assert alive.T.tolist() == [[True, False, False], [False, False, False], [True, True, True]]
    assert alive_steps(np.array([3, 3]), 3, 2) is None
    assert alive_steps(np.array([], dtype=int), 3, 0) is None


def test_inputs_may_be_lists(request: pytest.FixtureRequest) -> None:
    if request.config.getoption("--jaxtyping-packages"):
        with pytest.raises(TypeCheckError):
            RNN().forward(WEIGHTS, ROW.tolist())
        return
    assert np.array_equal(
        RNN().forward(WEIGHTS, ROW.tolist()).outputs,
        RNN().forward(WEIGHTS, ROW).outputs,
    )
    pair, lengths = Bidirectional(RNN(), RNN()), np.array([1])
    weights = {f"{side}.{name}": value for side in ("forward", "backward") for name, value in WEIGHTS.items()}
    assert np.array_equal(
        pair.forward(weights, ROW.tolist(), lengths=lengths).outputs,
        pair.forward(weights, ROW, lengths=lengths).outputs,
    )


def test_time_is_reversed_within_each_row_s_length() -> None:
    values = np.array([[[1.0], [5.0]], [[2.0], [6.0]], [[3.0], [7.0]], [[4.0], [8.0]]])
    turned = reverse_time(values, np.array([2, 4]))
    assert turned[:, :, 0].T.tolist() == [[2, 1, 3, 4], [8, 7, 6, 5]]
    assert np.array_equal(reverse_time(turned, np.array([2, 4])), values)
    assert reverse_time(values, None)[:, :, 0].T.tolist() == [[4, 3, 2, 1], [8, 7, 6, 5]]


@pytest.mark.parametrize("name", ["rnn", "gru", "lstm", "stacked", "bidirectional"])
def test_outputs_past_a_row_s_length_are_zero_and_the_state_stays(name: str) -> None:
    cell = get_reference(name)
    rng = np.random.default_rng(0)
    parameters = {key: rng.normal(size=shape) for key, shape in cell.parameter_shapes(2, 3).items()}
    inputs = rng.normal(size=(4, 3, 2))
    run = cell.forward(parameters, inputs, lengths=np.array([4, 1, 0]))
    assert not run.outputs[1:, 1].any()
    assert not run.outputs[:, 2].any()
    assert run.outputs[:, 0].all()
    alone = cell.forward(parameters, inputs[:1, 1:2])
    assert run.outputs[:1, 1:2] == pytest.approx(alone.outputs)
    for key, value in alone.finals.items():
        assert run.finals[key][1:2] == pytest.approx(value)
        assert not run.finals[key][2].any()


@pytest.mark.parametrize("name", ["rnn", "gru", "lstm"])
def test_final_states_are_arrays_of_their_own(name: str) -> None:
    """A caller who goes on with them and overwrites them changes no output of before."""
    cell = get_reference(name)
    rng = np.random.default_rng(0)
    parameters = {key: rng.normal(size=shape) for key, shape in cell.parameter_shapes(2, 3).items()}
    run = cell.forward(parameters, rng.normal(size=(3, 2, 2)))
    outputs = run.outputs.copy()
    for value in run.finals.values():
        value[...] = 7
    assert np.array_equal(run.outputs, outputs)
    assert not (run.trace["hidden_state"] == 7).any()
    assert "cell_state" not in run.trace or not (run.trace["cell_state"] == 7).any()


def test_steps_past_a_length_have_no_gradient_and_what_is_not_given_is_zero() -> None:
    states = {"h": np.full((2, 1), 7.0)}
    alive = np.array([[True, True], [True, False]])
    ones = np.ones((2, 2, 1))
    outputs, finals = output_gradients((2, 2, 1), np.dtype(float), alive, states, ones, None)
    assert outputs[:, :, 0].tolist() == [[1, 1], [1, 0]]
    assert finals["h"].tolist() == [[0], [0]]


@pytest.mark.parametrize("name", ["rnn", "gru", "lstm", "stacked", "bidirectional"])
def test_the_caller_s_arrays_are_read_and_not_written(name: str) -> None:
    cell = get_reference(name)
    rng = np.random.default_rng(0)
    parameters = {key: rng.normal(size=shape) for key, shape in cell.parameter_shapes(2, 3).items()}
    for lengths in (None, np.array([3, 1])):
        run = cell.forward(parameters, rng.normal(size=(3, 2, 2)), lengths=lengths)
        d_finals = {key: rng.normal(size=value.shape) for key, value in run.finals.items()}
        d_outputs = rng.normal(size=run.outputs.shape)
        arrays = [d_outputs, *d_finals.values(), run.outputs, *run.finals.values(), *run.trace.values()]
        before = [value.copy() for value in arrays]
        cell.backward(run, d_outputs, d_finals)
        assert all(np.array_equal(value, kept) for value, kept in zip(arrays, before, strict=True))
