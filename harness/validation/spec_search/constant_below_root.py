"""The constant below the root of a layer normalisation: 1e-5 in torch and in our specs, 1e-3 in Keras, 1e-6 in Flax."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction

import numpy as np

from rnn_harness.arithmetic.assumptions import LAYER_NORM_EPSILON
from rnn_harness.specs import Spec
from rnn_harness.specs.schema import Equation
from rnn_harness.validation.identification.probe import Probe
from rnn_harness.validation.spec_search.program_runs import ProgramRuns
from rnn_harness.validation.spec_search.slot_map import SlotMap
from rnn_harness.validation.spec_search.spec_pieces import empty_parameters

NAME, LETTER = "epsilon", r"\epsilon"
"""What the constant is called where it is not that of the spec."""
VALUES = tuple(Fraction(1, 10**power) for power in range(2, 17))
"""Those that people write down."""
_WRITTEN = re.compile(r"(?<![\d.])0\.0*1(?!\d)")
"""The constant where a spec prints it."""
_FUNCTION = r"\operatorname{LN}("
"""The beginning of a normalisation whose constant is `LAYER_NORM_EPSILON`."""
SMALL_WEIGHTS = 1 / 32
"""By how much parameters are made smaller, so that the constant has an influence beside the variance."""
FEWEST_TIMES = 16
"""How many times closer a target must be with another constant than with that of the spec."""


def with_constant_below_root(spec: Spec, value: Fraction, is_printed_kept: bool = False) -> Spec | None:
    """Return a spec with another constant below the roots of its normalisations; None if it has none, or no letter.

    LN with a constant e of the argument A is LN with the constant e_0 of A / sqrt(e / e_0).

    Args:
        spec: The spec; it is not changed.
        value: The constant.
        is_printed_kept: Whether a constant that is printed stays, and that of ``LN`` alone is replaced.
    """
    model = spec.model
    if NAME in {*spec.context().shapes, *model.constants}:
        return None

    def read(equation: Equation) -> Equation:
        text = equation.reading or equation.printed
        changed = _scaled_arguments(text if is_printed_kept else _WRITTEN.sub(lambda _: LETTER, text))
        return equation if changed == text else equation.model_copy(update={"reading": changed})

    equations = tuple(map(read, model.equations))
    if equations == tuple(model.equations):
        return None
    changed = {"equations": equations, "constants": {**model.constants, NAME: str(value)}}
    return replace(spec, model=model.model_copy(update=changed), used=tuple(map(read, spec.used)))


def with_large_constants(spec: Spec) -> Iterator[Spec]:
    """Yield a spec with constants of ``LN`` so large that no search with that of the spec finds the target.

    Args:
        spec: The spec; a constant that it prints stays.
    """
    for value in VALUES:
        variant = with_constant_below_root(spec, value, is_printed_kept=True) if value > LAYER_NORM_EPSILON else None
        if variant is not None:
            yield variant


def _scaled_arguments(text: str) -> str:
    """Divide the argument of every normalisation, so that its constant becomes the letter's."""
    start = text.find(_FUNCTION)
    if start < 0:
        return text
    begin = start + len(_FUNCTION)
    depth, end, comma = 1, begin, None
    while depth and end < len(text):
        depth += {"(": 1, "{": 1, ")": -1, "}": -1}.get(text[end], 0)
        if depth == 1 and text[end] in ",;" and comma is None:
            comma = end  # what follows it is the gain and the shift
        end += 1
    comma = end - 1 if comma is None else comma
    scale = rf"\sqrt{{{1 / LAYER_NORM_EPSILON} {LETTER}}}"
    argument = rf"\frac{{{_scaled_arguments(text[begin:comma])}}}{{{scale}}}"
    return text[:begin] + argument + text[comma:end] + _scaled_arguments(text[end:])


def fitting_constant(
    spec: Spec, table: SlotMap, states: tuple[str, ...], probe: Probe, is_printed_kept: bool = False
) -> Spec:
    """Return a matched spec with the constant below its roots that the target has.

    Where parameters are zero, as most of the search has them, the constant has no influence; a wrong one would be told
    as precision lost.

    Args:
        spec: A spec that the target equals up to the tolerance of the search.
        table: Which slot of the target's parameters is which piece of the spec's.
        states: The names of its states in the target's order.
        probe: Runs of the target.
        is_printed_kept: Whether a constant that is printed is what the target must have.
    """
    named = (with_constant_below_root(spec, value, is_printed_kept) for value in VALUES)
    variants = [variant for variant in named if variant is not None]
    if not variants:
        return spec
    gaps = list(_gaps([spec, *variants], table, states, probe))
    nearest = int(np.argmin(gaps))
    return [spec, *variants][nearest] if gaps[nearest] * FEWEST_TIMES < gaps[0] else spec


def _gaps(specs: list[Spec], table: SlotMap, states: tuple[str, ...], probe: Probe) -> Iterator[float]:
    """Yield how far the target is from each spec, with parameters of the usual size and with small ones."""
    free = {slot.parameter for slot, _ in table.roles}
    steps = len(probe.inputs)
    scaled = [
        {name: factor * value if name in free else value for name, value in probe.parameters.items()}
        for factor in (1.0, SMALL_WEIGHTS)
    ]
    targets = [(parameters, probe.respond(parameters, steps)) for parameters in scaled]
    for spec in specs:
        program = spec.program()
        runs = ProgramRuns(program, probe, states)
        shapes = {v.name: tuple(axis.size(runs.sizes) for axis in v.shape) for v in program.parameters}
        gap = 0.0
        for packed, target in targets:
            parameters = {**empty_parameters(program, runs.sizes), **table.unpack(packed, shapes)}
            pairs = runs.pairs(target, runs.respond(parameters, steps))
            gap = max(gap, *(float(np.abs(a - b).max()) for a, b in pairs)) if pairs else float("inf")
        yield gap if np.isfinite(gap) else float("inf")
