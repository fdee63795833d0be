"""A pair of NumPy functions whose outputs are no states, as an object with the two methods of a network.

``forward(params, X, h0)`` gives predictions and a cache, ``backward(dY, cache)`` the gradients of all that went in: no
state comes back, so that its gradients alone can be judged.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from rnn_harness.array_types import Array
from rnn_harness.errors import UsageError
from rnn_harness.validation.cells.callable_facts import name_of
from rnn_harness.validation.cells.capabilities import CellSizes
from rnn_harness.validation.loading.adapters.handwritten.argument_names import (
    backward_role_of,
    required_arguments,
    role_of,
)
from rnn_harness.validation.loading.adapters.handwritten.function_pairs import FunctionPair, backward_partner
from rnn_harness.validation.loading.adapters.numpy_functions import uses_jax
from rnn_harness.validation.loading.adapters.parameter_makers import make_parameters, possible_makers
from rnn_harness.validation.loading.adapters.parameter_trees import tree_leaves
from rnn_harness.validation.loading.find_networks import network_of_object
from rnn_harness.validation.loading.network_calls import INITIAL_STATES, ROWS, NetworkCall

_SIZES = CellSizes(5, 3)
_AXES_OF_STATES = (("B", "N"), ("N", "1"), ("N",), ("N", "B"))


def network_of_functions(function: Callable[..., Any] | FunctionPair) -> NetworkCall | None:
    """Find how a function with a backward is called that is a network's forward; None if no way is known.

    Args:
        function: Of an input, states and one tree of parameters, which a function beside it makes; alone, with its
            backward beside it, or as a pair. A backward takes the cotangent of the first result and the cache.
    """
    forward = function.forward if isinstance(function, FunctionPair) else function
    backward = function.backward if isinstance(function, FunctionPair) else backward_partner(function)
    if backward is None or uses_jax(forward):
        return None
    roles = {argument.name: role_of(argument.name) for argument in required_arguments(forward)}
    trees = [name for name, role in roles.items() if role == "tree"]
    if list(roles.values()).count("x") != 1 or len(trees) != 1 or not set(roles.values()) <= {"x", "h", "c", "tree"}:
        return None
    order = _backward_order(backward)
    if order is None:
        return None
    shown = f"{name_of(forward)} and {name_of(backward)}"
    states = [name for name, role in roles.items() if role in ("h", "c")]
    written_class = _network_class(forward, backward, order)
    for tree in _trees(forward):
        for axes in _AXES_OF_STATES if states else ((),):
            lengths = {"B": ROWS, "N": _SIZES.hidden_size, "1": 1}
            initial = {name: np.zeros([lengths[axis] for axis in axes]) for name in states}
            network = network_of_object(shown, written_class({trees[0]: tree}, initial), _sources(forward, backward))
            if network is not None:
                return replace(network, shown=shown)
    return None


def _backward_order(backward: Callable[..., Any]) -> tuple[str, str] | None:
    """Whether the gradient or the cache comes first; None if a backward requires anything else."""
    roles = [backward_role_of(argument.name) for argument in required_arguments(backward)]
    if roles == ["gradient", "cache"]:
        return "gradient", "cache"
    return ("cache", "gradient") if roles == ["cache", "gradient"] else None


def _trees(forward: Callable[..., Any]) -> Iterator[Any]:
    """Yield the parameters that functions beside a forward make."""
    for maker in possible_makers(forward):
        try:
            tree = make_parameters(maker, *_SIZES)
        except UsageError:
            continue
        leaves = [leaf.value for leaf in tree_leaves(tree)]
        if leaves and all(isinstance(value, np.ndarray) and value.dtype.kind == "f" for value in leaves):
            yield tree


def _sources(*functions: Callable[..., Any]) -> str:
    """The text of functions; empty where it is not to be had."""
    try:
        return "".join(inspect.getsource(function) for function in functions)
    except (OSError, TypeError):
        return ""


def _network_class(
    forward_function: Callable[..., Any], backward_function: Callable[..., Any], order: tuple[str, str]
) -> type:
    """The class of objects that keep parameters and states, and call the two functions."""
    names = [argument.name for argument in required_arguments(forward_function)]
    input_name = next(name for name in names if role_of(name) == "x")

    class FunctionNetwork:
        """The parameters and states of a pair of functions, by the arguments that take them.

        Attributes:
            cache: What the last forward gave for its backward.
        """

        def __init__(self, weights: Mapping[str, object], states: Mapping[str, Array]) -> None:
            """Keep the parameters and states."""
            vars(self).update(weights)
            vars(self)[INITIAL_STATES] = dict(states)
            self.cache: object = None

        def forward(self, x: Array) -> object:
            """Give the first result, and keep the cache."""
            kept = vars(self)
            weights = {name: kept[name] for name in names if name in kept}
            result = forward_function(**{input_name: x}, **weights, **kept[INITIAL_STATES])
            if not isinstance(result, tuple):
                return result
            self.cache = next((part for part in reversed(result) if isinstance(part, tuple | list | dict)), None)
            return result[0]

        @functools.wraps(backward_function)
        def backward(self, dout: Array) -> object:
            """Give the gradients."""
            values = {"gradient": dout, "cache": self.cache}
            return backward_function(*(values[token] for token in order))

    keyword = inspect.Parameter.POSITIONAL_OR_KEYWORD
    signature = inspect.Signature([inspect.Parameter(name, keyword) for name in ("self", "dout")])
    FunctionNetwork.backward.__signature__ = signature  # type: ignore[attr-defined]
    return FunctionNetwork
