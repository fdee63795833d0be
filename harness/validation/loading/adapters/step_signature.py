"""The arguments of a function of one step: which are data, which are parameters, and what shapes they can have."""

from __future__ import annotations

import inspect
import itertools
import re
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from rnn_harness.array_types import Array
from rnn_harness.attributes import array_shape
from rnn_harness.validation.cells.callable_facts import name_of
from rnn_harness.validation.cells.distinct_sizes import distinct_batch_size, distinct_step_count
from rnn_harness.validation.loading.adapters.array_bridge import ArrayArguments
from rnn_harness.validation.loading.adapters.handwritten.axes import shape_of

_INPUT_NAME = re.compile(r"(x|xt|x_t|inp|inputs?|input_t|xs|features|obs|observations?|x_?seq|seq|sequences?)$", re.I)
_STATE_NAME = re.compile(
    r"(h|hx|hs?_?prev|h_?tm1|ht_1|h_?t?_?1|hidden|hidden_state|states?|carry|a_?prev|prev_h|s|s_prev|h0|"
    r"prev_?(state|hidden|carry)|(state|hidden|carry)_?prev|c|cx|c_?prev|c_?tm1|ct_1|cell|cell_state|prev_c|c0|h_?t|c_?t|hc)$",
    re.I,
)
_TREE_NAME = re.compile(r"(params?|parameters|weights|theta|p|w|variables)$", re.I)


def takes_input_and_state(step: StepSignature) -> bool:
    """Say whether a function takes an input and a state, by the names of its arguments.

    Args:
        step: The function.
    """
    inputs = [name for name in step.data if _INPUT_NAME.match(name)]
    return bool(inputs) and len(step.data) > len(inputs)


class StepSignature:
    """A function of one step, with its arguments sorted by what they are named like.

    Attributes:
        function: What is called, with data and parameters.
        required: The arguments without a default, in order.
        data: Those that are inputs or states.
        parameters: The remaining ones.
        tree: The only parameter, if it is named like a dictionary or tuple of all parameters; else empty.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function
        arguments = inspect.signature(function).parameters.values()
        variadic = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
        self.required = [
            argument.name
            for argument in arguments
            if argument.default is argument.empty and argument.kind not in variadic
        ]
        self.data = [name for name in self.required if _INPUT_NAME.match(name) or _STATE_NAME.match(name)]
        self.parameters = [name for name in self.required if name not in self.data]
        trees = [name for name in self.parameters if _TREE_NAME.fullmatch(name)]
        self.tree = trees[0] if len(trees) == 1 == len(self.parameters) else ""

    @property
    def text(self) -> str:
        """The function's name and required arguments."""
        return f"{name_of(self.function)}({', '.join(self.required)})"

    def call(self, parameters: Any, arguments: tuple[object, ...], padding: str = "") -> object:
        """Call the function.

        Args:
            parameters: The tree, or a mapping from the names of its parameters.
            arguments: Its data, in the function's order; behind it may stand what says which steps are padding.
            padding: The name of that argument; empty if there is none.
        """
        by_name = {self.tree: parameters} if self.tree else dict(parameters)
        names = (*self.data, padding)[: len(arguments)] if padding else self.data
        return self.function(**dict(zip(names, arguments, strict=True)), **by_name)

    def guessed_parameters(self, n: int, d: int) -> Iterator[dict[str, Array]]:
        """Yield parameters with shapes by their names: every number of gates, both orientations, joined or not.

        Args:
            n: The input size.
            d: The hidden size.
        """
        if self.tree:
            return
        rng = np.random.default_rng(0)
        for gates, transposed, joined, column in itertools.product(
            (4, 3, 1), (False, True), (False, True), (False, True)
        ):
            shapes = {
                name: _guessed_shape(name, n, d, gates, transposed=transposed, joined=joined, column=column)
                for name in self.parameters
            }
            yield {name: rng.standard_normal(shape) for name, shape in shapes.items()}

    def trial_data(self, n: int, d: int) -> Iterator[ArrayArguments]:
        """Yield data of one step or a sequence, in rows, columns, or one vector; states alone, in pairs and tuples.

        Args:
            n: The input size.
            d: The hidden size.
        """
        rng = np.random.default_rng(1)
        several = distinct_batch_size(n, d)
        in_front = [("BN", "BN"), ("NB", "NB"), ("N", "N"), ("N1", "N1")]
        sequences = [("TBN", "BN"), ("BTN", "BN"), ("TN", "N"), ("TN1", "N1"), ("TNB", "NB")]
        for input_axes, state_axes in (*in_front, *sequences):
            for count in (0, 2, 1):  # a state alone, in a pair, or in a tuple of its own
                arguments: list[Array | tuple[Array, ...]] = []
                for name in self.data:
                    is_input = _INPUT_NAME.match(name) is not None
                    lengths = {"T": distinct_step_count(n, d), "B": several, "N": n if is_input else d}
                    shape = shape_of(input_axes if is_input else state_axes, lengths)
                    values = tuple(rng.standard_normal(shape) for _ in range(count or 1))
                    arguments.append(values if count and not is_input else values[0])
                yield tuple(arguments)

    def gives_states(self, arguments: tuple[object, ...], result: object, d: int) -> bool:
        """Say whether an array came back that has the shape of a state, or without states, of the outputs of all steps.

        Outputs of all steps may be those of two directions, one beside the other.

        Args:
            arguments: The data of the call, in the function's order.
            result: What it gave: an array, or tuples of arrays.
            d: The hidden size.
        """
        inputs = [argument for name, argument in zip(self.data, arguments, strict=True) if _INPUT_NAME.match(name)]
        states = [argument for name, argument in zip(self.data, arguments, strict=True) if not _INPUT_NAME.match(name)]
        state = states[0] if states else None
        of_state = array_shape(state[0] if isinstance(state, tuple) else state)
        wanted = {of_state}
        grid = (array_shape(inputs[0]) or ())[:-1] if inputs else ()
        if of_state and len(grid) == len(of_state):
            wanted.add((*grid, of_state[-1]))  # the outputs of all steps, and no last state
        if of_state is None:
            wanted = {(*grid, d), (*grid, 2 * d)} if grid else set()
        parts = result if isinstance(result, tuple | list) else (result,)
        flat = [value for part in parts for value in (part if isinstance(part, tuple | list) else (part,))]
        return any(array_shape(value) in wanted for value in flat)


def _guessed_shape(
    name: str, n: int, d: int, gates: int, *, transposed: bool, joined: bool, column: bool
) -> tuple[int, ...]:
    """The shape that a parameter of that name would have: a bias, or a recurrent or input weight."""
    letters = name.lower().replace("_", "")
    if letters.startswith("b"):
        return (gates * d, 1) if column else (gates * d,)
    recurrent = letters.startswith(("u", "r", "wh")) or "hh" in letters
    width = n + d if joined else d if recurrent else n
    return (width, gates * d) if transposed else (gates * d, width)
