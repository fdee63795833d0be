"""Proofs prove what they say, and what is wrong is not proved."""

from __future__ import annotations

import dataclasses
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import sympy

from rnn_harness.arithmetic import NumpyArithmetic, Values, evaluate
from rnn_harness.arithmetic.symbolic import SymbolicArithmetic
from rnn_harness.derivatives import backward as backward_module
from rnn_harness.derivatives import reverse_mode as reverse_module
from rnn_harness.derivatives import run_backward as differentiate_module
from rnn_harness.derivatives.equivalence import prove_equivalence
from rnn_harness.derivatives.proof import prove_backward, symbolic_values
from rnn_harness.specs import equivalences, library, literature
from rnn_harness.specs.expression import Constant, Multiply, Node, Outer
from rnn_harness.specs.program import Program

CELLS = [spec.id for spec in library().cells]
PAIRS = {pair.id: pair for pair in equivalences()}
EQUAL_PAIRS = [pair for pair, row in PAIRS.items() if row.expected == "equal"]
SMALL_EQUAL_PAIRS = ("Q-08", "Q-11", "Q-15", "Q-20")
"""Those whose polynomials are compared within a second; the larger ones take up to six."""


def fresh(spec: str) -> Program:
    """A program that nothing was derived or compiled for yet."""
    program = library().spec(spec).program()
    passes = tuple(dataclasses.replace(step_pass) for step_pass in program.passes)
    return dataclasses.replace(program, passes=passes)


TAKE_SECONDS = ("gru.stacked", "lstm.stacked", "lstm.projected")
"""Two layers, or matrices behind each other, two steps and many gates: their polynomials are the largest."""


@pytest.mark.parametrize("spec", [spec for spec in CELLS if spec not in TAKE_SECONDS])
def test_two_steps_are_proved_so_what_is_carried_is_added_up(spec: str) -> None:
    proof = prove_backward(library().spec(spec).program(), 1, steps=2)
    assert proof.is_proved, proof.failed


@pytest.mark.deep("tests/unit/derivatives/test_prove.py::test_two_steps_are_proved_so_what_is_carried_is_added_up")
@pytest.mark.parametrize("spec", TAKE_SECONDS)
def test_two_steps_of_large_cells_with_gates_are_proved(spec: str) -> None:
    proof = prove_backward(library().spec(spec).program(), 1, steps=2)
    assert proof.is_proved, proof.failed


@pytest.mark.parametrize("spec", ["rnn.sigma", "gru.keep.column", "gru.write.concatenated", "rnn.bidirectional"])
def test_sizes_that_differ_from_each_other_are_proved(spec: str) -> None:
    proof = prove_backward(library().spec(spec).program(), {"n": 2, "d": 1, "k": 3, "m": 2})
    assert proof.is_proved, proof.failed
    proof = prove_backward(library().spec(spec).program(), {"n": 1, "d": 2, "k": 1, "m": 3})
    assert proof.is_proved, proof.failed


def halved(function: Any, seed: Node, value: Node, argument: Node) -> Node:
    right = reverse_module.argument_cotangent(function, seed, value, argument)
    return Multiply(Constant(Fraction(1, 2)), right)


def swapped_outer(left: Node, right: Node) -> Node:
    return Outer(right, left)


FAULTS: dict[str, tuple[Any, str, Any]] = {
    "a function's slope is halved": (backward_module, "argument_cotangent", halved),
    "a matrix's gradient is transposed": (reverse_module, "Outer", swapped_outer),
    "a negated term keeps its sign": (reverse_module, "negate", lambda node: node),
    "a product forgets its other factor": (reverse_module, "times", lambda left, right: left),
    "only the first term of a sum arrives": (backward_module, "total", lambda parts: parts[0]),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_broken_rule_of_reverse_mode_is_refuted(fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    place, name, wrong = FAULTS[fault]
    monkeypatch.setattr(place, name, wrong)
    proof = prove_backward(fresh("gru.keep.column"), {"n": 2, "d": 2})
    assert not proof.is_proved
    assert proof.failed.startswith("the derivative by")


def test_a_gradient_that_keeps_one_step_only_is_refuted_by_two(monkeypatch: pytest.MonkeyPatch) -> None:
    def overwrite(self: Any, key: Any, value: Any) -> None:
        self.by_key[key] = value

    monkeypatch.setattr(differentiate_module._Sums, "add", overwrite)
    assert prove_backward(fresh("rnn.sigma"), 1, steps=1).is_proved
    assert not prove_backward(fresh("rnn.sigma"), 1, steps=2).is_proved


def test_the_gradient_of_a_parameter_that_is_one_number_is_proved_and_a_wrong_one_is_refuted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    program = next(spec for spec in literature() if spec.id == "fastrnn").program()
    assert prove_backward(program, 2, steps=2).is_proved
    monkeypatch.setattr(SymbolicArithmetic, "only_entry", lambda self, value: 2 * value[0, ...])
    assert prove_backward(program, 2, steps=2).failed.startswith("the derivative by alpha")


@pytest.mark.parametrize("spec", ["rnn.sigma", "gru.keep.column", "lstm.column"])
def test_polynomials_take_the_values_of_the_equations(spec: str) -> None:
    # Whole numbers for the symbols, hyperbolic tangents for the atoms: the polynomial is what NumPy computes.
    program = library().spec(spec).program()
    symbols = symbolic_values(program, {"n": 2, "d": 2, "k": 2})
    values, arithmetic = symbols.values, symbols.arithmetic
    run = evaluate(program, values, arithmetic)
    rng = np.random.default_rng(1)
    numbers: dict[Any, float] = {
        g: float(v) for g, v in zip(arithmetic.ring.gens, rng.standard_normal(len(arithmetic.ring.gens)), strict=True)
    }

    def at(polynomial: Any) -> float:
        return float(
            sum(
                float(c) * np.prod([numbers[g] ** e for g, e in zip(arithmetic.ring.gens, m, strict=True)])
                for m, c in polynomial.terms()
            )
        )

    powers: dict[tuple[Any, int], dict[int, float]] = {}
    for atom in arithmetic.atoms:
        arguments, place = atom.arguments, atom.place
        if atom.function == "tanh":
            numbers[atom.generator] = float(np.tanh(at(arguments[0])))
        elif atom.function == "softmax":
            row = np.array([at(argument) for argument in arguments])
            powers.setdefault((arguments, 0), {})[place] = float((np.exp(row) / np.exp(row).sum())[place])
            numbers[atom.generator] = powers[arguments, 0][place]
    whole = np.frompyfunc(at, 1, 1)

    def floats(array: Any) -> Any:
        return whole(array).astype(float)

    plain = Values(
        {k: floats(v) for k, v in values.parameters.items()},
        {k: floats(v) for k, v in values.inputs.items()},
        {k: floats(v) for k, v in values.states.items()},
        values.sizes,
    )
    expected = evaluate(program, plain, NumpyArithmetic()).steps[0]
    for name, value in run.steps[0].items():
        assert np.allclose(floats(value), expected[name], rtol=2.0**-40, atol=2.0**-40), name


def test_derivatives_of_polynomials_are_those_of_sympy() -> None:
    program = library().spec("gru.keep.column").program()
    symbols = symbolic_values(program, {"n": 1, "d": 1})
    values, arithmetic = symbols.values, symbols.arithmetic
    h = evaluate(program, values, arithmetic).steps[0]["h"][0, 0]
    written: dict[Any, Any] = {g: sympy.Symbol(f"x{i}") for i, g in enumerate(arithmetic.ring.gens)}
    for atom in arithmetic.atoms:
        assert atom.function == "tanh"
        written[atom.generator] = sympy.tanh(_expression(atom.arguments[0], arithmetic, written))
    whole = _expression(h, arithmetic, written)
    for name in ("W_hz", "W_hg", "b_r"):
        by = values.parameters[name].flat[0]
        own = _expression(arithmetic.derivative(h, by), arithmetic, written)
        assert sympy.expand(sympy.diff(whole, written[by]) - own) == 0


def _expression(polynomial: Any, arithmetic: Any, written: dict[Any, Any]) -> Any:
    return sympy.Add(
        *(
            c * sympy.Mul(*(written[g] ** e for g, e in zip(arithmetic.ring.gens, m, strict=True) if e))
            for m, c in polynomial.terms()
        )
    )


@pytest.mark.parametrize("pair", PAIRS)
def test_pair_of_specs_is_as_expected(pair: str) -> None:
    proof = prove_equivalence(PAIRS[pair])
    assert proof.is_as_expected, proof.detail
    assert proof.identities >= (2 if PAIRS[pair].expected == "different" else 3)
    assert bool(proof.witness or "sizes 1; " in proof.detail) == (PAIRS[pair].expected == "different")


def check_not_found_different(pair: str) -> None:
    proof = prove_equivalence(PAIRS[pair].model_copy(update={"expected": "different"}))
    assert not proof.is_as_expected
    assert proof.witness == ""


@pytest.mark.parametrize("pair", SMALL_EQUAL_PAIRS)
def test_equal_pair_is_not_found_different(pair: str) -> None:
    check_not_found_different(pair)


@pytest.mark.deep("tests/unit/derivatives/test_prove.py::test_equal_pair_is_not_found_different")
@pytest.mark.parametrize("pair", [pair for pair in EQUAL_PAIRS if pair not in SMALL_EQUAL_PAIRS])
def test_no_equal_pair_is_found_different(pair: str) -> None:
    check_not_found_different(pair)


@pytest.mark.parametrize("pair", [pair for pair, row in PAIRS.items() if row.expected == "different"])
def test_different_pair_is_not_proved_equal(pair: str) -> None:
    proof = prove_equivalence(PAIRS[pair].model_copy(update={"expected": "equal"}))
    assert not proof.is_as_expected
    assert proof.detail.endswith("is another polynomial")


def test_one_changed_sign_in_a_map_is_not_proved() -> None:
    pair = PAIRS["Q-01"]
    wrong = pair.model_copy(update={"parameters": {**pair.parameters, "b_z": "b_z"}})
    assert not prove_equivalence(wrong).is_as_expected


def test_reset_before_and_after_differ_from_size_two_on_only() -> None:
    # With one hidden unit and no recurrent bias, W (r h) is r (W h).
    assert {PAIRS["Q-18"].left, PAIRS["Q-18"].right} == {"gru.keep.column", "gru.reset_after"}
    assert prove_equivalence(PAIRS["Q-18"]).witness.startswith("sizes 2")
