"""Facts of numbers: products, clipped gradients, losses, and what a finite state can hold."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

import numpy as np
from flint import arb, arb_mat

from rnn_harness.arithmetic.assumptions import COMPLEX_STEP, FACT_MARGIN
from rnn_harness.arithmetic.ball import precision
from rnn_harness.array_types import Array
from rnn_harness.checks.facts.fact import Answer, Fact
from rnn_harness.references import OutputLayer, cross_entropy, get_reference, softmax
from rnn_harness.references.clipping import clip_by_norm, clip_by_value


def _is_near(first: Array | float, second: Array | float) -> bool:
    """Whether numbers are equal but for the rounding of a few operations in float64."""
    return bool(np.allclose(first, second, rtol=FACT_MARGIN, atol=FACT_MARGIN))


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
    is_along = _is_near(cosines[0], 1) and max(sizes) <= 1 + FACT_MARGIN
    return Answer(
        bool(is_along and not _is_near(cosines[1], 1)), f"cosine {cosines[0]:.4f} by norm, {cosines[1]:.4f} by value"
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
    return Answer(error < FACT_MARGIN, f"with {bits} bits the state {steps} steps back is found to {error:.1g}")


def _each(column: arb_mat, function: Callable[[arb], arb]) -> arb_mat:
    return arb_mat([[function(column[i, 0])] for i in range(column.nrows())])


def _loss_grows_with_the_distance(logits: Sequence[float]) -> Answer:
    """Whether the loss grows from one prediction to the next; each gives the label's class that logit, others 0."""
    classes = np.zeros((1, 1), dtype=np.intp)
    losses = [cross_entropy(np.array([[[logit, 0.0, 0.0]]]), classes)[0] for logit in logits]
    return Answer(losses == sorted(losses) and losses[0] < losses[-1], " < ".join(f"{loss:.3f}" for loss in losses))


def _share_of_long_lags_stays(factors: Sequence[Fraction]) -> Answer:
    """Whether enlarging the gradients of a short and a long lag leaves the long one's share of the sum as it is."""
    short, long = Fraction(1, 2), Fraction(1, 512)
    before = long / (short + long)
    after = factors[1] * long / (factors[0] * short + factors[1] * long)
    return Answer(after == before, f"the long lag's share is {float(before):.2g} before, {float(after):.2g} after")


def _cannot_hold_all(counts: tuple[int, int, int]) -> Answer:
    """Whether a state of so many bits has fewer values than there are sequences of so many steps of so many bits."""
    state, step, steps = counts
    detail = f"2^{state} states, 2^{step * steps} sequences of {steps} steps"
    return Answer(state < step * steps, detail)


def _are_probabilities(activation: str) -> Answer:
    """Whether an output layer makes numbers that are positive and add up to 1, of any logits."""
    layer = OutputLayer(activation)
    logits = np.array([[[-3.0, 0.5, 2.0]], [[40.0, 0.0, -40.0]]])
    outputs = layer.forward({"W_y": np.eye(3), "b_y": np.zeros(3)}, logits)
    totals = outputs.sum(axis=-1)
    detail = f"{activation}: smallest {outputs.min():.2g}, sums {', '.join(f'{total:.4g}' for total in totals.ravel())}"
    return Answer(bool((outputs > 0).all() and _is_near(totals, 1)), detail)


Reader = Callable[[Array], Array]
"""A number read from each row of a batch of sequences (B, T)."""


def _attended(sequences: Array) -> Array:
    """The mean of a sequence's numbers, weighted by a softmax over them: attention of a query 1, keys are values."""
    mean: Array = (softmax(sequences) * sequences).sum(axis=1)
    return mean


def _carried(sequences: Array) -> Array:
    """The last state of h_t = tanh(h_{t-1} / 2 + x_t)."""
    weights = {"W_x": np.ones((1, 1)), "W_h": np.full((1, 1), 0.5), "b": np.zeros(1)}
    weights = {name: value.astype(sequences.dtype) for name, value in weights.items()}
    return get_reference("rnn").forward(weights, sequences.T[:, :, None]).finals["h"][:, 0]


def _slopes_follow_the_inputs(read: Reader) -> Answer:
    """Whether what is read has the slopes of the inputs themselves, wherever they stand: turned round if these are."""
    steps = 30
    inputs = np.random.default_rng(0).standard_normal(steps)
    moves = 1j * COMPLEX_STEP * np.eye(steps)
    slopes = [read(order + moves).imag / COMPLEX_STEP for order in (inputs, inputs[::-1])]
    first = [float(abs(slope[0])) for slope in slopes]
    detail = f"the slope at lag {steps - 1} is {first[0]:.1g}, and {first[1]:.1g} with the inputs in reverse"
    return Answer(bool(_is_near(slopes[0], slopes[1][::-1])), detail)


def facts_of_numbers() -> tuple[Fact[Any], ...]:
    """Return the facts of numbers."""
    rows: tuple[Fact[Any], ...] = (
        Fact(
            "smaller-is-not-enough",
            _smaller_is_not_enough,
            (Fraction(1, 10), Fraction(1, 100), Fraction(5)),
            (Fraction(1, 10), Fraction(1, 100)),
        ),
        Fact("clipping-by-value-turns", _clipping_by_value_turns, np.array([3.0, 0.25]), np.array([3.0, 3.0])),
        Fact("share-of-long-lags", _share_of_long_lags_stays, (Fraction(1000),) * 2, (Fraction(1), Fraction(1000))),
        Fact("past-is-recovered", _past_is_recovered, 1000, 53),
        Fact("loss-grows-with-distance", _loss_grows_with_the_distance, (4.0, 2.0, 0.0, -3.0), (0.0, 2.0, 4.0)),
        Fact("finite-state-cannot-hold-all", _cannot_hold_all, (4 * 32, 8, 100), (4 * 32, 8, 16)),
        Fact("softmax-gives-probabilities", _are_probabilities, "softmax", "sigmoid"),
        Fact("attention-has-no-lag", _slopes_follow_the_inputs, _attended, _carried),
    )
    return rows
