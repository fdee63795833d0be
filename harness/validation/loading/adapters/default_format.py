"""The format of what code of JAX makes without naming one: float32, as its users have it, where it computes in float32.

``jnp.zeros((rows, d))`` as a state inside a cell is float64 once float64 is switched on, and then fits no float32.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from importlib import import_module
from typing import Any


def default_format(jax: Any, *, double: bool) -> AbstractContextManager[None]:
    """Let JAX make float64 numbers by default, or float32, for a while; in this thread alone, since two may run cells.

    Args:
        jax: The library.
        double: Whether it is float64.
    """
    # JAX before 0.8 has the switch of a thread among what it calls experimental.
    holder = jax if hasattr(jax, "enable_x64") else import_module("jax.experimental")
    lent: AbstractContextManager[None] = holder.enable_x64(double)
    return lent
