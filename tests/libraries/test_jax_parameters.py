"""Parameters that a function of JAX makes: by one program where it can be traced, and else as they come."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from rnn_harness.errors import UsageError
from rnn_harness.options import Options
from rnn_harness.validation import load_target, target_of
from rnn_harness.validation.identification.probe import probe_target
from rnn_harness.validation.loading.adapters.jax_functions import import_jax
from rnn_harness.validation.loading.adapters.one_program import compiler_options, made_in_one_program
from rnn_harness.validation.loading.adapters.parameter_makers import make_parameters
from tests.helpers import HELPERS

jax = pytest.importorskip("jax")


def init_params(key: Any, n_in: int, n_hidden: int) -> dict[str, Any]:
    """Make parameters as people do, with a constant of NumPy and a number beside them."""
    first, second = jax.random.split(key)
    return {
        "w": jax.random.normal(first, (n_in, n_hidden)) / jax.numpy.sqrt(n_in),
        "u": jax.random.uniform(second, (n_hidden, n_hidden)),
        "b": jax.numpy.zeros(n_hidden),
        "tau": np.array([0.25, 0.5]),
        "layers": 2,
    }


def init_orthogonal(key: Any, n_in: int, n_hidden: int) -> dict[str, Any]:
    """Make parameters with NumPy's own functions, which ask for values."""
    drawn = np.array(jax.random.normal(key, (n_hidden, n_in)))
    return {"w": jax.numpy.asarray(drawn / np.abs(drawn).max())}


def test_one_program_makes_what_the_function_makes_and_leaves_the_rest_as_it_is() -> None:
    made = made_in_one_program(import_jax(), lambda key: init_params(key, 3, 4))
    assert isinstance(made, dict)
    expected = init_params(jax.random.PRNGKey(0), 3, 4)
    for name in ("w", "u", "b", "tau"):
        np.testing.assert_allclose(made[name], expected[name], rtol=1e-6)
    assert made["layers"] == 2
    assert isinstance(made["layers"], int)
    assert isinstance(made["tau"], np.ndarray)


def test_a_function_that_asks_for_values_is_called_as_it_is() -> None:
    with pytest.raises(jax.errors.TracerArrayConversionError):
        made_in_one_program(import_jax(), lambda key: init_orthogonal(key, 3, 4))
    made = make_parameters(init_orthogonal, 3, 4)
    assert made["w"].shape == (4, 3)  # type: ignore[index]  # a dictionary
    assert float(abs(made["w"]).max()) == 1.0  # type: ignore[index]


def test_a_step_takes_the_part_of_the_parameters_that_is_its_own() -> None:
    target = load_target(f"{HELPERS / 'jax_classifier.py'}:lstm_step")
    shapes = {name: tuple(value.shape) for name, value in target.make_module(5, 3).state_dict().items()}
    assert shapes == {"wx": (5, 12), "wh": (3, 12), "b": (12,)}


def test_what_a_function_of_jax_makes_is_made_once_for_all_trials() -> None:
    calls = []

    def init(key: Any, n_in: int, n_hidden: int) -> dict[str, Any]:
        calls.append((n_in, n_hidden))
        return {"w": jax.random.normal(key, (n_in, n_hidden)), "tau": np.ones(2)}

    first, second = make_parameters(init, 3, 4), make_parameters(init, 3, 4)
    assert first["w"] is second["w"]  # type: ignore[index]  # a dictionary
    assert first["tau"] is not second["tau"]  # type: ignore[index]  # arrays of NumPy can be written to
    assert calls.count((3, 4)) == 1


class OlderJax:
    """A JAX whose XLA knows one option."""

    numpy = np

    def jit(self, function: Any, compiler_options: Options) -> Any:
        """Refuse every other option, when the function is called."""

        def call() -> Any:
            if set(compiler_options) != {"xla_backend_optimization_level"}:
                raise RuntimeError("No such compile option")
            return function()

        return call


def test_an_option_that_a_version_of_xla_does_not_know_is_left_out() -> None:
    assert compiler_options(OlderJax()) == {"xla_backend_optimization_level": 0}
    assert compiler_options(import_jax())["xla_backend_optimization_level"] == 0


@pytest.mark.parametrize(("name", "is_sequence"), [("step", False), ("scanned", True)])
def test_states_and_parameters_may_be_named_tuples(name: str, is_sequence: bool) -> None:
    target = load_target(f"{HELPERS / 'jax_named_states.py'}:{name}", {"params": "init_weights"})
    convention = probe_target(target).convention
    assert (convention.sequence, convention.states) == (is_sequence, 2)


def odd_step(weights: Any, book: Any, x: Any) -> Any:
    """Call its state by a name that says nothing."""
    return {"deep": {"h": jax.numpy.tanh(x @ weights["w"] + book["deep"]["h"] @ weights["u"])}}


def test_a_function_whose_arguments_say_nothing_is_told_how_they_were_taken_and_what_to_write() -> None:
    with pytest.raises(UsageError) as refused:
        target_of("odd_step", odd_step, {"params": "init_params"})
    sentence, *lines = str(refused.value).splitlines()
    assert "by their names x is taken for its data, weights and book for its parameters" in sentence
    assert "expected the next state (7, 3)" in sentence
    assert lines[-1] == "        return odd_step(weights=..., book=..., x=...)"
