"""A module that gives other numbers the second time may keep its state between calls on purpose, for a stream."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from rnn_harness.attributes import member
from rnn_harness.errors import UsageError
from rnn_harness.records.events import RecordMade, TargetDiagnosed, ValidationEvent
from rnn_harness.records.validation import Diagnosis
from rnn_harness.records.verdict import Outcome
from rnn_harness.validation.identification.probe import Probe, Response, probe_target
from rnn_harness.validation.judging.describe import identification_check
from rnn_harness.validation.judging.expected_failures import mark_expected
from rnn_harness.validation.judging.function_checks import ANY_CELL
from rnn_harness.validation.loading.driver import run_over_time
from rnn_harness.validation.loading.fresh_state import may_keep_state, with_fresh_state
from rnn_harness.validation.loading.target import Target
from rnn_harness.validation.request import ValidationRequest

if TYPE_CHECKING:
    from torch import nn

_RESETS = re.compile(r"(reset|clear|init|zero)(_?(the_)?(states?|hidden|memory|carry|cells?|cache))?s?$", re.IGNORECASE)
"""Names of methods that bring a new state."""


@dataclass(frozen=True)
class KeptState:
    """What is known of a state that is kept between calls.

    Attributes:
        is_for_a_stream: Whether a sequence in several calls gives what it gives in one.
        fault: What is wrong with keeping it; None if nothing is.
    """

    is_for_a_stream: bool
    fault: Diagnosis | None = None


def kept_state(target: Target) -> KeptState | None:
    """Find out how a target keeps a state between calls.

    Args:
        target: A target that gives other numbers the second time.

    Returns:
        What is known; None where it keeps none that can be put back, or draws random numbers.
    """
    n, d = target.capabilities.fixed_sizes or (5, 3)
    if not may_keep_state(target.make_module(n, d)):
        return None
    try:
        probe = probe_target(with_fresh_state(target))
    except UsageError:  # it cannot be driven so either
        return None
    if not probe.convention.sequence or not probe.equal(probe.complete(), probe.complete()):
        return None
    if not _is_continued(target, probe):
        return KeptState(is_for_a_stream=False)
    return KeptState(is_for_a_stream=True, fault=_fault(target, probe))


def _new(target: Target, probe: Probe) -> Probe:
    """The same numbers for a new module, which keeps its state."""
    module = target.make_module(*probe.sizes).to(next(probe.module.parameters()).dtype).eval()
    return replace(probe, module=module)


def _is_continued(target: Target, probe: Probe) -> bool:
    """Whether two calls of two steps each give what one call of four steps gives."""
    pieces = _new(target, probe)
    first = pieces.respond(probe.parameters, 2)
    second = replace(pieces, inputs=probe.inputs[2:]).respond(probe.parameters, 2)
    joined = np.concatenate([first.outputs[0], second.outputs[0]])
    return probe.equal(Response((joined,), ()), Response(probe.complete().outputs, ()))


def _fault(target: Target, probe: Probe) -> Diagnosis | None:
    """Say what is wrong with how a state is kept: it has no reset that works, and nothing cuts its graph."""
    resets = dict(_resets(target.make_module(*probe.sizes)))
    answers: dict[str, list[bool | None]] = {}
    for name, counts in resets.items():
        for arguments in counts:
            used = _new(target, probe)
            used.complete()
            answers.setdefault(name, []).append(_is_reset(used, name, arguments, probe))
            if answers[name][-1]:
                return None
    without_arguments = [name for name, counts in resets.items() if 0 in counts and False in answers[name]]
    if without_arguments:
        listed = " and ".join(f"{name}()" for name in without_arguments)
        difference = f"after {listed} it does not give what a new module gives: a part of the state that it keeps stays"
        return Diagnosis(spec=ANY_CELL, part="behaviour: reset of the kept state", difference=difference)
    # What raises after a reset, or in it, was given something else than it wants: a number of rows, or another state.
    is_undecided = any(None in decided for decided in answers.values())
    if not is_undecided and _keeps_graph(_new(target, probe)):
        difference = (
            "it keeps its state between calls with the graph of the earlier calls, and has no method that resets it: "
            "the second backward fails, and sequences that have nothing to do with each other are joined"
        )
        return Diagnosis(spec=ANY_CELL, part="behaviour: state between calls", difference=difference)
    return None


def _resets(module: nn.Module) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Yield the methods of a module that may bring a new state, with how many arguments each takes: none or one."""
    for name, method in inspect.getmembers(type(module), inspect.isfunction):
        if _RESETS.match(name):
            parameters = list(inspect.signature(method).parameters.values())[1:]
            needed = [parameter for parameter in parameters if parameter.default is inspect.Parameter.empty]
            if len(needed) < 2:  # one that may be left out is the batch, too: of one row without it
                yield name, (0, 1) if parameters and not needed else (len(needed),)


def _is_reset(used: Probe, name: str, arguments: int, probe: Probe) -> bool | None:
    """Whether a module that was called gives what a new one gives after its method; one argument is the batch.

    None where the method, or the module after it, raises.
    """
    method = member(type(used.module), name)
    try:
        method(used.module, *(probe.inputs.shape[1],) * arguments)
        return probe.equal(used.complete(), probe.complete())
    except Exception:  # whatever the method wants, it is not this
        return None


def _keeps_graph(probe: Probe) -> bool:
    """Whether the second call's outputs have a graph though nothing of that call wants a gradient."""
    import torch

    dtype = next(probe.module.parameters()).dtype
    inputs = torch.tensor(probe.inputs, dtype=dtype)
    states = [torch.tensor(state, dtype=dtype) for state in probe.states[: probe.convention.states]]
    plain = {name: torch.tensor(value, dtype=dtype) for name, value in probe.parameters.items()}
    wanting = {name: value.clone().requires_grad_() for name, value in plain.items()}
    run_over_time(probe.module, probe.convention, wanting, inputs, list(states))
    outputs = run_over_time(probe.module, probe.convention, plain, inputs, list(states)).outputs
    return outputs is not None and outputs.requires_grad


def judge_state_between_calls(target: Target, request: ValidationRequest, fault: str) -> Iterator[ValidationEvent]:
    """Yield that a candidate keeps a state between calls though it was made not to.

    Args:
        target: The candidate.
        request: What was asked for.
        fault: What is wrong, as a sentence without a full stop.
    """
    diagnosis = Diagnosis(spec=ANY_CELL, part="behaviour: state between calls", difference=fault)
    record = identification_check(target.name, request, "unknown", Outcome.REFUTED, fault)
    yield from (RecordMade(marked) for marked in mark_expected((record,), request.expected))
    yield TargetDiagnosed(diagnosis)
