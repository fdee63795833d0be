"""Functions of JAX in two directions or with resets, and modules of equinox with a head, are driven."""

from __future__ import annotations

import pytest

from rnn_harness.validation import Target, load_target
from rnn_harness.validation.consistency.consistency_property import Draw, Violation
from rnn_harness.validation.consistency.driven_cell import make_cell, numbered_states
from rnn_harness.validation.consistency.length_properties import LENGTH_PROPERTIES
from rnn_harness.validation.consistency.time_properties import TIME_PROPERTIES
from rnn_harness.validation.identification.probe import probe_target
from rnn_harness.validation.loading.adapters.adapter import HoldsParts
from rnn_harness.validation.loading.wider_outputs import target_of_wider_outputs
from tests.helpers import HELPERS

ORDER = next(prop for prop in TIME_PROPERTIES if prop.name == "order-of-steps")


def _target(name: str) -> Target:
    pytest.importorskip("equinox")
    return load_target(f"{HELPERS / 'jax_layers.py'}:{name}")


@pytest.mark.deep("tests/unit/validation/test_wide_layers.py::test_outputs_of_another_width_are_driven")
def test_a_model_of_equinox_is_known_by_its_cells() -> None:
    target = _target("Scored")
    assert target.capabilities.has_parts
    module = target.make_module(5, 3)
    assert isinstance(module, HoldsParts)
    assert [(part.name, part.class_name, part.sizes) for part in module.held_parts] == [("cell", "GRUCell", (5, 3))]


@pytest.mark.deep("tests/unit/validation/test_wide_layers.py::test_a_direction_that_is_not_turned_back_is_named")
@pytest.mark.parametrize(("name", "is_wrong"), [("both_directions", False), ("turned_twice", True)])
def test_a_direction_of_jax_that_is_turned_twice_is_named(name: str, is_wrong: bool) -> None:
    target = target_of_wider_outputs(_target(name))
    assert target is not None
    probe = probe_target(target)
    states = numbered_states(probe.convention)
    cell = make_cell(target.make_module, target.capabilities, probe.convention, probe.sizes, "float64", states)
    assert (ORDER.decide(Draw(cell, 1)) is not None) is is_wrong


@pytest.mark.deep("tests/unit/validation/test_restarts.py::test_a_reset_must_forget_the_state_that_is_given")
def test_resets_may_stand_among_the_arguments() -> None:
    target = _target("with_resets")
    convention = probe_target(target).convention
    assert (convention.sequence, convention.states) == (True, 1)
    assert target.capabilities.make_restarting is not None


@pytest.mark.deep("tests/unit/validation/test_wide_layers.py::test_outputs_of_another_width_are_driven")
@pytest.mark.parametrize(
    ("file", "name", "is_wrong"),
    [
        ("jax_layers.py", "rows_of_lengths", False),
        ("jax_layers.py", "rows_run_on", True),
        ("jax_layers.py", "masked_rows", False),
        ("jax_layers.py", "rows_masked_too_late", True),
        ("flax_models.py", "Masked", False),
    ],
)
def test_padding_that_reaches_the_last_state_is_named(file: str, name: str, is_wrong: bool) -> None:
    pytest.importorskip("flax")
    target = load_target(f"{HELPERS / file}:{name}", {"params": "init_one"} if file == "jax_layers.py" else {})
    probe = probe_target(target)
    states = numbered_states(probe.convention)
    cell = make_cell(target.make_module, target.capabilities, probe.convention, probe.sizes, "float64", states)
    (lengths,) = (prop for prop in LENGTH_PROPERTIES if prop.name == "lengths")
    violation = lengths.decide(Draw(cell, 1))
    assert isinstance(violation, Violation) is is_wrong
    if isinstance(violation, Violation):
        assert "is that of the padded end" in violation.sentence


@pytest.mark.deep("tests/unit/validation/test_wide_layers.py::test_outputs_of_another_width_are_driven")
def test_a_maker_may_take_the_units_first_and_a_function_one_row_without_its_last_state() -> None:
    pytest.importorskip("equinox")
    target = load_target(f"{HELPERS / 'jax_layers.py'}:states_of_one_row", {"params": "units_first_params"})
    probe = probe_target(target)
    assert (probe.convention.sequence, probe.convention.states) == (True, 1)
