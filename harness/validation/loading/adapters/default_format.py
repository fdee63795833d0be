"""The format of what code of JAX makes without naming one: float32, as its users have it, where it computes in float32.

``jnp.zeros((rows, d))`` as a state inside a cell is float64 once float64 is switched on, and then fits no float32.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def default_format(jax: Any, *, double: bool) -> Iterator[None]:
    """Let JAX make float64 numbers by default, or float32, for a while.

    Args:
        jax: The library.
        double: Whether it is float64.
    """
    before = jax.config.jax_enable_x64
    jax.config.update("jax_enable_x64", double)
    try:
        yield
    finally:
        jax.config.update("jax_enable_x64", before)
