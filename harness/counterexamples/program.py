"""A counterexample as a program: NumPy, the candidate, the numbers that matter, and what should come out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from flint import arb

from rnn_harness.array_types import Array
from rnn_harness.cases.case import Case
from rnn_harness.checks import Check
from rnn_harness.checks.metamorphic.subject_run import SubjectRun
from rnn_harness.counterexamples.fast_difference import Difference, first_difference
from rnn_harness.counterexamples.shrink import Shrunk, find_and_shrink, shrink
from rnn_harness.evaluation.expectation import expect
from rnn_harness.evaluation.judging_options import rounding
from rnn_harness.subjects.case_arrays import CaseArrays, draw_arrays
from rnn_harness.subjects.parameter_role import OUTPUT_LAYER
from rnn_harness.subjects.subject import LAYERS, Subject


def counterexample_program(subject: Subject, check: Check, case: Case, candidate: str | None = None) -> str:
    """Return a program of about 15 lines that shows what a check refuted.

    Where no plain run differs from the equations (a subject that changes its arguments, or fails for some lengths),
    the program replays the check instead, and needs this package.

    Args:
        subject: what was refuted.
        check: by what.
        case: on what.
        candidate: the lines that define ``cell``; the program then needs NumPy and the candidate only.
    """
    try:
        arrays = replace(draw_arrays(case, subject), lengths=None)
        first = first_difference(subject, arrays, backward=True)
        shrunk = shrink(subject, arrays, first) if first else find_and_shrink(subject, case.seed)
        confirmed = confirmed_counterexample(subject, shrunk, candidate) if shrunk else None
    except Exception:  # a subject that raises has no numbers to show; the replay raises again, in plain sight
        confirmed = None
    return replay(subject, check, case) if confirmed is None else confirmed.program


def replay(subject: Subject, check: Check, case: Case) -> str:
    """Return a program that runs the check on the case once more, with this package.

    Args:
        subject: what the check refuted; the program names its spec, and the reader puts the cell in.
        check: the check that refuted it.
        case: the case on which it did.
    """
    return "\n".join(
        (
            "from rnn_harness.cases.case import Case",
            "from rnn_harness.checks import all_checks",
            "from rnn_harness.specs import library",
            "from rnn_harness.subjects.subject import Subject",
            "from rnn_harness.evaluation.evaluation import Evaluation",
            "",
            f"subject = Subject.of(library().spec({subject.spec.id!r}))  # your cell as second argument",
            f"case = Case.model_validate_json({case.model_dump_json()!r})",
            f"check = next(check for check in all_checks() if check.name == {check.name!r})",
            "for finding in check.run(Evaluation.of(subject, case)):",
            "    print(finding)",
            "    assert finding.agrees, finding.detail",
            "",
        )
    )


@dataclass(frozen=True)
class Counterexample:
    """A difference beyond the proved bound.

    Attributes:
        computed: what the subject gives.
        expected: what the equations give.
        bound: how far rounding may take it.
        error_over_bound: the distance of the two, divided by the bound.
        program: shows it, and ends in an assertion that fails.
    """

    computed: float
    expected: float
    bound: float
    error_over_bound: float
    program: str


def confirmed_counterexample(subject: Subject, shrunk: Shrunk, candidate: str | None = None) -> Counterexample | None:
    """Hold a difference against the proved bound, and write it down.

    Args:
        subject: what differs.
        shrunk: the numbers on which it does.
        candidate: the lines of source that define ``cell``; without it, the spec's own reference is imported.

    Returns:
        None if rounding explains the difference after all.
    """
    place = shrunk.difference
    ball = ball_at(subject, shrunk.arrays, place)
    expected, bound = float(ball.mid()), float(arb(ball.rad()))
    distance = abs(place.computed - expected)
    error_over_bound = distance / bound if bound else np.inf
    if error_over_bound <= 1:
        return None
    lines = list(_lines(subject, shrunk.arrays, place, expected, bound, candidate))
    return Counterexample(place.computed, expected, bound, error_over_bound, "\n".join(lines) + "\n")


def ball_at(subject: Subject, arrays: CaseArrays, place: Difference) -> Any:
    """Return the true value at one place, with its rounding bound.

    Args:
        subject: whose spec is evaluated.
        arrays: the numbers, without lengths.
        place: where the subject differs.

    Returns:
        One ball.
    """
    program = subject.spec.program(LAYERS)
    sizes = SubjectRun(subject, arrays).sizes
    values = subject.values(arrays.parameters, arrays.inputs, arrays.states, sizes)
    d_finals = {name: arrays.d_finals[source] for name, source in subject.states.items()}
    d_outputs = {subject.output_name: arrays.d_outputs}
    expectation = expect(program, values, d_outputs, d_finals, rounding(str(arrays.inputs.dtype)))
    trajectory = expectation.trajectory
    spec_states = {source: name for name, source in subject.states.items()}
    if place.part == "outputs":
        t, *entry = place.index
        return trajectory.steps[t][subject.output_name][tuple(entry)]
    if place.part == "finals":
        back = {state.name for walk in program.passes if walk.direction < 0 for state in walk.carried}
        name = spec_states[place.name]
        return trajectory.steps[0 if name in back else -1][name][place.index]
    cotangents = expectation.cotangents
    if place.part == "parameters":
        return subject.gradients(cotangents.parameters, arrays.parameters)[place.name][place.index]
    if place.part == "states":
        return cotangents.states[spec_states[place.name]][place.index]
    t, *entry = place.index
    return cotangents.inputs[subject.input_name][t][tuple(entry)]


def _lines(
    subject: Subject, arrays: CaseArrays, place: Difference, expected: float, bound: float, candidate: str | None
) -> Iterator[str]:
    yield "import numpy as np"
    layer = subject.output is not None
    if candidate is None:
        link = subject.spec.reference
        options = "".join(f", {k}={v!r}" for k, v in link.options.items()) if link else ""
        imports = "OutputLayer, get_reference" if layer else "get_reference"
        yield f"from rnn_harness.references import {imports}"
        yield ""
        yield f'cell = get_reference("{link.name if link else subject.cell.name}"{options})'
    else:
        yield from candidate.splitlines()
        if layer:
            yield "from rnn_harness.references import OutputLayer"
        yield ""
    in_top = OUTPUT_LAYER if layer else ()
    yield from mapping_lines("p", {name: value for name, value in arrays.parameters.items() if name not in in_top})
    yield from array_lines("x", arrays.inputs)
    yield from mapping_lines("s", arrays.states)
    yield "run = cell.forward(p, x, s or None)"
    if layer:
        assert subject.output is not None
        yield from mapping_lines("q", {name: arrays.parameters[name] for name in in_top})
        yield f'layer = OutputLayer("{subject.output.activation}")'
        yield "y = layer.forward(q, run.outputs)"
    if place.backward:
        yield from array_lines("d_outputs", arrays.d_outputs)
        yield from mapping_lines("d_finals", arrays.d_finals)
        if layer:
            yield "d_outputs, top = layer.backward(q, run.outputs, y, d_outputs)"
        yield "back = cell.backward(run, d_outputs, d_finals or None)"
    yield f"found = {_access(place, layer)}"
    yield f"expected = {expected!r}  # {_source(subject)}"
    yield 'print("found", found, "expected", expected)'
    yield f"assert abs(found - expected) <= {bound!r}  # what rounding in {arrays.inputs.dtype} allows"


def _access(place: Difference, layer: bool) -> str:
    index = ", ".join(map(str, place.index))
    if place.part == "outputs":
        return f"{'y' if layer else 'run.outputs'}[{index}]"
    if place.part == "finals":
        return f'run.finals["{place.name}"][{index}]'
    if place.part == "inputs":
        return f"back.inputs[{index}]"
    if layer and place.name in OUTPUT_LAYER:
        return f'top["{place.name}"][{index}]'
    return f'back.{place.part}["{place.name}"][{index}]'


def _source(subject: Subject) -> str:
    """Where the expected value comes from."""
    lines = ", ".join(f"{e.document}:{e.line}" for e in subject.spec.equations if not e.alternative)
    return f"by the equations of {subject.spec.id}, {lines}"


def array_lines(name: str, value: Array) -> Iterator[str]:
    """Yield the lines that define an array.

    Args:
        name: the variable.
        value: the array; written out if it is small, else as zeros and the entries that are not zero.
    """
    if not value.any():
        yield f"{name} = np.zeros({value.shape}{_dtype(value)})"
    elif value.size <= 6:
        yield f"{name} = np.array({value.tolist()!r}{_dtype(value)})"
    else:
        yield f"{name} = np.zeros({value.shape}{_dtype(value)})"
        for index in np.argwhere(value):
            place = ", ".join(map(str, index))
            yield f"{name}[{place}] = {float(value[tuple(index)])!r}"


def mapping_lines(name: str, values: dict[str, Array]) -> Iterator[str]:
    """Yield the lines that define a dictionary of arrays.

    Args:
        name: the variable.
        values: arrays by key, zero but for some entries, and of one dtype.
    """
    if not values:
        yield f"{name} = {{}}"
        return
    shapes: dict[tuple[int, ...], list[str]] = {}
    for key, value in values.items():
        shapes.setdefault(value.shape, []).append(key)
    dtype = _dtype(next(iter(values.values())))
    shape_of = "{" + ", ".join(f"{k!r}: {v.shape}" for k, v in values.items()) + "}"
    if len(shapes) == 1:
        shape = next(iter(shapes))
        yield f"{name} = {{key: np.zeros({shape}{dtype}) for key in {list(values)!r}}}"
    else:
        yield f"{name} = {{key: np.zeros(shape{dtype}) for key, shape in {shape_of}.items()}}"
    for key, value in values.items():
        for index in np.argwhere(value):
            place = ", ".join(map(str, index))
            yield f"{name}[{key!r}][{place}] = {float(value[tuple(index)])!r}"


def _dtype(value: Array) -> str:
    return "" if value.dtype == np.float64 else f', "{value.dtype}"'
