"""Find how a NumPy function or method is called that has its loss inside: which argument is what, in which shape."""

from __future__ import annotations

import inspect
import itertools
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from rnn_harness.options import Options
from rnn_harness.validation.cells.callable_facts import code_names, code_of
from rnn_harness.validation.cells.loss_function import USUAL_STEPS, LossValues, drawn_numbers
from rnn_harness.validation.loading.adapters.handwritten.argument_names import (
    all_arguments,
    methods_of_targets,
    role_of,
    takes_targets,
)
from rnn_harness.validation.loading.adapters.handwritten.stored_arrays import (
    is_gradient_path,
    possible_parameters,
    stored_arrays,
)
from rnn_harness.validation.loading.adapters.inferred_weights.size_terms import INFERENCE_SIZES
from rnn_harness.validation.loading.adapters.inferred_weights.unknown_weight import FREE_WIDTH
from rnn_harness.validation.loading.adapters.numpy_functions import functions_of_module, uses_jax
from rnn_harness.validation.loading.adapters.parameter_trees import tree_leaves
from rnn_harness.validation.loading.loss_calls import LossArgument, LossCall, LossRole
from rnn_harness.validation.loading.loss_fit import LossFit, fit_of
from rnn_harness.validation.loading.loss_forms import ROWS, LossForm, forms_of_numbers, forms_of_tokens
from rnn_harness.validation.loading.loss_methods import cuts_gradients, loss_and_gradients
from rnn_harness.validation.loading.loss_weights import WeightTrees, cut_vectors, inferred_weights, made_weights
from rnn_harness.validation.loading.named_arguments import made_with_named_arguments
from rnn_harness.validation.loading.size_arguments import SizeNames, size_names

_TOKENS = re.compile(r"(^|_)(tokens?|chars?|words?|ids|idxs?|ix|ixs|indices)$", re.IGNORECASE)
_STEPS = re.compile(r"^T$|(^|_)(n_?|num_?|time_?|t_?)?steps$|seq(uence)?_?(len(gth)?|size)$", re.IGNORECASE)
"""Globals that may say over how many steps a loss runs, and over no other number."""
_MOST_STEPS = 64
_ALL_SIZES = re.compile(
    r"^(dims?|dimensions|sizes?|shape|layers?|layer_?sizes|net_?size|arch(itecture)?|n_?units)$", re.I
)
_TARGETS = re.compile(r"(^|_)(targets?|labels?|truth|ys?)(_|$)|^next_", re.IGNORECASE)


@dataclass
class LossSearch:
    """What a search for the way of calling a loss saw.

    Attributes:
        gave_no_number: The first loss that ran, gave gradients, and was NaN or infinite; None if there was none.
    """

    gave_no_number: LossCall | None = None

    def complaint(self) -> str:
        """Say that a loss is no number; empty where none was seen."""
        if self.gave_no_number is None:
            return ""
        return (
            f"cannot drive {self.gave_no_number.text}: it computes a loss, which is NaN or infinite for weights and "
            "states of ordinary size, however it is called"
        )


def loss_of_class(
    name: str, written_class: type, options: Options, search: LossSearch | None = None
) -> LossCall | None:
    """Find a method of a class that computes a loss with its gradients; None if none can be called.

    Args:
        name: What to call it.
        written_class: The class; it is made with sizes by the names of its arguments.
        options: Further arguments of its constructor.
        search: Is told what was seen.
    """
    search = search or LossSearch()
    for method, _ in methods_of_targets(written_class):
        holder = made_with_named_arguments(written_class, options)
        if holder is None:
            return None
        function = inspect.getattr_static(written_class, method)
        parameters = possible_parameters(stored_arrays(holder))
        for arguments in _arguments(function, skipped=1):
            call = _first_that_works(LossCall(f"{name}.{method}", function, holder, parameters, arguments), search)
            if call is not None:
                return call
    for pair in loss_and_gradients(written_class):
        holder = made_with_named_arguments(written_class, options)
        if holder is None:
            return None
        parameters = possible_parameters(stored_arrays(holder))
        for arguments in _arguments(pair.function, skipped=1):
            loss = LossCall(f"{name}.{pair.name}", pair.function, holder, parameters, arguments)
            steps = 1 if cuts_gradients(holder, USUAL_STEPS) else 0
            call = _first_that_works(replace(loss, result_names=pair.result_names, steps=steps), search)
            if call is not None:
                return call
    return None


def loss_of_function(name: str, function: Callable[..., Any], search: LossSearch | None = None) -> LossCall | None:
    """Find how a function is called that computes a loss; None if it is none.

    Args:
        name: What to call it.
        function: Any function; its weights are globals, or arguments.
        search: Is told what was seen.
    """
    search = search or LossSearch()
    code = code_of(function)
    if code is None or not takes_targets([argument.name for argument in all_arguments(function)]):
        return None
    module = function.__globals__
    names = dict.fromkeys(name for called in functions_of_module(function) for name in code_names(called))
    weights = {name: module[name] for name in names if isinstance(module.get(name), np.ndarray)}
    parameters = {
        key: value for key, value in weights.items() if value.dtype.kind == "f" and not is_gradient_path(key, weights)
    }
    for arguments in _arguments(function, skipped=0):
        loss = LossCall(name, function, None, parameters, arguments)
        if any(argument.role == "weights" for argument in arguments):
            call = None if uses_jax(function) else _with_weights(loss, search)
        else:
            numbers = (0, *(module[key] for key in names if _STEPS.search(key) and type(module.get(key)) is int))
            tried = (_first_that_works(replace(loss, steps=steps), search) for steps in numbers if steps <= _MOST_STEPS)
            call = next((loss_call for loss_call in tried if loss_call is not None), None)
        if call is not None:
            return call
    return None


def _with_weights(loss: LossCall, search: LossSearch) -> LossCall | None:
    """The loss with weights as arguments that it takes; None if it takes none."""
    names = [argument.name for argument in loss.arguments if argument.role == "weights"]
    takes_sizes = any(argument.role == "all sizes" for argument in loss.arguments)
    for weights in made_weights(loss.function, names):
        for sizes in itertools.permutations(weights.sizes) if takes_sizes else ((),):
            sized = replace(_with_trees(loss, weights.trees), sizes=sizes)
            call = _first_that_works(sized, search, weights.sizes)
            if call is not None:
                return call
    if takes_sizes:
        return _with_vector(loss, names, search)
    d, n = INFERENCE_SIZES.hidden_size, INFERENCE_SIZES.input_size
    of_tokens = list(_in_forms(loss, (d,), forms_of_tokens((n,))))
    for is_thorough in (False, True):
        for tried in of_tokens:
            call = _with_shapes(tried, names, search, is_thorough=is_thorough)
            if call is not None:
                return call
    of_numbers = list(_in_forms(loss, (d,), forms_of_numbers((n,), (FREE_WIDTH, n))))
    quickly = (_with_shapes(tried, names, search, is_thorough=False) for tried in of_numbers)
    usual = [tried for tried in of_numbers if tried.form.target_width in (0, FREE_WIDTH)]
    at_length = (_with_shapes(tried, names, search, is_thorough=True) for tried in usual)
    return _best_of(call for call in itertools.chain(quickly, at_length) if call is not None)


def _with_vector(loss: LossCall, names: Sequence[str], search: LossSearch) -> LossCall | None:
    """The loss of one flat vector, whose length shows in how it is cut for given sizes; None where nothing cuts one."""
    if len(names) != 1:
        return None
    all_sizes = (*INFERENCE_SIZES, FREE_WIDTH)
    for sizes in (*itertools.permutations(all_sizes), *itertools.permutations(INFERENCE_SIZES)):
        sized = replace(loss, sizes=sizes)
        lengths: set[int] = set()
        widths = [*sizes[::-1], *(a * b for a, b in itertools.combinations(sizes, 2))]
        for tried in _in_forms(sized, all_sizes, (LossForm(), *forms_of_numbers(all_sizes, all_sizes[-1:]))):
            for vector in cut_vectors(names[0], tried.loss_of_weights, widths):
                if vector.size in lengths:
                    continue
                lengths.add(vector.size)
                call = _first_that_works(_with_trees(sized, {names[0]: vector}), search, sizes)
                if call is not None:
                    return call
    return None


def _with_shapes(loss: LossCall, names: Sequence[str], search: LossSearch, *, is_thorough: bool) -> LossCall | None:
    """The loss with weights of the first shapes that it takes; None if it takes none of those that are tried."""
    shaped = inferred_weights(names, loss.loss_of_weights, is_thorough=is_thorough)
    if shaped is None:
        return None
    call = _with_trees(loss, shaped)
    values = _values_of(call, search)
    # What broadcasts over a weight of a wrong shape gives states or gradients of a wrong shape too.
    if values is None or len(values.states) != len(call.state_shapes):
        return None
    return call if set(values.gradients) == set(call.parameters) else None


def _best_of(calls: Iterable[LossCall]) -> LossCall | None:
    """The loss in the form of numbers that fits best; None where none does."""
    best: tuple[LossFit, LossCall] | None = None
    for call in calls:
        fit = fit_of(call)
        if fit is not None and (best is None or fit > best[0]):
            best = fit, call
        if best is not None and best[0].is_right and best[0].gradients == len(call.parameters):
            break
    return None if best is None else best[1]


def _with_trees(loss: LossCall, trees: WeightTrees) -> LossCall:
    """The loss with these weights."""
    parameters = {leaf.path: np.asarray(leaf.value) for leaf in tree_leaves(dict(trees))}
    return replace(loss, weights=dict(trees), parameters=parameters)


def _arguments(function: Callable[..., Any], skipped: int) -> Iterator[tuple[LossArgument, ...]]:
    """Yield what is handed over: with states that have a default, then what is required; nothing without a target."""
    known = all_arguments(function)[skipped:]
    sized = size_names(argument.name for argument in known)
    required = [argument for argument in known if argument.default is argument.empty]
    besides = [argument for argument in known if argument in required or role_of(argument.name) in ("h", "c")]
    for handed_over in (besides, required) if besides != required else (required,):
        arguments = tuple(LossArgument(argument.name, loss_role(argument.name, sized)) for argument in handed_over)
        if {"x", "target"} <= {argument.role for argument in arguments}:
            yield arguments


def loss_role(name: str, sized: SizeNames | None = None) -> LossRole:
    """Say what an argument of a loss takes, by its name.

    Args:
        name: The argument.
        sized: The arguments of the same function that are sizes; None where there are none.
    """
    role = role_of(name)
    if role in ("h", "c"):
        return "state"
    if role == "target" or _TARGETS.search(name):
        return "target"
    if role == "x" or _TOKENS.search(name):
        return "x"
    if sized is not None and _ALL_SIZES.match(name):
        return "all sizes"
    if sized is not None and ("size" in name or "vocab" in name or re.match(r"n_?[a-z]|num_", name)):
        return "hidden size" if name in sized.hidden and "vocab" not in name else "input size"
    return "weights"


def _first_that_works(loss: LossCall, search: LossSearch, sizes: Sequence[int] = ()) -> LossCall | None:
    """The first shape of its states and form of its tokens with which a loss gives finite numbers and gradients."""
    if not loss.arguments or not loss.parameters:
        return None
    axes = sorted({size for value in loss.parameters.values() for size in value.shape if size > 1})
    if sizes and all(value.ndim < 2 for value in loss.parameters.values()):
        axes = sorted(set(sizes))  # a flat vector does not show them
    fallback: LossCall | None = None
    for tried in _in_forms(loss, axes, forms_of_tokens(axes)):
        values = _values_of(tried, search)
        if values is None:
            continue
        if len(values.states) == len(tried.state_shapes):
            return tried
        fallback = fallback or tried
    if fallback is not None:
        return fallback
    running: dict[bool, list[LossCall]] = {True: [], False: []}
    for tried in _in_forms(loss, axes, forms_of_numbers(axes, axes)):
        values = _values_of(tried, search)
        if values is not None:
            running[len(values.states) == len(tried.state_shapes)].append(tried)
    return _best_of(running[True]) or _best_of(running[False])


def _in_forms(loss: LossCall, widths: Sequence[int], forms: Iterable[LossForm]) -> Iterator[LossCall]:
    """Yield the loss with every form of its inputs and targets, each with every shape of its states."""
    count = sum(argument.role == "state" for argument in loss.arguments)
    for form in forms:
        shapes: list[tuple[int, ...]] = [shape for d in widths for shape in ((d, 1), (d,), (1, d))]
        if form.is_batch:
            shapes = [(ROWS, d) for d in widths]
        for shape in shapes if count else [()]:
            yield replace(loss, state_shapes=(shape,) * count, form=form)


def _values_of(loss: LossCall, search: LossSearch) -> LossValues | None:
    """What a loss gives for numbers that are drawn; None if it raises, or gives no finite number."""
    try:
        with np.errstate(all="ignore"):
            values = loss.run(drawn_numbers(loss, 0))
    except Exception:  # a function that is called in a wrong way may raise anything
        return None
    if np.isfinite(values.loss):
        return values
    search.gave_no_number = search.gave_no_number or loss
    return None
