"""Somebody's cell: what it is, and whether it is right. What is named here is loaded when it is first used."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rnn_harness.records.validation import Validation, collect, outcome_of, validation
    from rnn_harness.validation.identification.identify import Identification, identify
    from rnn_harness.validation.identification.saved_map import load_map, save_map
    from rnn_harness.validation.isolation import Limits, Order, isolated
    from rnn_harness.validation.judging.validate import ProgressListener, ValidationRequest, candidate, validating
    from rnn_harness.validation.loading.options import read_options
    from rnn_harness.validation.loading.target import Target, load_target, target_of
    from rnn_harness.validation.reproduction.reference import driven

__all__ = [
    "Identification",
    "Limits",
    "Order",
    "ProgressListener",
    "Target",
    "Validation",
    "ValidationRequest",
    "candidate",
    "collect",
    "driven",
    "identify",
    "isolated",
    "load_map",
    "load_target",
    "outcome_of",
    "read_options",
    "save_map",
    "target_of",
    "validating",
    "validation",
]
_HOMES = {
    "reproduction.reference": ("driven",),
    "identification.identify": ("Identification", "identify"),
    "identification.saved_map": ("load_map", "save_map"),
    "loading.options": ("read_options",),
    "records.validation": ("Validation", "collect", "outcome_of", "validation"),
    "loading.target": ("Target", "load_target", "target_of"),
    "judging.validate": ("ProgressListener", "ValidationRequest", "candidate", "validating"),
    "isolation": ("Limits", "Order", "isolated"),
}


def __getattr__(name: str) -> Any:
    for home, names in _HOMES.items():
        if name in names:
            root = "rnn_harness" if home.startswith("records.") else __name__
            return getattr(importlib.import_module(f"{root}.{home}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
