"""Functions of one flat vector of parameters, as functions of the matrices and vectors that they cut it into.

``forward(theta, xs, h0)`` is what optimisers take. It is run once on a vector that notes what is taken out of it; from
then on each part is a parameter of its own, and a gradient of the whole vector is cut at the same places.
"""

from __future__ import annotations

import functools
import inspect
import itertools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from rnn_harness.array_types import Array
from rnn_harness.runtime.target_call import call_target
from rnn_harness.validation.cells.callable_facts import module_of
from rnn_harness.validation.cells.capabilities import CellSizes
from rnn_harness.validation.loading.adapters.handwritten.argument_names import all_arguments
from rnn_harness.validation.loading.adapters.handwritten.axes import shape_of
from rnn_harness.validation.loading.adapters.handwritten.forward_search import (
    LAYOUTS,
    OUTPUT_AXES,
    ArgumentOrder,
    argument_orders,
)
from rnn_harness.validation.loading.adapters.handwritten.forward_way import result_entries
from rnn_harness.validation.loading.adapters.handwritten.function_source import FunctionSource
from rnn_harness.validation.loading.adapters.handwritten.watched_vector import Part, division, watched
from rnn_harness.validation.loading.adapters.inferred_weights.size_terms import (
    INFERENCE_SIZES,
    ROWS,
    STEPS,
    Shape,
    term_of,
)

_LONG = 100_000
"""The length of a vector whose length is not known: longer than any that is cut at the sizes of a trial."""
_MOST_SIZES = 12
_LARGEST_SIZE = 128


@dataclass(frozen=True)
class FlatParameters:
    """The parts of a flat vector of parameters.

    Attributes:
        argument: The argument that takes the vector.
        shapes: The shape of each part: at every size, or at one.
        sizes: The sizes that the function is written for; None if it takes any.
    """

    argument: str
    shapes: tuple[Shape, ...] | tuple[tuple[int, ...], ...]
    sizes: CellSizes | None = None

    def make(self, sizes: CellSizes) -> dict[str, Array]:
        """Make random parameters, each under a name of its own.

        Args:
            sizes: The input size and the hidden size; not used of a function that is written for one size.
        """
        rng = np.random.default_rng(0)
        lengths = [shape.lengths(sizes) if isinstance(shape, Shape) else shape for shape in self.shapes]
        return {
            f"{self.argument}_{number}": np.asarray(rng.standard_normal(shape) / 2)
            for number, shape in enumerate(lengths, 1)
        }

    def adapted(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Return a function that takes the parts in the place of the vector, and gives its gradient in parts.

        Args:
            function: The forward, or the backward.
        """
        names = [argument.name for argument in all_arguments(function)]
        first = f"{self.argument}_1"

        @functools.wraps(function)
        def called(*values: Any, **keywords: Any) -> Any:
            arguments = {**dict(zip(names, values, strict=False)), **keywords}
            parts = next((value for value in arguments.values() if isinstance(value, dict) and first in value), {})
            flat = {
                name: np.concatenate([part.ravel() for part in value.values()]) if value is parts else value
                for name, value in arguments.items()
            }
            return _in_parts(function(**flat), parts)

        called.__signature__ = inspect.signature(function)  # type: ignore[attr-defined]
        return called


def _in_parts(result: Any, parts: Mapping[str, Array]) -> Any:
    """What comes back, each vector of the length of all parameters cut into their parts."""
    length = sum(part.size for part in parts.values())
    if isinstance(result, tuple | list):
        return type(result)([_in_parts(value, parts) for value in result])
    if not isinstance(result, np.ndarray) or result.shape != (length,) or not parts:
        return result
    cuts = np.cumsum([part.size for part in parts.values()])[:-1]
    pieces = np.split(result, cuts)
    return {name: piece.reshape(part.shape) for (name, part), piece in zip(parts.items(), pieces, strict=True)}


def flat_parameters(
    function: Callable[..., Any], argument: str, maker: Callable[[CellSizes], object] | None
) -> Iterator[FlatParameters]:
    """Yield the ways in which a function may cut a vector of all its parameters.

    Args:
        function: A function of inputs, states and parameters on NumPy arrays.
        argument: The one argument that takes all parameters.
        maker: Makes them for an input size and a hidden size; None if nothing does.
    """
    calls = list(_calls(function, argument))
    initial = None if maker is None else _vector_of(functools.partial(maker, INFERENCE_SIZES))
    for call in calls:
        parts = _parts(call, INFERENCE_SIZES, initial)
        shapes = tuple(map(_in_terms, parts))
        if shapes and all(shape is not None for shape in shapes):
            yield FlatParameters(argument, tuple(shape for shape in shapes if shape is not None))


def flat_parameters_of_one_size(
    function: Callable[..., Any], argument: str, maker: Callable[[], object]
) -> Iterator[FlatParameters]:
    """Yield the ways in which a function may cut its vector whose sizes are numbers of its module.

    Args:
        function: A function of inputs, states and parameters on NumPy arrays.
        argument: The one argument that takes all parameters.
        maker: Makes them, and takes no sizes.
    """
    initial, calls = _vector_of(maker), list(_calls(function, argument))
    if initial is None:
        return
    for sizes in itertools.permutations(numbers_of_module(function), 2):
        for call in calls:
            parts = _parts(call, CellSizes(*sizes), initial)
            if parts:
                yield FlatParameters(argument, tuple(part.shape for part in parts), CellSizes(*sizes))


@dataclass(frozen=True)
class _Call:
    """A way of calling a function of a flat vector.

    Attributes:
        function: The function.
        argument: The argument that takes the vector.
        order: Which argument is what.
        input_axes: The axes of the input.
        state_axes: The axes of a state.
    """

    function: Callable[..., Any]
    argument: str
    order: ArgumentOrder
    input_axes: str
    state_axes: str

    def run(self, vector: Array, sizes: CellSizes) -> bool:
        """Call it, and say whether a state or the states of all steps came back.

        Args:
            vector: The parameters.
            sizes: The input size and the hidden size.
        """
        rng = np.random.default_rng(5)
        n, d = sizes
        inputs, states = ({"T": STEPS, "B": ROWS, "N": size} for size in (n, d))
        values: dict[str, object] = {"x": rng.standard_normal(shape_of(self.input_axes, inputs))}
        for number in range(self.order.states):
            values[str(number)] = rng.standard_normal(shape_of(self.state_axes, states)) / 2
        arguments = [
            values[part] if part in values else tuple(values[place] for place in part) for part in self.order.order
        ]
        with np.errstate(all="ignore"):
            result = call_target(
                self.function, **{self.argument: vector}, **dict(zip(self.order.keywords, arguments, strict=True))
            )
        axes = OUTPUT_AXES["B" in self.input_axes] if "T" in self.input_axes else (self.state_axes,)
        wanted = {shape_of(letters, states) for letters in axes}
        return any(value.shape in wanted for value in result_entries(result).values())


def _calls(function: Callable[..., Any], argument: str) -> Iterator[_Call]:
    """Yield the ways of calling a function of a flat vector."""
    stand_in = FunctionSource(function, None, {}, argument)
    orders = [order for order in argument_orders(stand_in) if order.keywords]
    for (input_axes, state_axes), order in itertools.product(LAYOUTS, orders):
        if order.states or "T" in input_axes:
            yield _Call(function, argument, order, input_axes, state_axes)


def _parts(call: _Call, sizes: CellSizes, initial: Array | None) -> list[Part]:
    """The parts into which a call cuts its vector; none if it raises, gives no states, or leaves a part unused."""
    length = _LONG if initial is None else initial.size
    parts, runs = _run_watched(call, sizes, length)
    if initial is None and parts and parts[-1].stop == length:  # all that remains is the last part, of unknown length
        lengths = [gates * sizes.hidden_size for gates in (1, 4, 3, 2)]
        for width in lengths:
            parts, runs = _run_watched(call, sizes, parts[-1].start + width)
            if runs:
                break
    if not runs or not parts:
        return []
    exact, still_runs = _run_watched(call, sizes, parts[-1].stop)
    return exact if still_runs and exact == parts and (initial is None or parts[-1].stop == length) else []


def _run_watched(call: _Call, sizes: CellSizes, length: int) -> tuple[list[Part], bool]:
    """The parts that a call takes of a vector, as far as it runs, and whether it gave states."""
    vector = watched(np.random.default_rng(3).standard_normal(length) / 4)
    try:
        runs = call.run(vector, sizes)
    except (Exception, SystemExit):  # a function that is called in a wrong way may raise anything
        runs = False
    return division(vector), runs


def _in_terms(part: Part) -> Shape | None:
    """The shape of a part at every size; None where its lengths are none of those that parameters have."""
    terms = [term_of(length) for length in part.shape]
    return None if None in terms else Shape(tuple(term for term in terms if term is not None))


def _vector_of(maker: Callable[[], object]) -> Array | None:
    """The vector that a function makes; None if it raises, or makes anything else."""
    try:
        initial = call_target(maker)
    except Exception:  # a user's function may raise anything
        return None
    is_vector = isinstance(initial, np.ndarray) and initial.ndim == 1 and initial.dtype.kind == "f"
    return initial if is_vector and isinstance(initial, np.ndarray) else None


def numbers_of_module(function: Callable[..., Any]) -> list[int]:
    """Return the numbers in a function's module that may be sizes, at most a few.

    Args:
        function: The function, which may be wrapped.
    """
    known = vars(module_of(inspect.unwrap(function))).values()
    numbers = [value for value in known if type(value) is int and 1 < value <= _LARGEST_SIZE]
    return list(dict.fromkeys(numbers))[:_MOST_SIZES]
