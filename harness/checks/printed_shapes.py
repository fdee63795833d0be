"""Shapes that a document declares: what the equations need against the arrays that the reference really has."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from rnn_harness.arithmetic import NumpyArithmetic, evaluate
from rnn_harness.cases.case import Case
from rnn_harness.checks.check import Finding
from rnn_harness.errors import NotRun
from rnn_harness.specs import Library, Shapes
from rnn_harness.specs.notation import names, parse
from rnn_harness.subjects.case_arrays import draw_arrays
from rnn_harness.subjects.subject import LAYERS, Subject

_MEMBER = re.compile(r"^(?P<symbol>.+?)\s*\\in\b")
SIZES = {"n": 3, "d": 5, "k": 2}
"""All different, so that no transposition passes."""


def _symbols(entry: Shapes) -> Iterator[str]:
    """Yield the LaTeX of every symbol whose shape the entry declares."""
    if entry.reading:
        yield from (part.strip() for part in entry.reading.split(";"))
        return
    for line in (entry.literal or entry.printed).strip().splitlines():
        match = _MEMBER.match(line.strip())
        if match is not None:
            yield match["symbol"]


def decide_shapes(entry: Shapes, library: Library, seed: int) -> Finding:
    """Decide whether every symbol has the shape in the reference's arrays that the equations give it.

    The reference's parameters come to the spec's symbols by the parameter map; what is computed comes from one run of
    the equations on them. Sizes are all different.

    Args:
        entry: the printed shapes.
        library: where their spec is found.
        seed: of the reference's arrays.

    Raises:
        NotRun: no symbol is declared.
    """
    spec = library.spec(entry.of)
    subject = Subject.of(spec)
    case = Case(spec=spec.id, seed=seed, T=2, B=7, n=SIZES["n"], d=SIZES["d"], k=SIZES["k"])
    context = spec.context()
    symbols = [symbol for text in _symbols(entry) for symbol in names(parse(text)[0].sides[0])]
    declared = [context.denote(symbol).name for symbol in symbols]
    if not declared:
        raise NotRun("no symbol is declared, there is no shape to compare")
    needed = {name: tuple(size.size(case.sizes) for size in context.shapes.get(name, ())) for name in declared}
    arrays = draw_arrays(case, subject)
    values = subject.values(arrays.parameters, arrays.inputs, arrays.states, case.sizes)
    shapes: dict[str, tuple[int, ...]] = {name: value.shape for name, value in values.parameters.items()}
    shapes |= {name: value.shape[2:] for name, value in values.inputs.items()}
    # Arrays of another shape may end the evaluation of the equations: what is handed in is compared before it.
    contradiction = _contradiction({name: shape for name, shape in needed.items() if name in shapes}, shapes)
    if not contradiction:
        step = evaluate(spec.program(LAYERS), values, NumpyArithmetic()).steps[0]
        contradiction = _contradiction(needed, shapes | {name: value.shape[1:] for name, value in step.items()})
    if contradiction:
        return Finding(entry.id, False, contradiction)
    sizes = ", ".join(f"{letter} = {size}" for letter, size in SIZES.items())
    agreeing = ", ".join(f"{name} {'×'.join(map(str, shape))}" for name, shape in needed.items())
    return Finding(entry.id, True, f"at {sizes}: {agreeing}")


def _contradiction(needed: Mapping[str, tuple[int, ...]], shapes: Mapping[str, tuple[int, ...]]) -> str:
    """Say which symbol has another shape in the arrays than the equations need; empty where none has."""
    for name, shape in needed.items():
        if shapes.get(name) != shape:
            return f"{name} is {shapes.get(name)} in the arrays, the equations need {shape}"
    return ""
