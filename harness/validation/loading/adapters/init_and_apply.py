"""Pairs of JAX functions: ``init`` makes parameters, ``apply`` computes with them, as stax and Haiku have them."""

from __future__ import annotations

import inspect
import itertools
import re
import sys
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from rnn_harness.attributes import attribute, member
from rnn_harness.errors import UsageError, named_error
from rnn_harness.options import Options
from rnn_harness.runtime.target_call import call_target
from rnn_harness.validation.cells.callable_facts import tuple_fields
from rnn_harness.validation.cells.capabilities import CellSizes
from rnn_harness.validation.cells.distinct_sizes import distinct_batch_size, distinct_step_count
from rnn_harness.validation.loading.adapters.adapter import DrivenModule
from rnn_harness.validation.loading.adapters.handwritten.renamed_arguments import with_usual_names
from rnn_harness.validation.loading.adapters.jax_functions import import_jax
from rnn_harness.validation.loading.adapters.model_of_pair import model_of_pair
from rnn_harness.validation.loading.adapters.named_tuples import as_named_state, named_tuples_beside
from rnn_harness.validation.loading.adapters.parameter_trees import map_tree, tree_leaves
from rnn_harness.validation.loading.adapters.step_functions import drive_with_parameters
from rnn_harness.validation.loading.adapters.step_signature import StepSignature

_RANDOM_KEY = re.compile(r"(rngs?|(prng|rng|random)?_?key|prng|k)$", re.I)
_VARIADIC = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
_TRIED_SIZES = CellSizes(5, 3)
"""Where a pair is made already, the input size that most of them learn from their first inputs."""
TREE = "params"
"""What the first argument of ``apply`` is called here: whatever its name, it takes the parameters."""


class InitAndApply(NamedTuple):
    """The two functions.

    Attributes:
        init: Makes the parameters, from a source of random numbers and a shape, sizes, or the first inputs.
        apply: Computes one step or a sequence, from the parameters and its data.
    """

    init: Callable[..., Any]
    apply: Callable[..., Any]


class InitAndApplyAdapter:
    """Drives objects, named tuples and pairs with ``init`` and ``apply``, of JAX."""

    name = "init-apply"
    options: tuple[str, ...] = ()

    def accepts(self, cell_type: type) -> bool:
        """Say whether objects of a class have both functions, or are tuples that may be a pair of them."""
        return cell_type is tuple or all(hasattr(cell_type, name) for name in InitAndApply._fields)

    def defaults(self, cell_type: type) -> Options:
        """Return nothing: the sizes suffice."""
        return {}

    def drive(self, cell: Any, n: int, d: int, options: Options) -> DrivenModule:
        """Drive ``apply`` on the first parameters that ``init`` makes and it takes.

        Raises:
            UsageError: The object is no such pair, or no way of calling it was found.
        """
        pair, sizes, failures = _pair_of(cell), CellSizes(n, d), list[str]()
        model = model_of_pair(pair.init, _of_parameters_and_data(pair.apply, None), sizes)
        if model is not None and not model.may_be_layer:
            return model.driven
        for state_class in _state_classes(pair) if model is None else (None,):
            step = StepSignature(with_usual_names(_of_parameters_and_data(pair.apply, state_class)))
            for call in _calls_of_init(pair.init, step, sizes, state_class):
                try:
                    tree = _parameters_of(call_target(call))
                except Exception as error:  # a user's function that is called in a wrong way may raise anything
                    failures.append(f"init({_shown(pair.init)}) raised {named_error(error)}")
                    continue
                driven = drive_with_parameters(step.function, tree, sizes) if any(tree_leaves((tree,))) else None
                if driven is not None:
                    return driven
                failures.insert(0, _what_came_back(step, tree, sizes))
        if model is not None:
            return model.driven
        raise UsageError(
            f"{failures[0] if failures else 'no way of calling init is known'}; expected init(key), init(key, n, d), "
            f"init(key, shape) or init(key, x), and apply(params, x), apply(params, h, x) or apply(params, x, h) that "
            f"gives states or outputs of size {d} for inputs of size {n}"
        )


def sizes_of_pair(cell: Any) -> CellSizes | None:
    """Return the sizes of a pair that is made already, from the outputs that it gives for a sequence alone.

    Args:
        cell: The pair.

    Returns:
        An input size that it takes with its own hidden size; None where they do not show.
    """
    pair, sizes = _pair_of(cell), _TRIED_SIZES
    step = StepSignature(with_usual_names(_of_parameters_and_data(pair.apply, None)))
    if len(step.data) == 2:
        return next((CellSizes(sizes.input_size, d) for d in _HIDDEN_SIZES if takes_states(pair, d)), None)
    model = model_of_pair(pair.init, _of_parameters_and_data(pair.apply, None), sizes)
    if len(step.data) != 1 or (model is not None and not model.may_be_layer):
        return None
    for call, data in itertools.product(_calls_of_init(pair.init, step, sizes), step.trial_data(*sizes)):
        try:
            result = call_target(import_jax().eval_shape, step.call, _parameters_of(call_target(call)), data)
        except Exception:  # a user's function that is called in a wrong way may raise anything
            continue
        (x,), outputs = data, import_jax().tree_util.tree_leaves(result)[0]
        if np.ndim(x) == len(outputs.shape) >= 3 and np.shape(x)[:-1] == outputs.shape[:-1]:
            return CellSizes(sizes.input_size, outputs.shape[-1])
    return None


_HIDDEN_SIZES = (*range(2, 65), 96, 100, 128, 200, 256, 512)
"""What is tried for the hidden size of a step that is made already."""


def takes_states(cell: Any, d: int) -> bool:
    """Say whether a step takes states of a width with an input, and gives one back.

    Args:
        cell: A pair of functions.
        d: The width.
    """
    pair, jax, (n, _) = _pair_of(cell), import_jax(), _TRIED_SIZES
    for state_class in _state_classes(pair):
        step = StepSignature(with_usual_names(_of_parameters_and_data(pair.apply, state_class)))
        for data in itertools.islice(step.trial_data(n, d), 2):  # a state alone, or in a pair
            first = tuple(as_named_state(value, state_class) for value in data)
            try:
                tree = jax.eval_shape(pair.init, jax.random.PRNGKey(0), *first)
                result = jax.eval_shape(step.call, tree, data)
            except Exception:  # a user's function that is called in a wrong way may raise anything
                continue
            if step.gives_states(data, result, d):
                return True
    return False


def _state_classes(pair: InitAndApply) -> tuple[type | None, ...]:
    """What a pair of states may be handed over as: a plain tuple, or a named one of its module or of Haiku."""
    haiku = sys.modules.get("haiku")
    of_library = () if haiku is None else (haiku.LSTMState,)
    return (None, *dict.fromkeys((*named_tuples_beside(pair.apply), *of_library)))


def _what_came_back(step: StepSignature, tree: object, sizes: CellSizes) -> str:
    """Say what ``apply`` gave, or raised, for one step of several rows."""
    jax, data = import_jax(), next(step.trial_data(*sizes))
    call = ", ".join(f"{name} {np.shape(value)}" for name, value in zip(step.data, data, strict=True))
    try:
        result = call_target(jax.eval_shape, step.call, tree, data)
    except Exception as error:  # as above
        return f"apply(params, {call}) raised {named_error(error)}"
    shapes = ", ".join(str(tuple(leaf.shape)) for leaf in jax.tree_util.tree_leaves(result)) or "no array"
    return f"apply(params, {call}) gave {shapes}"


def _pair_of(cell: Any) -> InitAndApply:
    """The two functions of an object. Raises UsageError if it has none."""
    is_plain = isinstance(cell, tuple) and not tuple_fields(cell)
    pair = tuple(cell) if is_plain else tuple(member(cell, name) for name in InitAndApply._fields)
    if len(pair) != len(InitAndApply._fields) or not all(callable(function) for function in pair):
        kinds = ", ".join(type(value).__name__ for value in pair)
        raise UsageError(f"a tuple of {kinds or 'nothing'}; expected two functions, init and apply")
    return InitAndApply(pair[0], _with_arguments_of_init(*pair))


def _with_arguments_of_init(init: Callable[..., Any], apply: Callable[..., Any]) -> Callable[..., Any]:
    """The function ``apply`` of Haiku with all of its arguments: what it shows lacks one that is named ``state``."""
    if not (attribute(apply, "__module__", str) or "").startswith("haiku."):
        return apply
    _, *data = inspect.signature(init).parameters.values()
    shown = inspect.signature(apply).parameters.values()
    if not {argument.name for argument in data} - {argument.name for argument in shown}:
        return apply
    ahead = itertools.takewhile(lambda argument: argument.name not in {known.name for known in data}, shown)

    def apply_all(*arguments: Any, **named: Any) -> Any:
        return apply(*arguments, **named)

    apply_all.__signature__ = inspect.Signature([*ahead, *data])  # type: ignore[attr-defined]  # read by inspect
    apply_all.__module__ = apply.__module__
    return apply_all


def _shown(function: Callable[..., Any]) -> str:
    """The names of a function's arguments."""
    return ", ".join(inspect.signature(function).parameters)


def _of_parameters_and_data(apply: Callable[..., Any], state_class: type | None) -> Callable[..., Any]:
    """The function without its source of random numbers, and with a usual name for its parameters.

    Args:
        apply: The function.
        state_class: The class of named tuples that its states are handed over as; None for plain tuples.
    """
    signature = inspect.signature(apply)
    of_tree, *rest = (argument for argument in signature.parameters.values() if argument.kind not in _VARIADIC)
    random = [argument.name for argument in rest if _RANDOM_KEY.match(argument.name) and _is_required(argument)]
    data = [argument for argument in rest if not _RANDOM_KEY.match(argument.name)]

    def apply_parameters(*values: Any, **named: Any) -> Any:
        bound = shown.bind(*values, **named).arguments
        arguments = {name: as_named_state(value, state_class) for name, value in bound.items() if name != TREE}
        tree, key = bound[TREE], import_jax().random.PRNGKey(1)
        arguments |= dict.fromkeys(random, key)
        # By their places: some functions show names that they do not take.
        placed = [arguments.pop(argument.name) for argument in rest if _is_required(argument)]
        return apply(tree, *placed, **arguments)

    first = of_tree.replace(name=TREE, kind=inspect.Parameter.POSITIONAL_OR_KEYWORD, default=of_tree.empty)
    shown = inspect.Signature([first, *data])
    apply_parameters.__signature__ = shown  # type: ignore[attr-defined]  # read by inspect.signature
    apply_parameters.__module__ = attribute(apply, "__module__", str) or __name__
    return apply_parameters


def _is_required(argument: inspect.Parameter) -> bool:
    """Whether an argument is handed over by its place, and has no default."""
    return argument.kind is not argument.KEYWORD_ONLY and argument.default is argument.empty


def _calls_of_init(
    init: Callable[..., Any], step: StepSignature, sizes: CellSizes, state_class: type | None = None
) -> Iterator[Callable[[], object]]:
    """Yield the ways to call ``init`` that fit its arguments: with sizes, with a shape, with the first data."""
    key, signature = import_jax().random.PRNGKey(0), inspect.signature(init)
    n, d = sizes
    rows, steps = distinct_batch_size(n, d), distinct_step_count(n, d)
    shapes = ((rows, steps, n), (steps, rows, n), (steps, n), (rows, n), (n,), n)
    data = (map_tree(import_jax().numpy.asarray, values) for values in step.trial_data(n, d))
    ways: Iterator[tuple[object, ...]] = itertools.chain(
        [(key,), (key, n, d), (n, d, key)],
        ((key, shape) for shape in shapes),
        ((key, *(as_named_state(value, state_class) for value in values)) for values in data),
    )
    for values in ways:
        try:
            signature.bind(*values)
        except TypeError:
            continue
        yield lambda values=values: init(*values)  # type: ignore[misc]


def _parameters_of(result: Any) -> Any:
    """The parameters that ``init`` gives: behind the shape of the outputs, where it gives that first."""
    if isinstance(result, tuple) and len(result) == 2 and _is_shape(result[0]):
        return result[1]
    return result


def _is_shape(value: object) -> bool:
    """Whether something is the shape of an array."""
    return isinstance(value, tuple) and bool(value) and all(type(length) is int or length is None for length in value)
