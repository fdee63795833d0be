"""A candidate as a reference, for programs that show a counterexample.

Dimension legend: T time steps, B batch rows, n input size, d hidden size.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from rnn_harness.errors import UsageError
from rnn_harness.references import Reference
from rnn_harness.validation.diagnosis.nearest import identify_faulty
from rnn_harness.validation.identification.identify import identify, target_layouts
from rnn_harness.validation.identification.probe import probe_target
from rnn_harness.validation.judging.validate import candidate
from rnn_harness.validation.loading.target import load_target


def driven(text: str, options: dict[str, Any] | None = None) -> Reference:
    """The candidate behind ``forward(parameters, inputs, states)`` and ``backward``, by the names of its nearest spec.

    Raises UsageError if it is near none.
    """
    target = load_target(text, options)
    seen = probe_target(target)
    matches = identify(target, seen) or tuple(identify_faulty(seen, target_layouts(target, seen), None))
    if not matches:
        raise UsageError(f"{text} is near no cell that is known")
    right = replace(matches[0], model=replace(matches[0].model, faults=()))
    kernel = candidate(target, right)
    return kernel.subject(kernel.settings[0]).cell
