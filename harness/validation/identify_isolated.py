"""What a target is, found out in a process of its own: one that leaves or hangs there does nothing to ours."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rnn_harness.errors import NotRun, UsageError
from rnn_harness.runtime.worker import Send, run_in_worker
from rnn_harness.validation.isolation import Limits, Order, advice, loaded, report_usage_errors

if TYPE_CHECKING:
    from rnn_harness.validation.loading.target import Target


@dataclass(frozen=True)
class IdentificationReport:
    """`rows`: spec, sentence and gates of every match; `map`: the first one's, as --save-map writes it, empty without.

    `fault`: the known cell that it equals but for a mistake, and the mistake; empty if there is none, or a match.
    """

    rows: tuple[dict[str, Any], ...]
    map: str = ""
    fault: str = ""


def identify_isolated(order: Order, limits: Limits, nearest: bool = True) -> IdentificationReport:
    """What the target of an order is. `nearest`: look for its fault, too, if it is nothing known.

    Raises UsageError as `identify` does, and NotRun where the target ended its process, or gave no answer in time.
    """
    for kind, value in run_in_worker(_work, (order, nearest), limits.case):
        if kind == "usage":
            raise UsageError(value)
        if kind == "ended":
            raise NotRun(f"{value} while it was identified{advice(order, limits, value)}")
        if kind == "answer":
            return IdentificationReport(**value)
    raise NotRun("its process gave no answer")


def _work(send: Send, given: tuple[Order, bool]) -> None:
    """What the target prints goes to standard error: it is no part of the answer."""
    order, nearest = given
    sys.stdout.flush()
    os.dup2(2, 1)
    report_usage_errors(send, order, lambda send, order: _identified(send, order, nearest))


def _identified(send: Send, order: Order, nearest: bool) -> None:
    from rnn_harness.validation.identification.identify import identify
    from rnn_harness.validation.identification.saved_map import to_map_file

    target = loaded(order)
    matches = identify(target)
    rows = tuple({"spec": m.spec, "sentence": m.sentence(), "gates": m.assignment.gate_order("x")} for m in matches)
    written = to_map_file(matches[0]).model_dump_json(indent=1) + "\n" if matches else ""
    fault = _nearest(target) if nearest and not matches else ""
    send("answer", {"rows": rows, "map": written, "fault": fault})


def _nearest(target: Target) -> str:
    """The known cell that it equals but for a mistake, empty if there is none."""
    from rnn_harness.validation.diagnosis.explain import explain_faults
    from rnn_harness.validation.diagnosis.nearest import identify_faulty
    from rnn_harness.validation.identification.identify import target_layouts
    from rnn_harness.validation.identification.probe import probe_target

    seen = probe_target(target)
    found = identify_faulty(seen, target_layouts(target, seen), target.declared_model)
    return explain_faults(found[0]).sentence() if found else ""
