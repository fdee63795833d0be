"""What a format sees of a gradient beside another one of size one."""

from __future__ import annotations

import math

from rnn_harness.arithmetic.assumptions import RATE_LAGS, SPACING

FLOAT32_SHARE, FLOAT64_SHARE = SPACING["float32"], SPACING["float64"]
"""Below that share of another gradient, a gradient changes no digit of their sum."""
NEAR_LAG, FAR_LAG = RATE_LAGS
"""The lags between which a factor per step is measured; what lies beyond the second counts as long ago."""
FLOAT32_LIMIT, FLOAT64_LIMIT = math.log10(FLOAT32_SHARE), math.log10(FLOAT64_SHARE)
"""log10 of both shares, as curves of decay are kept."""
