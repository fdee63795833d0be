"""The 95 % interval of a mean over a few seeds."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

_STUDENT_T = {2: 12.71, 3: 4.303, 4: 3.182, 5: 2.776, 6: 2.571, 7: 2.447, 8: 2.365, 9: 2.306, 10: 2.262}
"""Student's t for 95 %, by the number of seeds."""
_MANY_SEEDS_T = 2.262
"""For more seeds than the table has: that of ten seeds, which is too wide rather than too narrow."""


def mean_interval(values: Sequence[float]) -> tuple[float, float]:
    """Return the ends of the 95 % interval of the mean.

    Args:
        values: One for each seed; of a single one both ends are the value itself.
    """
    mean = sum(values) / len(values)
    if len(values) < 2:
        return mean, mean
    error = float(np.std(values, ddof=1)) / math.sqrt(len(values))
    half_width = error * _STUDENT_T.get(len(values), _MANY_SEEDS_T)
    return mean - half_width, mean + half_width
