"""Who is timed at a point of the grid: the reference, the kernels of torch, and candidates."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from rnn_harness.benchmarks.equations import equations_kernel, measured_spec
from rnn_harness.benchmarks.speed.correctness import wrong_number
from rnn_harness.benchmarks.speed.grid_point import SpeedPoint
from rnn_harness.benchmarks.speed.stopwatch import Call
from rnn_harness.cases.case import Case
from rnn_harness.kernels import Kernel, Setting, all_kernels
from rnn_harness.kernels.judge import profile_kernel
from rnn_harness.kernels.torch_reference import TorchReference
from rnn_harness.specs import Spec
from rnn_harness.subjects.case_arrays import CaseArrays, draw_arrays
from rnn_harness.subjects.subject import Subject

KernelLoader = Callable[[], Kernel]
"""Loads a candidate as a kernel."""


@dataclass(frozen=True)
class TimedCalls:
    """The calls of a competitor that are timed.

    Attributes:
        forward: A forward without a graph.
        training_forward: A forward that keeps what the backward needs.
        both: A training forward and its backward.
    """

    forward: Call
    training_forward: Call
    both: Call


@dataclass(frozen=True)
class Competitor:
    """Who is timed.

    Attributes:
        name: The name in tables.
        calls: What is timed.
        wrong_number: Returns None if its numbers are right here, else what is wrong.
        profiled_ops: The operators that torch's profiler saw; empty where it is not asked.
    """

    name: str
    calls: TimedCalls
    wrong_number: Callable[[], str | None]
    profiled_ops: str = ""


def competitors(point: SpeedPoint, candidates: tuple[KernelLoader, ...] = ()) -> Iterator[Competitor]:
    """Yield everyone who is timed at a point.

    Args:
        point: The point of the grid.
        candidates: Loaders of candidates; those of another spec are left out.

    Yields:
        The reference (on the processor), every torch kernel of the spec that runs here, and the candidates; of a spec
        without a reference its equations in torch.
    """
    spec = measured_spec(point.spec)
    setting = Setting(point.dtype, point.device)
    if spec.reference is None:
        alone = equations_kernel(spec)
        arrays = draw_point(point, alone.subject(setting))
        yield _kernel_competitor(alone, setting, arrays)
        yield from _candidate_competitors(candidates, spec, setting, arrays)
        return
    subject = Subject.of(spec)
    arrays = draw_point(point, subject)
    on_cpu = point.device == "cpu"
    if on_cpu:
        yield Competitor("reference", _reference_calls(subject, arrays), lambda: wrong_number(subject, arrays))
    for kernel in all_kernels():
        if kernel.spec != spec.id or kernel.known_wrong or (on_cpu and kernel.interpreted):
            continue
        if setting in kernel.settings and kernel.not_run_reason(setting) is None:
            yield _kernel_competitor(kernel, setting, arrays)
    yield from _candidate_competitors(candidates, spec, setting, arrays)


def _candidate_competitors(
    candidates: tuple[KernelLoader, ...], spec: Spec, setting: Setting, arrays: CaseArrays
) -> Iterator[Competitor]:
    """Yield the candidates that are cells of a spec."""
    for load_candidate in candidates:
        candidate = load_candidate()
        if candidate.spec == spec.id:
            yield _kernel_competitor(candidate, setting, arrays)


def draw_point(point: SpeedPoint, subject: Subject) -> CaseArrays:
    """Draw parameters, inputs, states and gradients of the states of a point, the same at every call.

    An output layer on the states is not timed: it is one product over all steps, the same for everyone.

    Args:
        point: Sizes and dtype.
        subject: Its spec and parameters decide what is drawn.
    """
    case = Case(spec=subject.spec.id, n=point.n, d=point.d, B=point.B, T=point.T, seed=1, scale=0.5)
    return draw_arrays(case.model_copy(update={"dtype": point.dtype}), replace(subject, output=None))


def _reference_calls(subject: Subject, arrays: CaseArrays) -> TimedCalls:
    cell = subject.cell

    def forward() -> Any:
        return cell.forward(arrays.parameters, arrays.inputs, arrays.states)

    return TimedCalls(forward, forward, lambda: cell.backward(forward(), arrays.d_outputs, arrays.d_finals))


def _kernel_competitor(kernel: Kernel, setting: Setting, arrays: CaseArrays) -> Competitor:
    subject = kernel.subject(setting)
    observation = profile_kernel(kernel, setting)
    difference = observation.mismatch(kernel.expected_events, kernel.forbidden_events)
    wrong_kernel = f"another kernel ran: {difference}" if difference else None
    profiled_ops = str(observation) if kernel.profiled else ""
    calls = _kernel_calls(subject, arrays)
    operands = kernel.options(setting).operands
    return Competitor(kernel.id, calls, lambda: wrong_kernel or wrong_number(subject, arrays, operands), profiled_ops)


def _kernel_calls(subject: Subject, arrays: CaseArrays) -> TimedCalls:
    import torch

    cell = subject.cell
    assert isinstance(cell, TorchReference), "a kernel's subject holds its cell"
    leaves = {name: cell.tensor(array) for name, array in cell.driver.table.pack(arrays.parameters).items()}
    x = cell.tensor(arrays.inputs)
    states = {name: cell.tensor(array) for name, array in arrays.states.items()}
    detached = {name: leaf.detach() for name, leaf in leaves.items()}
    d_ends = [cell.tensor(arrays.d_outputs, leaf=False)]
    d_ends += [cell.tensor(arrays.d_finals[name], leaf=False) for name in cell.state_names]
    differentiated = [x, *states.values(), *leaves.values()]

    def forward() -> Any:
        with torch.no_grad():
            return cell.driver.run(detached, x.detach(), {name: state.detach() for name, state in states.items()}, None)

    def training_forward() -> Any:
        return cell.driver.run(leaves, x, states, None)

    def both() -> Any:
        outputs, finals = training_forward()
        ends = [outputs, *(finals[name] for name in cell.state_names)]
        with cell.driver.parameters_swapped_in(leaves, x, states):
            return torch.autograd.grad(ends, differentiated, d_ends, allow_unused=True)

    return TimedCalls(forward, training_forward, both)
