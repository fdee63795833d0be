"""A function of one step or of a sequence, with a backward function or without, as a source of calls."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from rnn_harness.array_types import Array
from rnn_harness.errors import UsageError
from rnn_harness.options import OptionTable
from rnn_harness.validation.cells.callable_facts import name_of
from rnn_harness.validation.loading.adapters.parameter_trees import tree_leaves, tree_with_leaves


class FunctionCall:
    """A pair of functions, of which the first is called with its parameters bound.

    Args:
        forward: The forward function, its parameters bound.
        backward: The backward function; None if there is none.
    """

    def __init__(self, forward: Callable[..., Any], backward: Callable[..., Any] | None) -> None:
        self.forward, self.backward = forward, backward

    def arrays(self) -> dict[str, Array]:
        """Return nothing: functions keep nothing."""
        return {}

    def set_states(self, attributes: Sequence[str], states: Sequence[Array]) -> None:
        """Refuse: functions keep no states.

        Raises:
            UsageError: Always.
        """
        raise UsageError("a function keeps no state")

    def states(self, attributes: Sequence[str]) -> list[Any]:
        """Refuse: functions keep no states.

        Raises:
            UsageError: Always.
        """
        raise UsageError("a function keeps no state")


class FunctionSource:
    """A forward function whose parameters are arguments, and a backward function.

    Attributes:
        tree: The parameters as the function takes them: a dictionary by the names of its arguments, or whatever
            stands for its argument `tree_argument`.
        tree_argument: The one argument that takes all parameters; empty where each has its own.
    """

    keywords = True
    holder: object = None

    def __init__(
        self, function: Callable[..., Any], backward: Callable[..., Any] | None, tree: Any, tree_argument: str
    ) -> None:
        """Make the source.

        Args:
            function: The forward function.
            backward: The backward function; None if there is none.
            tree: The parameters as the function takes them.
            tree_argument: The one argument that takes all of them; empty where each has its own.
        """
        self.forward_function, self.backward_function = function, backward
        if tree_argument and isinstance(tree, np.ndarray):  # W may be all parameters, or the one matrix that there is
            tree, tree_argument = {tree_argument: tree}, ""
        self.tree, self.tree_argument = tree, tree_argument
        # A compiled or partial function may have no name.
        self.name = name_of(function)
        self.backward_name = "" if backward is None else name_of(backward, "its backward")
        self.parameters: dict[str, Array] = {
            leaf.path: leaf.value for leaf in tree_leaves(tree) if isinstance(leaf.value, np.ndarray)
        }

    def fresh(self, parameters: Mapping[str, Array]) -> FunctionCall:
        """Return the functions with copies of these parameters."""
        tree = self.tree_of(parameters)
        bound = {self.tree_argument: tree} if self.tree_argument else tree
        return FunctionCall(functools.partial(self.forward_function, **bound), self.backward_function)

    def tree_of(self, parameters: Mapping[str, Array]) -> Any:
        """Return copies of the parameters, as the function takes them."""
        leaves: OptionTable = {leaf.path: leaf.value for leaf in tree_leaves(self.tree)}
        return tree_with_leaves(self.tree, leaves | {name: value.copy() for name, value in parameters.items()})
