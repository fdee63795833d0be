"""Functions of one step or of a sequence on NumPy arrays, alone or with a backward function that takes their cache."""

from __future__ import annotations

import sys
import types
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from rnn_harness.errors import UsageError
from rnn_harness.options import Keywords
from rnn_harness.validation.cells.callable_facts import code_of, name_of
from rnn_harness.validation.cells.capabilities import CellSizes
from rnn_harness.validation.loading.adapters.adapter import DrivenModule
from rnn_harness.validation.loading.adapters.array_bridge import ArrayLibraryModule
from rnn_harness.validation.loading.adapters.handwritten.argument_keys import keys_read
from rnn_harness.validation.loading.adapters.handwritten.argument_names import (
    required_arguments,
    role_of,
    takes_targets,
)
from rnn_harness.validation.loading.adapters.handwritten.call_errors import FailureLog
from rnn_harness.validation.loading.adapters.handwritten.drive_source import drive_sources
from rnn_harness.validation.loading.adapters.handwritten.function_pairs import FunctionPair, backward_partner
from rnn_harness.validation.loading.adapters.handwritten.function_source import FunctionSource
from rnn_harness.validation.loading.adapters.handwritten.messages import computes_a_loss
from rnn_harness.validation.loading.adapters.handwritten.weight_shapes import (
    WeightShapes,
    make_weights,
    possible_shapes,
)
from rnn_harness.validation.loading.adapters.parameter_trees import tree_leaves

MakeTree = Callable[[CellSizes], Any]
"""Makes the parameters of a function, as it takes them, for an input size and a hidden size."""


def drive_numpy_function(
    pair: Callable[..., Any] | FunctionPair, make_tree: MakeTree | None, sizes: CellSizes, log: FailureLog
) -> DrivenModule | None:
    """Drive a function on NumPy arrays, with the backward that is named with it or stands next to it.

    Args:
        pair: The function, or a forward and a backward.
        make_tree: Makes its parameters; None to try shapes that fit their names.
        sizes: The input size and the hidden size.
        log: Where the ways that fail are noted.

    Returns:
        The module; None if the function does not take NumPy arrays.

    Raises:
        UsageError: It computes a loss.
    """
    function = pair.forward if isinstance(pair, FunctionPair) else pair
    backward = pair.backward if isinstance(pair, FunctionPair) else backward_partner(pair)
    names = [argument.name for argument in required_arguments(function)]
    if takes_targets(names):
        raise UsageError(computes_a_loss(name_of(function), names))
    parameter_names = [name for name in names if role_of(name) not in ("x", "h", "c")]
    if not parameter_names or uses_jax(function):
        return None
    is_tree = len(parameter_names) == 1 and role_of(parameter_names[0]) == "tree"
    argument = parameter_names[0] if is_tree else ""
    makers = [make_tree] if make_tree is not None else list(_tree_makers(function, parameter_names, argument))
    sources = []
    for maker in makers:
        tree = maker(sizes)
        if all(isinstance(leaf.value, np.ndarray) for leaf in tree_leaves(tree)):
            sources.append((maker, FunctionSource(function, backward, tree, argument)))
    driven = drive_sources([source for _, source in sources], sizes, log)
    if driven is None:
        return None
    fitting = sources[driven.number][0]

    def remake(_: Any, wanted: CellSizes) -> ArrayLibraryModule:
        return driven.module(FunctionSource(function, backward, fitting(wanted), argument))

    return DrivenModule(remake(pair, sizes), driven.capabilities, remake=remake)


def _tree_makers(function: Callable[..., Any], names: list[str], tree_argument: str) -> Iterator[MakeTree]:
    """Yield makers of parameters of the shapes that fit their names: those of arguments, or of keys that are read."""
    keys = keys_read(function, tree_argument) if tree_argument else names
    if keys:
        yield from (_maker(shapes) for shapes in possible_shapes(keys))


def _maker(shapes: WeightShapes) -> MakeTree:
    return lambda sizes: make_weights(shapes, sizes)


def uses_jax(function: Callable[..., Any]) -> bool:
    """Say whether a function names a module of JAX.

    Args:
        function: The user's function; its code is read, not run.
    """
    code = code_of(function)
    if code is None or "jax" not in sys.modules:
        return False
    known: Keywords = getattr(function, "__globals__", {})
    modules = (known.get(name) for name in code.co_names)
    return any(isinstance(module, types.ModuleType) and module.__name__.startswith("jax") for module in modules)
