"""Recurrent parts of policies in flax.linen, called with a carry and a pair of inputs and resets."""

from __future__ import annotations

import functools
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp


class Scanned(nn.Module):
    """A GRU over a sequence whose carry is begun anew where a row's flag is set; its carry is as wide as its inputs."""

    @functools.partial(nn.scan, variable_broadcast="params", in_axes=0, out_axes=0, split_rngs={"params": False})
    @nn.compact
    def __call__(self, carry: jax.Array, x: tuple[jax.Array, jax.Array]) -> Any:
        inputs, resets = x
        carry = self.restarted(carry, resets)
        return nn.GRUCell(features=inputs.shape[-1])(carry, inputs)

    def restarted(self, carry: jax.Array, resets: jax.Array) -> jax.Array:
        return jnp.where(resets[:, None], self.initialize_carry(*carry.shape), carry)

    @staticmethod
    def initialize_carry(batch_size: int, hidden_size: int) -> jax.Array:
        return jnp.zeros((batch_size, hidden_size))


class Faded(Scanned):
    """One whose carry is only halved."""

    def restarted(self, carry: jax.Array, resets: jax.Array) -> jax.Array:
        return jnp.where(resets[:, None], carry / 2, carry)


class ScannedPair(nn.Module):
    """An LSTM whose two states are begun anew where a row's flag is set."""

    @functools.partial(nn.scan, variable_broadcast="params", in_axes=0, out_axes=0, split_rngs={"params": False})
    @nn.compact
    def __call__(self, carry: Any, x: tuple[jax.Array, jax.Array]) -> Any:
        inputs, resets = x
        return nn.LSTMCell(features=4)(self.restarted(carry, resets), inputs)

    def restarted(self, carry: Any, resets: jax.Array) -> Any:
        return jax.tree_util.tree_map(lambda state: jnp.where(resets[:, None], jnp.zeros_like(state), state), carry)

    def initialize_carry(self, batch_size: int) -> Any:
        return jnp.zeros((batch_size, 4)), jnp.zeros((batch_size, 4))


class OneStateKept(ScannedPair):
    """One that keeps its hidden state."""

    def restarted(self, carry: Any, resets: jax.Array) -> Any:
        return jnp.where(resets[:, None], jnp.zeros_like(carry[0]), carry[0]), carry[1]


class Policy(nn.Module):
    """A policy: what is seen goes through a layer, a recurrent part whose carry is begun anew, and a head."""

    @nn.compact
    def __call__(self, hidden: Any, x: tuple[jax.Array, jax.Array]) -> Any:
        seen, dones = x
        embedding = nn.relu(nn.Dense(4)(seen))
        hidden, embedding = self.recurrent()(hidden, (embedding, self.ended(dones)))
        return hidden, nn.Dense(2)(embedding), jnp.squeeze(nn.Dense(1)(embedding), -1)

    def recurrent(self) -> nn.Module:
        return Scanned()

    def ended(self, dones: jax.Array) -> jax.Array:
        return dones


class PolicyOfPair(Policy):
    """One whose recurrent part has two states."""

    def recurrent(self) -> nn.Module:
        return ScannedPair()


class FadedPolicy(Policy):
    """One that keeps half of its carry."""

    def recurrent(self) -> nn.Module:
        return Faded()


class TurnedPolicy(Policy):
    """One that begins anew where no episode has ended."""

    def ended(self, dones: jax.Array) -> jax.Array:
        return jnp.logical_not(dones)
