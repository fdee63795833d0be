"""A vector of parameters that notes which parts of it a function takes as arrays of their own."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from rnn_harness.array_types import Array
from rnn_harness.attributes import attribute


class Part(NamedTuple):
    """A part of a vector.

    Attributes:
        start: Its first entry.
        shape: The shape in which it is used.
    """

    start: int
    shape: tuple[int, ...]

    @property
    def stop(self) -> int:
        """The entry behind its last one."""
        return self.start + int(np.prod(self.shape))


class WatchedVector(np.ndarray[Any, Any]):
    """A vector whose parts are noted whenever one is taken: slices, and what they are reshaped to.

    Attributes:
        parts: What was taken, in order; shared by all parts.
        home: The address of its first entry.
        length: How many entries it has.
    """

    parts: list[Part]
    home: int
    length: int

    def __array_finalize__(self, source: object) -> None:
        """Note a part of the vector; whatever has a memory of its own is none."""
        parts = attribute(source, "parts", list)
        if not isinstance(source, WatchedVector) or parts is None:
            return
        self.parts, self.home, self.length = parts, source.home, source.length
        start, rest = divmod(int(self.__array_interface__["data"][0]) - self.home, self.itemsize)
        is_inside = start >= 0 and not rest and start + self.size <= self.length
        if is_inside and self.size and self.flags.c_contiguous:
            parts.append(Part(start, self.shape))


def watched(vector: Array) -> WatchedVector:
    """Return a copy of a vector that notes what is taken out of it.

    Args:
        vector: The parameters one behind the other.
    """
    copy = vector.copy().view(WatchedVector)
    copy.parts, copy.home, copy.length = [], int(copy.__array_interface__["data"][0]), vector.size
    return copy


def division(vector: WatchedVector) -> list[Part]:
    """Return the parts that lie side by side from the first entry on, as far as they go.

    Of several that begin at one place it is the first that was reshaped to a matrix; else the shortest. What reaches to
    the end of the vector is its last part only where nothing else begins there.

    Args:
        vector: The vector, after it was used.
    """
    divided: list[Part] = []
    place = 0
    while place < vector.length:
        here = [part for part in vector.parts if part.start == place and part != Part(0, vector.shape)]
        if not here:
            break
        matrices = [part for part in here if len(part.shape) > 1]
        divided.append(matrices[0] if matrices else min(here, key=lambda part: part.stop))
        place = divided[-1].stop
    return divided
