"""Models of flax.linen that take lengths, or tokens: right ones, and next to each the same with one mistake."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
from flax import linen


class BothDirections(linen.Module):
    """Two layers, one of which reads backward, over rows of several lengths: x (B, T, n), lengths (B,)."""

    units: int = 6

    def back(self, x: Any, lengths: Any) -> Any:
        layer = linen.RNN(linen.GRUCell(self.units, parent=None), reverse=True, keep_order=True, name="back")
        return layer(x, seq_lengths=lengths)

    @linen.compact
    def __call__(self, x: Any, lengths: Any) -> Any:
        onward: Any = linen.RNN(linen.GRUCell(self.units, parent=None), name="onward")(x, seq_lengths=lengths)
        outputs = jnp.concatenate([onward, self.back(x, lengths)], -1)
        return outputs * (jnp.arange(x.shape[1]) < lengths[:, None])[..., None]


class PaddingFirst(BothDirections):
    def back(self, x: Any, lengths: Any) -> Any:
        return linen.RNN(linen.GRUCell(self.units, parent=None), reverse=True, keep_order=True, name="back")(x)


class Tagger(linen.Module):
    """Tokens (B, T), with a switch for dropout."""

    @linen.compact
    def __call__(self, tokens: Any, train: bool) -> Any:
        x = linen.Embed(20, 4)(tokens)
        x = linen.RNN(linen.GRUCell(6, parent=None))(x)
        return linen.Dense(3)(linen.Dropout(0.5, deterministic=not train)(x))


class Masked(linen.Module):
    """States by hand of steps x (B, T, n); mask (B, T) is 1 where a step counts as valid."""

    units: int = 3

    def carried(self, h: Any, new: Any, mask: Any) -> Any:
        return jnp.where(mask[:, None] > 0, new, h)

    @linen.compact
    def __call__(self, x: Any, mask: Any) -> Any:
        W = self.param("W", linen.initializers.normal(0.5), (x.shape[-1], self.units))
        U = self.param("U", linen.initializers.normal(0.5), (self.units, self.units))
        h, steps = jnp.zeros((len(x), self.units), x.dtype), []
        for t in range(x.shape[1]):
            h = self.carried(h, jnp.tanh(x[:, t] @ W + h @ U), mask[:, t])
            steps.append(h)
        return jnp.stack(steps, 1), h
