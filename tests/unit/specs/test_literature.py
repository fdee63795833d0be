"""The cells of the literature: each makes a step, has a derivative, and as many parameters as its equations print."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from rnn_harness.arithmetic import NumpyArithmetic, Values, evaluate
from rnn_harness.arithmetic.torch_arithmetic import TorchArithmetic
from rnn_harness.derivatives import derive, differentiate
from rnn_harness.specs import Spec, audit, library, literature, search_literature, specs_called

CELLS = literature()
SIZES = {"n": 4, "d": 3}


def _values(spec: Spec) -> Values:
    rng = np.random.default_rng(3)
    program = spec.program()
    shapes = {v.name: [axis.size(SIZES) for axis in v.shape] for v in (*program.parameters, *program.inputs)}
    parameters = {v.name: np.asarray(rng.standard_normal(shapes[v.name])) for v in program.parameters}
    inputs = {v.name: rng.standard_normal((2, 2, *shapes[v.name])) for v in program.inputs}
    states = {state.name: rng.standard_normal((2, state.shape[0].size(SIZES))) for state in program.states}
    return Values(parameters, inputs, states, SIZES)


@pytest.mark.parametrize("spec", CELLS, ids=lambda spec: spec.id)
def test_the_derived_backward_is_that_of_autograd(spec: Spec) -> None:
    values, program = _values(spec), spec.program()
    output = program.outputs[0].name
    arithmetic = NumpyArithmetic()
    trajectory = evaluate(program, values, arithmetic)
    weights = np.cos(np.arange(12)).reshape(2, 2, 3)
    finals = {name: np.sin(np.arange(value.size)).reshape(value.shape) for name, value in values.states.items()}
    gradients = differentiate(derive(program), trajectory, {output: weights}, finals, arithmetic)
    by_torch = evaluate(program, values, TorchArithmetic())
    total = torch.zeros((), dtype=torch.float64)
    for step, w in zip(by_torch.steps, weights, strict=True):
        total = total + (step[output] * torch.tensor(w)).sum()
    for name, v in finals.items():
        total = total + (by_torch.steps[-1][name] * torch.tensor(v)).sum()
    total.backward()
    assert set(gradients.parameters) == set(values.parameters)
    for name, gradient in gradients.parameters.items():
        leaf = by_torch.parameters[name].grad
        assert leaf is not None
        np.testing.assert_allclose(gradient, leaf.numpy(), rtol=1e-9, atol=1e-11, err_msg=name)


def test_ids_are_unique_and_none_is_that_of_a_document() -> None:
    ids = [name for spec in CELLS for name in (spec.id, *(entry.id for entry in spec.entries))]
    taken = {name for spec in library().specs for name in (spec.id, *(entry.id for entry in spec.entries))}
    assert len(ids) == len(set(ids))
    assert not taken & set(ids)


@pytest.mark.parametrize("spec", CELLS, ids=lambda spec: spec.id)
def test_a_cell_says_with_what_it_was_compared_and_its_print_has_no_finding(spec: Spec) -> None:
    assert spec.model.source
    assert spec.model.document
    assert list(audit(spec, (*library().specs, spec))) == []


@pytest.mark.parametrize(
    ("words", "ids"),
    [("minimal gated unit (Zhou", ["mgu"]), ("1611.09913", ["ugrnn", "intersection"]), ("no such cell", [])],
)
def test_cells_are_searched_by_title_and_paper(words: str, ids: list[str]) -> None:
    assert [spec.id for spec in search_literature(words)] == ids


@pytest.mark.parametrize(
    ("name", "ids"),
    [
        ("IndRNN", ["indrnn.relu", "indrnn.tanh"]),
        ("LayerNormGRUCell", ["gru.layernorm", "gru.layernorm.apart", "gru.layernorm.candidate"]),
        ("sru_step", ["sru.first", "sru.first.projected", "sru", "sru.projected"]),
        ("MyGRUCell", []),
        ("TrainedRNN", []),  # a RAN is in it by its letters, and not by its words
    ],
)
def test_cells_are_found_that_a_class_is_called_after(name: str, ids: list[str]) -> None:
    assert [spec.id for spec in specs_called(name)] == ids
