"""Hand-written cells on NumPy arrays: how they are named and called, and what is said where they cannot be driven."""

from __future__ import annotations

from pathlib import Path

import pytest

from rnn_harness.errors import UsageError
from rnn_harness.validation import ValidationRequest, collect_validation, load_target, run_validation
from rnn_harness.validation.cells.capabilities import CellSizes
from rnn_harness.validation.loading.adapters.handwritten.argument_names import base_name, gradient_stems, role_of
from rnn_harness.validation.loading.adapters.handwritten.function_pairs import backward_names, forward_partner
from rnn_harness.validation.loading.adapters.handwritten.trial_numbers import draw_trial_numbers
from rnn_harness.validation.loading.adapters.numpy_functions import is_of_numpy_alone
from tests.helpers.handwritten import step_functions_with_cache as functions

pytestmark = pytest.mark.usefixtures("equations_alone")

CELLS = Path(__file__).parents[2] / "helpers" / "handwritten"
LOSS = """
import numpy as np
def lossFun(inputs, targets, hprev, Wxh, Whh):
    return 0.0
"""
NARROW = """
import numpy as np
def step(x, h_prev, Wx, Wh):
    a = x @ Wx
    b = h_prev @ Wh
    return np.tanh(a + b)[:, :1]
"""
NO_INPUT_GRADIENT = """
import numpy as np
def cell_forward(x, h_prev, Wx, Wh):
    h = np.tanh(x @ Wx + h_prev @ Wh)
    return h, (x, h_prev, h, Wh)
def cell_backward(dh, cache):
    x, h_prev, h, Wh = cache
    da = dh * (1 - h * h)
    dWx, dWh = x.T @ da, h_prev.T @ da
    return da @ Wh.T, dWx, dWh
"""


ONE_GRADIENT_OF_TWO_BIASES = """
import numpy as np
class Cell:
    def __init__(self, n_in, n_hidden):
        rng = np.random.default_rng(1)
        self.Wx, self.Wh = rng.standard_normal((n_hidden, n_in)), rng.standard_normal((n_hidden, n_hidden))
        self.bx, self.bh = rng.standard_normal(n_hidden), rng.standard_normal(n_hidden)
        self.dWx, self.dWh = np.zeros_like(self.Wx), np.zeros_like(self.Wh)
        self.dbx, self.dbh = np.zeros_like(self.bx), np.zeros_like(self.bh)
    def forward(self, x, h_prev):
        self.x, self.h_prev = x, h_prev
        self.h = np.tanh(self.Wx @ x + self.bx + self.Wh @ h_prev + self.bh)
        return self.h
    def backward(self, delta):
        da = delta * (1 - self.h * self.h)
        self.dWx, self.dWh = np.outer(da, self.x), np.outer(da, self.h_prev)
        self.dbx = da
        self.dbh = da
        return da @ self.Wx, da @ self.Wh
"""


GRADIENTS_IN_A_TWIN = """
import numpy as np
class Net:
    def __init__(self, n_in, n_hidden):
        self.n = n_hidden
        shapes = {'Wx': (n_hidden, n_in), 'Wh': (n_hidden, n_hidden), 'b': (n_hidden,)}
        self.p = {key: np.random.randn(*shape) for key, shape in shapes.items()}
    def forward(self, xs):
        h, self.tape, hs = np.zeros(self.n), [], []
        for x in xs:
            old, h = h, np.tanh(self.p['Wx'] @ x + self.p['Wh'] @ h + self.p['b'])
            self.tape.append((x, old, h))
            hs.append(h)
        return np.array(hs)
    def backward(self, dhs):
        g = {key: np.zeros_like(value) for key, value in self.p.items()}
        dxs, later = [], 0.0
        for dh, (x, old, h) in zip(dhs[::-1], self.tape[::-1]):
            da = (dh + later) * (1 - h * h)
            g['Wx'] += np.outer(da, x)
            g['Wh'] += np.outer(da, old)
            g['b'] += da
            later = self.p['Wh'].T @ da
            dxs.append(self.p['Wx'].T @ da)
        self.g = g
        return np.array(dxs[::-1])
"""


def written(folder: Path, text: str) -> str:
    path = folder / "a_cell_of_a_test.py"
    path.write_text(text)
    return str(path)


@pytest.mark.parametrize(
    ("name", "base"), [("prev_h", "h"), ("h_t_1", "ht"), ("a_prev", "a"), ("xt", "x"), ("c0", "c"), ("h_prev_t", "h")]
)
def test_an_argument_is_what_it_is_named_for_at_whatever_step(name: str, base: str) -> None:
    assert base_name(name) == base


def test_inputs_states_and_parameters_are_told_apart_by_their_names() -> None:
    assert [role_of(name) for name in ("x", "h0", "prev_c", "parameters", "targets", "Wx")] == [
        "x",
        "h",
        "c",
        "tree",
        "target",
        "other",
    ]


@pytest.mark.parametrize("name", ["dWx", "d_Wx", "grad_Wx", "Wx_grad", "gradWx"])
def test_a_gradient_names_what_it_is_the_gradient_of(name: str) -> None:
    assert "Wx" in gradient_stems(name)


@pytest.mark.parametrize(
    ("forward", "backward"),
    [
        ("rnn_step_forward", "rnn_step_backward"),
        ("lstm_fwd", "lstm_bwd"),
        ("gru_step", "gru_step_backward"),
        ("fprop", "bprop"),
        ("forward", "gradients"),
    ],
)
def test_the_backward_of_a_forward_is_known_by_its_name(forward: str, backward: str) -> None:
    assert backward in list(backward_names(forward))


@pytest.mark.parametrize("sizes", [(5, 3), (4, 4), (1, 1), (7, 2), (12, 3)])
def test_no_size_of_a_trial_is_confused_with_another(sizes: tuple[int, int]) -> None:
    numbers = draw_trial_numbers(CellSizes(*sizes))
    n, d = sizes
    assert numbers.steps != numbers.rows
    assert not {numbers.steps, numbers.rows} & {n, d, n + d, 2 * d, 3 * d, 4 * d}


def test_a_function_of_targets_is_said_to_compute_a_loss(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"it takes targets .* so it computes a loss and not states"):
        load_target(f"{written(tmp_path, LOSS)}:lossFun")


def test_the_message_names_the_way_that_went_furthest_and_what_to_write(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        load_target(f"{written(tmp_path, NARROW)}:step")
    message = str(caught.value)
    assert "this one went furthest" in message
    assert "it gave" in message  # a way that came back, and not one that raised before
    assert "def step_backward(dh_next, cache)" in message


SEVERAL_INPUTS = """
import numpy as np
def step(x, seen, h, params):
    if not np.all(seen == 1):
        raise ValueError("gaps are filled before")
    return np.tanh(x @ params["W"] + h @ params["U"])
"""


def test_further_inputs_of_a_step_are_named_with_lines_that_can_be_driven(tmp_path: Path) -> None:
    path = written(tmp_path, SEVERAL_INPUTS)
    with pytest.raises(UsageError) as caught:
        load_target(f"{path}:step")
    message = str(caught.value)
    assert "Give seen in a function of the input, the states and the parameters" in message
    lines = message[message.index("def driven_step(x, h") :].splitlines()[:2]
    written(tmp_path, SEVERAL_INPUTS + "\n".join(["", lines[0], f"    {lines[1].strip()}", ""]))
    assert set(load_target(f"{path}:driven_step").make_module(5, 3).state_dict()) >= {"W", "U"}


def test_what_names_numpy_alone_is_run_with_no_other_library() -> None:
    assert is_of_numpy_alone(functions.rnn_step_forward)
    assert not is_of_numpy_alone(written)


def test_a_backward_without_every_gradient_is_not_run_and_says_which_is_lacking(tmp_path: Path) -> None:
    target = load_target(f"{written(tmp_path, NO_INPUT_GRADIENT)}:cell_forward")
    reason = target.capabilities.no_gradients_reason
    assert reason is not None
    assert "it gives no gradient for inputs" in reason


def test_a_pair_of_functions_is_named_with_a_comma() -> None:
    text = f"{CELLS / 'step_functions_with_cache.py'}:rnn_step_forward,rnn_step_backward"
    assert load_target(text).capabilities.no_gradients_reason is None


def test_a_missing_backward_of_a_pair_is_refused_with_near_names() -> None:
    with pytest.raises(UsageError, match=r"has no 'rnn_step_bakward'; did you mean .*rnn_step_backward"):
        load_target(f"{CELLS / 'step_functions_with_cache.py'}:rnn_step_forward,rnn_step_bakward")


def test_code_that_makes_arrays_of_float64_is_judged_in_float64_alone() -> None:
    target = load_target(f"{CELLS / 'step_functions_with_cache.py'}:rnn_forward")
    assert target.capabilities.dtypes == ("float64",)


def test_a_backward_that_is_named_alone_stands_for_its_pair() -> None:
    assert forward_partner(functions.lstm_step_backward) is functions.lstm_step_forward
    assert forward_partner(functions.rnn_backward) is functions.rnn_forward
    for other in (functions.rnn_forward, functions.rnn_step_backward_slope_of_input, functions.sigmoid):
        assert forward_partner(other) is None


TWO_DIRECTIONS = """
import numpy as np
class TwoDirections:
    def __init__(self, i, h, o):
        self.Whf, self.Whb = np.ones((i + h, h)), np.ones((i + h, h))
        self.bhf, self.bhb = np.zeros((1, h)), np.zeros((1, h))
        self.Wy = np.ones((2 * h, o))
    def forward(self, h_prev, x_t):
        return np.tanh(np.concatenate([h_prev, x_t], 1) @ self.Whf + self.bhf)
    def backward(self, h_next, x_t):
        return np.tanh(np.concatenate([h_next, x_t], 1) @ self.Whb + self.bhb)
class OneOfTwoDirections:
    def __init__(self, n_in, n_hid):
        self.Whf, self.Whb = np.ones((n_in + n_hid, n_hid)), np.ones((n_in + n_hid, n_hid))
        self.bhf, self.bhb = np.zeros((1, n_hid)), np.zeros((1, n_hid))
    def forward(self, h_prev, x_t):
        return np.tanh(np.concatenate([h_prev, x_t], 1) @ self.Whf + self.bhf)
class ForgetsAGate:
    def __init__(self, n_in, n_hid):
        self.Wh, self.Wz = np.ones((n_in + n_hid, n_hid)), np.ones((n_in + n_hid, n_hid))
        self.bh, self.bz = np.zeros((1, n_hid)), np.zeros((1, n_hid))
    def forward(self, h_prev, x_t):
        return np.tanh(np.concatenate([h_prev, x_t], 1) @ self.Wh + self.bh)
class ForgetsItsBias:
    def __init__(self, n_in, n_hid):
        self.W, self.U, self.b = np.ones((n_in, n_hid)), np.ones((n_hid, n_hid)), np.zeros(n_hid)
    def forward(self, x, h):
        return np.tanh(x @ self.W + h @ self.U)
    def sample(self, x, h):
        return np.tanh(x @ self.W + h @ self.U + self.b)
"""


def test_weights_that_only_the_other_direction_reads_are_not_those_of_a_cell(tmp_path: Path) -> None:
    target = load_target(f"{written(tmp_path, TWO_DIRECTIONS)}:TwoDirections")
    assert set(target.make_module(5, 3).state_dict()) == {"Whf", "bhf", "Wy"}


@pytest.mark.deep(
    "tests/unit/validation/test_handwritten.py::test_weights_that_only_the_other_direction_reads_are_not_those_of_a_cell"
)
@pytest.mark.parametrize(("name", "outcome"), [("OneOfTwoDirections", "agrees"), ("ForgetsAGate", "refuted")])
def test_weights_of_a_direction_that_is_not_written_yet_are_no_gates(name: str, outcome: str, tmp_path: Path) -> None:
    target = load_target(f"{written(tmp_path, TWO_DIRECTIONS)}:{name}")
    request = ValidationRequest(dtypes=("float64",), examples=0)
    assert collect_validation(name, run_validation(target, request)).outcome == outcome


def test_a_bias_that_another_method_adds_to_the_same_weights_is_one_of_the_cell(tmp_path: Path) -> None:
    target = load_target(f"{written(tmp_path, TWO_DIRECTIONS)}:ForgetsItsBias")
    assert set(target.make_module(5, 3).state_dict()) == {"W", "U", "b"}


INPUTS_CALLED_M = """
import numpy as np
class LSTM:
    def __init__(self, M, N):
        self.W, self.R = np.ones((N, M)), np.ones((N, N))
    def forward(self, x):
        h, hs = np.zeros(len(self.R)), []
        for row in x:
            h = np.tanh(self.W @ row + self.R @ h)
            hs.append(h)
        return np.stack(hs)
"""


def test_sizes_whose_names_mislead_are_handed_over_in_their_usual_places(tmp_path: Path) -> None:
    module = load_target(f"{written(tmp_path, INPUTS_CALLED_M)}:LSTM").make_module(5, 3)
    assert {name: tuple(value.shape) for name, value in module.state_dict().items()} == {"W": (3, 5), "R": (3, 3)}


STATES_IN_A_DICTIONARY = """
import numpy as np
def init_params(n, d):
    return {"W": np.ones((n, d)) / 4, "U": np.ones((d, d)) / 8}
def step(params, state, x):
    c = state["memory"] + x @ params["W"]
    return {"memory": c, "out": np.tanh(c + state["out"] @ params["U"])}
def plain(params, h, x):
    return np.tanh(x @ params["W"] + h @ params["U"])
"""


def test_the_states_of_a_dictionary_are_those_that_the_code_reads(tmp_path: Path) -> None:
    path = written(tmp_path, STATES_IN_A_DICTIONARY)
    capabilities = load_target(f"{path}:step").capabilities
    assert capabilities.calling_convention is not None
    assert capabilities.calling_convention.states == 2
    assert capabilities.notes == ("its state is a dictionary with memory and out",)
    assert load_target(f"{path}:plain").capabilities.notes == ()


@pytest.mark.parametrize("is_wrong", [False, True], ids=["right", "wrong"])
def test_gradients_are_found_in_a_container_that_holds_what_that_of_the_parameters_holds(
    tmp_path: Path, is_wrong: bool
) -> None:
    # The gradients of a wrong backward are the slopes of nothing: only where they are kept says what they are.
    text = GRADIENTS_IN_A_TWIN.replace("(1 - h * h)", "(1 - h) ** 2") if is_wrong else GRADIENTS_IN_A_TWIN
    request = ValidationRequest(dtypes=("float64",), examples=0)
    validation = collect_validation("net", run_validation(load_target(f"{written(tmp_path, text)}:Net"), request))
    assert validation.outcome == ("refuted" if is_wrong else "agrees")
    assert validation.has_decided_gradients is not is_wrong


ONE_MATRIX = """
import numpy as np
def rnn_forward(x, h0, W):
    h, steps = h0, []
    for t in range(len(x)):
        inp = np.concatenate([x[t], h, np.ones((len(h), 1))], axis=1)
        h = np.tanh(inp @ W)
        steps.append((inp, h))
    return np.stack([h for _, h in steps]), (steps, W, x.shape[2], h0.shape[1])
def rnn_backward(dh, cache):
    steps, W, D, H = cache
    dW, dx, later = np.zeros_like(W), np.zeros((*dh.shape[:2], D)), 0.0
    for t in reversed(range(len(dh))):
        inp, h = steps[t]
        da = (dh[t] + later) * (1 - h * h)
        dW += inp.T @ da
        dx[t], later = (da @ W.T)[:, :D], (da @ W.T)[:, D : D + H]
    return dx, later, dW
"""


@pytest.mark.parametrize("is_wrong", [False, True], ids=["right", "wrong"])
def test_one_matrix_that_is_called_as_all_parameters_are_is_driven(tmp_path: Path, is_wrong: bool) -> None:
    text = ONE_MATRIX.replace("(1 - h * h)", "(1 - h)") if is_wrong else ONE_MATRIX
    request = ValidationRequest(dtypes=("float64",), examples=0)
    target = load_target(f"{written(tmp_path, text)}:rnn_forward,rnn_backward")
    validation = collect_validation("one matrix", run_validation(target, request))
    assert validation.outcome == ("refuted" if is_wrong else "agrees")


@pytest.mark.parametrize(
    ("edit", "difference"),
    [
        pytest.param(("", ""), "", marks=pytest.mark.all_checks),
        (("self.dbh = da", "self.dbh = delta"), "gradient b, share 2[0] is"),
        (("self.dWh = np.outer(da,", "self.dWh = np.outer(delta,"), "the gradient of the input weights is wrong"),
    ],
    ids=["right", "without the slope", "wrong elsewhere"],
)
def test_one_array_may_be_the_gradient_of_two_biases(edit: tuple[str, str], difference: str, tmp_path: Path) -> None:
    path = written(tmp_path, ONE_GRADIENT_OF_TWO_BIASES.replace(*edit) if difference else ONE_GRADIENT_OF_TWO_BIASES)
    request = ValidationRequest(examples=0, dtypes=("float64",))
    validation = collect_validation("Cell", run_validation(load_target(f"{path}:Cell"), request))
    assert validation.has_decided_gradients
    assert validation.outcome == ("refuted" if difference else "agrees")
    assert difference in ("" if validation.diagnosis is None else validation.diagnosis.sentence())
