"""How an array lies: its axes as letters, T time, B rows, N features (inputs or units), 1 an axis of length one."""

from __future__ import annotations

import numpy as np

from rnn_harness.array_types import Array


def usual_axes(axes: str) -> str:
    """Return the same axes in the usual order, without those of length one: ``TBN``, ``BN``, ``TN`` or ``N``.

    Args:
        axes: Letters in the order in which an array has them, such as ``NB1``.
    """
    return "".join(letter for letter in "TBN" if letter in axes)


def arrange(value: Array, axes: str) -> Array:
    """Lay out an array; what is written into the result is written into the array.

    Args:
        value: The array, its axes in the usual order.
        axes: The axes that it is to have.
    """
    present = usual_axes(axes)
    moved = value.transpose([present.index(letter) for letter in axes if letter != "1"])
    index = tuple(np.newaxis if letter == "1" else slice(None) for letter in axes)
    return moved[index]


def restore(value: Array, axes: str) -> Array:
    """Bring an array with those axes into the usual order.

    Args:
        value: The array.
        axes: A letter for each axis of the array.
    """
    letters = [letter for letter in axes if letter != "1"]
    dropped = value.reshape([size for size, letter in zip(value.shape, axes, strict=True) if letter != "1"])
    return dropped.transpose([letters.index(letter) for letter in usual_axes(axes)])


def shape_of(axes: str, sizes: dict[str, int]) -> tuple[int, ...]:
    """Return the shape of an array with those axes.

    Args:
        axes: A letter for each axis of the array.
        sizes: The length of each of its letters.
    """
    return tuple(1 if letter == "1" else sizes[letter] for letter in axes)


def in_words(axes: str, features: str) -> str:
    """Write the axes as a shape, such as ``(B, n)``.

    Args:
        axes: A letter for each axis of the array.
        features: What their number of features is called: ``n`` or ``d``.
    """
    named = [features if letter == "N" else letter for letter in axes]
    return f"({', '.join(named)}{',' if len(named) == 1 else ''})"
