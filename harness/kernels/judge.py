"""Judge kernels: each on every dtype and device it has, by the checks of the references and some of its own."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import time
import warnings
from collections.abc import Callable, Iterator, Mapping

import numpy as np

from rnn_harness.cases.case import Case
from rnn_harness.checks import Check, all_checks
from rnn_harness.engine.runner import Runner, RunPlan, run_cases
from rnn_harness.errors import NotRun, UsageError, first_line
from rnn_harness.evaluation.evaluation import Evaluation
from rnn_harness.evaluation.judging_options import NARROW
from rnn_harness.kernels.checks import gradient_parts, memory_layout, precision, scale, transforms
from rnn_harness.kernels.checks.dispatch import KernelEvents, record_events
from rnn_harness.kernels.checks.parallel_steps import gradients_within_bounds
from rnn_harness.kernels.environment.device import device_description
from rnn_harness.kernels.environment.repeatable import hold_workspace
from rnn_harness.kernels.environment.torch_formats import computes_in
from rnn_harness.kernels.kernel import Kernel
from rnn_harness.kernels.setting import Setting
from rnn_harness.records.dependencies import digest_of
from rnn_harness.records.provenance import versions
from rnn_harness.records.record import Record
from rnn_harness.records.verdict import Outcome
from rnn_harness.runtime.target_call import is_raised_by_target
from rnn_harness.runtime.target_code import failure_of

NOT_FOR_KERNELS = (
    "forward.equation",  # a kernel shows no gates
    "forward.outputs",
    "forward.sequence",  # precision.format is this, and more
    "backward.autograd",  # a kernel's backward is torch's autograd already
    "metamorphic.directions-are-cells",  # properties of how the references are put together, bit for bit
    "metamorphic.layer-composition",
)
"""Checks of the references that say nothing about a kernel."""
_DECIDED_WHATEVER_THE_OUTPUTS = ("behaviour.determinism", "behaviour.intact")
"""Checks that decide something even where the outputs are wrong."""
_IN_NARROWER_ARITHMETIC = (
    "precision.format",
    "backward.bound",
    *(
        f"behaviour.{name}"
        for name in (
            "determinism",
            "position",
            "strided",
            "expanded",
            "intact",
            "poison",
            "no-steps",
            "no-rows",
            "state-between-calls",
            "state-dict",
            "formats",
            "large-inputs",
            "non-finite-rows",
            "step-by-step",
            "training",
        )
    ),
)
"""Checks that compare bit for bit, or within the bound of the arithmetic: they judge what computes in float32 although
it is given float64, where the remaining ones ask for the last bits of float64."""
_BIT_FOR_BIT = ("metamorphic.repeatability",)
"""Of runs that may give other bits behaviour.determinism asks the same within the bounds, and behaviour.intact."""
_AT_OTHER_SIZES = ("precision.accumulation", "scale.sizes", "behaviour.threads", "behaviour.no-rows")
"""Checks that need other sizes than those of the case."""


KERNEL_CHECKS = (*precision.CHECKS[:1], *gradient_parts.CHECKS)
"""Checks of the numbers that only kernels have, tried on every case."""
SINGLE_CASE_CHECKS = (*precision.CHECKS[1:], *scale.CHECKS, *memory_layout.CHECKS, *transforms.CHECKS)
"""Checks of the runtime behaviour and of larger cases, each tried on a single case."""


@functools.cache
def kernel_checks() -> tuple[Check, ...]:
    """List the checks that only kernels have, and those of the references that say something about a kernel."""
    checks = list(KERNEL_CHECKS)
    for check in all_checks():
        if check.name == "backward.bound":
            checks.append(dataclasses.replace(check, run=gradients_within_bounds, dtypes=memory_layout.EVERY))
        elif check.name not in NOT_FOR_KERNELS:
            checks.append(check)
    return tuple(checks)


def kernel_cases(kernel: Kernel, setting: Setting) -> list[Case]:
    """List the cases for a kernel of fixed sizes, one that is interpreted, or one of a narrow format.

    Any other kernel is tried on the fixed cases of every subject and on drawn ones; of this list it takes the first
    where a single case is enough.

    Args:
        kernel: The kernel whose sizes, interpreter or format limit the cases.
        setting: The dtype, and the device.
    """
    return _cases_of_format(kernel.spec, setting.dtype, kernel.fixed_sizes or {})


def number_cases(spec: str, dtype: str, sizes: Mapping[str, int], seed: int, examples: int) -> Iterator[Case]:
    """Yield the cases on which the numbers of a kernel that is not interpreted are judged, in their order.

    Args:
        spec: The id of its spec.
        dtype: The name of the format of all numbers.
        sizes: The only sizes that it exists for; empty where it exists for any.
        seed: From which cases are drawn.
        examples: How many cases are drawn, apart from the fixed ones.
    """
    if not sizes:
        yield from run_cases(spec, dtype, seed, examples)
    if sizes or dtype in NARROW:
        yield from _cases_of_format(spec, dtype, sizes)


def _cases_of_format(spec: str, dtype: str, fixed: Mapping[str, int]) -> list[Case]:
    """List the cases of fixed sizes, or of a narrow format."""
    make = functools.partial(Case, spec=spec, dtype=dtype)  # type: ignore[arg-type]
    cases = [
        make(seed=1, T=3),
        make(seed=2, T=5),
        make(seed=3, T=2, scale=0.5, features=("large",)),
        make(seed=4, T=3, features=("zeros",)),
        make(seed=5, T=4, scale=2.0),
    ]
    if dtype in NARROW:
        # Bounds of 8 bits decide little but short runs of gentle weights.
        cases += [make(seed=6 + i, T=2, scale=(0.25, 0.5)[i % 2]) for i in range(4)]
        if not fixed:
            cases += [make(seed=10 + i, T=2, B=1, n=2, d=2, scale=(0.25, 0.5)[i % 2]) for i in range(6)]
    if "T" in fixed:
        cases = cases[:2]  # they differ in their length otherwise
    return [case.model_copy(update=fixed) for case in cases]


def judge_kernels(
    kernels: tuple[Kernel, ...],
    seed: int = 0,
    examples: int = 2,
    on_start: Callable[[str], None] = lambda _: None,
    on_case: Callable[[], None] = lambda: None,
    on_judged: Callable[[Evaluation], None] = lambda _: None,
) -> Iterator[Record]:
    """Judge every kernel in every setting.

    Args:
        kernels: Entries of the catalogue, or candidates in their place.
        seed: From which cases are drawn.
        examples: How many cases are drawn, apart from the fixed ones.
        on_start: Called with the kernel and the setting before they are judged.
        on_case: Called before every case.
        on_judged: Called with every evaluation whose numbers were judged.

    Yields:
        Records, as soon as they are decided.
    """
    for kernel in kernels:
        for setting in kernel.settings:
            on_start(f"{kernel.id}, {setting}")
            yield from judge_kernel(kernel, setting, seed, examples, on_case, on_judged)


def kernel_digest(kernel: Kernel, setting: Setting, seed: int, examples: int) -> str:
    """Return a digest of everything that the records of a kernel of the catalogue depend on.

    Args:
        kernel: The kernel; its code is part of this package, or of torch.
        setting: The dtype, and the device.
        seed: From which cases are drawn.
        examples: How many cases are drawn, apart from the fixed ones.
    """
    is_here = kernel.not_run_reason(setting) is None
    device = device_description(setting.device) if is_here else setting.device
    return digest_of("kernel", kernel.id, setting.dtype, device, kernel.interpreted, seed, examples)


def blank_record(kernel: Kernel, setting: Setting, check: str, seed: int) -> Record:
    """Give the record of a check that is not run yet.

    Args:
        kernel: The kernel that the check is of.
        setting: The dtype, and the device.
        check: The name of the check.
        seed: From which cases are drawn.
    """
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
    kernel: Kernel,
    setting: Setting,
    seed: int,
    examples: int,
    on_case: Callable[[], None] = lambda: None,
    on_judged: Callable[[Evaluation], None] = lambda _: None,
) -> Iterator[Record]:
    """Judge one kernel in one setting.

    Args:
        kernel: The kernel, which must have that setting.
        setting: The dtype, and the device.
        seed: From which cases are drawn.
        examples: How many cases are drawn, apart from the fixed ones.
        on_case: Called before every case.
        on_judged: Called with every evaluation whose numbers were judged.
    """
    for record in _dispatched(kernel, setting, seed, examples, on_case, on_judged):
        yield record.model_copy(update={"requested_examples": examples})


def _dispatched(
    kernel: Kernel,
    setting: Setting,
    seed: int,
    examples: int,
    on_case: Callable[[], None],
    on_judged: Callable[[Evaluation], None],
) -> Iterator[Record]:
    """Judge a kernel if it is the one that runs."""
    empty = blank_record(kernel, setting, "kernel.dispatch", seed)
    reason = kernel.not_run_reason(setting)
    if reason:
        yield empty.model_copy(update={"reason": reason})
        return
    hold_workspace(setting.device)
    empty = empty.model_copy(update={"device": device_description(setting.device)})
    start = time.perf_counter()
    try:
        events = profile_kernel(kernel, setting)
    except (Exception, SystemExit) as error:  # a kernel of others may raise anything
        yield _failed_run(empty, setting, error)
        return
    mismatch = events.mismatch(kernel.expected_events, kernel.forbidden_events)
    stamp = {
        "kernel": kernel.id,
        "dtype": setting.dtype,
        "device": device_description(setting.device),
        "ran": str(events) if kernel.profiled else "",
    }
    update = {
        "outcome": Outcome.REFUTED if mismatch else Outcome.AGREES,
        "reason": f"another kernel than the one asked for: {mismatch}" if mismatch else "",
        "examples": 1,
        "seconds": round(time.perf_counter() - start, 4),
    }
    yield empty.model_copy(update=update | stamp)
    if mismatch:
        return  # whatever the other kernel computes says nothing about this one
    with ignored_warnings():
        for record in _judged(kernel, setting, seed, examples, on_case, on_judged):
            yield record.model_copy(update=stamp)


@contextlib.contextmanager
def ignored_warnings() -> Iterator[None]:
    """Ignore warnings, whatever the filters say: torch warns about its compiler, the layout of weights, old flags."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _failed_run(empty: Record, setting: Setting, error: BaseException) -> Record:
    """Give the record of a kernel that raised an error on a small case, or in whose way one was raised.

    Raises:
        SystemExit: The harness itself is told to end.
    """
    message, outcome, traceback_text = first_line(error)[:200], Outcome.NOT_RUN, ""
    if isinstance(error, NotImplementedError) or not computes_in(setting.dtype, setting.device):
        message = f"torch has no such kernel in {setting.dtype}: {message}"
    elif isinstance(error, NotRun | UsageError):
        pass  # the message is the reason
    elif is_raised_by_target(error):
        message, outcome = f"cannot be run forward and backward: {message}", Outcome.REFUTED
    elif isinstance(error, SystemExit):
        raise error
    else:
        failure = failure_of(error)
        message, traceback_text = str(failure), failure.traceback_text
    return empty.model_copy(update={"reason": message, "outcome": outcome, "harness_error": traceback_text})


def profile_kernel(kernel: Kernel, setting: Setting) -> KernelEvents:
    """Record what runs, forward and backward, on a small case, after everything is warm; warnings are ignored.

    Args:
        kernel: The kernel; it is run once before, so that nothing is compiled any more.
        setting: The dtype, and the device.
    """
    case = kernel_cases(kernel, setting)[0]

    def run() -> None:
        evaluation = kernel.evaluation(setting, case)
        with contextlib.suppress(NotRun):
            assert evaluation.gradients is not None

    with ignored_warnings(), np.errstate(all="ignore"):
        run()
        return record_events(run, setting.device) if kernel.profiled else KernelEvents(())


def _judged(
    kernel: Kernel,
    setting: Setting,
    seed: int,
    examples: int,
    on_case: Callable[[], None],
    on_judged: Callable[[Evaluation], None],
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
    runner = Runner(subject, RunPlan(checks, dtype=setting.dtype), evaluate, on_judged)
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
    not_run = {
        check.name: "the outputs are wrong already"
        for check in checks
        if wrong and check.name not in _DECIDED_WHATEVER_THE_OUTPUTS
    }
    if kernel.fixed_sizes:
        reason = "the kernel is compiled for fixed sizes, and this needs another"
        not_run |= {check.name: reason for check in checks if check.name in _AT_OTHER_SIZES}
    once = Runner(subject, RunPlan(checks, not_run, setting.dtype), evaluate)
    once.try_case(kernel_cases(kernel, setting)[0], guarded=False)
    yield from once.results().records(seed, shrink=False)


def _wanted(kernel: Kernel, setting: Setting, checks: tuple[Check, ...]) -> tuple[Check, ...]:
    """Select the checks that say something about a kernel in a setting."""
    skipped = (*kernel.skipped_checks, *(_BIT_FOR_BIT if kernel.varies_between_runs else ()))
    wanted = (check for check in checks if setting.dtype in check.dtypes and check.name not in skipped)
    return tuple(check for check in wanted if not kernel.arithmetic(setting) or check.name in _IN_NARROWER_ARITHMETIC)
