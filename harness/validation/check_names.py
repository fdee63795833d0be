"""The names of what a candidate alone is asked, for those who list its checks without loading torch."""

from __future__ import annotations

from typing import Final

USAGE_CHECK_NAMES: Final = (
    "behaviour.state-between-calls",
    "behaviour.state-dict",
    "behaviour.formats",
    "behaviour.large-inputs",
    "behaviour.non-finite-rows",
    "behaviour.step-by-step",
    "behaviour.smallest-sizes",
    "behaviour.training",
    "behaviour.no-grad",
    "behaviour.frozen-parameters",
    "behaviour.default-state",
)
"""Those of `rnn_harness.validation.judging.usage_checks`, in every dtype."""
PROPERTY_CHECK_NAMES: Final = (
    "consistency.training",
    "consistency.rows-of-every-result",
    "consistency.declared-layout",
    "consistency.final-state-gradients",
    "consistency.states-left-out",
    "consistency.defaults-given",
    "consistency.reset",
    "consistency.lengths",
    "consistency.context-mask",
    "consistency.imputation-mask",
    "consistency.step-method",
    "consistency.large-batches",
    "consistency.large-sizes",
    "consistency.long-gradients",
)
"""Those of `rnn_harness.validation.consistency.identified_cell`, in every dtype."""
