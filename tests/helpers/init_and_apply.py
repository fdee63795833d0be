"""Pairs of functions as people write them for JAX: stax, named tuples, objects, functions that Haiku transforms."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import haiku
import jax
import jax.numpy as jnp

Pair = tuple[Callable[..., Any], Callable[..., Any]]


def stax_layer(out_dim: int) -> Pair:
    """A GRU over (B, T, n) that learns n from the shape of its inputs."""

    def init_fun(rng: Any, input_shape: tuple[int, ...]) -> tuple[tuple[int, ...], Any]:
        keys = jax.random.split(rng, 6)
        gates = tuple(
            (
                jax.random.normal(keys[2 * gate], (input_shape[2], out_dim)) / 3,
                jax.random.normal(keys[2 * gate + 1], (out_dim, out_dim)) / 3,
                jnp.zeros(out_dim),
            )
            for gate in range(3)
        )
        return (*input_shape[:2], out_dim), gates

    def apply_fun(params: Any, inputs: Any, **_: Any) -> Any:
        def step(h: Any, x: Any) -> Any:
            z, r = (jax.nn.sigmoid(x @ W + h @ U + b) for W, U, b in params[:2])
            W, U, b = params[2]
            h = z * h + (1 - z) * jnp.tanh(x @ W + (r * h) @ U + b)
            return h, h

        h0 = jnp.zeros((inputs.shape[0], out_dim), inputs.dtype)
        return jnp.moveaxis(jax.lax.scan(step, h0, jnp.moveaxis(inputs, 1, 0))[1], 0, 1)

    return init_fun, apply_fun


class Cell(NamedTuple):
    """The two functions of a cell."""

    init: Callable[..., Any]
    apply: Callable[..., Any]


class State(NamedTuple):
    """The states of an LSTM."""

    h: Any
    c: Any


def lstm_cell(hidden_size: int) -> Cell:
    """An LSTM whose states are a named tuple."""

    def init(key: Any, input_shape: tuple[int, ...]) -> Any:
        kernel = jax.random.normal(key, (input_shape[-1] + hidden_size, 4 * hidden_size)) / 3
        return (*input_shape[:-1], hidden_size), {"w": kernel, "b": jnp.zeros(4 * hidden_size)}

    def apply(params: Any, inputs: Any, prev_state: Any) -> Any:
        stacked = jnp.concatenate([inputs, prev_state.h], -1) @ params["w"] + params["b"]
        i, g, f, o = jnp.split(stacked, 4, -1)
        c = jax.nn.sigmoid(f) * prev_state.c + jax.nn.sigmoid(i) * jnp.tanh(g)
        h = jax.nn.sigmoid(o) * jnp.tanh(c)
        return h, State(h, c)

    return Cell(init, apply)


class Elman:
    """An object that keeps its parameters outside of itself."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        self.input_size, self.hidden_size = input_size, hidden_size

    def init(self, key: Any) -> dict[str, Any]:
        """Make the parameters."""
        W, U = jax.random.split(key)
        return {
            "W": jax.random.normal(W, (self.hidden_size, self.input_size)) / 3,
            "U": jax.random.normal(U, (self.hidden_size, self.hidden_size)) / 3,
            "b": jnp.zeros(self.hidden_size),
        }

    def apply(self, params: dict[str, Any], h: Any, x: Any) -> Any:
        """One step of one vector."""
        h = self.new_state(params["W"] @ x, params["U"] @ h, params["b"])
        return h, h

    def new_state(self, of_input: Any, of_state: Any, b: Any) -> Any:
        return jnp.tanh(of_input + of_state + b)


class ElmanOfHalf(Elman):
    """Wrong: half of the old state's part is lost."""

    def new_state(self, of_input: Any, of_state: Any, b: Any) -> Any:
        return jnp.tanh(of_input + of_state / 2 + b)


def _of_rows(x: Any) -> Any:
    core = haiku.GRU(4)
    return haiku.dynamic_unroll(core, x, core.initial_state(x.shape[1]))[0]


unrolled = haiku.transform(_of_rows)


class NoPair(NamedTuple):
    """What is called like the two functions, and gives no state."""

    init: Callable[..., Any] = lambda key: {"w": jnp.ones((3, 2))}
    apply: Callable[..., Any] = lambda params, x: params["w"]


no_pair = NoPair()
