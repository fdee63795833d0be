"""Infer the shapes of a function's parameters: it runs until a series of decisions gives states of the right width."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np

from rnn_harness.array_types import Array
from rnn_harness.runtime.target_call import call_target
from rnn_harness.validation.cells.capabilities import CellSizes
from rnn_harness.validation.loading.adapters.handwritten.axes import shape_of
from rnn_harness.validation.loading.adapters.handwritten.forward_search import (
    LAYOUTS,
    OUTPUT_AXES,
    argument_orders,
)
from rnn_harness.validation.loading.adapters.handwritten.forward_way import result_entries
from rnn_harness.validation.loading.adapters.handwritten.function_source import FunctionSource
from rnn_harness.validation.loading.adapters.inferred_weights.choices import Choices, ChoiceSearch
from rnn_harness.validation.loading.adapters.inferred_weights.operations import add_operators
from rnn_harness.validation.loading.adapters.inferred_weights.size_terms import (
    INFERENCE_SIZES,
    ROWS,
    STEPS,
    Shape,
    term_of,
)
from rnn_harness.validation.loading.adapters.inferred_weights.unknown_weight import RunOfShapes, UnknownWeight
from rnn_harness.validation.loading.adapters.parameter_trees import map_tree, tree_leaves, tree_with_leaves

ShapeTree: TypeAlias = Any
"""Dictionaries and lists of `Shape`, as a function nests its parameters."""
FEW_RUNS, MANY_RUNS = 40, 600
"""How many runs each way of calling gets, in a first and in a second round."""
_RUNS_OF_A_LENGTH = 20
"""How many runs a length gets that may be free."""
_MOST_TREES = 4


def _arrays(result: Any) -> list[Any]:
    """The arrays in a result, lists of steps as one array."""
    return list(result_entries(result).values())


@dataclass(frozen=True)
class ArrayLibrary:
    """How a function of some library is called.

    Attributes:
        convert: From a NumPy array to an array of the library.
        numbers: From an array of the library to a NumPy array.
        leaves_of: The arrays in what the function gives.
        run_abstractly: Runs the function on the shapes of arguments alone, and gives what it would give, shapes in the
            place of arrays; None where it is run on numbers.
    """

    convert: Callable[[Array], Any] = np.asarray
    numbers: Callable[[Any], Array] = np.asarray
    leaves_of: Callable[[Any], list[Any]] = _arrays
    run_abstractly: Callable[[Callable[..., Any], dict[str, object]], Any] | None = None

    def shapes_of(self, function: Callable[..., Any], arguments: dict[str, object]) -> list[tuple[int, ...]]:
        """Return the shapes of the arrays that a function makes.

        Args:
            function: What is called, its parameters bound.
            arguments: Its inputs and states by name.
        """

        def made(**values: Any) -> list[Any]:
            """The arrays that are made, and not handed through from the arguments."""
            taken = [part for value in values.values() for part in (value if isinstance(value, tuple) else (value,))]
            arrays = self.leaves_of(call_target(function, **values))
            return [array for array in arrays if not any(array is part for part in taken)]

        arrays = made(**arguments) if self.run_abstractly is None else self.run_abstractly(made, arguments)
        return [tuple(array.shape) for array in arrays]


@dataclass(frozen=True)
class _Layout:
    """A way of calling a function.

    Attributes:
        order: Which argument is what, as in `ForwardWay`.
        keywords: Their names.
        states: How many states.
        input_axes: The axes of the input.
        state_axes: The axes of a state.
        directions: How many states stand side by side in the outputs.
    """

    order: tuple[str, ...]
    keywords: tuple[str, ...]
    states: int
    input_axes: str
    state_axes: str
    directions: int = 1


def inferred_trees(
    function: Callable[..., Any],
    names: Sequence[str],
    tree_argument: str,
    library: ArrayLibrary | None = None,
    most_runs: int = FEW_RUNS,
) -> Iterator[ShapeTree]:
    """Yield the shapes that the parameters of a function can have, each once, likely ones first.

    Args:
        function: The function of inputs, states and parameters.
        names: The arguments that are parameters.
        tree_argument: The one among them that takes all parameters; empty if each has its own.
        library: The library that the function computes with; None for NumPy.
        most_runs: How many runs each way of calling gets.
    """
    add_operators()
    layouts = list(_layouts(function, names, tree_argument))
    yielded: list[ShapeTree] = []
    for layout in layouts:
        tree = _Attempts(function, names, tree_argument, layout, library or ArrayLibrary()).first_tree(most_runs)
        if tree is not None and tree not in yielded:
            yielded.append(tree)
            yield tree
            if len(yielded) == _MOST_TREES:
                return


def weights_of(tree: ShapeTree, sizes: CellSizes) -> Any:
    """Return random weights of inferred shapes.

    Args:
        tree: The shapes.
        sizes: The input size and the hidden size.
    """
    rng = np.random.default_rng(0)
    return map_tree(lambda shape: np.asarray(rng.standard_normal(shape.lengths(sizes)) / 2), tree)


def _layouts(function: Callable[..., Any], names: Sequence[str], tree_argument: str) -> Iterator[_Layout]:
    """The ways of calling a function of which all arguments but its parameters are known."""
    stand_in = FunctionSource(function, None, {name: np.zeros(1) for name in names}, tree_argument)
    orders = list(argument_orders(stand_in))
    both_directions: list[_Layout] = []
    for input_axes, state_axes in LAYOUTS:
        for order in orders:
            if order.states or "T" in input_axes:
                layout = _Layout(order.order, order.keywords, order.states, input_axes, state_axes)
                yield layout
                if not order.states and "B" in input_axes:
                    both_directions.append(replace(layout, directions=2))
            if order.order.count("0"):
                alone = tuple("0," if part == "0" else part for part in order.order)
                yield _Layout(alone, order.keywords, order.states, input_axes, state_axes)
    yield from both_directions


@dataclass(frozen=True)
class _Attempts:
    """A function that is run with unknown parameters in one way.

    Attributes:
        function: The function.
        names: The arguments that are parameters.
        tree_argument: The one that takes all of them; empty if each has its own.
        layout: How it is called.
        library: What it computes with.
    """

    function: Callable[..., Any]
    names: Sequence[str]
    tree_argument: str
    layout: _Layout
    library: ArrayLibrary

    def first_tree(self, most_runs: int) -> ShapeTree | None:
        """Return the shapes of the first run that gives states of the right width; None if none does.

        Args:
            most_runs: After how many runs the search ends.
        """
        first = None
        for choices in ChoiceSearch(most_runs):
            outcome = self._run(choices)
            if outcome is not None and outcome.every_end_counts:
                return self._with_free_lengths(outcome).tree
            first = first or outcome
        return None if first is None else first.tree

    def _with_free_lengths(self, outcome: _Outcome) -> _Outcome:
        """The outcome, lengths that need not be the hidden size as ones of their own: a prediction is no state."""
        for place, number in reversed(outcome.free):  # a prediction is computed last
            if place < len(outcome.taken) and outcome.taken[place] != number:
                changed_one = (*outcome.taken[:place], number)
                for series in ((*changed_one, *outcome.taken[place + 1 :]), changed_one):
                    changed = self._freer(outcome, series)
                    if changed is not None:
                        outcome = changed
                        break
        return outcome

    def _freer(self, outcome: _Outcome, series: tuple[int, ...]) -> _Outcome | None:
        """The first outcome of these decisions with more lengths of their own and no other states; None without one."""
        for choices in ChoiceSearch(_RUNS_OF_A_LENGTH, series):
            changed = self._run(choices)
            if changed is not None and changed.every_end_counts and changed.is_freer_than(outcome):
                return changed
        return None

    def _run(self, choices: Choices) -> _Outcome | None:
        """What comes of a series of decisions; None if the function raises, or gives no states."""
        run = RunOfShapes(choices, self.library.convert)
        unknown = {name: UnknownWeight(run) for name in self.names}
        arguments = _arguments(self.layout, self.library.convert)
        try:
            with np.errstate(all="ignore"):
                shapes = self.library.shapes_of(functools.partial(self.function, **unknown), arguments)
            states = _places_of_states(shapes, self.layout)
            if not states:
                return None
            roots = {name: weight.tree() for name, weight in unknown.items()}
            counts = _every_end_counts(functools.partial(self.function, **arguments), roots, self.library)
            tree = map_tree(_terms, roots[self.tree_argument] if self.tree_argument else roots)
        except (Exception, SystemExit):  # a function whose parameters have wrong shapes may raise anything
            return None
        return _Outcome(tree, counts, states, tuple(choices.taken), tuple(run.free))


@dataclass(frozen=True)
class _Outcome:
    """A run that gave states.

    Attributes:
        tree: The shapes of the parameters.
        every_end_counts: Whether every parameter is read to its ends.
        states: Which of the arrays that it gave have the shape of states.
        taken: Its decisions.
        free: As `RunOfShapes.free`.
    """

    tree: ShapeTree
    every_end_counts: bool
    states: frozenset[int]
    taken: tuple[int, ...]
    free: tuple[tuple[int, int], ...]

    def is_freer_than(self, other: _Outcome) -> bool:
        """Say whether more lengths are free, and nothing is a state that was none."""
        count, others = (
            sum(outcome.taken[place] == number for place, number in outcome.free if place < len(outcome.taken))
            for outcome in (self, other)
        )
        return count > others and self.states <= other.states


def _every_end_counts(function: Callable[..., Any], roots: dict[str, object], library: ArrayLibrary) -> bool:
    """Whether the last number along every axis of every parameter reaches a result: else the parameter is too long.

    What is no number there makes what it reaches none. Leaves that are the parameters themselves tell nothing.
    """
    leaves: dict[str, object] = {leaf.path: leaf.value for leaf in tree_leaves(roots)}
    for path, whole in leaves.items():
        if not isinstance(whole, np.ndarray | np.generic) and not hasattr(whole, "shape"):
            continue
        for axis in range(len(whole.shape)):
            numbers = np.array(library.numbers(whole))
            np.moveaxis(numbers, axis, 0)[-1] = np.nan
            changed = library.convert(numbers)
            with np.errstate(all="ignore"):
                changed_roots: Any = tree_with_leaves(roots, {**leaves, path: changed})
                result = call_target(function, **changed_roots)
            arrays = [array for array in library.leaves_of(result) if array is not changed]
            if not any(np.isnan(library.numbers(array)).any() for array in arrays):
                return False
    return True


def _terms(weight: Any) -> Shape:
    """The shape of a parameter as terms; what was not used is a vector of the hidden size."""
    shape = (INFERENCE_SIZES.hidden_size,) if weight is None else weight.shape
    return Shape(tuple(term for length in shape if (term := term_of(int(length))) is not None))


def _arguments(layout: _Layout, convert: Callable[[Array], Any]) -> dict[str, object]:
    """The input and the states, by the names of their arguments."""
    rng = np.random.default_rng(5)
    n, d = INFERENCE_SIZES
    input_lengths, state_lengths = ({"T": STEPS, "B": ROWS, "N": size} for size in (n, d))
    values: dict[str, object] = {"x": convert(rng.standard_normal(shape_of(layout.input_axes, input_lengths)))}
    for place in range(layout.states):
        values[str(place)] = convert(rng.standard_normal(shape_of(layout.state_axes, state_lengths)) / 2)
    parts = [
        values[part] if part in values else tuple(values[place] for place in part if place != ",")
        for part in layout.order
    ]
    return dict(zip(layout.keywords, parts, strict=True))


def _places_of_states(result_shapes: Sequence[tuple[int, ...]], layout: _Layout) -> frozenset[int]:
    """Which of the shapes in a result are that of a state, or of the states of all steps."""
    lengths = {"T": STEPS, "B": ROWS, "N": layout.directions * INFERENCE_SIZES.hidden_size}
    wanted = [layout.state_axes] if layout.directions == 1 else []
    if "T" in layout.input_axes:
        wanted += OUTPUT_AXES["B" in layout.input_axes]
    shapes = {shape_of(axes, lengths) for axes in wanted}
    return frozenset(place for place, shape in enumerate(result_shapes) if shape in shapes)
