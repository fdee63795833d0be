"""Cells of flax.linen as people write them."""

from __future__ import annotations

import flax.linen as nn
import jax.numpy as jnp
from jax import Array


class CellWithoutInitialCarry(nn.Module):
    """An LSTM cell that does not say what its carry is."""

    features: int

    @nn.compact
    def __call__(self, carry: tuple[Array, Array], x: Array) -> tuple[tuple[Array, Array], Array]:
        """Return the next carry, and the hidden state."""
        c, h = carry
        gates = nn.Dense(4 * self.features, use_bias=False, name="i")(x) + nn.Dense(4 * self.features, name="h")(h)
        i, f, g, o = jnp.split(gates, 4, axis=-1)
        c = nn.sigmoid(f) * c + nn.sigmoid(i) * jnp.tanh(g)
        h = nn.sigmoid(o) * jnp.tanh(c)
        return (c, h), h
