"""Parameter names, read in one place."""

from __future__ import annotations

import numpy as np
import pytest

from rnn_harness.families import FAMILIES, Family
from rnn_harness.references import get_reference
from rnn_harness.specs import Spec, library
from rnn_harness.subjects.parameter_role import (
    ParameterKind,
    ParameterRole,
    find_role,
    hidden_size,
    parameter_axes,
    parameter_role,
)
from rnn_harness.subjects.subject import Subject

LINKED = [spec for spec in library().cells if spec.reference is not None]


@pytest.mark.parametrize("spec", LINKED, ids=lambda spec: spec.id)
def test_every_parameter_of_a_reference_has_a_role_with_its_name_and_as_many_axes(spec: Spec) -> None:
    sizes = {"n": 2, "d": 3, "k": 4}
    for name, shape in Subject.of(spec).parameter_shapes(sizes).items():
        role = parameter_role(name)
        assert role.name == name
        assert len(role.axes) >= len(shape)
        assert {"hidden": 3, "input": 2, "output": 4}.get(role.axes[0]) == shape[0]


@pytest.mark.parametrize(
    ("name", "role"),
    [
        ("W_x", ParameterRole(ParameterKind.INPUT)),
        ("b_hg", ParameterRole(ParameterKind.RECURRENT_BIAS, "g")),
        ("W_co", ParameterRole(ParameterKind.PEEPHOLE, "o")),
        ("layer1.b_f", ParameterRole(ParameterKind.BIAS, "f", layer=1)),
        ("backward.W_hz", ParameterRole(ParameterKind.RECURRENT, "z", direction="backward")),
        ("W_y", ParameterRole(ParameterKind.OUTPUT)),
    ],
)
def test_a_name_is_read_into_kind_gate_layer_and_direction(name: str, role: ParameterRole) -> None:
    assert parameter_role(name) == role


@pytest.mark.parametrize("name", ["kernel", "W_c", "weight_ih_l0", "b_", "layer.W_x", ""])
def test_a_name_that_no_reference_has_is_no_role(name: str) -> None:
    assert find_role(name) is None
    assert parameter_axes(name) == ("hidden",)
    with pytest.raises(ValueError, match="expected a name such as W_xi"):
        parameter_role(name)


def test_input_weights_of_an_upper_layer_read_the_layer_below() -> None:
    assert parameter_axes("layer0.W_x") == ("hidden", "input")
    assert parameter_axes("layer1.W_xg") == ("hidden", "below")


def test_words_name_the_parameter_and_its_gate() -> None:
    assert parameter_role("W_hr").in_words() == "the recurrent weights of the reset gate"
    assert parameter_role("b_hg").in_words() == "the recurrent bias of the candidate"


def test_the_hidden_size_is_the_height_of_the_first_weight() -> None:
    assert hidden_size({"b": np.zeros(7), "layer0.W_xf": np.zeros((5, 2))}) == 5
    with pytest.raises(ValueError, match="no input or recurrent weight among b"):
        hidden_size({"b": np.zeros(7)})


@pytest.mark.parametrize("family", FAMILIES.values(), ids=lambda family: family.name)
def test_a_family_has_the_gates_and_states_of_its_reference_and_a_spec(family: Family) -> None:
    cell = get_reference(family.name, **family.reference_options)
    gates = {parameter_role(name).gate for name in cell.parameter_shapes(2, 3)}
    assert gates == set(family.gates) == set(family.torch_gates)
    assert cell.state_names == family.states
    link = library().spec(family.spec).reference
    assert link is not None
    assert get_reference(link.name, **link.options) == cell
