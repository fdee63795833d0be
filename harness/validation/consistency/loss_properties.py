"""What holds for any loss over a sequence with its gradients: its slopes, its value in pieces, what a state does."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial

import numpy as np

from rnn_harness.arithmetic.assumptions import QUOTIENT_ROUNDINGS, QUOTIENT_STEP, STRUCTURAL
from rnn_harness.array_types import Array
from rnn_harness.errors import NotRun
from rnn_harness.validation.cells.loss_function import USUAL_STEPS, LossFunction, LossValues, drawn_numbers
from rnn_harness.validation.consistency.consistency_property import Note, Violation
from rnn_harness.validation.consistency.question import Question

_STEP, _TOLERANCE = QUOTIENT_STEP["float64"], STRUCTURAL["float64"]
_MOST_ENTRIES = 120
"""Of how many entries of a parameter the slope is taken one by one; of fewer where a run has more steps than usual."""
_FEWEST_ENTRIES = 3
"""Of how many entries a surplus of one gradient must be a multiple of the weights: of one number it always is."""
_LARGE = 1 / 8
"""What share of the largest slope is not small."""


def loss_questions(loss: LossFunction) -> Iterator[Question]:
    """Yield what is asked of a loss.

    Args:
        loss: The loss, and how it is called.
    """
    yield Question("same-call-twice", partial(_is_repeated, loss))
    yield Question("loss-gradients", partial(_gradients, loss))
    yield Question("state-used", partial(_state_used, loss))
    yield Question("split-sequence", partial(_pieces, loss))


def _is_repeated(loss: LossFunction, seed: int) -> None:
    """Call it twice on the same numbers; it may drop units at random, which refutes nothing."""
    numbers = drawn_numbers(loss, seed)
    first, second = loss.run(numbers), loss.run(numbers)
    if first.loss != second.loss or any(
        not np.array_equal(value, second.gradients[name]) for name, value in first.gradients.items()
    ):
        raise NotRun("the same call twice gives other numbers, so that nothing can be compared")


def _gradients(loss: LossFunction, seed: int) -> Violation | Note | None:
    """Compare every gradient with central difference quotients of the loss."""
    _is_repeated(loss, seed)
    numbers = drawn_numbers(loss, seed)
    values = loss.run(numbers)
    slopes = {name: _slopes(loss, name, seed) for name in values.gradients}
    gradients = {
        name: np.where(np.isnan(slopes[name]), np.nan, gradient) for name, gradient in values.gradients.items()
    }
    rounding = QUOTIENT_ROUNDINGS * float(np.finfo(float).eps) * abs(values.loss) / _STEP
    wrong = _wrong(gradients, slopes, rounding)
    factor = _common_factor(gradients, slopes)
    if wrong and factor > 0:
        scaled = {name: gradient / factor for name, gradient in gradients.items()}
        if not _wrong(scaled, slopes, rounding):
            return Note(
                f"all of its gradients are {factor:.6g} times the slopes of its {loss.result}, scaled otherwise"
            )
    decay = _weight_decay(numbers.parameters, gradients, slopes, wrong)
    if wrong and decay:
        decayed = {name: gradients[name] - decay * numbers.parameters[name] for name in wrong}
        if not _wrong(decayed, slopes, rounding):
            share = f"the gradients of {', '.join(wrong)} have {decay:.6g} times the weights in them"
            return Note(f"{share}, as weight decay has, which is no part of its {loss.result}")
    if wrong:
        right = [name for name in gradients if name not in wrong]
        sentence = f"the gradients of {', '.join(wrong)} are not the slopes of its own {loss.result}"
        return Violation("backward", f"{sentence}; those of {', '.join(right)} are" if right else sentence)
    missing = _without_gradient(loss, values, seed)
    return (
        Note(f"no gradient comes back of {', '.join(missing)}, on which the {loss.result} depends") if missing else None
    )


def _slopes(loss: LossFunction, name: str, seed: int) -> Array:
    """The slope of the loss along each entry of a parameter; NaN for those that are left out."""
    numbers = drawn_numbers(loss, seed)
    value = numbers.parameters[name]
    slopes = np.full(value.size, np.nan)
    most = _MOST_ENTRIES * USUAL_STEPS // max(len(numbers.tokens), USUAL_STEPS)
    chosen = np.random.default_rng(seed).permutation(value.size)[:most]
    for entry in chosen:
        ends = []
        for step in (_STEP, -_STEP):
            moved = value.copy().reshape(-1)
            moved[entry] += step
            ends.append(loss.run(numbers.with_parameter(name, moved.reshape(value.shape))).loss)
        slopes[entry] = (ends[0] - ends[1]) / (2 * _STEP)
    return slopes.reshape(value.shape)


def _wrong(gradients: Mapping[str, Array], slopes: Mapping[str, Array], rounding: float) -> list[str]:
    """The parameters whose gradients are off by more than a quotient may be, but for entries that are clipped."""
    wrong = []
    for name, gradient in gradients.items():
        is_clipped = (np.abs(slopes[name]) > np.abs(gradient)) & (gradient * slopes[name] > 0) & _is_round(gradient)
        gap = np.nanmax(np.where(is_clipped, 0.0, np.abs(gradient - slopes[name])))
        scale = max(np.nanmax(np.abs(gradient)), np.nanmax(np.abs(slopes[name])))
        if not gap <= max(_TOLERANCE * scale, rounding):
            wrong.append(name)
    return wrong


def _is_round(gradient: Array) -> Array:
    """Where a gradient is a unbroken multiple of a tenth, as bounds are to which gradients are clipped; never at 0."""
    tenths = 10 * np.nan_to_num(gradient)
    is_whole: Array = np.logical_and(tenths == np.round(tenths), tenths != 0)
    return is_whole


def _common_factor(gradients: Mapping[str, Array], slopes: Mapping[str, Array]) -> float:
    """How many times the slopes the gradients are at most entries that are not small."""
    largest = max(float(np.nanmax(np.abs(value))) for value in slopes.values())
    ratios = [
        (gradients[name] / np.where(slopes[name] == 0, np.nan, slopes[name]))[np.abs(slopes[name]) > _LARGE * largest]
        for name in gradients
    ]
    every = np.concatenate([ratio.reshape(-1) for ratio in ratios])
    return float(np.median(every)) if every.size else 0.0


def _weight_decay(
    parameters: Mapping[str, Array], gradients: Mapping[str, Array], slopes: Mapping[str, Array], wrong: list[str]
) -> float:
    """How many times the weights are in a wrong gradient besides its slope; 0 where no number could contradict it."""
    largest = max(wrong, key=lambda name: int(np.isfinite(slopes[name]).sum()), default="")
    if not largest or np.isfinite(slopes[largest]).sum() < _FEWEST_ENTRIES:
        return 0.0
    surplus, weights = gradients[largest] - slopes[largest], parameters[largest]
    return float(np.nansum(surplus * weights) / np.nansum(np.where(np.isnan(surplus), np.nan, weights**2)))


def _without_gradient(loss: LossFunction, values: LossValues, seed: int) -> list[str]:
    """The parameters on which the loss depends and of which no gradient comes back."""
    numbers = drawn_numbers(loss, seed)
    missing = []
    for name in sorted(set(numbers.parameters) - set(values.gradients)):
        moved = loss.run(numbers.with_parameter(name, numbers.parameters[name] + _STEP))
        if moved.loss != values.loss:
            missing.append(name)
    return missing


def _state_used(loss: LossFunction, seed: int) -> Violation | None:
    """Move every state that is given: the loss must change."""
    _is_repeated(loss, seed)
    numbers = drawn_numbers(loss, seed)
    if not numbers.states:
        raise NotRun("it is given no state")
    usual = loss.run(numbers)
    for place in range(len(numbers.states)):
        moved = tuple(state + 1 if i == place else state for i, state in enumerate(numbers.states))
        if loss.run(replace(numbers, states=moved)).loss == usual.loss:
            return Violation("forward: initial state", f"state {place + 1} that is given has no influence on its loss")
    return None


def _pieces(loss: LossFunction, seed: int) -> Violation | None:
    """Take a sequence in two pieces: the losses must add up, or be means, and the last state must be the same."""
    _is_repeated(loss, seed)
    numbers = drawn_numbers(loss, seed)
    if loss.steps:
        raise NotRun(f"it is run over {loss.steps} steps alone")
    unbroken, steps = loss.run(numbers), len(numbers.tokens)
    if not numbers.states or len(unbroken.states) != len(numbers.states):
        raise NotRun("it does not give back the states that it is given")
    other_targets = loss.run(replace(numbers, targets=numbers.targets[::-1]))
    if any(not np.array_equal(a, b) for a, b in zip(other_targets.states, unbroken.states, strict=True)):
        raise NotRun("what comes back with the shape of a state depends on the targets, so that it is none")
    surplus = []
    for cut in (1, steps - 1):
        first = loss.run(numbers.steps(0, cut, numbers.states))
        second = loss.run(numbers.steps(cut, steps, first.states))
        pairs = zip(second.states, unbroken.states, strict=True)
        if any(np.abs(a - b).max() > _TOLERANCE * np.abs(b).max() for a, b in pairs):
            sentence = f"after {cut} and {steps - cut} steps the last state is not that of {steps} steps"
            return Violation("forward: last state", sentence)
        share = cut / steps
        mean = share * first.loss + (1 - share) * second.loss
        surplus.append(np.array([first.loss + second.loss, mean, second.loss]) - unbroken.loss)
    if not loss.adds_up:
        return None
    # A sum, a mean or the loss of the last step; a term that depends on the weights alone is counted once more.
    allowed = _TOLERANCE * abs(unbroken.loss)
    if np.abs(surplus).max(0)[1:].min() <= allowed or abs(surplus[0][0] - surplus[1][0]) <= allowed:
        return None
    sentence = f"the losses of the pieces of {steps} steps, one after the other, do not give that of all of them"
    return Violation("forward: loss", f"{sentence}, as a sum, a mean or that of the last step")
