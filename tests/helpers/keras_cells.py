"""A cell of Keras whose states come back in another order than they go in: Keras hands them on as they come."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops


class ExchangedStates(keras.layers.Layer):
    """An LSTM cell that gives back (c, h) and takes (h, c)."""

    def __init__(self, units: int, **options: Any) -> None:
        super().__init__(**options)
        self.units, self.state_size, self.output_size = units, [units, units], units

    def build(self, shape: tuple[int, ...]) -> None:
        """Make the weights."""
        self.kernel = self.add_weight(shape=(shape[-1], 4 * self.units), name="kernel")
        self.recurrent = self.add_weight(shape=(self.units, 4 * self.units), name="recurrent")
        self.built = True

    def call(self, x: Any, states: Any) -> tuple[Any, list[Any]]:
        """One step."""
        h, c = states
        i, f, g, o = ops.split(ops.matmul(x, self.kernel) + ops.matmul(h, self.recurrent), 4, axis=-1)
        c = ops.sigmoid(f) * c + ops.sigmoid(i) * ops.tanh(g)
        h = ops.sigmoid(o) * ops.tanh(c)
        return h, [c, h]
