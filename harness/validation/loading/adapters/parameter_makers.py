"""Functions that make the parameters of another function, found by their names in the same module."""

from __future__ import annotations

import functools
import inspect
import re
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from rnn_harness.errors import UsageError, named_error
from rnn_harness.validation.cells.callable_facts import module_of, name_of
from rnn_harness.validation.loading.adapters.jax_functions import import_jax
from rnn_harness.validation.loading.adapters.numpy_functions import uses_jax
from rnn_harness.validation.loading.adapters.one_program import made_in_one_program
from rnn_harness.validation.loading.adapters.parameter_trees import map_tree
from rnn_harness.validation.loading.size_arguments import argument_names, further_sizes, size_names

_MAKES_PARAMETERS = re.compile(r"(^|_)(init|params?|parameters|weights)(_|$)")
_MAKES_ANYTHING = re.compile(r"(^|_)(init|initiali[sz]e|make|create|new|random)(_|$)")
OUTPUTS = 2
"""How many outputs the parameters of a head are made for."""
_MAKER_NAMES = ("init_params", "init_parameters", "initialize_parameters", "make_params", "init", "params")


def parameter_maker(function: Callable[..., Any], named: object, *, searched: bool) -> Callable[..., Any] | None:
    """Return the function that makes the parameters of another: the one named, or one of a usual name beside it.

    Args:
        function: What takes the parameters.
        named: The maker, or its name; None if the user names none.
        searched: Whether one of a usual name is looked for.

    Raises:
        UsageError: There is no function of the name that the user gives.
    """
    module = vars(module_of(function))
    if named is None:
        usual = (module.get(name) for name in (*_names_beside(function, module), *_MAKER_NAMES))
        return next((maker for maker in usual if callable(maker)), None) if searched else None
    maker = named if callable(named) else module.get(str(named))
    if not callable(maker):
        raise UsageError(f"--init params={named}: the function's module has no function of that name")
    return maker


def possible_makers(function: Callable[..., Any]) -> Iterator[Callable[..., Any]]:
    """Yield the functions of a module that may make the parameters of one of them, likely ones first.

    Args:
        function: What takes the parameters.
    """
    module = vars(module_of(function))
    names = (*_MAKER_NAMES, *(name for name in module if _MAKES_ANYTHING.search(name)))
    for name in dict.fromkeys(names):
        maker = module.get(name)
        if inspect.isfunction(maker) and maker is not function:
            yield maker


def _names_beside(function: Callable[..., Any], module: dict[str, object]) -> list[str]:
    """The functions of a module that make parameters of the family of a function: ``gru_params`` for ``gru_masked``."""
    family = name_of(function).partition("_")[0]
    return [name for name in module if family in name.split("_") and _MAKES_PARAMETERS.search(name)]


_MOST_SIZES_KEPT = 64
"""For how many sizes what a function of JAX makes is kept: compiling it takes longer than all else of a trial."""


def make_parameters(maker: Callable[..., Any], n: int, d: int) -> object:
    """Return parameters of (n, d); the maker gets a source of random numbers first or last where it wants one.

    Args:
        maker: What makes them.
        n: The input size.
        d: The hidden size.

    Raises:
        UsageError: It makes none of these sizes.
    """
    if not uses_jax(maker):
        return _newly_made(maker, n, d)
    # Arrays of JAX cannot be written to: what is made once serves every trial, but for the arrays of NumPy in it.
    return map_tree(lambda leaf: leaf.copy() if isinstance(leaf, np.ndarray) else leaf, _made_by_jax(maker, n, d))


@functools.lru_cache(_MOST_SIZES_KEPT)
def _made_by_jax(maker: Callable[..., Any], n: int, d: int) -> object:
    """What a function of JAX makes of these sizes."""
    return _newly_made(maker, n, d)


def _newly_made(maker: Callable[..., Any], n: int, d: int) -> object:
    """What a function makes of these sizes, as `make_parameters` says."""
    orders = (
        lambda _: maker(n, d),
        lambda source: maker(source, n, d),
        lambda source: maker(n, d, source),
        lambda source: maker(source, n, d, OUTPUTS),
    )
    sources: list[Callable[[], object]] = [lambda: np.random.default_rng(0), lambda: import_jax().random.PRNGKey(0)]
    attempts: list[Callable[[], object]] = []
    if uses_jax(maker):  # one program is compiled sooner than each of its operations
        attempts += [functools.partial(made_in_one_program, import_jax(), order) for order in orders]
    attempts.append(lambda: maker(n, d))
    known = argument_names(maker)
    by_name = size_names(known).values(n, d)
    further = further_sizes(known, by_name)
    if by_name and further:
        attempts.append(lambda: maker(**by_name, **further))
    attempts.append(lambda: maker(n, d, OUTPUTS))
    for source in sources:
        attempts += [functools.partial(lambda order, source: order(source()), order, source) for order in orders[1:]]
    first_error = ""
    for attempt in attempts:
        try:
            return attempt()
        except Exception as error:  # a user's function may raise anything
            first_error = first_error or named_error(error)
    raise UsageError(f"{maker.__name__}({n}, {d}) makes no parameters: {first_error}; expected a function of (n, d)")
