"""What a format sees of a gradient beside another one of size one."""

from __future__ import annotations

import math

FLOAT32_SHARE, FLOAT64_SHARE = 2.0**-23, 2.0**-52
"""The spacing of numbers at 1 (IEEE 754): a gradient below that share of another one changes no digit of their sum."""
FLOAT32_LIMIT, FLOAT64_LIMIT = math.log10(FLOAT32_SHARE), math.log10(FLOAT64_SHARE)
"""log10 of both shares, as curves of decay are kept."""
