"""Identify a target in a process of its own: a target that exits or hangs there ends that process and not this one."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rnn_harness.errors import NotRun, UsageError
from rnn_harness.runtime.worker import Send, run_in_worker
from rnn_harness.validation.isolation import Limits, Order, advice, loaded, report_usage_errors

if TYPE_CHECKING:
    from rnn_harness.validation.loading.target import Target


@dataclass(frozen=True)
class IdentifiedCell:
    """One cell that a target may be. ``rnn-harness identify --json`` prints these fields.

    Attributes:
        spec: The shipped spec of the cell; None if there is none.
        sentence: What the target is, in words.
        gates: The letters of the gates in the order of the input weights.
    """

    spec: str | None
    sentence: str
    gates: str


@dataclass(frozen=True)
class IdentificationReport:
    """What a target is.

    Attributes:
        cells: The right cells that it equals; several where nothing tells them apart.
        map: The parameter map of the first cell, as a map's file holds it; empty without a cell.
        fault: In words, the known cell that it equals but for a fault, and the fault; empty if there is none.
    """

    cells: tuple[IdentifiedCell, ...]
    map: str = ""
    fault: str = ""


def identify_isolated(order: Order, limits: Limits, nearest: bool = True) -> IdentificationReport:
    """Identify a target in a process of its own.

    Args:
        order: The target, and how to load it.
        limits: The time that it may take.
        nearest: Whether to look for its faults, if it is no known cell.

    Raises:
        UsageError: It cannot be loaded or driven, or its parameters fit no cell.
        NotRun: It ended its process, or gave no answer in time.
    """
    for kind, value in run_in_worker(_work, (order, nearest), limits.case):
        if kind == "usage":
            raise UsageError(value)
        if kind == "ended":
            raise NotRun(f"{value} while it was identified{advice(order, limits, value)}")
        if kind == "answer":
            report: IdentificationReport = value
            return report
    raise NotRun("its process gave no answer")


def _work(send: Send, request: tuple[Order, bool]) -> None:
    """Identify in the worker. What the target prints goes to standard error, since standard output is the answer's."""
    order, nearest = request
    sys.stdout.flush()
    os.dup2(2, 1)
    report_usage_errors(send, order, lambda send, order: send("answer", _identify(loaded(order), nearest)))


def _identify(target: Target, nearest: bool) -> IdentificationReport:
    from rnn_harness.validation.identification.identify import identify
    from rnn_harness.validation.identification.saved_map import to_map_file

    identifications = identify(target)
    if not identifications:
        return IdentificationReport((), fault=_nearest(target) if nearest else "")
    cells = (IdentifiedCell(row.spec, row.sentence(), row.assignment.gate_order("x")) for row in identifications)
    return IdentificationReport(tuple(cells), to_map_file(identifications[0]).model_dump_json(indent=1) + "\n")


def _nearest(target: Target) -> str:
    """The known cell that a target equals but for a fault, in words; empty if there is none."""
    from rnn_harness.validation.diagnosis.explain import explain_faults
    from rnn_harness.validation.diagnosis.nearest import identify_faulty
    from rnn_harness.validation.identification.identify import target_layouts
    from rnn_harness.validation.identification.probe import probe_target

    probe = probe_target(target)
    faulty = identify_faulty(probe, target_layouts(target, probe), target.declared_model)
    return explain_faults(faulty[0]).sentence() if faulty else ""
