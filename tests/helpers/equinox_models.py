"""Models of Equinox around two cells: both directions, and one whose second direction runs the cell of the first."""

from __future__ import annotations

from typing import Any

import equinox
import jax
import jax.numpy as jnp


class BothDirections(equinox.Module):
    """Reads a sequence onward and back, (T, n) -> (T, 2 d)."""

    onward: equinox.nn.GRUCell
    back: equinox.nn.GRUCell

    def __init__(self, input_size: int, hidden_size: int, key: Any) -> None:
        first, second = jax.random.split(key)
        self.onward = equinox.nn.GRUCell(input_size, hidden_size, key=first)
        self.back = equinox.nn.GRUCell(input_size, hidden_size, key=second)

    def cell_of_the_way_back(self) -> Any:
        return self.back

    def __call__(self, xs: Any) -> Any:
        start = jnp.zeros(self.onward.hidden_size)

        def scan(cell: Any, is_reverse: bool) -> Any:
            def step(state: Any, x: Any) -> tuple[Any, Any]:
                state = cell(x, state)
                return state, state

            return jax.lax.scan(step, start, xs, reverse=is_reverse)[1]

        return jnp.concatenate([scan(self.onward, False), scan(self.cell_of_the_way_back(), True)], axis=-1)


class OneCellForBothWays(BothDirections):
    def cell_of_the_way_back(self) -> Any:
        return self.onward


class RollsItsState(equinox.Module):
    """A GRU cell that rolls the state by a number of places, which is an array and no parameter."""

    cell: equinox.nn.GRUCell
    places: Any

    def __init__(self, input_size: int, hidden_size: int, key: Any) -> None:
        self.cell = equinox.nn.GRUCell(input_size, hidden_size, key=key)
        self.places = jnp.asarray(1)

    def __call__(self, x: Any, h: Any) -> Any:
        return self.cell(x, jnp.roll(h, self.places))
