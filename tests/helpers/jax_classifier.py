"""A classifier of sequences in JAX: one function makes the parameters of its cell and of its output layer."""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp


class CellParameters(NamedTuple):
    """The weights of the cell."""

    wx: Any
    wh: Any
    b: Any


def init_params(key: Any, n_in: int, n_hidden: int, n_classes: int) -> dict[str, Any]:
    """Make the parameters of the cell and of the output layer."""
    first, second, third = jax.random.split(key, 3)
    return {
        "cell": CellParameters(
            jax.random.normal(first, (n_in, 4 * n_hidden)) / 2,
            jax.random.normal(second, (n_hidden, 4 * n_hidden)) / 2,
            jnp.zeros(4 * n_hidden),
        ),
        "head": {"w": jax.random.normal(third, (n_hidden, n_classes)) / 2, "b": jnp.zeros(n_classes)},
    }


def lstm_step(p: CellParameters, carry: Any, x: Any) -> Any:
    """Take one step with the parameters of the cell alone."""
    h, c = carry
    i, f, g, o = jnp.split(x @ p.wx + h @ p.wh + p.b, 4, axis=-1)
    c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
    return jax.nn.sigmoid(o) * jnp.tanh(c), c


def classify(params: dict[str, Any], xs: Any) -> Any:
    """Give the scores of sequences (B, T, n)."""
    zeros = jnp.zeros((xs.shape[0], params["head"]["w"].shape[0]))
    (h, _), _ = jax.lax.scan(
        lambda carry, x: (lstm_step(params["cell"], carry, x), None), (zeros, zeros), jnp.swapaxes(xs, 0, 1)
    )
    return h @ params["head"]["w"] + params["head"]["b"]
