"""Functions of JAX whose parameters and states are named tuples, read by their fields."""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp


class State(NamedTuple):
    """The states of an LSTM."""

    h: Any
    c: Any


class Weights(NamedTuple):
    """The weights of an LSTM."""

    kernel: Any
    recurrent: Any


def init_weights(key: Any, n: int, d: int) -> Weights:
    """Weights of those sizes."""
    kernel, recurrent = jax.random.split(key)
    return Weights(jax.random.normal(kernel, (n, 4 * d)) / 2, jax.random.normal(recurrent, (d, 4 * d)) / 2)


def step(params: Weights, state: State, x: Any) -> tuple[State, Any]:
    """One step."""
    i, f, g, o = jnp.split(x @ params.kernel + state.h @ params.recurrent, 4, -1)
    c = jax.nn.sigmoid(f) * state.c + jax.nn.sigmoid(i) * jnp.tanh(g)
    h = jax.nn.sigmoid(o) * jnp.tanh(c)
    return State(h, c), h


def scanned(params: Weights, state: State, xs: Any) -> tuple[State, Any]:
    """All steps of (T, B, n)."""
    last, outputs = jax.lax.scan(lambda carried, x: step(params, carried, x), state, xs)
    return last, outputs
