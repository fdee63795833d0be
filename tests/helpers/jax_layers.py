"""Layers in JAX and equinox as people write them: two directions, resets among the arguments, a head behind a cell."""

from __future__ import annotations

from typing import Any

import equinox
import jax
import jax.numpy as jnp

Parameters = dict[str, Any]


def init_params(key: Any, n: int, d: int) -> Parameters:
    """Weights of two directions."""
    W, U = jax.random.split(key)
    return {"W": jax.random.normal(W, (2, n, d)) / 2, "U": jax.random.normal(U, (2, d, d)) / 2}


def _run(params: Parameters, xs: Any, direction: int) -> Any:
    def step(h: Any, x: Any) -> Any:
        h = jnp.tanh(x @ params["W"][direction] + h @ params["U"][direction])
        return h, h

    start = jnp.zeros((xs.shape[1], params["U"].shape[-1]), xs.dtype)
    return jax.lax.scan(step, start, xs, reverse=direction == 1)[1]


def both_directions(params: Parameters, xs: Any) -> Any:
    """Two directions side by side, (T, B, n) to (T, B, 2 d)."""
    return jnp.concatenate([_run(params, xs, 0), _run(params, xs, 1)], -1)


def turned_twice(params: Parameters, xs: Any) -> Any:
    """Wrong: a scan in reverse gives its outputs in the order of time already."""
    return jnp.concatenate([_run(params, xs, 0), _run(params, xs, 1)[::-1]], -1)


def with_resets(params: Parameters, obs: Any, resets: Any, h0: Any) -> Any:
    """A rollout (T, B, n), whose state is zero before a step that begins an episode."""

    def step(h: Any, inputs: Any) -> Any:
        x, reset = inputs
        h = jnp.where(reset[:, None], jnp.zeros_like(h), h)
        h = jnp.tanh(x @ params["W"][0] + h @ params["U"][0])
        return h, h

    return jax.lax.scan(step, h0, (obs, resets))


class Scored(equinox.Module):
    """A GRU over one sequence (T, n) with scores of its last state."""

    cell: Any
    head: Any

    def __init__(self, input_size: int, hidden_size: int, *, key: Any) -> None:
        first, second = jax.random.split(key)
        self.cell = equinox.nn.GRUCell(input_size, hidden_size, key=first)
        self.head = equinox.nn.Linear(hidden_size, 2, key=second)

    def __call__(self, xs: Any) -> Any:
        def step(h: Any, x: Any) -> Any:
            return self.cell(x, h), None

        last, _ = jax.lax.scan(step, jnp.zeros(self.cell.hidden_size, xs.dtype), xs)
        return self.head(last)


def init_one(key: Any, n: int, d: int) -> Parameters:
    """Weights of one direction."""
    W, U = jax.random.split(key)
    return {"W": jax.random.normal(W, (n, d)) / 2, "U": jax.random.normal(U, (d, d)) / 2}


def _run_rows(params: Parameters, xs: Any, lengths: Any, is_kept: bool) -> Any:
    def step(h: Any, pair: Any) -> Any:
        x, t = pair
        new = jnp.tanh(x @ params["W"] + h @ params["U"])
        h = jnp.where((t < lengths)[:, None], new, h) if is_kept else new
        return h, h

    start = jnp.zeros((xs.shape[0], params["U"].shape[0]), xs.dtype)
    return jax.lax.scan(step, start, (jnp.swapaxes(xs, 0, 1), jnp.arange(xs.shape[1])))


def rows_of_lengths(params: Parameters, xs: Any, lengths: Any) -> Any:
    """Xs (B, T, n): the states of all steps, and the last one of each row."""
    last, steps = _run_rows(params, xs, lengths, is_kept=True)
    return jnp.swapaxes(steps, 0, 1), last


def rows_run_on(params: Parameters, xs: Any, lengths: Any) -> Any:
    """Xs (B, T, n): the states of all steps, zero in the padding, and the last one, which is that of the padding."""
    last, steps = _run_rows(params, xs, lengths, is_kept=False)
    valid = jnp.arange(xs.shape[1]) < lengths[:, None]
    return jnp.swapaxes(steps, 0, 1) * valid[..., None], last


def masked_rows(params: Parameters, xs: Any, mask: Any) -> Any:
    """Steps xs (B, T, n) with a mask (B, T), which is 0 where a row is padded."""
    return rows_of_lengths(params, xs, mask.sum(1))


def rows_masked_too_late(params: Parameters, xs: Any, mask: Any) -> Any:
    """Steps xs (B, T, n) with a mask (B, T), which is 0 where a row is padded."""
    return rows_run_on(params, xs, mask.sum(1))


def units_first_params(key: Any, units: int, inputs: int) -> Parameters:
    """Weights of steps of one row, by the number of units and of inputs."""
    W, U = jax.random.split(key)
    return {"W": jax.random.normal(W, (units, inputs)) / 2, "U": jax.random.normal(U, (units, units)) / 2}


def states_of_one_row(params: Parameters, xs: Any, h0: Any) -> Any:
    """All states of a sequence xs (T, n) from h0 (d,)."""

    def step(h: Any, x: Any) -> Any:
        h = jnp.tanh(params["W"] @ x + params["U"] @ h)
        return h, h

    return jax.lax.scan(step, h0, xs)[1]
