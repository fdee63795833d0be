"""What a function of JAX makes, by one compiled program instead of one for each of its operations and shapes."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from rnn_harness.options import Options

_QUICK: Options = {"xla_backend_optimization_level": 0}
_QUICKEST: Options = {**_QUICK, "xla_cpu_use_fusion_emitters": False}


@functools.cache
def compiler_options(jax: Any) -> Options:
    """Return options with which XLA compiles in the least time; they change no operation, only how it is arranged.

    Compiling takes longer than all runs together. Not every version knows the option that saves half of it.

    Args:
        jax: The library.
    """
    try:
        jax.jit(lambda: jax.numpy.zeros(()), compiler_options=_QUICKEST)()
    except Exception:  # XLA refuses an option that it does not know with an error of no class of its own
        return _QUICK
    return _QUICKEST


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

    computed = iter(jax.jit(traced, compiler_options=compiler_options(jax))(jax.random.PRNGKey(0)))
    values = [next(computed) if isinstance(leaf, jax.core.Tracer) else leaf for leaf in leaves]
    return jax.tree_util.tree_unflatten(structures[0], values)
