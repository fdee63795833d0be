"""The derived backward: right in every direction, size-free, printable, and proved."""

from __future__ import annotations

import dataclasses
import subprocess
import sys

import numpy as np
import pytest
import sympy

from rnn_harness.arithmetic import NumpyArithmetic, Values, evaluate
from rnn_harness.arithmetic.assumptions import COMPLEX_STEP, COMPLEX_STEP_FLOOR
from rnn_harness.array_types import Array
from rnn_harness.derivatives import backward as backward_module
from rnn_harness.derivatives import derive, differentiate
from rnn_harness.derivatives.proof import prove_backward
from rnn_harness.derivatives.reverse_mode import argument_cotangent
from rnn_harness.derivatives.single_equation import local_program
from rnn_harness.evaluation.evaluation import final_states
from rnn_harness.specs import library
from rnn_harness.specs.expression import Apply, Function, Node, Role, Subtract, Variable
from rnn_harness.specs.program import Assignment, Pass, Program

SIZES = {"n": 3, "d": 2, "k": 2, "m": 3}
CELLS = [spec.id for spec in library().cells]


def drawn(program: Program, steps: int, seed: int) -> Values:
    rng = np.random.default_rng(seed)

    def normal(variable: Variable, *lead: int) -> Array:
        values = rng.standard_normal((*lead, *(size.size(SIZES) for size in variable.shape)))
        return np.exp(values) if program.spec.startswith("loss") else values

    return Values(
        {v.name: normal(v) for v in program.parameters},
        {v.name: normal(v, steps, 2) for v in program.inputs},
        {v.name: normal(v, 2) for v in program.states},
        SIZES,
        {"c": rng.integers(0, 2, (steps, 2))},
    )


@pytest.mark.parametrize("steps", [1, 2, 4])
@pytest.mark.parametrize("spec", CELLS)
def test_derived_gradients_are_complex_step_derivatives(spec: str, steps: int) -> None:
    for layers in (1, 3) if spec == "rnn.stacked" else (2,):
        program = library().spec(spec).program(layers)
        values = drawn(program, steps, 7)
        plain, complex_ = NumpyArithmetic(), NumpyArithmetic(np.complex128)
        run = evaluate(program, values, plain)
        rng = np.random.default_rng(8)
        d_outputs = {v.name: rng.standard_normal((steps, *run.steps[0][v.name].shape)) for v in program.outputs}
        d_finals = {v.name: rng.standard_normal(run.initial[v.name].shape) for v in program.states}
        found = differentiate(derive(program), run, d_outputs, d_finals, plain)
        for kind in ("parameters", "inputs", "states"):
            table, gradients = getattr(values, kind), getattr(found, kind)
            for name, value in table.items():
                if name not in gradients:
                    continue
                direction = rng.standard_normal(value.shape)
                moved = dataclasses.replace(values, **{kind: {**table, name: value + 1j * COMPLEX_STEP * direction}})
                ahead = evaluate(program, moved, complex_)
                last = final_states(program, ahead)
                total = sum((ahead.steps[t][k] * v[t]).sum() for k, v in d_outputs.items() for t in range(steps))
                total += sum((last[k] * v).sum() for k, v in d_finals.items())
                products = np.asarray(gradients[name]) * direction
                error = abs(products.sum() - np.imag(total) / COMPLEX_STEP)
                assert error <= COMPLEX_STEP_FLOOR * (1 + np.abs(products).sum()), (kind, name)


SEVERAL_LAYERS = pytest.mark.deep("tests/unit/derivatives/test_derive.py::test_sympy_proves_the_derived_backward")


@pytest.mark.parametrize(
    "spec",
    [pytest.param(spec, marks=SEVERAL_LAYERS if spec in ("gru.stacked", "lstm.stacked") else ()) for spec in CELLS],
)
def test_sympy_proves_the_derived_backward(spec: str) -> None:
    proof = prove_backward(library().spec(spec).program(), 2)
    assert proof.is_proved, proof.failed
    assert proof.identities > 1


def test_a_wrong_derivative_is_not_proved(monkeypatch: pytest.MonkeyPatch) -> None:
    right = argument_cotangent

    def wrong(function: Function, seed: Node, value: Node, argument: Node) -> Node:
        return seed if function is Function.TANH else right(function, seed, value, argument)

    monkeypatch.setattr(backward_module, "argument_cotangent", wrong)
    (assignment,) = library().spec("gru.keep.column").assignment("E-348")
    alone = local_program(assignment)
    fresh = dataclasses.replace(alone, spec="wrong on purpose")
    proof = prove_backward(fresh, 1)
    assert not proof.is_proved
    assert proof.failed.startswith("the derivative by")


def test_slopes_taken_from_values_are_the_derivatives_of_the_definitions() -> None:
    x = sympy.Symbol("x")
    s = 1 / (1 + sympy.exp(-x))
    assert sympy.simplify(sympy.diff(s, x) - s * (1 - s)) == 0
    assert sympy.simplify((sympy.diff(sympy.tanh(x), x) - (1 - sympy.tanh(x) ** 2)).rewrite(sympy.exp)) == 0
    assert sympy.simplify((s - (1 + sympy.tanh(x / 2)) / 2).rewrite(sympy.exp)) == 0


def test_backward_equations_of_the_gru_are_printed_without_sizes() -> None:
    lines = derive(library().spec("gru.keep.column").program()).latex()
    assert r"\delta_{g,t} = \bar{g}_{t} \odot \left(1 - g_{t} \odot g_{t}\right)" in lines
    assert r"\delta_{z,t} = \bar{z}_{t} \odot z_{t} \odot \left(1 - z_{t}\right)" in lines
    assert r"\bar{W}_{hg} = \sum_t \left(r_{t} \odot h_{t-1}\right) \, \delta_{g,t}^{T}" in lines
    assert not any(digit in line for line in lines for digit in "23456789")


def test_backward_of_one_equation_is_printed_at_the_times_of_its_operands() -> None:
    (assignment,) = library().spec("lstm.column").assignment("E-323")
    lines = derive(local_program(assignment)).latex()
    assert r"\bar{W}_{hi} = \sum_t h_{t-1} \, \delta_{i,t}^{T}" in lines
    assert r"\bar{h}_{t-1} \mathrel{+}= W_{hi} \delta_{i,t}" in lines


def test_the_derivative_of_a_rectifier_is_a_step() -> None:
    shape = library().spec("lstm.column").program().states[0].shape
    x = Variable("x", shape, 0, Role.INPUT, "x")
    y = Variable("y", shape, 0, Role.INTERMEDIATE, "y")
    one = Assignment(y, Subtract(Apply(Function.RELU, x), x), "F-001")
    program = Program("relu", (x,), (), (), (y,), (Pass(0, (), (one,)),))
    assert any(r"\operatorname{step}\left(x_{t}\right)" in line for line in derive(program).latex())


def test_importing_the_derivations_loads_neither_torch_nor_hypothesis() -> None:
    code = "import rnn_harness.derivatives.proof, sys; print([m for m in ('torch', 'hypothesis') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
