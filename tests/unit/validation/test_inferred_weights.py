"""The shapes of parameters, inferred by running a function that nothing else is known of."""

from __future__ import annotations

from pathlib import Path

import pytest

from rnn_harness.validation import load_target
from rnn_harness.validation.cells.capabilities import CellSizes
from rnn_harness.validation.loading.adapters.inferred_weights.choices import ChoiceSearch
from rnn_harness.validation.loading.adapters.inferred_weights.size_terms import INFERENCE_SIZES, SizeTerm, term_of
from rnn_harness.validation.loading.target import Target

CELLS = Path(__file__).parents[2] / "helpers" / "unusual_parameters.py"
N, D = 4, 9
SHAPES: dict[str, dict[str, tuple[int, ...]]] = {
    "keys_made_in_a_loop": {**{f"W{g}": (N, D) for g in "ifog"}, **{f"U{g}": (D, D) for g in "ifog"}, "bi": (D,)},
    "rows_of_peepholes": {"K": (4 * D, N + D + 1), "P": (3, D)},
    "nested_pairs": {"W": (N + D, 2 * D), "b": (2 * D,), "norms/0/0": (2 * D,), "norms/1/1": (D,)},
    "low_rank": {"W_A": (D, 2), "B": (2, N), "P": (D, 2), "D": (2, D)},
    "state_called_y": {"Wy": (D, 2), "Uh": (2, D), "Wh": (2, N)},
    "with_a_prediction": {"0": (N, D), "1": (D, D), "2": (D,)},
    "step_with_a_prediction": {"Waa": (D, D), "Wax": (D, N), "ba": (D, 1)},
    "gates_cut_by_the_state": {"Wx": (N, 2 * D), "Wh": (D, 2 * D), "Ux": (N, D), "Uh": (D, D), "d": (D,)},
    "layers_in_a_list": {"RH/0": (D, D), "RH/1": (D, D), "bH/0": (D,)},
    "attributes": {"kernel": (N, D), "recurrent": (D, D), "offset": (D,)},
    "gru_step": {"Wz": (N, D), "Un": (D, D), "br": (D,)},
}
OF_JAX = """
import jax
import jax.numpy as jnp
def lstm(params, carry, x):
    h, c = carry
    Wi, Wh, b = params
    i, f, g, o = jnp.split(jnp.matmul(x, Wi) + jnp.matmul(h, Wh) + b, 4, axis=-1)
    c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
    return (jax.nn.sigmoid(o) * jnp.tanh(c), c)
"""
OF_TORCH = """
import torch
def gru(inputs, state, params):
    W_xz, W_hz, b_z, W_xh, W_hh, b_h, W_hq, b_q = params
    (H,) = state
    outputs = []
    for X in inputs:
        Z = torch.sigmoid(torch.mm(X, W_xz) + torch.mm(H, W_hz) + b_z)
        H = Z * H + (1 - Z) * torch.tanh(torch.mm(X, W_xh) + torch.mm(H, W_hh) + b_h)
        outputs.append(H @ W_hq + b_q)
    return torch.stack(outputs), (H,)
"""


def shapes(target: Target) -> dict[str, tuple[int, ...]]:
    return {name: tuple(value.shape) for name, value in target.make_module(N, D).named_parameters()}


@pytest.mark.parametrize("name", SHAPES)
def test_parameters_of_any_name_and_structure_have_the_shapes_in_which_they_are_used(name: str) -> None:
    known = shapes(load_target(f"{CELLS}:{name}"))
    assert {key: known.get(key) for key in SHAPES[name]} == SHAPES[name]


def test_a_backward_that_takes_the_cache_of_a_dictionary_gives_every_gradient() -> None:
    assert load_target(f"{CELLS}:gru_step").capabilities.no_gradients_reason is None


def test_a_function_on_jax_arrays_is_run_on_shapes_alone(tmp_path: Path) -> None:
    pytest.importorskip("jax")
    path = tmp_path / "functions_on_jax_arrays.py"
    path.write_text(OF_JAX)
    assert shapes(load_target(f"{path}:lstm")) == {"0": (N, 4 * D), "1": (D, 4 * D), "2": (4 * D,)}


def test_a_function_on_torch_tensors_may_take_its_state_in_a_tuple_of_one(tmp_path: Path) -> None:
    path = tmp_path / "functions_on_torch_tensors.py"
    path.write_text(OF_TORCH)
    known = shapes(load_target(f"{path}:gru"))
    assert (known["3"], known["4"], known["6"]) == ((N, D), (D, D), (D, 2))


def test_no_length_stands_for_two_terms() -> None:
    lengths = [SizeTerm(*term).length(INFERENCE_SIZES) for term in [(1, 0, 0), (0, 3, 1), (1, 1, 1), (0, 0, 3)]]
    assert [term_of(length) for length in lengths] == [(1, 0, 0), (0, 3, 1), (1, 1, 1), (0, 0, 3)]
    assert SizeTerm(1, 4, 1).length(CellSizes(2, 3)) == 15


def test_runs_are_repeated_nearest_to_the_likely_decisions_first() -> None:
    tried = [(choices.choose("abc"), choices.choose("de")) for choices in ChoiceSearch(20)]
    assert tried == [("a", "d"), ("a", "e"), ("b", "d"), ("b", "e"), ("c", "d"), ("c", "e")]
