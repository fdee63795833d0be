"""What a candidate does in its own way, and right: float32 inside of float64, no gradients, means of them."""

from __future__ import annotations

from dataclasses import replace

from rnn_harness.records.validation import SINGLE_INSIDE
from rnn_harness.runtime.target_gradients import handwritten_functions
from rnn_harness.validation.cells.capabilities import CellSizes
from rnn_harness.validation.consistency.driven_cell import DrivenCell, make_cell, numbered_states
from rnn_harness.validation.consistency.mean_gradients import averages_gradients
from rnn_harness.validation.consistency.real_arithmetic import with_real_arithmetic
from rnn_harness.validation.identification.probe import STEPS, Probe
from rnn_harness.validation.judging.inference_only import REASON, is_inference_only
from rnn_harness.validation.loading.parameter_exchange import in_evaluation
from rnn_harness.validation.loading.target import Target

_HANDWRITTEN = "NumPy"
"""The library of targets whose backward is always written by hand."""


def with_observed_habits(target: Target, probe: Probe) -> Target:
    """Find out in which arithmetic a candidate computes, and whether its gradients of weights are means.

    Args:
        target: A candidate that is a function of its arguments.
        probe: Runs of it; its convention is completed.

    Returns:
        The candidate, with what was seen.
    """
    target = _with_sizes_of_its_parameters(target, probe)
    capabilities, states = target.capabilities, numbered_states(probe.convention)
    try:
        cell = make_cell(target.make_module, capabilities, probe.convention, probe.sizes, probe.dtype, states)
        cell = with_real_arithmetic(cell)
        if cell.arithmetic and _is_differentiated_by_hand(cell) and averages_gradients(cell):
            probe.convention = replace(probe.convention, averages_gradients=True)
        is_for_inference = cell.is_torch and not capabilities.no_gradients_reason and is_inference_only(cell)
    except Exception:  # a target may raise anything; whoever judges it meets that again
        return target
    if is_for_inference:
        capabilities = replace(capabilities, no_gradients_reason=REASON, notes=(*capabilities.notes, REASON))
        target = replace(target, capabilities=capabilities)
    if cell.arithmetic == probe.dtype or cell.arithmetic != "float32":
        return target
    capabilities = replace(capabilities, is_single_inside=True, notes=(*capabilities.notes, SINGLE_INSIDE))
    return replace(target, capabilities=capabilities)


def _with_sizes_of_its_parameters(target: Target, probe: Probe) -> Target:
    """Keep a target to the sizes of its probe if it is another cell where its inputs are as wide as its states.

    Some project their inputs where these are wider or narrower, and have no matrix for it elsewhere.
    """
    capabilities = target.capabilities
    if capabilities.fixed_sizes is not None or probe.sizes[0] == probe.sizes[1]:
        return target
    try:
        square = {name for name, _ in target.make_module(probe.sizes[1], probe.sizes[1]).named_parameters()}
    except Exception:  # it may refuse such sizes, which whoever judges it meets again
        return target
    lacking = [name for name in probe.parameters if name not in square]
    if not lacking:
        return target
    note = f"where its inputs are as wide as its states it has no {', '.join(lacking)}: judged at other sizes alone"
    sizes = CellSizes(*probe.sizes)
    return replace(target, capabilities=replace(capabilities, fixed_sizes=sizes, notes=(*capabilities.notes, note)))


def probe_in_own_format(target: Target, probe: Probe) -> Probe:
    """Return runs of a candidate in the format that it computes in, so that rounding is taken for no mistake.

    Args:
        target: The candidate, with what was seen of it.
        probe: Runs of it; where it computes in float32 though it takes float64, they are of the wrong format.
    """
    if not target.capabilities.is_single_inside or probe.dtype == "float32":
        return probe
    try:
        module = in_evaluation(target.make_module(*probe.sizes).float())
        single = replace(probe, module=module, dtype="float32", _responses={})
        single.respond(single.parameters, STEPS)
    except Exception:  # it takes float64 alone
        return probe
    return single


def _is_differentiated_by_hand(cell: DrivenCell) -> bool:
    """Whether a part of the backward is none of a library's."""
    if cell.capabilities.no_gradients_reason or not cell.takes_rows:
        return False
    if not cell.is_torch:
        return cell.capabilities.library == _HANDWRITTEN
    leaves = cell.leaves(cell.arguments(1, 2))
    run = cell.connected_run(leaves.arguments, leaves.parameters)
    return any(handwritten_functions(result) for result in run.tensors)
