"""Equinox cells whose state is an object with fields, as the annotation of its argument says."""

from __future__ import annotations

from dataclasses import dataclass

import equinox as eqx
import jax
import jax.numpy as jnp
from jax.tree_util import register_dataclass


@register_dataclass
@dataclass
class Memory:
    hidden: jax.Array
    cell: jax.Array


class StateWithFields(eqx.Module):
    """An LSTM."""

    weight: jax.Array
    bias: jax.Array

    def __init__(self, input_size: int, hidden_size: int, key: jax.Array) -> None:
        self.weight = jax.random.normal(key, (4 * hidden_size, input_size + hidden_size)) / 2
        self.bias = jnp.zeros(4 * hidden_size)

    def old_memory(self, state: Memory) -> jax.Array:
        return state.cell

    def __call__(self, state: Memory, x: jax.Array) -> tuple[Memory, jax.Array]:
        i, f, g, o = jnp.split(self.weight @ jnp.concatenate([x, state.hidden]) + self.bias, 4)
        c = jax.nn.sigmoid(f) * self.old_memory(state) + jax.nn.sigmoid(i) * jnp.tanh(g)
        h = jax.nn.sigmoid(o) * jnp.tanh(c)
        return Memory(h, c), h


class MemoryWithoutGradient(StateWithFields):
    """No gradient reaches its old memory."""

    def old_memory(self, state: Memory) -> jax.Array:
        return jax.lax.stop_gradient(state.cell)
