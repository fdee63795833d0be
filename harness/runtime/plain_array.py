"""Arrays as they travel from a worker: plain data that is read without running anything of it."""

from __future__ import annotations

import base64
import math
from dataclasses import dataclass

import numpy as np

from rnn_harness.array_types import Array


@dataclass(frozen=True)
class PlainArray:
    """An array as plain data.

    Attributes:
        shape: The length of every axis.
        numbers: Its numbers in float64, little-endian, in base 64; float64 holds those of every narrower format.
    """

    shape: tuple[int, ...]
    numbers: str

    @classmethod
    def of(cls, array: Array) -> PlainArray:
        """Return an array as plain data.

        Args:
            array: Real numbers in any format.
        """
        return cls(tuple(array.shape), base64.b64encode(array.astype("<f8").tobytes()).decode("ascii"))

    @property
    def is_whole(self) -> bool:
        """Whether there are as many numbers as the shape has places: a worker may send anything."""
        try:
            self.array()
        except ValueError:
            return False
        return True

    def array(self, dtype: str = "float64") -> Array:
        """Return the array.

        Args:
            dtype: The format of its numbers; of every narrow one the array holds the numbers in float32.

        Raises:
            ValueError: The numbers are none, or are not as many as the shape says.
        """
        numbers = np.frombuffer(base64.b64decode(self.numbers, validate=True), dtype="<f8")
        if min(self.shape, default=0) < 0 or math.prod(self.shape) != len(numbers):
            raise ValueError(f"{len(numbers)} numbers for an array of shape {self.shape}")
        array: Array = numbers.reshape(self.shape).astype("float64" if dtype == "float64" else "float32")
        return array
