"""A candidate, from its name to a verdict, in four steps, each a folder.

1. `loading`: what the user typed becomes a torch module of any sizes, or one that stands for an object of another
   library; how it is called is found by calling it.
2. `identification`: which cell it computes, and which of its parameters is which of the cell's.
3. `judging`: the candidate as a kernel of that cell's spec, judged by a kernel's checks and some more.
4. `diagnosis` and `reproduction`: what is wrong with it in words, and the smallest numbers that show it, as a program.

`isolation` does all four in a worker. The names below are loaded when they are first used: torch takes a second.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rnn_harness.records.events import (
        Conclusions,
        CounterexampleFound,
        PhaseStarted,
        RecordMade,
        TargetDiagnosed,
        TargetIdentified,
        ValidationEvent,
        build_validation,
        collect_validation,
    )
    from rnn_harness.records.validation import Validation, outcome_of
    from rnn_harness.validation.candidate_reference import candidate_as_reference
    from rnn_harness.validation.identification.identification import Identification
    from rnn_harness.validation.identification.identify import identify
    from rnn_harness.validation.identification.saved_map import load_map, save_map
    from rnn_harness.validation.isolation import run_validation_isolated
    from rnn_harness.validation.judging.candidate_judge import judge_case
    from rnn_harness.validation.judging.candidate_kernel import candidate_kernel
    from rnn_harness.validation.judging.own_specs import state_names_of
    from rnn_harness.validation.judging.validate import run_validation
    from rnn_harness.validation.loading.options import read_options
    from rnn_harness.validation.loading.target import Target, load_target, target_of
    from rnn_harness.validation.request import Limits, Listener, ValidationRequest

__all__ = [
    "Conclusions",
    "CounterexampleFound",
    "Identification",
    "Limits",
    "Listener",
    "PhaseStarted",
    "RecordMade",
    "Target",
    "TargetDiagnosed",
    "TargetIdentified",
    "Validation",
    "ValidationEvent",
    "ValidationRequest",
    "build_validation",
    "candidate_as_reference",
    "candidate_kernel",
    "collect_validation",
    "identify",
    "judge_case",
    "load_map",
    "load_target",
    "outcome_of",
    "read_options",
    "run_validation",
    "run_validation_isolated",
    "save_map",
    "state_names_of",
    "target_of",
]
_MODULES = {
    "rnn_harness.records.events": (
        "Conclusions",
        "CounterexampleFound",
        "PhaseStarted",
        "RecordMade",
        "TargetDiagnosed",
        "TargetIdentified",
        "ValidationEvent",
        "build_validation",
        "collect_validation",
    ),
    "rnn_harness.records.validation": ("Validation", "outcome_of"),
    "rnn_harness.validation.identification.identification": ("Identification",),
    "rnn_harness.validation.identification.identify": ("identify",),
    "rnn_harness.validation.identification.saved_map": ("load_map", "save_map"),
    "rnn_harness.validation.isolation": ("run_validation_isolated",),
    "rnn_harness.validation.judging.candidate_kernel": ("candidate_kernel",),
    "rnn_harness.validation.judging.candidate_judge": ("judge_case",),
    "rnn_harness.validation.judging.validate": ("run_validation",),
    "rnn_harness.validation.judging.own_specs": ("state_names_of",),
    "rnn_harness.validation.loading.options": ("read_options",),
    "rnn_harness.validation.loading.target": ("Target", "load_target", "target_of"),
    "rnn_harness.validation.candidate_reference": ("candidate_as_reference",),
    "rnn_harness.validation.request": ("Limits", "Listener", "ValidationRequest"),
}


def __getattr__(name: str) -> object:
    for module, names in _MODULES.items():
        if name in names:
            return getattr(importlib.import_module(module), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
