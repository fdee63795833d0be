"""The cells of other libraries: each is identified exactly, and nothing about a right one is refuted.

One run has the fixed cases alone: JAX compiles anew for every size that is drawn. `RNN_HARNESS_SEEDS=20` tries twenty
seeds, with two random cases each.
"""

from __future__ import annotations

import importlib
import os
from functools import cache
from typing import Any

import numpy as np
import pytest
import torch

from rnn_harness.errors import UsageError
from rnn_harness.records.verdict import Outcome
from rnn_harness.validation import (
    Target,
    ValidationRequest,
    collect_validation,
    identify,
    load_target,
    run_validation,
    target_of,
)
from rnn_harness.validation.cells.state_form import result_leaves
from rnn_harness.validation.consistency.consistency_property import Draw, Note, Violation
from rnn_harness.validation.consistency.driven_cell import make_cell, numbered_states
from rnn_harness.validation.consistency.length_properties import LENGTH_PROPERTIES
from rnn_harness.validation.identification.probe import probe_target
from rnn_harness.validation.loading.adapters.numpy_functions import uses_jax
from rnn_harness.validation.loading.compiled_modules import module_for_given_parameters
from rnn_harness.validation.loading.find_convention import find_convention
from rnn_harness.validation.loading.parameter_exchange import with_leaves
from tests.helpers import HELPERS

SEEDS = range(int(os.environ.get("RNN_HARNESS_SEEDS", "1")))
EXAMPLES = 2 if len(SEEDS) > 1 else 0
CELLS: dict[str, tuple[str, dict[str, Any], str, tuple[str, ...]]] = {
    "torch RNNCell": ("torch.nn:RNNCell", {}, "rnn.tanh", ("two biases",)),
    "torch GRUCell": ("torch.nn:GRUCell", {}, "gru.reset_after", ("reset, update, candidate", "two biases a gate")),
    "torch LSTMCell": ("torch.nn:LSTMCell", {}, "lstm.column", ("input, forget, candidate, output",)),
    "torch RNN": ("torch.nn:RNN", {}, "rnn.tanh", ("time first",)),
    "torch GRU": ("torch.nn:GRU", {}, "gru.reset_after", ("time first",)),
    "torch LSTM": ("torch.nn:LSTM", {"batch_first": True}, "lstm.column", ("batch first",)),
    "torch ReLU RNN": ("torch.nn:RNN", {"nonlinearity": "relu"}, "", ("ReLU activation",)),
    "keras SimpleRNN": ("keras.layers:SimpleRNN", {}, "rnn.tanh", ("batch first", "one bias")),
    "keras GRU": ("keras.layers:GRU", {}, "gru.reset_after", ("update, reset, candidate", "two biases a gate")),
    "keras GRU, reset before": (
        "keras.layers:GRU",
        {"reset_after": False},
        "gru.keep.column",
        ("update, reset, candidate", "one bias a gate"),
    ),
    "keras LSTM": ("keras.layers:LSTM", {}, "lstm.column", ("input, forget, candidate, output", "one bias a gate")),
    "keras LSTMCell": ("keras.layers:LSTMCell", {}, "lstm.column", ("one step", "two states")),
    "keras hard GRU": ("keras.layers:GRU", {"recurrent_activation": "hard_sigmoid"}, "", ("hard sigmoid (a/6",)),
    "linen SimpleCell": ("flax.linen:SimpleCell", {}, "rnn.tanh", ("before the input",)),
    "linen GRUCell": ("flax.linen:GRUCell", {}, "gru.reset_after", ("reset after", "candidate's reset part")),
    "linen LSTMCell": ("flax.linen:LSTMCell", {}, "lstm.column", ("the cell state comes first",)),
    "linen OptimizedLSTMCell": ("flax.linen:OptimizedLSTMCell", {}, "lstm.column", ("the cell state comes first",)),
    "nnx GRUCell": ("flax.nnx:GRUCell", {}, "gru.reset_after", ("reset, update, candidate",)),
    "nnx LSTMCell": ("flax.nnx:LSTMCell", {}, "lstm.column", ("the cell state comes first",)),
    "equinox GRUCell": ("equinox.nn:GRUCell", {}, "gru.reset_after", ("candidate's reset part",)),
    "equinox LSTMCell": ("equinox.nn:LSTMCell", {}, "lstm.column", ("input, forget, candidate, output",)),
    "haiku VanillaRNN": ("haiku:VanillaRNN", {}, "", ("ReLU activation", "two biases")),
    "haiku GRU": ("haiku:GRU", {}, "gru.write.concatenated", ("update, reset, candidate", "one bias a gate")),
    "haiku LSTM": ("haiku:LSTM", {}, "", ("1 is added to the forget gate", "input, candidate, forget, output")),
}
SINGLE_INSIDE = ("keras SimpleRNN", "keras GRU, reset before", "keras LSTMCell", "keras hard GRU")
"""On torch, Keras multiplies float64 matrices in float32 (keras.ops.matmul); what calls it is float64 in name alone."""


@cache
def _target(name: str) -> Target:
    where, options, _, _ = CELLS[name]
    pytest.importorskip(where.partition(".")[0].partition(":")[0])
    return load_target(where, dict(options))


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("name", CELLS)
def test_it_is_identified_exactly_and_nothing_about_it_is_refuted(name: str, seed: int) -> None:
    _, _, spec, phrases = CELLS[name]
    request = ValidationRequest(seed=seed, examples=EXAMPLES, dtypes=("float64", "float32"))
    validation = collect_validation(name, run_validation(_target(name), request))
    identification = validation.identification
    assert identification is not None
    assert (identification.answer, identification.spec) == ("unique", spec or "candidate")
    assert all(phrase in identification.sentence for phrase in phrases), identification.sentence
    refuted = [f"{record.check}: {record.reason}" for record in validation.checks if record.outcome is Outcome.REFUTED]
    assert refuted == []
    assert validation.outcome == "agrees"
    is_told = "float32 although it takes float64" in " ".join(str(validation).split())
    assert is_told == (name in SINGLE_INSIDE)


def test_a_layer_of_keras_with_a_loop_of_its_own_is_identified() -> None:
    pytest.importorskip("keras")
    target = load_target(f"{HELPERS / 'keras_cells.py'}:RecurrentByItself", {"units": 5})
    (identification,) = identify(target)
    assert identification.spec == "rnn.tanh"
    assert str(identification.convention) == "called with a sequence, batch first, and no state"


def test_a_layer_of_keras_whose_steps_do_not_meet_is_no_recurrent_one() -> None:
    pytest.importorskip("keras")
    with pytest.raises(UsageError, match="Dense has no state_size, and no step of its inputs reaches another"):
        load_target("keras.layers:Dense", {"units": 5})


def test_a_cell_of_keras_with_scalars_agrees_in_float64_by_what_its_products_round() -> None:
    pytest.importorskip("keras")
    target = load_target(f"{HELPERS / 'keras_cells.py'}:TwoScalars", {"units": 3})
    validation = collect_validation("scalars", run_validation(target, ValidationRequest(examples=0)))
    assert (validation.outcome, validation.spec) == ("agrees", "fastgrnn")


def test_states_of_keras_that_come_back_in_another_order_are_refuted() -> None:
    pytest.importorskip("keras")
    target = load_target(f"{HELPERS / 'keras_cells.py'}:ExchangedStates")
    request = ValidationRequest(examples=0, dtypes=("float32",))
    validation = collect_validation("exchanged", run_validation(target, request))
    assert validation.outcome == "refuted"
    assert validation.diagnosis is not None
    assert "another order than they go in" in validation.diagnosis.difference


def _violation_of_mask(name: str) -> Violation | Note | None:
    target = load_target(f"{HELPERS / 'keras_cells.py'}:{name}")
    probe = probe_target(target)
    states = numbered_states(probe.convention)
    cell = make_cell(target.make_module, target.capabilities, probe.convention, probe.sizes, probe.dtype, states)
    (lengths,) = LENGTH_PROPERTIES
    return lengths.decide(Draw(cell, 1))


def test_the_mask_of_a_layer_of_keras_is_true_where_a_step_counts() -> None:
    pytest.importorskip("keras")
    assert _violation_of_mask("MaskedByItself") is None
    violation = _violation_of_mask("MaskTurnedAround")
    assert isinstance(violation, Violation)
    assert "with a mask that is true at every step" in violation.sentence


def test_a_flax_cell_that_does_not_say_what_its_carry_is_is_called_in_every_way() -> None:
    pytest.importorskip("flax")
    target = load_target(f"{HELPERS / 'flax_cells.py'}:CellWithoutInitialCarry")
    convention = find_convention(target.make_module(5, 3), 5, 3)
    assert (convention.sequence, convention.states) == (False, 2)


def _keras_both_directions(merge_mode: str = "concat") -> Any:
    layers = importlib.import_module("keras.layers")
    return layers.Bidirectional(layers.LSTM(3, return_sequences=True), merge_mode=merge_mode)


def _keras_stack() -> Any:
    layers = importlib.import_module("keras.layers")
    return layers.RNN(layers.StackedRNNCells([layers.LSTMCell(3), layers.GRUCell(4)]), return_sequences=True)


def _keras_sequential() -> Any:
    keras = importlib.import_module("keras")
    return keras.Sequential(
        [
            keras.Input((None, 4)),
            keras.layers.GRU(3, return_sequences=True),
            keras.layers.LSTM(5),
            keras.layers.Dense(2),
        ]
    )


def _linen_both_directions() -> Any:
    linen = importlib.import_module("flax.linen")
    return linen.Bidirectional(linen.RNN(linen.GRUCell(3)), linen.RNN(linen.GRUCell(3)))


MODELS: dict[str, tuple[str, Any, int]] = {
    "keras Bidirectional": ("keras", _keras_both_directions, 2),
    "keras StackedRNNCells": ("keras", _keras_stack, 2),
    "keras Sequential": ("keras", _keras_sequential, 2),
    "linen Bidirectional": ("flax", _linen_both_directions, 2),
}


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # Keras under NumPy 2
@pytest.mark.parametrize(
    "name",
    [
        *(name for name in MODELS if name != "linen Bidirectional"),
        pytest.param(
            "linen Bidirectional",
            marks=pytest.mark.deep(
                "tests/libraries/test_libraries.py::test_a_model_is_judged_part_by_part_and_not_refuted"
            ),
        ),
    ],
)
def test_a_model_is_judged_part_by_part_and_not_refuted(name: str) -> None:
    library, make, count = MODELS[name]
    pytest.importorskip(library)
    target = target_of(name, make())
    validation = collect_validation(name, run_validation(target, ValidationRequest(examples=0, dtypes=("float32",))))
    assert [record.check for record in validation.checks if record.outcome is Outcome.REFUTED] == []
    assert validation.outcome == "agrees"
    assert validation.model is not None
    assert len(validation.model.parts) == count


def test_a_function_with_a_derivative_of_its_own_is_known_as_one_of_jax() -> None:
    jax = pytest.importorskip("jax")

    @jax.custom_vjp
    def step(x: Any, h: Any, W: Any, U: Any) -> Any:
        return jax.numpy.tanh(x @ W + h @ U)

    step.defvjp(lambda *values: (step(*values), values), lambda values, g: (g, g, g, g))
    assert uses_jax(step)
    assert not uses_jax(np.tanh)


def test_a_flax_cell_whose_carry_is_made_from_other_arguments_is_driven_without_a_reset() -> None:
    pytest.importorskip("flax")
    probe = probe_target(load_target(f"{HELPERS / 'flax_cells.py'}:CarryOfOtherArguments"))
    assert str(probe.convention) == "called with one step, and one state before the input"
    assert probe.sizes[0] == probe.sizes[1]


@pytest.mark.parametrize(
    ("where", "count"),
    [
        ("flax.linen:GRUCell", 10),
        (f"{HELPERS / 'flax_cells.py'}:WithStatistics", 3),
        ("equinox.nn:GRUCell", 4),
        (f"{HELPERS / 'equinox_models.py'}:RollsItsState", 4),
        ("haiku:GRU", 3),
    ],
    ids=["GRUCell of flax", "with statistics", "GRUCell of equinox", "with a number of places", "GRU of haiku"],
)
def test_parameters_that_are_given_with_every_call_are_not_drawn(where: str, count: int) -> None:
    pytest.importorskip("flax")
    pytest.importorskip("haiku")
    target = load_target(where)
    drawn = target.make_module(5, 7)
    parameters = {name: value.detach() for name, value in drawn.named_parameters()}
    given = module_for_given_parameters(target.make_module, 5, 7, frozenset(parameters))
    assert len(parameters) == count
    assert {name: value.shape for name, value in given.named_parameters()} == {
        name: value.shape for name, value in parameters.items()
    }
    is_drawn = any(bool(value.any()) for value in given.parameters())
    assert is_drawn == where.startswith(str(HELPERS)), "other variables than parameters need their values"
    state, x = (
        torch.linspace(-1, 1, 14, dtype=torch.float64).reshape(2, 7),
        torch.full((2, 5), -0.25, dtype=torch.float64),
    )
    arguments = (state, x) if "flax" in where else (x, state)
    outputs = [with_leaves(module, parameters)(*arguments) for module in (drawn, given)]
    for first, second in zip(*map(result_leaves, outputs), strict=True):
        assert torch.equal(first.tensor, second.tensor)


def test_a_number_of_flax_that_is_no_weight_keeps_the_value_that_its_cell_is_made_with() -> None:
    pytest.importorskip("flax")
    target = load_target(f"{HELPERS / 'flax_cells.py'}:ScaledElman")
    validation = collect_validation(
        "scaled", run_validation(target, ValidationRequest(examples=0, dtypes=("float32",)))
    )
    assert (validation.outcome, validation.spec) == ("agrees", "rnn.tanh")
    assert validation.identification is not None
    assert "scale = 1" in validation.identification.sentence
