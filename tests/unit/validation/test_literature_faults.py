"""Wrong cells of the literature, parameters under other names: the equation at fault and what is wrong in it."""

from __future__ import annotations

import pytest
from torch import nn

from rnn_harness.specs import literature
from rnn_harness.specs.expression import describe
from rnn_harness.validation.identification.probe import probe_target
from rnn_harness.validation.loading.target import target_of
from rnn_harness.validation.spec_search.fault_search import faulty_match
from rnn_harness.validation.spec_search.rewrites import rewrites
from rnn_harness.validation.spec_search.search import TargetSearch
from tests.helpers import faulty_literature


@pytest.mark.parametrize(
    ("cell", "name", "part", "words"),
    [
        (faulty_literature.ExchangedWeights, "mgu", "mgu-3", "1 - f and f are exchanged"),
        (faulty_literature.BiasBehindTheGate, "ugrnn", "ugrnn-2", "kappa is added behind sigmoid and not before it"),
        (faulty_literature.BiasAndWrongUpdate, "ugrnn", "ugrnn-3", "c is not multiplied by 1 - g"),
        (
            faulty_literature.ActivationOnTheState,
            "ligru",
            "ligru-2, ligru-3",
            "relu is applied to h and not to h_tilde",
        ),
        (faulty_literature.GatedOperand, "ugrnn", "ugrnn-1", "h[t-1] is multiplied by g before U_c"),
        (faulty_literature.StateHandedOn, "ran", "ran-4", "h is handed on as the state c"),
        (faulty_literature.AnotherStateEverywhere, "ran", "ran-2, ran-3", "c[t-1] stands where h[t-1] should"),
        (faulty_literature.TermInAnotherGate, "star", "star-2, star-1", "U_k h[t-1] stands in z and not in k"),
        pytest.param(
            faulty_literature.OscillatorWithoutItsStep,
            "cornn",
            "cornn-2",
            "z is not multiplied by tau",
            marks=pytest.mark.deep(
                "tests/unit/validation/test_literature_faults.py::"
                "test_the_wrong_equation_is_named_and_what_is_wrong_in_it"
            ),
        ),
        (faulty_literature.Subtractive, "sublstm", "sublstm-6", "sigmoid(c) and o are exchanged"),
        (
            faulty_literature.Independent,
            "indrnn.relu",
            "indrnn.relu-1",
            "u ⊙ h[t-1] is added behind relu and not before it",
        ),
        (faulty_literature.GatedTerm, "ugrnn", "ugrnn-1", "U_c h[t-1] is multiplied by g"),
        (faulty_literature.SquaredGate, "ugrnn", "ugrnn-3", "g is squared"),
        (faulty_literature.SameGateTwice, "janet", "janet-3", "sigmoid((s - 1)) stands where sigmoid(s) should"),
        (faulty_literature.WholeSumUnderTanh, "esn.leaky", "esn.leaky-1", "tanh is applied to the whole sum"),
        (faulty_literature.LeakyResidual, "antisymmetric", "antisymmetric-1", "h[t-1] is multiplied by 1 - 1/10"),
        (
            faulty_literature.StepInsideTanh,
            "antisymmetric",
            "antisymmetric-1",
            "tanh is applied after the product with 1/10",
        ),
        (faulty_literature.ComplementOnATerm, "ran", "ran-4", "is multiplied by 1 - f"),
        (faulty_literature.SoftmaxGate, "ugrnn", "ugrnn-2", "softmax stands where sigmoid should"),
        (
            faulty_literature.LeakyRectifier,
            "indrnn.relu",
            "indrnn.relu-1",
            "a leaky relu of slope 1/100 below",
        ),
        (faulty_literature.GatedOutput, "ran", "ran-5", "h is multiplied by f"),
        (faulty_literature.GatedArgument, "ugrnn", "ugrnn-1", "is multiplied by g"),
        (faulty_literature.ReadTooEarly, "minimal_rnn", "minimal_rnn-2", "z is read without its tanh"),
        (faulty_literature.ForgetsTheNew, "sublstm", "sublstm-5", "f multiplies all that follows, too"),
        (faulty_literature.SquashedContent, "ran", "ran-1", "c_tilde goes through sigmoid"),
        (
            faulty_literature.NoNormalisation,
            "gru.layernorm.apart",
            "gru.layernorm.apart-3",
            "normalisation of U_g h[t-1] is left out",
        ),
    ],
    ids=lambda value: (value.__doc__ or "").partition("\n")[0] if isinstance(value, type) else "",
)
def test_the_wrong_equation_is_named_and_what_is_wrong_in_it(
    cell: type[nn.Module], name: str, part: str, words: str
) -> None:
    spec = next(spec for spec in literature() if spec.id == name)
    found = faulty_match(TargetSearch(probe_target(target_of("cell", cell))), spec)
    assert found is not None
    diagnosis = found.diagnosis()
    assert diagnosis.part == f"forward: {part}"
    assert words in diagnosis.difference


def test_a_gate_in_both_places_of_an_equation_is_one_mistake() -> None:
    spec = next(spec for spec in literature() if spec.id == "sru.first")
    listed = [rewrite for rewrite in rewrites(spec.program()) if rewrite.sentences == ("f stands where r should",)]
    expressions = {describe(rewrite.program.assignments[-1].expression) for rewrite in listed}
    assert any("r[t]" not in expression and expression.count("f[t]") == 2 for expression in expressions)
