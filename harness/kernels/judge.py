"""Decide kernels: each on every dtype and device it has, by the checks of the references and some of its own.

Dimension legend: n input size, d hidden size, T time steps, B batch rows.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import time
import warnings
from collections.abc import Callable, Iterator

import numpy as np

from rnn_harness.cases.case import Case
from rnn_harness.checks import Check, all_checks
from rnn_harness.checks.check import Finding, applies_to_all, compare_with_balls, worst_finding
from rnn_harness.engine.runner import Runner, RunPlan
from rnn_harness.errors import NotRun, first_line
from rnn_harness.evaluation.evaluation import Evaluation
from rnn_harness.evaluation.judging_options import NARROW
from rnn_harness.kernels.checks import memory_layout as _layouts
from rnn_harness.kernels.checks import precision as _precision
from rnn_harness.kernels.checks import scale as _scale
from rnn_harness.kernels.checks import transforms as _transforms
from rnn_harness.kernels.checks.dispatch import KernelEvents, record_events
from rnn_harness.kernels.environment.device import device_description
from rnn_harness.kernels.kernel import Kernel
from rnn_harness.kernels.objective import kernel_of
from rnn_harness.kernels.setting import Setting
from rnn_harness.records.provenance import versions
from rnn_harness.records.record import Record
from rnn_harness.records.verdict import Outcome

NOT_FOR_KERNELS = (
    "forward.equation",  # a kernel shows no gates
    "forward.outputs",
    "forward.sequence",  # precision.format is this, and more
    "backward.autograd",  # a kernel's backward is torch's autograd already
    "metamorphic.directions-are-cells",  # properties of how the references are put together, bit for bit
    "metamorphic.layer-composition",
)
_WHATEVER = ("behaviour.determinism", "behaviour.intact")
"""What can be said of a kernel whose outputs are wrong."""
_RESIZES = ("precision.accumulation", "scale.sizes", "behaviour.threads", "behaviour.no-rows")


def _shares(evaluation: Evaluation) -> Iterator[Finding]:
    """Where a kernel has two biases for one, the gradient of either is that of their sum."""
    cell, arrays = kernel_of(evaluation), evaluation.arrays
    run = evaluation.run.saved[0] if evaluation.subject.output is not None else evaluation.run
    d_outputs = arrays.d_outputs
    if evaluation.subject.output is not None:
        inner, top, _ = evaluation.run.saved
        d_outputs, _ = evaluation.subject.output.backward(top, inner.outputs, evaluation.run.outputs, arrays.d_outputs)
    found = cell.gradient_parts(run, d_outputs, arrays.d_finals).parameters
    doubled = {name: parts for name, parts in found.items() if len(parts) > 1}
    if not doubled:
        raise NotRun("the kernel has no parameter twice")
    balls = evaluation.gradient_balls
    rows = [
        compare_with_balls(
            evaluation.subject.spec.id, f"gradient {name}, share {i + 1}", balls[f"parameters.{name}"], part
        )
        for name, parts in doubled.items()
        for i, part in enumerate(parts)
    ]
    yield worst_finding(rows)


KERNEL_CHECKS = (
    *_precision.CHECKS[:1],
    Check("backward.shares", "kernel", applies_to_all, _shares, dtypes=_layouts.EVERY),
)
SINGLE_CASE_CHECKS = (*_precision.CHECKS[1:], *_scale.CHECKS, *_layouts.CHECKS, *_transforms.CHECKS)
"""Tried on one case each: they are about the kernel's manners, not about its numbers."""


@functools.cache
def kernel_checks() -> tuple[Check, ...]:
    """The references' checks that a kernel can take, and its own."""
    wide = [one for one in all_checks() if one.name not in NOT_FOR_KERNELS]
    every = [dataclasses.replace(o, dtypes=_layouts.EVERY) if o.name == "backward.bound" else o for o in wide]
    return (*KERNEL_CHECKS, *every)


def kernel_cases(kernel: Kernel, setting: Setting) -> list[Case]:
    """The cases that a kernel of fixed sizes, one that is interpreted, or one of a narrow format is tried on."""
    fixed = kernel.fixed_sizes or {}
    base = Case(spec=kernel.spec, dtype=setting.dtype).model_copy(update=fixed)  # type: ignore[arg-type]
    changes: list[dict[str, object]] = [
        {"seed": 1, "T": 3},
        {"seed": 2, "T": 5},
        {"seed": 3, "T": 2, "scale": 0.5, "features": ("large",)},
        {"seed": 4, "T": 3, "features": ("zeros",)},
        {"seed": 5, "T": 4, "scale": 2.0},
    ]
    if setting.dtype in NARROW:
        # Bounds of 8 bits decide little but short runs of gentle weights.
        changes += [{"seed": 6 + i, "T": 2, "scale": (0.25, 0.5)[i % 2]} for i in range(4)]
        if not kernel.fixed_sizes:
            changes += [{"seed": 10 + i, "T": 2, "B": 1, "n": 2, "d": 2, "scale": (0.25, 0.5)[i % 2]} for i in range(6)]
    if "T" in fixed:
        changes = [change | {"T": fixed["T"]} for change in changes[:2]]
    return [base.model_copy(update=change) for change in changes]


def judge_kernels(
    kernels: tuple[Kernel, ...],
    seed: int = 0,
    examples: int = 2,
    known: dict[str, Record] | None = None,
    on_start: Callable[[str], None] = lambda _: None,
    on_case: Callable[[], None] = lambda: None,
) -> Iterator[Record]:
    """Every kernel on every setting; records come as they are made, those in `known` are not made again.

    `on_start` is told every kernel and setting, `on_case` is called before every case.
    """
    known = known or {}
    for kernel in kernels:
        for setting in kernel.settings:
            on_start(f"{kernel.id}, {setting}")
            done = finished_records(kernel, setting, seed, known)
            if done:
                yield from done
                continue
            for record in judge_kernel(kernel, setting, seed, examples, on_case):
                yield known.get(record.key, record)


def finished_records(kernel: Kernel, setting: Setting, seed: int, known: dict[str, Record]) -> list[Record]:
    """The known records of a kernel on a setting, if its last check is among them."""
    own = [r for r in known.values() if (r.kernel, r.dtype, r.seed) == (kernel.id, setting.dtype, seed)]
    own = [r for r in own if r.device.split(" ")[0] == setting.device and r.environment == versions()]
    every = (one.name for one in (*SINGLE_CASE_CHECKS, *kernel.own_checks) if setting.dtype in one.dtypes)
    last = [name for name in every if name not in kernel.skipped_checks][-1]
    return own if {"kernel.dispatch", last} <= {r.check for r in own} else []


def blank_record(kernel: Kernel, setting: Setting, check: str, seed: int) -> Record:
    """A record that is not run yet."""
    return Record(
        entry=kernel.spec,
        spec=kernel.spec,
        check=check,
        witness="kernel",
        outcome=Outcome.NOT_RUN,
        seed=seed,
        environment=versions(),
        kernel=kernel.id,
        dtype=setting.dtype,
        device=setting.device,
    )


def judge_kernel(
    kernel: Kernel, setting: Setting, seed: int, examples: int, on_case: Callable[[], None] = lambda: None
) -> Iterator[Record]:
    """Judge one kernel in one setting."""
    for record in _dispatched(kernel, setting, seed, examples, on_case):
        yield record.model_copy(update={"requested_examples": examples})


def _dispatched(
    kernel: Kernel, setting: Setting, seed: int, examples: int, on_case: Callable[[], None]
) -> Iterator[Record]:
    """Judge a kernel if it is the one that runs."""
    empty = blank_record(kernel, setting, "kernel.dispatch", seed)
    reason = kernel.not_run_reason(setting)
    if reason:
        yield empty.model_copy(update={"reason": reason})
        return
    empty = empty.model_copy(update={"device": device_description(setting.device)})
    start = time.perf_counter()
    try:
        ran = profile_kernel(kernel, setting)
    except Exception as error:
        told = first_line(error)[:200]
        lacking = isinstance(error, NotImplementedError) or "not implemented for" in told
        outcome = Outcome.NOT_RUN if lacking else Outcome.REFUTED
        reason = (
            f"torch has no such kernel in {setting.dtype}: {told}"
            if lacking
            else f"cannot be run forward and backward: {told}"
        )
        yield empty.model_copy(update={"reason": reason, "outcome": outcome})
        return
    differs = ran.mismatch(kernel.expected_events, kernel.forbidden_events)
    stamp = {
        "kernel": kernel.id,
        "dtype": setting.dtype,
        "device": device_description(setting.device),
        "ran": str(ran) if kernel.profiled else "",
    }
    update = {
        "outcome": Outcome.REFUTED if differs else Outcome.AGREES,
        "reason": f"another kernel than the one asked for: {differs}" if differs else "",
        "examples": 1,
        "seconds": round(time.perf_counter() - start, 4),
    }
    yield empty.model_copy(update=update | stamp)
    if differs:
        return  # whatever the other kernel computes says nothing about this one
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch warns about the layout of weights, of packed rows, of old flags
        for record in _judged(kernel, setting, seed, examples, on_case):
            yield record.model_copy(update=stamp)


def profile_kernel(kernel: Kernel, setting: Setting) -> KernelEvents:
    """What runs, forward and backward, on a small case, after everything is warm."""
    case = kernel_cases(kernel, setting)[0]

    def run() -> None:
        evaluation = kernel.evaluation(setting, case)
        with contextlib.suppress(NotRun):
            assert evaluation.gradients is not None

    with np.errstate(all="ignore"):
        run()
        return record_events(run, setting.device) if kernel.profiled else KernelEvents(())


def _judged(
    kernel: Kernel, setting: Setting, seed: int, examples: int, on_case: Callable[[], None]
) -> Iterator[Record]:
    """Judge the numbers of a kernel on many cases, then its runtime behaviour on one."""
    subject = kernel.subject(setting)

    def evaluate(case: Case) -> Evaluation:
        on_case()
        return kernel.evaluation(setting, case)

    few = kernel.fixed_sizes is not None or kernel.is_slow(setting)
    checks = _wanted(kernel, setting, kernel_checks())
    if few or subject.spec.reference is None or not kernel.metamorphic:
        # Metamorphic properties know the references' names; a slow or fixed kernel has no time for them.
        checks = tuple(check for check in checks if not check.name.startswith("metamorphic."))
    runner = Runner(subject, RunPlan(checks, dtype=setting.dtype), evaluate)
    if not few:
        runner.run(seed, examples)
    for case in kernel_cases(kernel, setting) if few or setting.dtype in NARROW else ():
        runner.try_case(case)
    wrong = False
    for record in runner.results().records(seed, shrink=kernel.shrinks_refutations and setting.dtype == "float64"):
        wrong = wrong or (record.check == "precision.format" and record.outcome is Outcome.REFUTED)
        yield record
    if kernel.known_wrong:
        return  # it is kept for what it computes, not for its runtime behaviour
    checks = _wanted(kernel, setting, (*SINGLE_CASE_CHECKS, *kernel.own_checks))
    not_run = {check.name: "the outputs are wrong already" for check in checks if wrong and check.name not in _WHATEVER}
    if kernel.fixed_sizes:
        reason = "the kernel is compiled for fixed sizes, and this needs another"
        not_run |= {check.name: reason for check in checks if check.name in _RESIZES}
    once = Runner(subject, RunPlan(checks, not_run, setting.dtype), evaluate)
    once.try_case(kernel_cases(kernel, setting)[0], guarded=False)
    yield from once.results().records(seed, shrink=False)


def _wanted(kernel: Kernel, setting: Setting, checks: tuple[Check, ...]) -> tuple[Check, ...]:
    """Those of the checks that say something about a kernel in that setting."""
    return tuple(check for check in checks if setting.dtype in check.dtypes and check.name not in kernel.skipped_checks)
