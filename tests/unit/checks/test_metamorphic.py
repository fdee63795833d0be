"""Metamorphic properties: every right reference satisfies them, and each kind of wrong one breaks some."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

from rnn_harness.cases.case import Case
from rnn_harness.checks.check import Check
from rnn_harness.checks.metamorphic import PROPERTIES, MetamorphicProperty
from rnn_harness.checks.metamorphic.comparison import apart, at_most, close, identical
from rnn_harness.checks.metamorphic_checks import CHECKS
from rnn_harness.evaluation.evaluation import Evaluation
from rnn_harness.mutants.mutant import Mutant, build
from rnn_harness.references import Gradients, Run, get_reference
from rnn_harness.specs import library
from rnn_harness.subjects.subject import Subject

CELLS = [spec.id for spec in library().cells if spec.reference is not None]


def case(spec: str, **changes: Any) -> Case:
    return Case(spec=spec, n=2, d=3, k=2, T=4, B=3, seed=11, **changes)


def refuted(subject: Subject, one: Case) -> set[str]:
    """Ids of the metamorphic properties that a subject breaks."""
    return {
        check.name.removeprefix("metamorphic.")
        for check in CHECKS
        if check.supports(subject)
        for finding in check.run(Evaluation.of(subject, one))
        if not finding.agrees
    }


def test_every_property_has_an_id_and_a_number_of_its_own_and_at_least_forty_exist() -> None:
    ids = [entry.id for entry in PROPERTIES]
    assert len(ids) == len(set(ids)) >= 40
    assert len({entry.ledger for entry in PROPERTIES}) == len(ids)


@pytest.mark.parametrize("entry", PROPERTIES, ids=lambda entry: entry.id)
def test_id_of_a_property_is_in_words(entry: MetamorphicProperty) -> None:
    assert re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", entry.id)
    assert re.fullmatch(r"M-\d\d[a-z]?", entry.ledger)


OF_EVERY_FAMILY = ("rnn.tanh", "gru.keep.column", "lstm.peephole", "lstm.stacked", "gru.bidirectional")
"""References of which the default run asks all properties here; its `verify` asks them of every one."""


@pytest.mark.parametrize(
    "spec",
    [
        pytest.param(
            spec,
            marks=()
            if spec in OF_EVERY_FAMILY
            else pytest.mark.deep("tests/unit/checks/test_metamorphic.py::test_right_reference_breaks_no_property"),
        )
        for spec in CELLS
    ],
)
@pytest.mark.parametrize(
    "changes",
    [{}, {"dtype": "float32", "lengths": (3, 1, 4)}, {"scale": 4.0}, {"features": ("zeros", "large")}],
    ids=["float64", "float32 with lengths", "large weights", "special inputs"],
)
def test_right_reference_breaks_no_property(spec: str, changes: dict[str, Any]) -> None:
    assert refuted(Subject.of(library().spec(spec)), case(spec, **changes)) == set()


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.name)
def test_property_applies_to_some_cell_and_compares_something(check: Check) -> None:
    for spec in CELLS:
        subject = Subject.of(library().spec(spec))
        if check.supports(subject) and list(check.run(Evaluation.of(subject, case(spec)))):
            return
    pytest.fail("it never compares anything")


class _Wrong:
    """A GRU with one fault, chosen by name."""

    name = "gru"
    state_names = ("h",)

    def __init__(self, fault: str) -> None:
        self.fault, self.right = fault, get_reference("gru")

    def parameter_shapes(self, input_size: int, hidden_size: int) -> dict[str, tuple[int, ...]]:
        return self.right.parameter_shapes(input_size, hidden_size)

    def forward(self, parameters: Any, inputs: Any, states: Any = None, lengths: Any = None) -> Run:
        p = dict(parameters)
        if self.fault == "batch leak" and inputs.shape[1] > 1:
            inputs = inputs + inputs[:, ::-1] / 8
        if self.fault == "initial state ignored":
            states = None
        if self.fault == "sees the future":
            inputs = np.concatenate([inputs[1:], inputs[-1:]])
        if self.fault == "transposed":
            p["W_hg"] = p["W_hg"].T.copy()
        return self.right.forward(p, inputs, states, lengths)

    def backward(self, run: Run, d_outputs: Any, d_finals: Any = None) -> Gradients:
        found = self.right.backward(run, d_outputs, d_finals)
        if self.fault == "bias gradient":
            found.parameters["b_r"] *= 1.01
        return found


@pytest.mark.parametrize(
    ("fault", "breaks"),
    [
        ("batch leak", {"batch-permutation", "batch-splitting"}),
        ("initial state ignored", {"chunking", "gradient-chunking"}),
        ("sees the future", {"causality", "chunking"}),
        ("transposed", {"gru-limit-is-rnn", "update-gate-negation"}),
        ("bias gradient", {"constant-input-gradient", "adjoint"}),
    ],
)
def test_fault_breaks_the_properties_made_for_it(fault: str, breaks: set[str]) -> None:
    subject = Subject.of(library().spec("gru.keep.column"), _Wrong(fault))
    assert breaks <= refuted(subject, case("gru.keep.column"))


def test_what_is_forgotten_at_the_fourth_step_does_not_reach_the_last_state() -> None:
    """A state that records three steps and no more: of a claim that it records all of them, the evidence."""
    spec, carried = library().spec("rnn.sigma"), "np.matmul(old, recurrent, out=new)"
    forgets = carried.replace("(old,", "(old if t != 3 else 0 * old,")
    subject = build(Mutant("rnn.forgets", spec.id, "rnn", "forward", carried, forgets), spec)
    (check,) = (check for check in CHECKS if check.name == "metamorphic.inputs-reach-later-states")
    findings = list(check.run(Evaluation.of(subject, Case(spec=spec.id, seed=4, T=5, B=1))))
    assert not all(finding.agrees for finding in findings)
    assert all(finding.agrees for finding in check.run(Evaluation.of(subject, Case(spec=spec.id, seed=4, T=3))))


def test_comparison_of_nothing_judges_nothing() -> None:
    assert identical("nothing", np.zeros((0, 2)), np.zeros((0, 2))).judge() is None


def test_comparison_with_nan_is_refuted() -> None:
    judged = close("values", np.array([np.nan]), np.array([np.nan]), lambda: 1.0).judge()
    assert judged is not None
    assert not judged.agrees


def test_control_that_does_not_differ_is_refuted() -> None:
    judged = apart("values", np.ones(2), np.ones(2), lambda: 0.0).judge()
    assert judged is not None
    assert not judged.agrees


def test_one_sided_comparison_allows_any_amount_below() -> None:
    below, above = at_most("low", 0.0, 5.0).judge(), at_most("high", 5.0, 0.0).judge()
    assert below is not None
    assert above is not None
    assert below.agrees
    assert not above.agrees
