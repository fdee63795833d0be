"""Pure functions of JAX of a tree of parameters, as torch modules."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from rnn_harness.array_types import Array
from rnn_harness.attributes import member
from rnn_harness.validation.loading.adapters.adapter import import_library
from rnn_harness.validation.loading.adapters.array_bridge import (
    ArrayArguments,
    ArrayLibraryModule,
    ArrayResults,
    Cotangents,
)
from rnn_harness.validation.loading.adapters.default_format import default_format
from rnn_harness.validation.loading.adapters.one_program import compiler_options


def import_jax() -> Any:
    """JAX, with float64 switched on, and tracebacks left as they are: to shorten one takes longer than most calls.

    Raises:
        UsageError: It is not installed.
    """
    jax = import_library("jax", "jax")
    jax.config.update("jax_enable_x64", True)
    jax.config.update("jax_traceback_filtering", "off")
    return jax


class JaxFunction:
    """A pure function ``function(tree of parameters, *arguments)`` as an array function.

    Attributes:
        names: The paths of the leaves of the tree.
        initial_values: The leaves by their paths.

    Args:
        function: A pure function of the tree and the arguments; it is compiled with the first call.
        tree: The parameters, as JAX nests them.
    """

    def __init__(self, function: Callable[..., object], tree: object) -> None:
        self._jax = jax = import_jax()
        leaves, structure = jax.tree_util.tree_flatten_with_path(tree)
        self.names = tuple(_path_name(path) for path, _ in leaves)
        self.initial_values = {name: np.asarray(value) for name, (_, value) in zip(self.names, leaves, strict=True)}

        def flat_results(parameters: object, arguments: tuple[object, ...]) -> object:
            rebuilt = jax.tree_util.tree_unflatten(structure, parameters)
            return tuple(jax.tree_util.tree_leaves(function(rebuilt, *arguments)))

        def pulled_back(parameters: object, arguments: object, cotangents: object) -> object:
            return jax.vjp(flat_results, parameters, arguments)[1](cotangents)

        # Compiled from the first call on: what XLA compiles rounds otherwise than what runs operation by operation.
        self._run = jax.jit(flat_results, compiler_options=compiler_options(jax))
        self._pull_back = jax.jit(pulled_back, compiler_options=compiler_options(jax))

    def __deepcopy__(self, _: object) -> JaxFunction:
        """It holds no state, and what is compiled serves every copy of a module."""
        return self

    def with_tree(self, tree: object) -> JaxFunction:
        """Return the same function, compiled once for both, with other parameters.

        Args:
            tree: The parameters, nested as those that it was made with; they may have other sizes.
        """
        leaves, _ = self._jax.tree_util.tree_flatten_with_path(tree)
        changed = copy.copy(self)
        changed.initial_values = {_path_name(path): np.asarray(value) for path, value in leaves}
        return changed

    def __call__(self, parameters: Mapping[str, Array], arguments: ArrayArguments, differentiate: bool) -> ArrayResults:
        """Call the module's function on its tree of parameters."""
        tree_leaves, as_jax = self._jax.tree_util.tree_leaves, self._jax.numpy.asarray
        arrays = (*parameters.values(), *tree_leaves(arguments))
        double = any(array.dtype == np.float64 for array in arrays)
        with default_format(self._jax, double=double):
            leaves = [as_jax(parameters[name]) for name in self.names]
            converted = self._jax.tree_util.tree_map(as_jax, arguments)
            results = self._run(leaves, converted)

        def pullback(cotangents: Sequence[Array]) -> Cotangents:
            with default_format(self._jax, double=double):
                incoming = tuple(as_jax(cotangent) for cotangent in cotangents)
                gradients, argument_gradients = self._pull_back(leaves, converted, incoming)
            return Cotangents(
                dict(zip(self.names, map(np.asarray, gradients), strict=True)),
                [np.asarray(gradient) for gradient in tree_leaves(argument_gradients)],
            )

        return ArrayResults([np.asarray(result) for result in results], pullback)


def _path_name(path: Iterable[object]) -> str:
    """A path in a tree as it is usually written, without the steps that wrap a value."""
    # Steps of a path have a key, a name or an index, by the kind of their node.
    steps = [
        str(next((member(step, kind) for kind in ("key", "name", "idx") if hasattr(step, kind)), "")) for step in path
    ]
    return "/".join(step for step in steps if step not in ("value", "params"))


def zeros_in_shape(function: Callable[..., Any], *arguments: Any) -> Any:
    """Return zeros in the shapes and formats of what a function would give; it is traced, and nothing is computed.

    Args:
        function: The function, which JAX can trace.
        *arguments: Its arguments.
    """
    jax = import_jax()
    shapes = jax.eval_shape(function, *arguments)
    return jax.tree_util.tree_map(lambda leaf: np.zeros(leaf.shape, leaf.dtype), shapes)


def jax_function_module(function: Callable[..., object], tree: object) -> ArrayLibraryModule:
    """Make a torch module of a pure function ``function(tree of parameters, *arguments)``.

    Args:
        function: The function, which JAX can trace.
        tree: The initial parameters; each leaf becomes a parameter of the module, named by its path.
    """
    return module_of_jax_function(JaxFunction(function, tree))


def module_of_jax_function(function: JaxFunction) -> ArrayLibraryModule:
    """Make a torch module of a function and its initial parameters.

    Args:
        function: The function; several modules may share what is compiled of it.
    """
    return ArrayLibraryModule(function, function.initial_values)
