"""A cell of Keras whose states come back in another order, which Keras hands on so; a layer with a loop of its own."""

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


class TwoScalars(keras.layers.Layer):
    """A FastGRNN cell, whose two rates are weights without an axis."""

    def __init__(self, units: int, **options: Any) -> None:
        super().__init__(**options)
        self.units = self.state_size = self.output_size = units

    def build(self, shape: tuple[int, ...]) -> None:
        """Make the weights."""
        self.W = self.add_weight(shape=(shape[-1], self.units), name="W")
        self.U = self.add_weight(shape=(self.units, self.units), name="U")
        self.b_z = self.add_weight(shape=(self.units,), name="b_z")
        self.b_h = self.add_weight(shape=(self.units,), name="b_h")
        self.zeta = self.add_weight(shape=(), initializer="ones", name="zeta")
        self.nu = self.add_weight(shape=(), initializer="zeros", name="nu")
        self.built = True

    def call(self, x: Any, states: Any) -> tuple[Any, list[Any]]:
        """One step."""
        (h,) = states
        both = ops.matmul(x, self.W) + ops.matmul(h, self.U)
        z = ops.sigmoid(both + self.b_z)
        rate = ops.sigmoid(self.zeta) * (1 - z) + ops.sigmoid(self.nu)
        h = rate * ops.tanh(both + self.b_h) + z * h
        return h, [h]


class RecurrentByItself(keras.layers.Layer):
    """A tanh RNN of two dense parts, with its loop inside."""

    def __init__(self, units: int, **options: Any) -> None:
        super().__init__(**options)
        self.units = units
        self.of_input, self.of_state = keras.layers.Dense(units), keras.layers.Dense(units, use_bias=False)

    def call(self, x: Any) -> Any:
        """All steps, from a state of zeros."""
        h, states = ops.zeros((x.shape[0], self.units), x.dtype), []
        for step in range(x.shape[1]):
            h = ops.tanh(self.of_input(x[:, step]) + self.of_state(h))
            states.append(h)
        return ops.stack(states, 1)


class RecurrentOfItsInputsFormat(RecurrentByItself):
    """The same with parts that are built before the first call, and with the outputs that they give as they are."""

    def build(self, shape: tuple[int, ...]) -> None:
        """Make the weights."""
        self.of_input.build((None, shape[-1]))
        self.of_state.build((None, self.units))
        super().build(shape)

    def call(self, x: Any) -> Any:
        """All steps, from a state of zeros."""
        h, states = ops.zeros((ops.shape(x)[0], self.units), dtype=x.dtype), []
        for step in range(x.shape[1]):
            h = ops.tanh(self.of_input(x[:, step]) + self.of_state(h))
            states.append(h)
        return ops.stack(states, axis=1)


class MaskedByItself(RecurrentByItself):
    """The same with a mask, as Keras hands it over: where it is false, the state stays."""

    def call(self, x: Any, mask: Any = None) -> Any:
        """All steps, from a state of zeros."""
        h, states = ops.zeros((x.shape[0], self.units), x.dtype), []
        for step in range(x.shape[1]):
            new = ops.tanh(self.of_input(x[:, step]) + self.of_state(h))
            h = new if mask is None else self.chosen(ops.expand_dims(mask[:, step], -1), new, h)
            states.append(h)
        return ops.stack(states, 1)

    def chosen(self, counts: Any, new: Any, old: Any) -> Any:
        """The new state where a step counts."""
        return ops.where(counts, new, old)


class MaskTurnedAround(MaskedByItself):
    """Wrong: the state stays where a step counts."""

    def chosen(self, counts: Any, new: Any, old: Any) -> Any:
        """The old state where a step counts."""
        return ops.where(counts, old, new)
