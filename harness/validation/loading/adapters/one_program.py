"""What a function of JAX makes, by one compiled program instead of one for each of its operations and shapes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rnn_harness.options import Options

COMPILER_OPTIONS: Options = {"xla_backend_optimization_level": 0}
"""Compiling takes longer than all runs together; how the machine code is arranged changes no operation."""


def made_in_one_program(jax: Any, make: Callable[[Any], object]) -> object:
    """Return what a function makes of a key, with every array computed by one program.

    Args:
        jax: The library.
        make: From a key for random numbers to a tree of arrays; what does not depend on computing (sizes, names,
            NumPy arrays) stays as it is.

    Raises:
        Exception: Whatever the function raises when it is traced, as it does where it asks for values.
    """
    leaves: list[object] = []
    structures: list[Any] = []

    def traced(key: Any) -> list[object]:
        made, structure = jax.tree_util.tree_flatten(make(key))
        leaves[:], structures[:] = made, [structure]
        return [leaf for leaf in made if isinstance(leaf, jax.core.Tracer)]

    computed = iter(jax.jit(traced, compiler_options=COMPILER_OPTIONS)(jax.random.PRNGKey(0)))
    values = [next(computed) if isinstance(leaf, jax.core.Tracer) else leaf for leaf in leaves]
    return jax.tree_util.tree_unflatten(structures[0], values)
