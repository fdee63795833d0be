"""Weights of a loss that are its arguments: made by a function beside it, or of shapes that its use of them shows."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from rnn_harness.array_types import Array
from rnn_harness.validation.loading.adapters.handwritten.argument_names import required_arguments
from rnn_harness.validation.loading.adapters.handwritten.flat_parameters import numbers_of_module
from rnn_harness.validation.loading.adapters.handwritten.watched_vector import division, watched
from rnn_harness.validation.loading.adapters.inferred_weights.choices import ChoiceSearch
from rnn_harness.validation.loading.adapters.inferred_weights.infer import FEW_RUNS, MANY_RUNS
from rnn_harness.validation.loading.adapters.inferred_weights.operations import add_operators
from rnn_harness.validation.loading.adapters.inferred_weights.size_terms import INFERENCE_SIZES
from rnn_harness.validation.loading.adapters.inferred_weights.unknown_weight import (
    RowNumber,
    RunOfShapes,
    UnknownWeight,
)
from rnn_harness.validation.loading.adapters.parameter_makers import OUTPUTS, make_parameters, possible_makers
from rnn_harness.validation.loading.adapters.parameter_trees import tree_leaves
from rnn_harness.validation.loading.named_arguments import named_arguments

_LONG = 100_000
"""The length of a vector whose length is not known: longer than any that is cut at the sizes of a trial."""
WeightTrees = Mapping[str, object]
"""Arrays, or dictionaries and lists of them, by the argument that takes them."""
FIRST_TOKENS = tuple(map(RowNumber, (0, INFERENCE_SIZES.input_size - 1, 1, INFERENCE_SIZES.input_size - 1)))
"""Tokens of a first call: with the last one, so that a weight that is too long shows."""


class MadeWeights(NamedTuple):
    """Weights that a function makes.

    Attributes:
        trees: The weights.
        sizes: The sizes for which they were made: one flat vector does not show them.
    """

    trees: WeightTrees
    sizes: tuple[int, ...]


def made_weights(function: Callable[..., Any], names: Sequence[str]) -> Iterator[MadeWeights]:
    """Yield the weights that a function beside the loss makes, where one argument takes all of them.

    Args:
        function: The loss.
        names: The arguments that take weights.
    """
    makers = possible_makers(function) if len(names) == 1 else ()
    for maker in makers:
        arguments = named_arguments(maker, {})
        attempts: list[tuple[Callable[[], Any], tuple[int, ...]]] = []
        if arguments:
            sizes = tuple(value for value in arguments.values() if type(value) is int)
            attempts.append((functools.partial(maker, **arguments), sizes))
        attempts.append((functools.partial(make_parameters, maker, *INFERENCE_SIZES), (*INFERENCE_SIZES, OUTPUTS)))
        if not required_arguments(maker):
            attempts.append((maker, tuple(numbers_of_module(function))))
        for attempt, sizes in attempts:
            try:
                trees = {names[0]: attempt()}
            except Exception:  # a user's function may raise anything
                continue
            leaves = [leaf.value for leaf in tree_leaves(trees)]
            if leaves and all(isinstance(value, np.ndarray) and value.dtype.kind == "f" for value in leaves):
                yield MadeWeights(trees, sizes)


def cut_vectors(name: str, loss_of: Callable[[WeightTrees], float], widths: Sequence[int]) -> Iterator[Array]:
    """Yield one flat vector of weights of each length that a loss may cut into parts; nothing where it cuts none.

    Args:
        name: The argument that takes the vector.
        loss_of: The loss of given weights, which may raise once it has cut them.
        widths: The lengths that the last part may have, where it is all that remains.
    """
    rng = np.random.default_rng(3)
    vector = watched(rng.standard_normal(_LONG) / 4)
    with contextlib.suppress(Exception, SystemExit), np.errstate(all="ignore"):  # it is called in many wrong ways
        loss_of({name: vector})
    parts = division(vector)
    if not parts:
        return
    is_open = parts[-1].stop == _LONG
    for length in [parts[-1].start + width for width in widths] if is_open else [parts[-1].stop]:
        yield np.asarray(rng.standard_normal(length) / 4)


def inferred_weights(
    names: Sequence[str], loss_of: Callable[[WeightTrees], float], *, is_thorough: bool
) -> WeightTrees | None:
    """Return weights of the first shapes with which a loss is a number; None if there are none.

    Args:
        names: The arguments that take weights.
        loss_of: The loss of given weights, which raises where they do not fit.
        is_thorough: Whether many shapes are tried, and not a few.
    """
    add_operators()
    for choices in ChoiceSearch(MANY_RUNS if is_thorough else FEW_RUNS):
        run = RunOfShapes(choices, np.asarray)
        unknown = {name: UnknownWeight(run) for name in names}
        try:
            with np.errstate(all="ignore"):
                loss_of(unknown)
            trees = {name: weight.tree() for name, weight in unknown.items()}
            if _every_end_counts(trees, loss_of):
                return trees
        except (Exception, SystemExit):  # a function whose weights have wrong shapes may raise anything
            continue
    return None


def _every_end_counts(trees: WeightTrees, loss_of: Callable[[WeightTrees], float]) -> bool:
    """Whether the last number along every axis of every weight reaches the loss: else the weight is too long."""
    leaves = list(tree_leaves(trees))
    for leaf in leaves:
        value = leaf.value
        if not isinstance(value, np.ndarray):
            return False
        for axis in range(value.ndim):
            end = np.moveaxis(value, axis, 0)[-1:]
            before = end.copy()
            end[...] = np.nan
            with np.errstate(all="ignore"):
                is_reached = np.isnan(loss_of(trees))
            end[...] = before
            if not is_reached:
                return False
    return bool(leaves)
