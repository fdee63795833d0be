"""A candidate that computes in some dtypes alone is judged in these, and the others are named."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from rnn_harness.arithmetic.torch_dtype import torch_dtype
from rnn_harness.errors import UsageError, first_line
from rnn_harness.evaluation.judging_options import NARROW
from rnn_harness.records.provenance import versions
from rnn_harness.records.record import Record
from rnn_harness.records.validation import TAKEN_CHECK
from rnn_harness.records.verdict import Outcome
from rnn_harness.validation.identification.probe import STEPS, Probe
from rnn_harness.validation.loading.parameter_exchange import in_evaluation
from rnn_harness.validation.loading.target import Target
from rnn_harness.validation.request import ValidationRequest


def observed_target(target: Target, probe: Probe, request: ValidationRequest) -> Target:
    """Return the target with the dtypes in which it can be called, as the probing showed.

    The probing reaches no dtype below the first in which it can be called; those that were asked for are tried here.

    Args:
        target: The candidate.
        probe: Runs of the candidate; why it cannot be called in a dtype is added to them.
        request: What was asked for.
    """
    for dtype in request.dtypes:
        if dtype in NARROW and dtype in target.capabilities.dtypes:
            probe.refusals.update(_refusal(target, probe, dtype))
    dtypes = tuple(dtype for dtype in target.capabilities.dtypes if dtype not in probe.refusals)
    return replace(target, capabilities=replace(target.capabilities, dtypes=dtypes))


def _refusal(target: Target, probe: Probe, dtype: str) -> dict[str, str]:
    """Return why a target cannot be called in a dtype, by that dtype; nothing where it can."""
    try:
        module = in_evaluation(target.make_module(*probe.sizes).to(torch_dtype(dtype)))
        replace(probe, module=module, dtype=dtype).respond(probe.parameters, STEPS)
    except UsageError as error:
        return {dtype: first_line(error)}
    return {}


def records_of_refused_dtypes(target: Target, probe: Probe, request: ValidationRequest) -> Iterator[Record]:
    """Yield a record for every dtype that was asked for and in which it cannot be called.

    Args:
        target: The candidate, as observed.
        probe: Runs of the candidate.
        request: What was asked for.
    """
    for dtype in request.dtypes:
        if dtype in target.capabilities.dtypes:
            continue
        reason = _cause(probe.refusals.get(dtype, "its library does not compute in it"))
        reason += _other_dtype(target, request)
        yield Record(
            entry="unknown",
            spec="unknown",
            check=TAKEN_CHECK,
            witness="kernel",
            outcome=Outcome.NOT_RUN,
            reason=f"not judged in {dtype}: {reason}",
            examples=0,
            seed=request.seed,
            environment=versions(),
            kernel=target.name,
            dtype=dtype,
            device="cpu",
        )


def _cause(refusal: str) -> str:
    """What the target raised, out of the sentence that says how it was called."""
    raised = refusal.partition(" raised ")[2].partition("; expected ")[0]
    return f"it raised {raised}" if raised else refusal


def _other_dtype(target: Target, request: ValidationRequest) -> str:
    """How to have a target judged that takes no dtype that is asked for; empty where it takes one."""
    taken = target.capabilities.dtypes
    if not taken or set(taken) & set(request.dtypes):
        return ""
    return f"; it takes {taken[0]}, so give --dtype {taken[0]} or leave --dtype out"
