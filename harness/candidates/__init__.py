"""Somebody's cell: what it is, and whether it is right. What is named here is loaded when it is first used."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rnn_harness.candidates._driven import driven
    from rnn_harness.candidates._identify import Match, identify
    from rnn_harness.candidates._map import load_map, save_map
    from rnn_harness.candidates._options import read_options
    from rnn_harness.candidates._result import Validation, collect, outcome_of, validation
    from rnn_harness.candidates._target import Target, load, target
    from rnn_harness.candidates._validate import Watch, Wish, candidate, validating
    from rnn_harness.candidates._worker import Limits, Order, isolated

__all__ = [
    "Limits",
    "Match",
    "Order",
    "Target",
    "Validation",
    "Watch",
    "Wish",
    "candidate",
    "collect",
    "driven",
    "identify",
    "isolated",
    "load",
    "load_map",
    "outcome_of",
    "read_options",
    "save_map",
    "target",
    "validating",
    "validation",
]
_HOMES = {
    "_driven": ("driven",),
    "_identify": ("Match", "identify"),
    "_map": ("load_map", "save_map"),
    "_options": ("read_options",),
    "_result": ("Validation", "collect", "outcome_of", "validation"),
    "_target": ("Target", "load", "target"),
    "_validate": ("Watch", "Wish", "candidate", "validating"),
    "_worker": ("Limits", "Order", "isolated"),
}


def __getattr__(name: str) -> Any:
    for home, names in _HOMES.items():
        if name in names:
            return getattr(importlib.import_module(f"{__name__}.{home}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
