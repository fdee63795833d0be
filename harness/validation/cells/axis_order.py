"""Axes in the order that a target wants: a letter each, T steps, B rows, n inputs, d units, 1 of length one."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


def to_axes(value: Tensor, axes: str, wanted: str) -> Tensor:
    """Arrange axes: those named 1 are new, and B is dropped where it is not wanted.

    Args:
        value: A tensor with the axes `axes`.
        axes: A letter for each axis of the tensor.
        wanted: The axes that it shall have.
    """
    if value.dim() != len(axes):
        return value  # a state that lost an axis goes back in as it came out
    if axes == wanted:
        return value
    if "B" not in wanted and "B" in axes:
        value, axes = value.select(axes.index("B"), 0), axes.replace("B", "")
    arranged = value.permute([axes.index(axis) for axis in wanted if axis != "1"])
    for place, axis in enumerate(wanted):
        if axis == "1":
            arranged = arranged.unsqueeze(place)
    return arranged


def from_axes(value: Tensor, axes: str, wanted: str) -> Tensor:
    """Arrange axes back: those named 1 go, and B is new, of length one, where it is lacking.

    Args:
        value: A tensor with the axes `axes`.
        axes: A letter for each axis of the tensor.
        wanted: The axes that it shall have.
    """
    if axes == wanted:
        return value
    for place in reversed([place for place, axis in enumerate(axes) if axis == "1"]):
        value = value.squeeze(place)
    axes = axes.replace("1", "")
    if "B" in wanted and "B" not in axes:
        value, axes = value.unsqueeze(0), "B" + axes
    return value.permute([axes.index(axis) for axis in wanted])
