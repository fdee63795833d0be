"""Which rewrite of a spec a wrong cell computes, and which path its gradient does not take."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

import numpy as np

from rnn_harness.arithmetic.assumptions import SCREEN
from rnn_harness.arithmetic.torch_arithmetic import TorchArithmetic
from rnn_harness.array_types import Array
from rnn_harness.errors import NotRun
from rnn_harness.evaluation.evaluation import Evaluation
from rnn_harness.records.validation import Diagnosis
from rnn_harness.specs.expression import Constant, Node, Role, Variable, describe
from rnn_harness.specs.program import Program
from rnn_harness.specs.spec import Spec
from rnn_harness.validation.identification.probe import Probe, Response, close
from rnn_harness.validation.spec_search.interpret import Interpreter, Place
from rnn_harness.validation.spec_search.program_runs import ProgramRuns
from rnn_harness.validation.spec_search.rewrites import Rewrite, pairs, rewrites

if TYPE_CHECKING:
    from torch import Tensor

SECONDS = 15.0
"""What the search for mistakes may take; where it is not enough, no mistake is named."""


def rewrite_diagnosis(spec: Spec, rewrite: Rewrite) -> Diagnosis:
    """Say which equation of a spec is wrong, and how, with the equation as printed.

    Args:
        spec: The spec that was rewritten, for its equations as printed.
        rewrite: What is computed in its place.
    """
    parts = []
    for equation, sentence in zip(rewrite.equations, rewrite.sentences, strict=True):
        parts.append(f"{equation}: {sentence}; in {_printed(spec, equation)}")
    part = f"forward: {', '.join(dict.fromkeys(rewrite.equations))}"
    return Diagnosis(spec=spec.id, part=part, difference="; and ".join(parts))


def _printed(spec: Spec, equation: str) -> str:
    """Return the LaTeX of an equation."""
    return next(entry.text for entry in spec.equations if entry.id == equation).strip()


def faulty_match_by_names(
    probe: Probe, spec: Spec, parameters: Mapping[str, Array], states: tuple[str, ...]
) -> Rewrite | None:
    """Find the mistakes of a target whose parameters are known, each tried by one run; one mistake, then two.

    Args:
        probe: The target.
        spec: The spec that it should be.
        parameters: The probe's parameters by the spec's names.
        states: The names of the target's states, in its order.
    """
    deadline = time.process_time() + SECONDS
    target = probe.complete()
    single = rewrites(spec.program())
    for candidate in _in_time(single, deadline):
        if _equals(candidate.program, probe, states, parameters, target):
            return candidate
    for candidate in _in_time(pairs(single), deadline):
        if _equals(candidate.program, probe, states, parameters, target):
            return candidate
    return None


def _in_time(candidates: Iterable[Rewrite], deadline: float) -> Iterator[Rewrite]:
    """Yield rewrites until the time is over."""
    for candidate in candidates:
        if time.process_time() > deadline:
            return
        yield candidate


def _equals(
    program: Program, probe: Probe, states: tuple[str, ...], parameters: Mapping[str, Array], target: Response
) -> bool:
    """Say whether a target gives what a program gives with the same parameters, at the first step and then at all."""
    runs = ProgramRuns(program, probe, states)
    steps = len(probe.inputs)
    try:
        first = runs.respond(parameters, 1)
        shown = runs.shown(target)
        if shown is not None and not close(shown[:1], first.outputs[0], probe.tolerance):
            return False
        return runs.agree(target, runs.respond(parameters, steps))
    except (KeyError, ValueError):  # a value that is not computed yet, or of another shape
        return False


def cut_path(evaluation: Evaluation) -> Diagnosis | None:
    """Find the place in the equations through which a subject's gradient does not flow, the outputs being right.

    Args:
        evaluation: The subject on a case, in float64.

    Returns:
        The diagnosis; None where no single cut explains the gradients.
    """
    program, spec = evaluation.program, evaluation.subject.spec
    try:
        gradients = evaluation.flat_gradients
    except NotRun:
        return None
    for place, words in _places(program):
        if _same(_cut_gradients(evaluation, place), gradients):
            equations = _cut_equations(program, place)
            return Diagnosis(
                spec=spec.id,
                part=f"backward: {', '.join(equations)}",
                difference=f"{equations[-1]}: no gradient flows through {words}; in {_printed(spec, equations[-1])}",
            )
    return None


def _cut_equations(program: Program, places: frozenset[Place]) -> tuple[str, ...]:
    """Return the equations where a gradient is cut: that of a result too which is read nowhere else."""
    number, path = min(places)
    node = _part(program.assignments[number].expression, path)
    reads = {
        (place, below)
        for place, assignment in enumerate(program.assignments)
        for below, part in _walk(assignment.expression, ())
        if part == node
    }
    source = next((a.equation for a in program.assignments if a.target == node and reads == places), None)
    equation = program.assignments[number].equation
    return (equation,) if source is None else (source, equation)


def _part(node: Node, path: tuple[int, ...]) -> Node:
    """Return the part of an expression at a path of children."""
    return _part(node.children[path[0]], path[1:]) if path else node


def _places(program: Program) -> Iterator[tuple[frozenset[Place], str]]:
    """Yield where a gradient may be cut: at every read of a symbol, at all reads of one, at results inside."""
    everywhere: dict[Variable, set[Place]] = {}
    inside: list[tuple[frozenset[Place], str]] = []
    for number, assignment in enumerate(program.assignments):
        for path, node in _walk(assignment.expression, ()):
            place = (number, path)
            if not isinstance(node, Constant | Variable):
                inside.append((frozenset({place}), _in_words(node)))
            elif isinstance(node, Variable) and node.role is not Role.INPUT:
                everywhere.setdefault(node, set()).add(place)
                yield frozenset({place}), _in_words(node)
    for variable, places in everywhere.items():
        if len(places) > 1:
            yield frozenset(places), f"{_in_words(variable)} anywhere"
    yield from inside


def _in_words(node: Node) -> str:
    """Write a node without its outer parentheses, and what is of this step without its time."""
    text = describe(node).replace("[t]", "")
    return text[1:-1] if text.startswith("(") else text


def _walk(node: Node, path: tuple[int, ...]) -> Iterator[tuple[tuple[int, ...], Node]]:
    yield path, node
    for place, child in enumerate(node.children):
        yield from _walk(child, (*path, place))


def _without_gradient(value: Tensor) -> Tensor:
    """Cut the graph of a value; a constant, a number of Python's, has none."""
    return value.detach() if hasattr(value, "detach") else value


def _cut_gradients(evaluation: Evaluation, places: frozenset[Place]) -> dict[str, Array]:
    """Return the gradients of the equations with the gradient cut at some places, by flat name."""
    import torch

    arithmetic = TorchArithmetic()
    values, program = evaluation.values, evaluation.program
    parameters = {name: arithmetic.array(value) for name, value in values.parameters.items()}
    states = {name: arithmetic.array(value) for name, value in values.states.items()}
    inputs = {name: arithmetic.array(value) for name, value in values.inputs.items()}
    interpreter = Interpreter(arithmetic, _without_gradient, places)
    steps = len(next(iter(inputs.values())))
    rows = [{name: value[step] for name, value in inputs.items()} for step in range(steps)]
    run = interpreter.run(program, parameters, rows, states)
    d_outputs, d_finals = evaluation.spec_cotangents
    total = torch.zeros((), dtype=torch.float64)
    for output, cotangent in d_outputs.items():
        total = total + (torch.stack([step[output] for step in run.steps]) * torch.tensor(cotangent)).sum()
    for state, cotangent in d_finals.items():
        total = total + (run.finals[state] * torch.tensor(cotangent)).sum()
    if not total.requires_grad:
        return {}
    leaves = {f"inputs.{k}": v for k, v in inputs.items()} | {f"states.{k}": v for k, v in states.items()}
    leaves |= {f"parameters.{k}": v for k, v in parameters.items()}
    taken = torch.autograd.grad(total, list(leaves.values()), allow_unused=True)
    gradients = {
        key: np.zeros(leaf.shape) if gradient is None else gradient.numpy()
        for (key, leaf), gradient in zip(leaves.items(), taken, strict=True)
    }
    # A target has the inputs side by side.
    parts = [
        gradients.pop(f"inputs.{name}") for name in evaluation.subject.input_names if f"inputs.{name}" in gradients
    ]
    return gradients | {"inputs": np.concatenate(parts, axis=-1)}


def _same(expected: Mapping[str, Array], actual: Mapping[str, Array]) -> bool:
    """Say whether two tables of gradients agree in all that both have."""
    return bool(expected) and all(
        close(expected[name], value, SCREEN) for name, value in actual.items() if name in expected
    )
