"""The sums and derivatives of 003:274-394, read as printed and evaluated with concrete Jacobians.

Every derivative is a central difference quotient of 200-bit values, so nothing of the derived backward enters:
the derivative of s_j by s_k restarts the recurrence from a moved s_k; the direct one (printed with a plus) of s_k by W
moves W in step k alone; without the plus W moves in every step. Products contract the last axis with the first.
A Jacobian has the axes of its top, then those of its bottom.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from flint import arb

from rnn_harness.arithmetic import Values, evaluate
from rnn_harness.arithmetic.assumptions import QUOTIENT_BITS, QUOTIENT_FLOOR
from rnn_harness.arithmetic.ball import BallArithmetic, exact
from rnn_harness.array_types import Array, IndexArray
from rnn_harness.cases.case import Case
from rnn_harness.errors import UsageError
from rnn_harness.evaluation.evaluation import Evaluation
from rnn_harness.specs.notation import Binary, Bracket, Derivative, Name, Number, Total, Tree, parse
from rnn_harness.subjects.subject import LAYERS, Subject

STEPS = 4
"""The documents unroll four steps (003:376)."""


@dataclass(frozen=True)
class UnrolledRecurrence:
    """A recurrence with its loss -log(y_tc), over `STEPS` steps: what the identities speak about.

    Attributes:
        evaluation: the case, one batch row.
        classes: index of the right class at every step, (T,).
    """

    evaluation: Evaluation
    classes: IndexArray

    @functools.cached_property
    def arithmetic(self) -> BallArithmetic:
        """Balls at 200 bits."""
        return BallArithmetic()

    @functools.cached_property
    def parameters(self) -> dict[str, Array]:
        """The parameters of the case as balls."""
        return {name: self.arithmetic.array(value) for name, value in self.evaluation.values.parameters.items()}

    @property
    def state(self) -> str:
        """The name of the hidden state."""
        return self.evaluation.program.states[0].name

    def _run(self, parameters: dict[str, Array], state: Array, start: int, stop: int) -> Sequence[Mapping[str, Array]]:
        """Steps start+1 .. stop from the state after step `start`."""
        inputs = {name: value[start:stop] for name, value in self.evaluation.values.inputs.items()}
        values = Values(parameters, inputs, {self.state: state}, self.evaluation.case.sizes)
        return evaluate(self.evaluation.program, values, self.arithmetic).steps

    @functools.cached_property
    def states(self) -> list[Array]:
        """s_0 .. s_T."""
        start = self.arithmetic.array(self.evaluation.values.states[self.state])
        return [start, *(step[self.state] for step in self._run(self.parameters, start, 0, STEPS))]

    def _losses(self, steps: Sequence[Mapping[str, Array]], first: int) -> Array:
        name = self.evaluation.subject.output_name
        rows = [-step[name][0, self.classes[first + i]].log() for i, step in enumerate(steps)]
        return np.array(rows, dtype=object)

    def value(self, top: Name, step: int | None, parameters: dict[str, Array], state: Array, start: int) -> Any:
        """Return s_step, L_step, or the loss L of all steps.

        Args:
            top: which of them.
            step: its step; None for the loss of all steps.
            parameters: by name, as balls.
            state: the state (1, d) from which the recurrence starts.
            start: the step after which it does.

        Raises:
            UsageError: for the loss of the step from which the recurrence starts.
        """
        if top.base == "L":
            if step is None:
                return self._losses(self._run(parameters, state, start, STEPS), start).sum(keepdims=True)[0]
            if step == start:
                raise UsageError("a loss needs at least one step, or a state to read")
            return self._losses(self._run(parameters, state, start, step), start)[-1]
        if step == start:
            return state[0]
        return self._run(parameters, state, start, step or STEPS)[-1][self.state][0]

    def read_out(self, step: int, state: Array) -> Array:
        """Return L_step as a function of s_step alone.

        Args:
            step: from 1.
            state: s_step as balls (1, d).

        Returns:
            A single ball.
        """
        y = self.evaluation.program.outputs[0]
        local = next(a for a in self.evaluation.program.assignments if a.target.name == y.name)
        from rnn_harness.derivatives.single_equation import local_program

        values = Values(self.parameters, {self.state: state[None]}, {}, self.evaluation.case.sizes)
        output = evaluate(local_program(local), values, self.arithmetic).steps[0][y.name]
        return np.array(-output[0, self.classes[step - 1]].log(), dtype=object)

    def derivative(self, top: Name, top_step: int | None, bottom: Name, bottom_step: int | None, direct: bool) -> Array:
        """Return the Jacobian of `top` by `bottom`.

        Args:
            top: a state s or a loss L.
            top_step: its step; None for the loss of all steps.
            bottom: a state or a parameter.
            bottom_step: its step; None for a parameter.
            direct: whether the parameter moves in the last step alone.
        """
        if bottom_step is None:
            base = self.parameters[bottom.base]
            start = (top_step or 1) - 1 if direct else 0

            def moved(value: Array) -> Any:
                return self.value(top, top_step, {**self.parameters, bottom.base: value}, self.states[start], start)

        elif top.base == "L" and top_step == bottom_step:
            base = self.states[bottom_step]

            def moved(value: Array) -> Any:
                return self.read_out(bottom_step, value)

        else:
            base = self.states[bottom_step]

            def moved(value: Array) -> Any:
                return self.value(top, top_step, self.parameters, value, bottom_step)

        with self.arithmetic.scope():
            h = arb(2) ** -QUOTIENT_BITS
            columns = []
            for index in np.ndindex(*base.shape):
                ahead, behind = base.copy(), base.copy()
                ahead[index] += h
                behind[index] -= h
                columns.append((np.asarray(moved(ahead)) - np.asarray(moved(behind))) / (2 * h))
            shape = base.shape if bottom_step is None else base.shape[1:]
            stacked = np.stack([np.asarray(column, dtype=object) for column in columns], axis=-1)
            return stacked.reshape(*stacked.shape[:-1], *shape)

    def evaluate(self, tree: Tree, bound: dict[str, int]) -> Array:
        """Return the value of one side.

        Args:
            tree: the side as parsed.
            bound: values of the indices that are bound around it.

        Raises:
            UsageError: for a part that has no meaning in an identity.
        """
        match tree:
            case Name():
                step = _step(tree, bound)
                return np.asarray(self.value(tree, step, self.parameters, self.states[0], 0), dtype=object)
            case Number():
                return np.array(exact(tree.value), dtype=object)
            case Derivative():
                return self.derivative(
                    tree.top, _step(tree.top, bound), tree.bottom, _step(tree.bottom, bound), tree.direct
                )
            case Bracket() if len(tree.items) == 1:
                return self.evaluate(tree.items[0], bound)
            case Binary():
                first, second = self.evaluate(tree.left, bound), self.evaluate(tree.right, bound)
                if tree.sign == "+":
                    return first + second
                if tree.sign == "":
                    return np.tensordot(first, second, 1)
            case Total():
                upper = int(tree.upper) if tree.upper.isdigit() else bound[tree.upper]
                parts = [self.evaluate(tree.body, {**bound, tree.index: i}) for i in range(tree.lower, upper + 1)]
                return sum(parts[1:], parts[0])
        raise UsageError(f"column {tree.column}: this cannot stand in an identity")


def _step(name: Name, bound: dict[str, int]) -> int | None:
    if not name.sub:
        return None
    return int(name.sub) if name.sub.isdigit() else bound[name.sub]


@dataclass(frozen=True)
class IdentityResult:
    """Whether an identity holds.

    Attributes:
        agrees: whether every equality of it holds.
        worst: the largest difference of two sides over what is allowed.
        where: which side differs, and at which step; empty if it holds.
    """

    agrees: bool
    worst: float
    where: str = ""


def unroll(subject: Subject, seed: int) -> UnrolledRecurrence:
    """Draw a recurrence of small sizes with random values and random classes.

    Args:
        subject: a cell with an output layer and a softmax.
        seed: of the values and of the classes.
    """
    case = Case(spec=subject.spec.id, n=2, d=2, k=3, T=STEPS, B=1, seed=seed)
    evaluation = Evaluation.of(subject, case)
    assert evaluation.program is subject.spec.program(LAYERS)
    return UnrolledRecurrence(evaluation, np.random.default_rng(seed).integers(0, 3, STEPS))


def check_identity(text: str, recurrence: UnrolledRecurrence) -> IdentityResult:
    """Decide an identity for every step it is free in.

    Args:
        text: LaTeX of one or more chains of equalities.
        recurrence: the numbers.

    Raises:
        UsageError: it holds something that is no sum, product or derivative.
    """
    worst = 0.0
    with recurrence.arithmetic.scope():
        for chain in parse(text):
            free = any(name == "t" for name in _free(chain.sides[0]))
            for t in range(1, STEPS + 1) if free else (STEPS,):
                bound = {"T": STEPS, "t": t}
                values = [np.asarray(recurrence.evaluate(side, bound), dtype=object) for side in chain.sides]
                for number, value in enumerate(values[1:], 2):
                    gap = max((_gap(a, b) for a, b in zip(values[0].flat, value.flat, strict=True)), default=0.0)
                    worst = max(worst, gap)
                    if gap > 1:
                        return IdentityResult(False, worst, f"side {number} differs from side 1 at t = {t}")
    return IdentityResult(True, worst)


def _gap(a: arb, b: arb) -> float:
    limit = exact(QUOTIENT_FLOOR) * (1 + abs(a))
    return float((abs(a - b) / limit).abs_upper())


def _free(tree: Tree) -> set[str]:
    match tree:
        case Derivative():
            return {tree.top.sub, tree.bottom.sub}
        case Name():
            return {tree.sub}
        case _:
            return set()
