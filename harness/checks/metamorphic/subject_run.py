"""A subject on some numbers, as a metamorphic property drives it: run, change, run again, and ask for the bounds.

Rows of different lengths are enclosed apart, each over its own length, which is what a length means.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from enum import Enum
from functools import cached_property, lru_cache
from typing import Protocol, cast, runtime_checkable

import numpy as np
from flint import arb

from rnn_harness.arithmetic.array_ball_values import ArrayBall
from rnn_harness.array_types import Array, IndexArray
from rnn_harness.checks.metamorphic.cell_traits import Traits
from rnn_harness.derivatives import Cotangents
from rnn_harness.evaluation.alternative_forms import forms
from rnn_harness.evaluation.evaluation import Evaluation
from rnn_harness.evaluation.expectation import Expectation, expect
from rnn_harness.evaluation.judging_options import JudgingOptions
from rnn_harness.evaluation.quick_radii import QuickRadii, most_over_arb
from rnn_harness.references import Gradients, Run
from rnn_harness.references.gru import GRU
from rnn_harness.references.lstm import LSTM
from rnn_harness.specs.program import Program
from rnn_harness.subjects.array_sizes import sizes_of
from rnn_harness.subjects.case_arrays import CaseArrays
from rnn_harness.subjects.subject import LAYERS, Subject

_radius = np.frompyfunc(lambda ball: float(arb(ball.rad())), 1, 1)


@runtime_checkable
class _MaybeCandidate(Protocol):
    """A cell that says whether it is code of others."""

    @property
    def is_candidate(self) -> bool:
        """Whether it may compute tanh and sigmoid in ways of its own."""


@dataclass(frozen=True)
class Radii:
    """How far a right forward may lie from the true value.

    Attributes:
        outputs: (T, B, k).
        finals: By state, (B, d).
        trace: By name in `Run.trace`, (T, B, d).
    """

    outputs: Array
    finals: dict[str, Array]
    trace: dict[str, Array]

    def divided_by(self, factor: float) -> Radii:
        """Divide every bound.

        Args:
            factor: By what.
        """
        return Radii(self.outputs / factor, _divided(self.finals, factor), _divided(self.trace, factor))


def _divided(table: dict[str, Array], factor: float) -> dict[str, Array]:
    return {name: value / factor for name, value in table.items()}


@dataclass(frozen=True)
class _Group:
    """Rows of equal length, and what the spec expects of them over that length, by every form it may be computed in.

    Attributes:
        rows: Their indices.
        length: How many steps they have.
        expectations: What is expected of them, by form.
    """

    rows: IndexArray
    length: int
    expectations: tuple[Expectation, ...]

    def sources(self, is_in_arrays: bool) -> tuple[Expectation | QuickRadii, ...]:
        """Say where bounds come from: arrays, or Arb's balls."""
        if not is_in_arrays:
            return self.expectations
        return tuple(expectation.quick or expectation for expectation in self.expectations)


class BoundSource(Enum):
    """Where bounds come from.

    Attributes:
        ARB: Arb's balls.
        NARROWER_ARRAYS: Arrays that are no wider than Arb's balls, and cost a fraction of them.
        WIDER_ARRAYS: Arrays that are no narrower.
    """

    ARB = "Arb"
    NARROWER_ARRAYS = "arrays that are no wider"
    WIDER_ARRAYS = "arrays that are no narrower"


_BOUND_SOURCE: ContextVar[BoundSource] = ContextVar("where bounds come from", default=BoundSource.ARB)


@contextmanager
def bounds_from(source: BoundSource) -> Iterator[None]:
    """Take all bounds from a source for a while.

    Args:
        source: Where they come from.
    """
    token = _BOUND_SOURCE.set(source)
    try:
        yield
    finally:
        _BOUND_SOURCE.reset(token)


def _step_radius(sources: tuple[Expectation | QuickRadii, ...], step: int, name: str) -> Array:
    """Return the widest of the forms' bounds of a symbol at a step, (rows, d)."""
    widest: Array = np.maximum.reduce([source.step_radii[step][name] for source in sources])
    return widest


def _radii_of(source: Expectation | QuickRadii, balls: Array | ArrayBall) -> Array:
    """Return the bounds of values of a source."""
    if isinstance(source, QuickRadii):
        return cast("ArrayBall", balls).radius
    return np.asarray(_radius(balls), dtype=np.float64)


def _widest_radius(sources: tuple[Expectation | QuickRadii, ...], balls_by_form: list[Array | ArrayBall]) -> Array:
    """Return the widest of the forms' bounds of one value."""
    pairs = zip(sources, balls_by_form, strict=True)
    widest: Array = np.maximum.reduce([_radii_of(source, balls) for source, balls in pairs])
    return widest


@dataclass(frozen=True)
class SubjectRun:
    """One run of a subject. Everything is computed once, and only if asked for.

    Attributes:
        subject: What is run: a reference, a mutant, a kernel or a candidate.
        arrays: The numbers it runs on.
        options: What is known of how it computes, which decides its bounds.
    """

    subject: Subject
    arrays: CaseArrays
    options: JudgingOptions = field(default_factory=JudgingOptions)

    @classmethod
    def of(cls, evaluation: Evaluation) -> SubjectRun:
        """Take the subject and the numbers of an evaluation, rounded to a grain on which changes of them are exact.

        Args:
            evaluation: Its subject, arrays and options are taken, nothing that it has computed. All properties of
                one evaluation share the run, and what it computes.
        """
        return _run_of(evaluation)

    @cached_property
    def traits(self) -> Traits:
        """The subject's structure and the options of its cell."""
        return Traits(self.subject)

    @property
    def gru(self) -> GRU:
        """The GRU with its options, for properties that support nothing else."""
        assert isinstance(self.traits.cell, GRU)
        return self.traits.cell

    @property
    def lstm(self) -> LSTM:
        """The LSTM with its options, for properties that support nothing else."""
        assert isinstance(self.traits.cell, LSTM)
        return self.traits.cell

    def at(self, arrays: CaseArrays) -> SubjectRun:
        """Run the same subject on other numbers.

        Args:
            arrays: The numbers; they are not copied.
        """
        return SubjectRun(self.subject, arrays, self.options)

    def at_full_length(self) -> SubjectRun:
        """Run the same subject on the same numbers, every row over all T steps."""
        return self if self.arrays.lengths is None else self.at(replace(self.arrays, lengths=None))

    def in_dtype(self, dtype: str) -> SubjectRun:
        """Run the same subject on the same numbers rounded to another dtype.

        Args:
            dtype: ``float32`` or ``float64``.
        """

        def rounded(values: dict[str, Array]) -> dict[str, Array]:
            return {name: value.astype(dtype) for name, value in values.items()}

        arrays = self.arrays
        return self.at(
            replace(
                arrays,
                parameters=rounded(arrays.parameters),
                inputs=arrays.inputs.astype(dtype),
                states=rounded(arrays.states),
                d_outputs=arrays.d_outputs.astype(dtype),
                d_finals=rounded(arrays.d_finals),
            )
        )

    @property
    def dtype(self) -> np.dtype[np.generic]:
        """The format of the numbers."""
        return self.arrays.inputs.dtype

    @property
    def numbers(self) -> dict[str, Array]:
        """Every array the subject gets, by flat name."""
        arrays = self.arrays
        table = {"inputs": arrays.inputs, "d_outputs": arrays.d_outputs}
        table |= {f"parameters.{name}": value for name, value in arrays.parameters.items()}
        table |= {f"states.{name}": value for name, value in arrays.states.items()}
        return table | {f"d_finals.{name}": value for name, value in arrays.d_finals.items()}

    @cached_property
    def sizes(self) -> dict[str, int]:
        """The program's sizes, read off the numbers (a property may have added a unit or a feature)."""
        return sizes_of(self.subject, self.arrays)

    @property
    def has_library_functions(self) -> bool:
        """Whether the subject is known to compute tanh and sigmoid with NumPy or torch."""
        cell = self.subject.cell
        return not (isinstance(cell, _MaybeCandidate) and cell.is_candidate)

    @cached_property
    def run(self) -> Run:
        """The subject's forward."""
        arrays = self.arrays
        return self.subject.forward(arrays.parameters, arrays.inputs, arrays.states or None, arrays.lengths)

    @cached_property
    def gradients(self) -> Gradients:
        """The subject's backward."""
        return self.subject.backward(self.run, self.arrays.d_outputs, self.arrays.d_finals or None)

    @cached_property
    def program(self) -> Program:
        """The spec's equations."""
        return self.subject.spec.program(LAYERS)

    def _groups(self) -> Iterator[_Group]:
        """Yield the rows of equal length with what is expected over that length; rows of length 0 do not occur."""
        arrays = self.arrays
        steps, batch = arrays.inputs.shape[:2]
        lengths = np.full(batch, steps) if arrays.lengths is None else arrays.lengths
        for length in np.unique(lengths[lengths > 0]):
            rows = np.flatnonzero(lengths == length)
            states = {name: value[rows] for name, value in arrays.states.items()}
            values = self.subject.values(arrays.parameters, arrays.inputs[:length, rows], states, self.sizes)
            d_outputs = {self.subject.output_name: arrays.d_outputs[:length, rows]}
            d_finals = {name: arrays.d_finals[source][rows] for name, source in self.subject.states.items()}
            programs = forms(self.subject.spec, self.options.alternatives)
            allowed = self.options.rounding(str(self.dtype))
            expectations = (expect(program, values, d_outputs, d_finals, allowed) for program in programs)
            yield _Group(rows, int(length), tuple(expectations))

    @property
    def radii(self) -> Radii:
        """The bounds of the forward in this dtype, proved in balls."""
        match _BOUND_SOURCE.get():
            case BoundSource.ARB:
                return self._radii_in_arb
            case BoundSource.NARROWER_ARRAYS:
                return self._narrower_radii
            case BoundSource.WIDER_ARRAYS:
                return self._wider_radii

    @cached_property
    def _narrower_radii(self) -> Radii:
        return self._wider_radii.divided_by(self._most_over_arb)

    @cached_property
    def _wider_radii(self) -> Radii:
        return self._computed_radii(is_in_arrays=True)

    @cached_property
    def _radii_in_arb(self) -> Radii:
        return self._computed_radii(is_in_arrays=False)

    @property
    def _most_over_arb(self) -> float:
        """How many times as wide as Arb's bounds those in arrays are at most."""
        return most_over_arb(self.options.rounding(str(self.dtype)))

    def _computed_radii(self, is_in_arrays: bool) -> Radii:
        steps, batch = self.arrays.inputs.shape[:2]
        symbols: dict[str, Array] = {}
        finals = {name: np.zeros(value.shape) for name, value in self.arrays.states.items()}
        last = self._last_steps()
        for group in self._groups():
            sources = group.sources(is_in_arrays)
            for t, step in enumerate(sources[0].step_radii):
                for name, value in step.items():
                    symbols.setdefault(name, np.zeros((steps, batch, value.shape[-1])))
                    symbols[name][t, group.rows] = _step_radius(sources, t, name)
            for name, source in self.subject.states.items():
                finals[source][group.rows] = _step_radius(sources, last[name], name)
        trace = {source: symbols[name] for name, source in self.subject.trace.items() if name in symbols}
        return Radii(symbols[self.subject.output_name], finals, trace)

    def _last_steps(self) -> dict[str, int]:
        """Return the index of the step after which each state is final."""
        backward = {state.name for pass_ in self.program.passes if pass_.direction < 0 for state in pass_.carried}
        return {name: 0 if name in backward else -1 for name in self.subject.states}

    @property
    def gradient_radii(self) -> Gradients:
        """The bounds of the backward in this dtype: radii in place of gradients."""
        match _BOUND_SOURCE.get():
            case BoundSource.ARB:
                return self._gradient_radii_in_arb
            case BoundSource.NARROWER_ARRAYS:
                return self._narrower_gradient_radii
            case BoundSource.WIDER_ARRAYS:
                return self._wider_gradient_radii

    @cached_property
    def _narrower_gradient_radii(self) -> Gradients:
        wider, factor = self._wider_gradient_radii, self._most_over_arb
        return Gradients(wider.inputs / factor, _divided(wider.states, factor), _divided(wider.parameters, factor))

    @cached_property
    def _wider_gradient_radii(self) -> Gradients:
        return self._computed_gradient_radii(is_in_arrays=True)

    @cached_property
    def _gradient_radii_in_arb(self) -> Gradients:
        return self._computed_gradient_radii(is_in_arrays=False)

    def _computed_gradient_radii(self, is_in_arrays: bool) -> Gradients:
        arrays = self.arrays
        inputs = np.zeros(arrays.inputs.shape)
        states = {name: np.zeros(value.shape) for name, value in arrays.d_finals.items()}
        parameters = {name: np.zeros(value.shape) for name, value in arrays.parameters.items()}
        weights = []
        for group in self._groups():
            sources = group.sources(is_in_arrays)
            # A ball of either kind offers what the maps of parameters do with an array.
            forms_cotangents = cast("list[Cotangents[Array]]", [source.cotangents for source in sources])
            printed, of_input = forms_cotangents[0], self.subject.input_name
            for t in range(len(printed.inputs.get(of_input, ()))):
                balls: list[Array | ArrayBall] = [form.inputs[of_input][t] for form in forms_cotangents]
                inputs[t, group.rows] = _widest_radius(sources, balls)
            for name, source in self.subject.states.items():
                if name in printed.states:
                    balls = [form.states[name] for form in forms_cotangents]
                    states[source][group.rows] = _widest_radius(sources, balls)
            gathered = [self.subject.gradients(form.parameters, arrays.parameters) for form in forms_cotangents]
            for name in gathered[0]:
                parameters[name] = parameters[name] + _widest_radius(sources, [table[name] for table in gathered])
            weights.append(group.length * len(group.rows))
        # A sum over all rows rounds each term more often than the sums over the groups did.
        factor = math.ceil(sum(weights) / min(weights)) if weights else 1
        return Gradients(inputs, states, {name: factor * value for name, value in parameters.items()})


def flat(gradients: Gradients) -> dict[str, Array]:
    """Return gradients by flat name: ``inputs``, ``states.h``, ``parameters.W_x``.

    Args:
        gradients: What a backward returns; its arrays are not copied.
    """
    table = {"inputs": gradients.inputs} | {f"states.{name}": value for name, value in gradients.states.items()}
    return table | {f"parameters.{name}": value for name, value in gradients.parameters.items()}


@lru_cache(maxsize=1)
def _run_of(evaluation: Evaluation) -> SubjectRun:
    """Make the run of the evaluation that is judged now."""
    return SubjectRun(evaluation.subject, evaluation.arrays.on_common_grain(), evaluation.options)
