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


class CarryOfOtherArguments(nn.Module):
    """Makes its carry from sizes, as code of reinforcement learning does, and takes resets beside its inputs."""

    @staticmethod
    def initialize_carry(hidden_size: int, *batch_sizes: int) -> Array:
        """Return a carry of zeros."""
        return jnp.zeros((*batch_sizes, hidden_size))

    @nn.compact
    def __call__(self, carry: Array, x: tuple[Array, Array]) -> tuple[Array, Array]:
        """Return the next carry twice."""
        inputs, resets = x
        start = self.initialize_carry(inputs.shape[-1], *inputs.shape[:-1])
        return nn.GRUCell(inputs.shape[-1])(jnp.where(resets[:, None], start, carry), inputs)


class WithStatistics(nn.RNNCellBase):
    """An Elman cell whose inputs are normalised by the running statistics of a batch, which are no parameters."""

    features: int

    @nn.compact
    def __call__(self, carry: Array, inputs: Array) -> tuple[Array, Array]:
        normalised = nn.BatchNorm(use_running_average=True, use_bias=False, use_scale=False, dtype=inputs.dtype)(inputs)
        new = nn.tanh(nn.Dense(self.features)(normalised) + nn.Dense(self.features, use_bias=False)(carry))
        return new, new

    @nn.nowrap
    def initialize_carry(self, rng: Array, input_shape: tuple[int, ...]) -> Array:
        return jnp.zeros((*input_shape[:-1], self.features))

    @property
    def num_feature_axes(self) -> int:
        return 1


class ScaledElman(nn.RNNCellBase):
    """An Elman cell with a number of its own, which is 1, in front of what goes into tanh."""

    features: int

    @nn.compact
    def __call__(self, carry: Array, inputs: Array) -> tuple[Array, Array]:
        scale = self.param("scale", nn.initializers.ones, ())
        new = nn.tanh(scale * (nn.Dense(self.features)(inputs) + nn.Dense(self.features, use_bias=False)(carry)))
        return new, new

    @nn.nowrap
    def initialize_carry(self, rng: Array, input_shape: tuple[int, ...]) -> Array:
        return jnp.zeros((*input_shape[:-1], self.features))

    @property
    def num_feature_axes(self) -> int:
        return 1
