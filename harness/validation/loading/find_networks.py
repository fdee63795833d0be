"""Find how a network of NumPy is called whose outputs are no states: the layout of its input, its two methods."""

from __future__ import annotations

import inspect
import itertools
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import TypeVar

import numpy as np

from rnn_harness.arithmetic.assumptions import QUOTIENT_STEP, STRUCTURAL
from rnn_harness.array_types import Array
from rnn_harness.attributes import member
from rnn_harness.errors import UsageError
from rnn_harness.options import Options
from rnn_harness.validation.cells.loss_function import LossNumbers, drawn_numbers
from rnn_harness.validation.loading.adapters.array_objects import backward_method, forward_methods, made_with_weights
from rnn_harness.validation.loading.adapters.handwritten.argument_names import (
    all_arguments,
)
from rnn_harness.validation.loading.adapters.handwritten.late_weights import DescendsByGradient
from rnn_harness.validation.loading.adapters.handwritten.stored_arrays import possible_parameters, stored_arrays
from rnn_harness.validation.loading.named_arguments import made_with_named_arguments
from rnn_harness.validation.loading.network_calls import INPUT, ROWS, STEPS, NetworkCall
from rnn_harness.validation.loading.network_losses import RATES, TargetForm, network_losses

Driven = TypeVar("Driven")
_CUTS_GRADIENTS = re.compile(r"trunc|tbptt|bptt_?(steps|len|window|depth|back)", re.IGNORECASE)
_INPUT_SIZE = 5
"""The input size of what learns it when its weights are made."""
_STEP, _TOLERANCE = QUOTIENT_STEP["float64"], STRUCTURAL["float64"]
_NO_INPUT = np.zeros(0)
"""The input of what takes tokens, which have no gradient."""
_LAYOUTS = (("T", "B", "n"), ("B", "T", "n"), ("T", "n"), ("T", "n", "1"), ("T", "n", "B"), ("n", "T"), ("n", "B", "T"))


def network_or_cell(written_class: type, options: Options, drive_cell: Callable[[], Driven]) -> NetworkCall | Driven:
    """Find how a class is called as a network, or drive it as a cell.

    Whether an input has a width that is no axis of a weight is asked last: a cell whose weights take state and input
    side by side would be such a network, too.

    Args:
        written_class: The class.
        options: Further arguments of its constructor.
        drive_cell: Drives it as a cell.

    Raises:
        UsageError: It is no network, and cannot be driven as a cell.
    """
    name = written_class.__name__
    network = network_of_class(name, written_class, options)
    if network is not None:
        return network
    try:
        return drive_cell()
    except UsageError:
        network = network_of_class(name, written_class, options, further_widths=True)
        if network is None:
            raise
        return network


def network_of_class(
    name: str, written_class: type, options: Options, further_widths: bool = False
) -> NetworkCall | None:
    """Find how a class is called that gives outputs, and by its backward gradients; None if no way is known.

    It must mix the steps of its input, as no layer does that has no memory, and the gradient of one weight at least
    must be the slope of its outputs: else its backward may be meant of something else, such as the scores before a
    softmax, and nothing is said of it.

    Args:
        name: What to call it.
        written_class: The class; it is made with sizes by the names of its arguments.
        options: Further arguments of its constructor.
        further_widths: Whether the input may be of a width that is no axis of a weight.
    """
    holder = made_with_named_arguments(written_class, options)
    if holder is None:
        return None
    return network_of_object(name, made_with_weights(holder, _INPUT_SIZE), _source(written_class), further_widths)


def network_of_object(name: str, holder: object, source: str, further_widths: bool = True) -> NetworkCall | None:
    """Find how an object is called that gives outputs, and by its backward gradients; None if no way is known.

    Args:
        name: What to call it.
        holder: The object.
        source: Its text, which may speak of gradients that are cut.
        further_widths: Whether the input may be of a width that is no axis of a weight.
    """
    weights = possible_parameters(stored_arrays(holder))
    best: tuple[int, NetworkCall] | None = None
    for call in _calls(name, holder, weights, further_widths):
        right = _right_gradients(call)
        if right and (best is None or right > best[0]) and _mixes_steps(call):
            best = right, call
    if best is None:
        return None
    cuts = _CUTS_GRADIENTS.search(source) and not _cuts_behind_all_steps(holder)
    chosen = _of_one_step(best[1]) if cuts else best[1]
    given = chosen.run(drawn_numbers(chosen, 0)).gradients
    return chosen if INPUT in given else replace(chosen, parameters=weights)


def _cuts_behind_all_steps(holder: object) -> bool:
    """Whether an object says after how many steps it cuts its gradients, and there are fewer."""
    limits = [value for name, value in vars(holder).items() if _CUTS_GRADIENTS.search(name)]
    return bool(limits) and all(type(limit) is int and limit > STEPS for limit in limits)


def _source(written_class: type) -> str:
    """The text of a class; empty where it is not to be had."""
    try:
        return inspect.getsource(written_class)
    except (OSError, TypeError):
        return ""


def _of_one_step(call: NetworkCall) -> NetworkCall:
    """The network with an input of one step: over several it may cut its gradients on purpose."""
    gives = f"{call.gives}, and it may cut gradients through time, so that one step is run"
    if call.takes_tokens:
        return replace(call, steps=1, gives=gives)
    shape = tuple(1 if length == STEPS else length for length in call.parameters[INPUT].shape)
    x = np.random.default_rng(0).standard_normal(shape)
    return replace(call, parameters={**call.parameters, INPUT: x}, input=x, gives=gives)


def _calls(name: str, holder: object, weights: Mapping[str, Array], further_widths: bool) -> Iterator[NetworkCall]:
    """Yield the network with each pair of its methods and each layout of its input."""
    written_class = type(holder)
    for forward in forward_methods(written_class):
        backward = backward_method(written_class, forward)
        for loss in network_losses(holder, forward, backward) if weights else ():
            widths = _input_widths(weights, further_widths)
            rates = dict.fromkeys((_rate(holder, backward), ""))
            descends = _has_optimiser(holder)
            targets: tuple[TargetForm, ...] = ("numbers", "ones", "classes") if loss.name else ("numbers",)
            result = "loss" if loss.name else "outputs"
            lasts = (False,) if loss.name else (False, True)
            forms = itertools.product(widths, _LAYOUTS, (False, True), lasts, targets, rates)
            for width, layout, is_listed, of_last, target, rate in forms:
                lengths = {"T": STEPS, "B": ROWS, "n": width, "1": 1}
                if layout[0] != "T" and (is_listed or of_last):
                    continue
                x = np.random.default_rng(0).standard_normal([lengths[axis] for axis in layout])
                called = NetworkCall(name, holder, forward, backward, {**weights, INPUT: x}, x, is_listed, loss=loss)
                yield replace(called, target=target, rate=rate, of_last=of_last, result=result, descends=descends)
            # Tokens come last: an array of numbers may be read as such, too, and a weight be multiplied by a token.
            for of_last, target, rate in itertools.product(lasts, targets, rates) if further_widths else ():
                tokens = NetworkCall(name, holder, forward, backward, weights, _NO_INPUT, takes_tokens=True, loss=loss)
                yield replace(tokens, target=target, rate=rate, of_last=of_last, result=result, descends=descends)


def _has_optimiser(holder: object) -> bool:
    """Whether an object was given an optimiser when its weights were made, which its backward has step."""
    return any(isinstance(value, DescendsByGradient) for value in vars(holder).values())


def _input_widths(weights: Mapping[str, Array], further_widths: bool) -> list[int]:
    """The widths that an input may have: axes of weights, and further what remains of an axis beside the units.

    A matrix (d, d + n) takes state and input side by side, so that n is no axis of it. A series of single numbers has
    n = 1, which is tried last: biases are columns or rows too.
    """
    axes = {size for value in weights.values() for size in value.shape if size > 1}
    if not further_widths:
        return sorted(axes)
    matrices = [value.shape for value in weights.values() if value.ndim == 2]
    beside = {abs(rows - columns) for rows, columns in matrices if min(rows, columns) > 1} - {0}
    single = {1} if any(1 in shape for shape in matrices) else set()
    return [*sorted(axes), *sorted((beside | single) - axes, reverse=True)]


def _rate(holder: object, backward: str) -> str:
    """The argument of a backward that is a learning rate; empty where there is none."""
    names = [argument.name for argument in all_arguments(member(holder, backward))]
    return next((name for name in names if RATES.search(name)), "")


def _right_gradients(call: NetworkCall) -> int:
    """The number of weights whose gradient is the slope of the loss along a way that is drawn; 0 where it raises."""
    numbers = drawn_numbers(call, 0)
    rng, right = np.random.default_rng(1), 0
    try:
        with np.errstate(all="ignore"):
            gradients = call.run(numbers).gradients
            for name in gradients.keys() - {INPUT}:
                value = numbers.parameters[name]
                way = rng.standard_normal(value.shape)
                ends = [call.run(numbers.with_parameter(name, value + step * way)).loss for step in (_STEP, -_STEP)]
                slope, expected = (ends[0] - ends[1]) / (2 * _STEP), float((gradients[name] * way).sum())
                right += bool(expected) and abs(slope - expected) <= _TOLERANCE * abs(expected)
    except Exception:  # a function that is called in a wrong way may raise anything
        return 0
    return right


def _mixes_steps(call: NetworkCall) -> bool:
    """Whether what a step does to the outputs depends on another step, as it does by way of a state."""
    numbers = drawn_numbers(call, 2)
    outputs = [call.outputs(_moved(call, numbers, first, second)) for first in (0, 1) for second in (0, 1)]
    mixed = outputs[3] - outputs[2] - outputs[1] + outputs[0]
    return bool(np.abs(mixed).max() > _TOLERANCE * np.abs(outputs[0]).max())


def _moved(call: NetworkCall, numbers: LossNumbers, first: int, second: int) -> LossNumbers:
    """The numbers with so much added to the first and the second step of the input."""
    if call.takes_tokens:
        ahead, behind, *later = numbers.tokens
        return replace(numbers, tokens=(ahead + first, behind - second, *later))
    x = numbers.parameters[INPUT]
    time = next(axis for axis, length in enumerate(x.shape) if length == STEPS)
    moved = np.moveaxis(x.copy(), time, 0)
    moved[0] += first
    moved[1] += second
    return numbers.with_parameter(INPUT, np.moveaxis(moved, 0, time))
