"""Plain functions that ask Haiku for their parameters: of sizes that are arguments, defaults, or those of the state."""

from __future__ import annotations

from typing import Any

import haiku as hk
import jax
import jax.numpy as jnp


def lstm_step(x: Any, state: Any, hidden: int) -> Any:
    """One step of an LSTM."""
    h, c = state
    weights = hk.get_parameter("w", [x.shape[-1] + hidden, 4 * hidden], init=hk.initializers.VarianceScaling())
    bias = hk.get_parameter("b", [4 * hidden], init=jnp.zeros)
    i, g, f, o = jnp.split(jnp.concatenate([x, h], -1) @ weights + bias, 4, axis=-1)
    c = jax.nn.sigmoid(f + 1) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
    h = jax.nn.sigmoid(o) * jnp.tanh(c)
    return h, (h, c)


def step_of_the_size_of_its_state(x: Any, h: Any) -> Any:
    """One step of a simple RNN."""
    return jnp.tanh(_dense(x, h.shape[-1], "input") + _dense(h, h.shape[-1], "recurrent"))


def step_of_seven_units(inputs: Any, prev_state: Any) -> Any:
    """One step of a simple RNN of one size."""
    h = jnp.tanh(_dense(inputs, 7, "input") + _dense(prev_state, 7, "recurrent"))
    return h, h


def _dense(x: Any, size: int, name: str) -> Any:
    return hk.Linear(size, name=name)(x)


def makes_a_pair(hidden_size: int) -> Any:
    """What is transformed already."""
    return hk.transform(lambda x, h: _dense(x, hidden_size, "input") + h)
