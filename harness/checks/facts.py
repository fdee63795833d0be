"""Facts that decide claims by one computation: of the specs' structure, of data around sequences, of exact numbers.

A fact is a question with two samples: what the documents speak of, and something for which the answer must be no.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Generic, TypeVar

import numpy as np
from flint import arb, arb_mat

from rnn_harness.arithmetic.ball import precision
from rnn_harness.array_types import Array
from rnn_harness.checks.check import Finding
from rnn_harness.references import cross_entropy, get_reference
from rnn_harness.references.clipping import clip_by_norm, clip_by_value
from rnn_harness.references.sequences import chronological_split, stateful_batches, windows
from rnn_harness.specs import library
from rnn_harness.specs.expression import Apply, Function, Role, variables, walk
from rnn_harness.specs.program import Program

Sample = TypeVar("Sample")
FACTS_SPEC = "facts"
"""What stands in the place of a spec in the records of facts."""


@dataclass(frozen=True)
class Answer:
    """Whether a fact holds for a sample, and the numbers.

    Attributes:
        holds: Whether it does.
        detail: What was computed.
    """

    holds: bool
    detail: str


@dataclass(frozen=True)
class Fact(Generic[Sample]):
    """A question that a computation answers.

    Attributes:
        name: Its name in records, after ``facts/``.
        decide: Answers it for a sample.
        sample: What the documents speak of.
        opposite: Something for which the answer is no.
    """

    name: str
    decide: Callable[[Sample], Answer]
    sample: Sample
    opposite: Sample

    def finding(self) -> Finding:
        """Decide it for what the documents speak of; without a no for the opposite, nothing is proved."""
        if self.decide(self.opposite).holds:
            return Finding(self.name, False, "it holds for its opposite, too: it decides nothing")
        answer = self.decide(self.sample)
        return Finding(self.name, answer.holds, answer.detail)


def _program(spec: str) -> Program:
    return library().spec(spec).program()


def _gates(program: Program) -> int:
    """Count the sigmoids of a step."""
    nodes = (node for step in program.assignments for node in walk(step.expression))
    return sum(isinstance(node, Apply) and node.function is Function.SIGMOID for node in nodes)


def _one_state_is_the_output(spec: str) -> Answer:
    program = _program(spec)
    states, outputs = ([v.name for v in part] for part in (program.states, program.outputs))
    detail = f"states {', '.join(states)}; output {', '.join(outputs)}; {_gates(program)} gates"
    return Answer(len(states) == 1 and states == outputs and _gates(program) == 2, detail)


def _gates_and_states(pair: tuple[str, str]) -> Answer:
    gru, lstm = (_program(spec) for spec in pair)
    counts = (_gates(gru), _gates(lstm), len(gru.states), len(lstm.states))
    detail = "gates {} and {}, states {} and {}".format(*counts)
    return Answer(counts == (2, 3, 1, 2), detail)


def _memory_and_gates_are_added(pair: tuple[str, str]) -> Answer:
    rnn, lstm = (_program(spec) for spec in pair)
    counts = (len(rnn.states), _gates(rnn), len(lstm.states), _gates(lstm))
    detail = "states and gates: {} and {} (RNN), {} and {} (LSTM)".format(*counts)
    return Answer(counts == (1, 0, 2, 3), detail)


def _all_but_the_input_have_one_size(spec: str) -> Answer:
    program = _program(spec)
    shapes = {step.target.shape for step in program.assignments} | {state.shape for state in program.states}
    inputs = {variable.shape for variable in program.inputs}
    return Answer(len(shapes) == 1 and not inputs & shapes, f"{len(shapes)} shape of gates, candidate and state")


def _order_of_computation(spec: str) -> Answer:
    program = _program(spec)
    needs = {
        step.target.name: {v.name for v in variables(step.expression) if v.time == 0 and v.role is not Role.INPUT}
        for step in program.assignments
    }
    computed = set(needs)
    before = {name: sorted(used & computed) for name, used in needs.items()}
    state = program.states[0].name
    candidates = [name for name, used in before.items() if used and name != state]
    gates = [name for name, used in before.items() if not used]
    is_so = len(candidates) == 1 and len(gates) == 2 and len(before[candidates[0]]) == 1 and len(before[state]) == 2
    detail = "; ".join(f"{name} needs {', '.join(used) or 'none of the others'}" for name, used in before.items())
    return Answer(is_so, detail)


def _smaller_is_not_enough(factors: Sequence[Fraction]) -> Answer:
    """Whether a product is smaller exactly where the factor is below 1, and a factor below 10 may make 10 larger."""
    products = [(factor, 10 * factor) for factor in factors]
    by_size = all((abs(product) < 10) == (abs(factor) < 1) for factor, product in products)
    larger = [factor for factor, product in products if abs(factor) < 10 and product > 10]
    detail = ", ".join(f"10 x {float(factor):g} = {float(product):g}" for factor, product in products)
    return Answer(by_size and bool(larger), detail)


def _clipping_by_value_turns(gradient: Array) -> Answer:
    """Whether the gradient keeps its direction if it is clipped by its norm, and loses it if by its values."""
    by_norm, by_value = clip_by_norm({"w": gradient}, 1.0)["w"], clip_by_value({"w": gradient}, 1.0)["w"]
    cosines = [
        float(clipped @ gradient / np.linalg.norm(clipped) / np.linalg.norm(gradient))
        for clipped in (by_norm, by_value)
    ]
    sizes = float(np.linalg.norm(by_norm)), float(np.abs(by_value).max())
    kept = np.isclose(cosines[0], 1) and max(sizes) <= 1 + 2.0**-50
    return Answer(
        bool(kept and not np.isclose(cosines[1], 1)), f"cosine {cosines[0]:.4f} by norm, {cosines[1]:.4f} by value"
    )


def _past_is_recovered(bits: int) -> Answer:
    """Whether the state 20 steps back is computed from the last one, of a sigmoid RNN with known inputs and weights.

    s_{t-1} = W^-1 (logit(s_t) - U x_t - b) undoes a step where W is invertible.
    """
    rng = np.random.default_rng(0)
    d, steps = 4, 20
    w, inputs, start = rng.standard_normal((d, d)) / 2, rng.standard_normal((steps, d)), rng.uniform(0.2, 0.8, d)
    with precision(bits):
        matrix = arb_mat(w.tolist())
        inverse = matrix.inv()
        state = arb_mat([[arb(x)] for x in start])
        drives = [arb_mat([[arb(x)] for x in row]) for row in inputs]
        for drive in drives:
            state = _each(matrix * state + drive, lambda a: 1 / (1 + (-a).exp()))
        state = _each(state, lambda s: s.mid())
        for drive in reversed(drives):
            state = _each(inverse * (_each(state, lambda s: (s / (1 - s)).log()) - drive), lambda s: s.mid())
        error = max(abs(float(state[i, 0]) - start[i]) for i in range(d))
    return Answer(error < 2.0**-40, f"with {bits} bits the state {steps} steps back is found to {error:.1g}")


def _each(column: arb_mat, function: Callable[[arb], arb]) -> arb_mat:
    return arb_mat([[function(column[i, 0])] for i in range(column.nrows())])


def _words_behind_the_first(sentence: str) -> Answer:
    words = sentence.replace(",", "").rstrip(".").split()
    return Answer(len(words) - 1 == 3, f"{', '.join(words[1:])}: {len(words) - 1} outputs come before {words[0]}")


def _split_is_in_order(parts: Sequence[Sequence[int]]) -> Answer:
    joined = [index for part in parts for index in part]
    total = len(joined)
    shares = [len(part) / total for part in parts]
    runs = all(list(part) == list(range(part[0], part[0] + len(part))) for part in parts)
    agrees = joined == list(range(total)) and runs and shares == [0.7, 0.2, 0.1]
    return Answer(agrees, f"shares {shares}, {'in order' if joined == sorted(joined) else 'shuffled'}")


def _windows_do_not_overlap(starts: Sequence[Array]) -> Answer:
    seen = [int(value) for window in starts for value in window]
    return Answer(len(seen) == len(set(seen)), f"{len(starts)} windows, {len(seen) - len(set(seen))} samples twice")


def _loss_grows_with_the_distance(logits: Sequence[float]) -> Answer:
    """Whether the loss grows from one prediction to the next; each gives the label's class that logit, others 0."""
    classes = np.zeros((1, 1), dtype=np.intp)
    losses = [cross_entropy(np.array([[[logit, 0.0, 0.0]]]), classes)[0] for logit in logits]
    return Answer(losses == sorted(losses) and losses[0] < losses[-1], " < ".join(f"{loss:.3f}" for loss in losses))


def _starts_from_zeros(state: float) -> Answer:
    cell = get_reference("rnn")
    parameters = {name: np.full(shape, 0.25) for name, shape in cell.parameter_shapes(2, 3).items()}
    inputs = np.ones((2, 1, 2))
    bare = cell.forward(parameters, inputs).outputs
    begun = cell.forward(parameters, inputs, {"h": np.full((1, 3), state)}).outputs
    return Answer(bool(np.array_equal(bare, begun)), f"without a state it runs as from {state:g}")


def _share_of_long_lags_stays(factors: Sequence[Fraction]) -> Answer:
    """Whether enlarging the gradients of a short and a long lag leaves the long one's share of the sum as it is."""
    short, long = Fraction(1, 2), Fraction(1, 2**20)
    before = long / (short + long)
    after = factors[1] * long / (factors[0] * short + factors[1] * long)
    return Answer(after == before, f"the long lag's share is {float(before):.2g} before, {float(after):.2g} after")


@functools.cache
def facts() -> tuple[Fact[Any], ...]:
    """Return every fact."""
    split = [list(part) for part in chronological_split(100)]
    shuffled = [[*split[0][1:], split[1][0]], [split[0][0], *split[1][1:]], split[2]]
    carried = [inputs[:, 0] for inputs, _ in stateful_batches(np.arange(13), 1, 4)]
    sliding = list(windows(np.arange(13), 4)[0])
    rows: tuple[Fact[Any], ...] = (
        Fact("one-state-is-the-output", _one_state_is_the_output, "gru.keep.column", "lstm.column"),
        Fact("gates-and-states", _gates_and_states, ("gru.keep.column", "lstm.column"), ("lstm.column",) * 2),
        Fact("memory-and-gates", _memory_and_gates_are_added, ("rnn.tanh", "lstm.column"), ("rnn.tanh",) * 2),
        Fact("one-size-but-the-input", _all_but_the_input_have_one_size, "gru.write.concatenated", "lstm.projected"),
        Fact("order-of-computation", _order_of_computation, "gru.write.concatenated", "lstm.column"),
        Fact(
            "smaller-is-not-enough",
            _smaller_is_not_enough,
            (Fraction(1, 10), Fraction(1, 100), Fraction(5)),
            (Fraction(1, 10), Fraction(1, 100)),
        ),
        Fact("clipping-by-value-turns", _clipping_by_value_turns, np.array([3.0, 0.25]), np.array([3.0, 3.0])),
        Fact("share-of-long-lags", _share_of_long_lags_stays, (Fraction(1000),) * 2, (Fraction(1), Fraction(1000))),
        Fact("past-is-recovered", _past_is_recovered, 1000, 53),
        Fact("words-behind-amazon", _words_behind_the_first, "Amazon, the best website.", "Amazon, the website."),
        Fact("split-in-order", _split_is_in_order, split, shuffled),
        Fact("windows-do-not-overlap", _windows_do_not_overlap, carried, sliding),
        Fact("loss-grows-with-distance", _loss_grows_with_the_distance, (4.0, 2.0, 0.0, -3.0), (0.0, 2.0, 4.0)),
        Fact("starts-from-zeros", _starts_from_zeros, 0.0, 0.5),
    )
    return rows
