"""Symmetries of the hidden units: permutation, sign, splitting, side by side. M-04, M-07, M-33 to M-35, M-41."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from rnn_harness.relations._change import along, permuted, reordered, take, with_units, without_bias
from rnn_harness.relations._relation import Comparison, close, relation, runs_close, same
from rnn_harness.relations._traits import Traits, axes, everything, is_candidate, is_rnn
from rnn_harness.trial import Trial


def _single_recurrent(traits: Traits) -> bool:
    return traits.single and traits.recurrent


@relation("M-04", "permuting the hidden units permutes the states", "R", everything, ("transposed",))
def hidden_permutation(trial: Trial) -> Iterator[Comparison]:
    """W -> P W, U -> P U P^T, b -> P b, p -> P p, s -> P s."""
    d = trial.sizes["d"]
    if d > 1:
        order = np.roll(np.arange(d), 1)
        other = permuted(trial, order)
        yield close(
            "outputs",
            reordered(trial, trial.seen.outputs, order),
            other.seen.outputs,
            lambda: (
                reordered(trial, trial.enclosure.outputs.radius, order) + other.enclosure.outputs.radius
            ),
        )
        for name, value in trial.seen.finals.items():
            yield close(
                f"final {name}",
                value[:, order],
                other.seen.finals[name],
                lambda name=name: (
                    trial.enclosure.finals[name].radius[:, order] + other.enclosure.finals[name].radius
                ),
            )


@relation("M-41", "gradients are permuted like the weights", "R", everything, ("backward",))
def gradient_permutation(trial: Trial) -> Iterator[Comparison]:
    """The gradient for P U P^T is P (gradient for U) P^T, and so on."""
    d = trial.sizes["d"]
    if d > 1:
        order = np.roll(np.arange(d), 1)
        other = permuted(trial, order)
        turned = along(trial.gradients.parameters, take(order, d), "hidden", "below", "merged")
        for name, value in turned.items():
            yield close(
                f"gradient of {name}",
                value,
                other.gradients.parameters[name],
                lambda name=name: (
                    along(
                        {name: trial.gradient_enclosure.parameters[name].radius},
                        take(order, d),
                        "hidden",
                        "below",
                        "merged",
                    )[name]
                    + other.gradient_enclosure.parameters[name].radius
                ),
            )


@relation("M-07", "hidden units may change sign when tanh is odd", "B", lambda traits: traits.odd, ("sigma",))
def sign_gauge(trial: Trial) -> Iterator[Comparison]:
    """D = diag(+-1): candidate rows D, all U -> U D, peepholes -> p D gives h -> D h, c -> D c, bit for bit."""
    drawn = trial.drawn
    d = trial.sizes["d"]
    signs = np.where(np.arange(d) % 2 == 0, -1.0, 1.0).astype(drawn.dtype)

    def flip(name: str, value: np.ndarray[tuple[int, ...], np.dtype[np.floating]], axis: int, kind: str) -> (
        np.ndarray[tuple[int, ...], np.dtype[np.floating]]
    ):
        peephole = ".W_c" in f".{name}"
        if axis == 0 and kind == "hidden":
            diagonal = peephole and value.ndim == 1
            if not is_candidate(name) and not diagonal:
                return value
        both = np.concatenate([signs, signs]) if value.shape[axis] == 2 * d and kind == "merged" else signs
        shape = [1] * value.ndim
        shape[axis] = len(both)
        return value * both.reshape(shape)

    other = trial.at(
        drawn.changed(
            parameters=along(drawn.parameters, flip, "hidden", "below", "merged"),
            states={name: value * signs for name, value in drawn.states.items()},
        )
    )
    for name, value in trial.seen.finals.items():
        yield same(f"final {name}", value * signs, other.seen.finals[name])


@relation("M-07b", "a tanh RNN without bias is an odd function", "B", lambda t: is_rnn(t) and t.odd, ("sigma",))
def oddness(trial: Trial) -> Iterator[Comparison]:
    """S(-X, -h) = -S(X, h)."""
    drawn = trial.drawn.changed(parameters=without_bias(trial.drawn.parameters))
    a = trial.at(drawn)
    b = trial.at(
        drawn.changed(inputs=-drawn.inputs, states={name: -value for name, value in drawn.states.items()})
    )
    yield same("final h", a.seen.finals["h"], -b.seen.finals["h"])


@relation("M-33", "two cells side by side are one cell with block-diagonal weights", "R", _single_recurrent)
def direct_sum(trial: Trial) -> Iterator[Comparison]:
    """The direct sum of the cell and of itself with its units in another order."""
    drawn = trial.drawn
    d = trial.sizes["d"]
    order = np.roll(np.arange(d), 1)
    other = permuted(trial, order)

    def joined(name: str) -> np.ndarray[tuple[int, ...], np.dtype[np.floating]]:
        one, two = drawn.parameters[name], other.drawn.parameters[name]
        if axes(name)[: one.ndim] == ("hidden", "hidden"):
            zero = np.zeros_like(one)
            return np.block([[one, zero], [zero, two]])
        if name == "W_y":
            return np.concatenate([one, np.zeros_like(two)], axis=1)
        return one if name == "b_y" else np.concatenate([one, two], axis=0)

    whole = trial.at(
        drawn.changed(
            parameters={name: joined(name) for name in drawn.parameters},
            states={
                name: np.concatenate([value, other.drawn.states[name]], axis=1)
                for name, value in drawn.states.items()
            },
            d_finals={
                name: np.concatenate([value, other.drawn.d_finals[name]], axis=1)
                for name, value in drawn.d_finals.items()
            },
            d_outputs=drawn.d_outputs
            if trial.subject.output is not None
            else np.concatenate([drawn.d_outputs, other.drawn.d_outputs], axis=2),
        )
    )
    for name, value in trial.seen.finals.items():
        both = np.concatenate([value, value[:, order]], axis=1)
        yield close(
            f"final {name}",
            both,
            whole.seen.finals[name],
            lambda name=name: (
                np.concatenate(
                    [
                        trial.enclosure.finals[name].radius,
                        trial.enclosure.finals[name].radius[:, order],
                    ],
                    axis=1,
                )
                + whole.enclosure.finals[name].radius
            ),
        )


@relation("M-34", "a unit that sends nothing leaves the others alone", "R", _single_recurrent)
def dead_unit(trial: Trial) -> Iterator[Comparison]:
    """One more unit, a copy of the first, whose outgoing weights are zero."""
    d = trial.sizes["d"]
    sends = np.ones(d + 1)
    sends[d] = 0
    yield from _grown(trial, with_units(trial, sends, np.zeros(1, dtype=np.intp)))


@relation("M-35", "a unit may be split in two that send half each", "R", _single_recurrent)
def unit_splitting(trial: Trial) -> Iterator[Comparison]:
    """Unit 0 twice, its outgoing weights halved."""
    d = trial.sizes["d"]
    sends = np.ones(d + 1)
    sends[0] = sends[d] = 0.5
    yield from _grown(trial, with_units(trial, sends, np.zeros(1, dtype=np.intp)))


def _grown(trial: Trial, larger: Trial) -> Iterator[Comparison]:
    d = trial.sizes["d"]
    for name, value in trial.seen.finals.items():
        yield close(
            f"final {name}",
            value,
            larger.seen.finals[name][:, :d],
            lambda name=name: (
                trial.enclosure.finals[name].radius + larger.enclosure.finals[name].radius[:, :d]
            ),
        )
    if trial.subject.output is not None:
        yield from runs_close_outputs(trial, larger)


def runs_close_outputs(trial: Trial, other: Trial) -> Iterator[Comparison]:
    """Only the outputs of two trials."""
    comparisons = runs_close(trial, other)
    yield next(comparisons)
