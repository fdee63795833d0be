"""Functions of one step or of a sequence on NumPy arrays, alone or with a backward function that takes their cache."""

from __future__ import annotations

import contextlib
import functools
import inspect
import itertools
import sys
import types
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from rnn_harness.attributes import attribute
from rnn_harness.errors import UsageError
from rnn_harness.validation.cells.callable_facts import code_of, name_of
from rnn_harness.validation.cells.capabilities import CellSizes
from rnn_harness.validation.loading.adapters.adapter import DrivenModule
from rnn_harness.validation.loading.adapters.array_bridge import ArrayLibraryModule
from rnn_harness.validation.loading.adapters.handwritten.argument_names import (
    required_arguments,
    role_of,
    takes_targets,
)
from rnn_harness.validation.loading.adapters.handwritten.call_errors import FailureLog
from rnn_harness.validation.loading.adapters.handwritten.data_arguments import (
    AdaptedPair,
    adapted_pairs,
    padding_argument,
)
from rnn_harness.validation.loading.adapters.handwritten.drive_source import DrivenSource, drive_sources
from rnn_harness.validation.loading.adapters.handwritten.flat_parameters import (
    flat_parameters,
    flat_parameters_of_one_size,
)
from rnn_harness.validation.loading.adapters.handwritten.function_pairs import FunctionPair, backward_partner
from rnn_harness.validation.loading.adapters.handwritten.function_source import FunctionSource
from rnn_harness.validation.loading.adapters.handwritten.messages import computes_a_loss
from rnn_harness.validation.loading.adapters.handwritten.renamed_arguments import with_usual_names
from rnn_harness.validation.loading.adapters.handwritten.weight_shapes import (
    WeightShapes,
    make_weights,
    possible_shapes,
)
from rnn_harness.validation.loading.adapters.inferred_weights.infer import (
    FEW_RUNS,
    MANY_RUNS,
    inferred_trees,
    weights_of,
)
from rnn_harness.validation.loading.adapters.parameter_trees import tree_leaves

_DATA = ("x", "h", "c")
_ROUNDS_OF_USE = 2
"""How many of the first rounds take parameters that are made or fit how they are used, and not what they are called."""
MakeTree = Callable[[CellSizes], Any]
"""Makes the parameters of a function, as it takes them, for an input size and a hidden size."""


def drive_numpy_function(
    pair: Callable[..., Any] | FunctionPair,
    make_tree: MakeTree | None,
    sizes: CellSizes,
    log: FailureLog,
    makers_of_one_size: Sequence[Callable[[], object]] = (),
) -> DrivenModule | None:
    """Drive a function on NumPy arrays, with the backward that is named with it or stands next to it.

    Args:
        pair: The function, or a forward and a backward.
        make_tree: Makes its parameters; None to try shapes that fit their names.
        sizes: The input size and the hidden size.
        log: Where the ways that fail are noted.
        makers_of_one_size: Functions beside it that may make its parameters, and take no sizes.

    Returns:
        The module; None if the function does not take NumPy arrays.

    Raises:
        UsageError: It computes a loss.
    """
    function = pair.forward if isinstance(pair, FunctionPair) else pair
    backward = pair.backward if isinstance(pair, FunctionPair) else backward_partner(pair)
    if uses_jax(function):
        return None
    for adapted in adapted_pairs(function, backward):
        driven = _drive_flat(adapted, make_tree, makers_of_one_size, sizes, log)
        driven = driven or _drive_pair(adapted, make_tree, sizes, log)
        if driven is not None:
            return driven
    return None


def _drive_flat(
    adapted: AdaptedPair,
    make_tree: MakeTree | None,
    makers_of_one_size: Sequence[Callable[[], object]],
    sizes: CellSizes,
    log: FailureLog,
) -> DrivenModule | None:
    """Drive a pair that takes its parameters as one flat vector; None if it takes none, or more than parameters."""
    function = with_usual_names(adapted.forward)
    argument = tree_argument([name.name for name in required_arguments(function) if role_of(name.name) not in _DATA])
    if not argument:
        return None
    of_one_size = (flat_parameters_of_one_size(function, argument, maker) for maker in makers_of_one_size)
    for flat in itertools.chain(flat_parameters(function, argument, make_tree), *of_one_size):
        backward = adapted.backward
        pair = replace(
            adapted,
            forward=flat.adapted(function),
            backward=None if backward is None else flat.adapted(backward),
        )
        driven = _drive_pair(pair, flat.make, flat.sizes or sizes, log)
        if driven is not None and flat.sizes is None:
            return driven
        if driven is not None:
            return replace(driven, capabilities=replace(driven.capabilities, fixed_sizes=flat.sizes))
    return None


def _drive_pair(
    adapted: AdaptedPair, make_tree: MakeTree | None, sizes: CellSizes, log: FailureLog
) -> DrivenModule | None:
    """Drive a pair that takes inputs, states and parameters; None if it does not take NumPy arrays."""
    function, backward = adapted.forward, adapted.backward
    own_names = [argument.name for argument in required_arguments(function)]
    function = with_usual_names(function)
    names = [argument.name for argument in required_arguments(function)]
    parameter_names = [name for name in names if role_of(name) not in ("x", "h", "c")]
    if takes_targets(names):
        raise UsageError(computes_a_loss(name_of(function), own_names))
    if not parameter_names:
        return None
    argument = tree_argument(parameter_names)
    if make_tree is not None and not argument:
        make_tree = functools.partial(_by_argument, make_tree, tuple(parameter_names))
    rounds: tuple[Iterable[MakeTree], ...] = ((make_tree,),) if make_tree is not None else ()
    best: _FittingSource | None = None
    rounds = rounds or (
        _inferred_makers(function, parameter_names, argument, FEW_RUNS),
        _inferred_makers(function, parameter_names, argument, MANY_RUNS),
        _named_makers(parameter_names, argument),
    )
    tried: list[MakeTree] = []
    for number, makers in enumerate(rounds):
        of_round = list(makers)
        tried += of_round if number < _ROUNDS_OF_USE else []
        fitting = _drive_made(function, backward, of_round, argument, sizes, log)
        if fitting is not None and (best is None or fitting.driven.rank > best.driven.rank):
            best = fitting
        # More runs may show that it takes batches; what its names suggest is tried where gradients are lacking.
        if best is not None and best.driven.rank[0] and (best.driven.ways.forward.is_batched or number):
            break
    if best is None and takes_targets(own_names):
        raise UsageError(computes_a_loss(name_of(function), own_names))
    if best is None:
        return _drive_both_directions(replace(adapted, forward=function), tried, argument, sizes, log)
    driven, maker = best

    def remake(_: Any, wanted: CellSizes) -> ArrayLibraryModule:
        return driven.module(FunctionSource(function, backward, maker(wanted), argument), adapted.padding)

    padding = padding_argument(adapted.forward, adapted.padding) if driven.ways.forward.is_batched else None
    notes = (adapted.note,) if adapted.note else ()
    further = adapted.has_further_inputs
    capabilities = replace(driven.capabilities, notes=notes, padding=padding, has_further_inputs=further)
    return DrivenModule(remake(function, sizes), capabilities, remake=remake)


def _drive_both_directions(
    pair: AdaptedPair, makers: Sequence[MakeTree], argument: str, sizes: CellSizes, log: FailureLog
) -> DrivenModule | None:
    """Drive a function whose outputs are the states of two directions side by side; None if they are none.

    It is driven at one size: how wide its states are says how wide its outputs are, and not the other way round.
    """
    both = CellSizes(sizes.input_size, 2 * sizes.hidden_size)
    of_one_size = [functools.partial(_of_sizes, make, sizes) for make in makers]
    fitting = _drive_made(pair.forward, pair.backward, of_one_size, argument, both, log)
    if fitting is None:
        return None
    driven, maker = fitting

    def remake(_: Any, wanted: CellSizes) -> ArrayLibraryModule:
        return driven.module(FunctionSource(pair.forward, pair.backward, maker(wanted), argument))

    note = (
        f"its outputs are {both.hidden_size} wide where its states have {sizes.hidden_size} units: two directions, "
        "judged by what holds for every layer"
    )
    notes = (pair.note, note) if pair.note else (note,)
    capabilities = replace(driven.capabilities, notes=notes, fixed_sizes=both)
    return DrivenModule(remake(pair, both), capabilities, remake=remake)


def _by_argument(make: MakeTree, names: Sequence[str], sizes: CellSizes) -> Any:
    """What is made, by the arguments that take it: an array of a single one, or one of each in a tuple."""
    made = make(sizes)
    parts = made if isinstance(made, tuple | list) else (made,)
    return dict(zip(names, parts, strict=True)) if not isinstance(made, dict) and len(parts) == len(names) else made


def _of_sizes(make: MakeTree, sizes: CellSizes, _wanted: CellSizes) -> Any:
    """Parameters of fixed sizes, whatever is wanted."""
    return make(sizes)


class _FittingSource(NamedTuple):
    """A function that can be called with parameters of some shapes.

    Attributes:
        driven: How it is called.
        maker: Makes the parameters.
    """

    driven: DrivenSource
    maker: MakeTree


def _drive_made(
    function: Callable[..., Any],
    backward: Callable[..., Any] | None,
    makers: Iterable[MakeTree],
    argument: str,
    sizes: CellSizes,
    log: FailureLog,
) -> _FittingSource | None:
    """The function with the first parameters that it takes; None if it takes none of these."""
    sources = []
    for maker in makers:
        tree = maker(sizes)
        if all(isinstance(leaf.value, np.ndarray) for leaf in tree_leaves(tree)):
            sources.append((maker, FunctionSource(function, backward, tree, argument)))
    driven = drive_sources([source for _, source in sources], sizes, log)
    return None if driven is None else _FittingSource(driven, sources[driven.number][0])


def tree_argument(names: Sequence[str]) -> str:
    """Return the argument that takes all parameters; empty where each has its own.

    Args:
        names: The arguments that are parameters.
    """
    return names[0] if len(names) == 1 and role_of(names[0]) == "tree" else ""


def _inferred_makers(
    function: Callable[..., Any], names: Sequence[str], argument: str, most_runs: int
) -> Iterator[MakeTree]:
    """Yield makers of parameters of the shapes that the function uses them in."""
    for tree in inferred_trees(function, names, argument, most_runs=most_runs):
        yield functools.partial(weights_of, tree)


def _named_makers(names: Sequence[str], argument: str) -> Iterator[MakeTree]:
    """Yield makers of parameters of the shapes that fit the names of arguments; none for a tree of parameters."""
    if not argument:
        yield from (_maker(shapes) for shapes in possible_shapes(names))


def _maker(shapes: WeightShapes) -> MakeTree:
    return lambda sizes: make_weights(shapes, sizes)


def uses_jax(function: Callable[..., Any]) -> bool:
    """Say whether a function, or one of its module's that it calls, names a module of JAX.

    Args:
        function: The user's function, which may be compiled or have a derivative of its own; code is read, not run.
    """
    return "jax" in sys.modules and names_library(function, "jax")


def is_of_numpy_alone(function: Callable[..., Any]) -> bool:
    """Say whether a function computes with NumPy by what it names, and not with torch or JAX: with these it is not run.

    Args:
        function: The user's function; code is read, not run.
    """
    return names_library(function, "numpy") and not names_library(function, "torch") and not uses_jax(function)


def names_library(function: Callable[..., Any], library: str) -> bool:
    """Say whether a function, or one of its module's that it calls, names a module of a library.

    Args:
        function: The user's function; code is read, not run.
        library: The name of the library, as it is imported.
    """
    return any(_names(called, library) for called in functions_of_module(function))


def functions_of_module(function: Callable[..., Any]) -> list[object]:
    """List the functions of one module that a function calls, with itself.

    Args:
        function: The function, which may be compiled or have a derivative of its own; code is read, not run.
    """
    return _reached(inspect.unwrap(function), [])


def _reached(function: object, known: list[object]) -> list[object]:
    """Functions of one module that a function calls, with itself."""
    code = code_of(function)
    if code is None or any(function is other for other in known):
        return known
    known.append(function)
    module_name = attribute(function, "__module__", str) or ""
    for value in _named_objects(function, code):
        if callable(value) and attribute(value, "__module__", str) == module_name:
            _reached(inspect.unwrap(value), known)
    return known


def _named_objects(function: object, code: types.CodeType) -> Iterator[object]:
    """What a function, and those that it defines inside, name outside of themselves."""
    known = attribute(function, "__globals__", dict) or {}
    for cell in attribute(function, "__closure__", tuple) or ():
        with contextlib.suppress(ValueError):  # it has no value yet
            yield cell.cell_contents
    yield from (known[name] for name in code.co_names if name in known)
    for inner in code.co_consts:
        if isinstance(inner, types.CodeType):
            yield from (known[name] for name in inner.co_names if name in known)


def _names(function: object, library: str) -> bool:
    """Whether a function names a library or one of its modules, or something out of them."""
    code = code_of(function)
    named = () if code is None else _named_objects(function, code)
    homes = (
        value.__name__ if isinstance(value, types.ModuleType) else attribute(value, "__module__", str)
        for value in named
    )
    return any(str(home).partition(".")[0] == library for home in homes)
