"""Losses of networks in JAX: right ones, ones whose gradients stop at every step, and ones that are batches."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

Parameters = dict[str, Any]


def init_params(key: Any, vocab: int = 5, hidden: int = 4) -> Parameters:
    W, U, V = jax.random.split(key, 3)
    return {
        "W": jax.random.normal(W, (vocab, hidden)) / 2,
        "U": jax.random.normal(U, (hidden, hidden)) / 2,
        "V": jax.random.normal(V, (hidden, vocab)) / 2,
    }


def _scores(params: Parameters, tokens: Any, h: Any, before: Callable[[Any], Any] = jnp.asarray) -> Any:
    def step(h: Any, token: Any) -> Any:
        h = jnp.tanh(params["W"][token] + before(h) @ params["U"])
        return h, h @ params["V"]

    return jax.lax.scan(step, h, tokens)


def _entropy(scores: Any, targets: Any) -> Any:
    return -jnp.mean(jnp.take_along_axis(jax.nn.log_softmax(scores), targets[..., None], -1))


def loss(params: Parameters, tokens: Any, targets: Any, h0: Any) -> Any:
    """Mean over the steps."""
    last, scores = _scores(params, tokens, h0)
    return _entropy(scores, targets), last


def loss_of_batch(params: Parameters, batch: Any) -> Any:
    tokens, targets = batch
    return _entropy(_scores(params, tokens, jnp.zeros((1, 4)))[1], targets)


@jax.jit
def stopped(params: Parameters, tokens: Any, targets: Any, h0: Any) -> Any:
    """Mean over the steps; its gradient is that of the whole sequence."""
    return _entropy(_scores(params, tokens, h0, jax.lax.stop_gradient)[1], targets)


def stopped_on_purpose(params: Parameters, tokens: Any, targets: Any, h0: Any) -> Any:
    """Mean over the whole sequence, step by step."""
    return _entropy(_scores(params, tokens, h0, jax.lax.stop_gradient)[1], targets)


def init_classifier(key: Any, n_in: int, n_hidden: int, n_classes: int) -> Parameters:
    W, U, V = jax.random.split(key, 3)
    return {
        "W": jax.random.normal(W, (n_in, n_hidden)) / 2,
        "U": jax.random.normal(U, (n_hidden, n_hidden)) / 2,
        "V": jax.random.normal(V, (n_hidden, n_classes)) / 2,
    }


def _classify(params: Parameters, xs: Any, before: Callable[[Any], Any] = jnp.asarray) -> Any:
    def step(h: Any, x: Any) -> Any:
        return jnp.tanh(x @ params["W"] + before(h) @ params["U"]), None

    h, _ = jax.lax.scan(step, jnp.zeros((len(xs), len(params["U"]))), jnp.swapaxes(xs, 0, 1))
    return jax.nn.log_softmax(h @ params["V"])


def loss_of_labels(params: Parameters, xs: Any, labels: Any) -> Any:
    """Sequences (B, T, n), each with the number of a class."""
    return -jnp.mean(jnp.take_along_axis(_classify(params, xs), labels[:, None], axis=1))


def loss_of_ones(params: Parameters, xs: Any, y: Any) -> Any:
    """Sequences (B, T, n), each with a vector (B, C)."""
    return -jnp.mean(jnp.sum(_classify(params, xs) * y, -1))


def stopped_loss_of_labels(params: Parameters, xs: Any, labels: Any) -> Any:
    """Its gradient is that of the whole sequence."""
    scores = _classify(params, xs, jax.lax.stop_gradient)
    return -jnp.mean(jnp.take_along_axis(scores, labels[:, None], axis=1))
