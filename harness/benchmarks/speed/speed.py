"""How fast: references and torch kernels side by side, with the products alone as a floor.

Forward is without a graph; backward is forward and backward less the forward that keeps one; both is all of it.

Dimension legend: T time steps, B batch rows, n input size, d hidden size.
"""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from rnn_harness.arithmetic import evaluate
from rnn_harness.arithmetic.assumptions import SCREEN_SINGLE
from rnn_harness.arithmetic.ball import BallArithmetic
from rnn_harness.array_types import Array
from rnn_harness.benchmarks.speed.memory import most_memory
from rnn_harness.benchmarks.speed.stopwatch import CONTROL, COPY, PEAK, Call, ceilings, drift, interleaved, interval
from rnn_harness.cases.case import Case
from rnn_harness.checks.check import compare_with_balls
from rnn_harness.errors import UsageError
from rnn_harness.evaluation.judging_options import rounding
from rnn_harness.families import FAMILIES
from rnn_harness.kernels import Kernel, Setting, all_kernels
from rnn_harness.kernels.environment.device import device_description
from rnn_harness.kernels.judge import profile_kernel
from rnn_harness.kernels.torch_reference import TorchReference
from rnn_harness.records.measurement import SpeedMeasurement, SpeedPhase, stamp
from rnn_harness.specs import library
from rnn_harness.subjects.case_arrays import CaseArrays, draw_arrays
from rnn_harness.subjects.subject import LAYERS, Subject

SPECS = {name: family.spec for name, family in FAMILIES.items()}
"""One spec a family: the one that torch has kernels for."""


@dataclass(frozen=True)
class SpeedPoint:
    """One place of the grid."""

    spec: str
    n: int
    d: int
    B: int
    T: int
    dtype: str = "float32"
    device: str = "cpu"

    @property
    def sizes(self) -> dict[str, int]:
        return {"n": self.n, "d": self.d, "B": self.B, "T": self.T}

    @functools.cached_property
    def products(self) -> dict[tuple[int, bool], int]:
        """Rows of all weights by their columns, and by whether what they multiply is known for all steps at once."""
        shapes = Subject.of(library().spec(self.spec)).cell.parameter_shapes(self.n, self.d)
        found: Counter[tuple[int, bool]] = Counter()
        for name, shape in shapes.items():
            if len(shape) == 2:
                found[shape[1], "W_x" in name] += shape[0]
        return dict(found)

    @property
    def weights(self) -> int:
        """The entries of all weights."""
        return sum(columns * rows for (columns, _), rows in self.products.items())

    @property
    def bytes(self) -> int:
        """What a forward must move at least: weights, inputs and outputs, once."""
        return (8 if self.dtype == "float64" else 4) * (self.weights + self.T * self.B * (self.n + self.d))

    @property
    def operations(self) -> int:
        """Floating-point operations of the matrix products of one forward."""
        return 2 * self.weights * self.B * self.T


@dataclass(frozen=True)
class Competitor:
    """`calls`: forward, kept (the forward of training) and both. `check`: None if its numbers are right, or what is
    wrong.
    """

    name: str
    spec: str
    calls: dict[str, Call]
    check: Callable[[], str | None]
    ran: str = ""


def competitors(point: SpeedPoint, cells: tuple[str, ...] = ()) -> Iterator[Competitor]:
    """The reference, every torch kernel of the spec that runs here, and somebody's `cells` that have that spec."""
    spec = library().spec(point.spec)
    subject = Subject.of(spec)
    drawn = _drawn(point, subject)
    here = point.device == "cpu"
    if here:
        yield Competitor("reference", spec.id, _reference(subject, drawn), lambda: _wrong(subject, drawn))
    setting = Setting(point.dtype, point.device)
    for kernel in all_kernels():
        if kernel.spec != spec.id or kernel.known_wrong or (here and kernel.interpreted):
            continue
        if setting in kernel.settings and kernel.not_run_reason(setting) is None:
            yield _kernel(kernel, setting, drawn)
    for text in cells:
        own = _candidate(text)
        if own.spec == point.spec:
            yield _kernel(own, setting, drawn)


@functools.cache
def _candidate(text: str) -> Kernel:
    """Somebody's cell as a kernel. Raises UsageError if it is no known one, or has other parameters than its spec."""
    from rnn_harness.validation import candidate, identify, load_target

    matches = identify(load_target(text))
    if not matches or matches[0].spec not in SPECS.values() or matches[0].absent:
        told = matches[0].sentence() if matches else "no cell that is known"
        raise UsageError(f"{text} is {told}; timed beside others are {', '.join(SPECS.values())}, with all parameters")
    return candidate(load_target(text), matches[0])


def _drawn(point: SpeedPoint, subject: Subject) -> CaseArrays:
    case = Case(spec=subject.spec.id, n=point.n, d=point.d, B=point.B, T=point.T, seed=1, scale=0.5)
    return draw_arrays(case.model_copy(update={"dtype": point.dtype}), subject)


def _reference(subject: Subject, drawn: CaseArrays) -> dict[str, Call]:
    cell, d = subject.cell, drawn

    def forward() -> Any:
        return cell.forward(d.parameters, d.inputs, d.states)

    return {"forward": forward, "kept": forward, "both": lambda: cell.backward(forward(), d.d_outputs, d.d_finals)}


def _kernel(kernel: Kernel, setting: Setting, drawn: CaseArrays) -> Competitor:
    import torch

    subject = kernel.subject(setting)
    cell = subject.cell
    assert isinstance(cell, TorchReference), "a kernel's subject holds its cell"
    leaves = {name: cell.tensor(value) for name, value in cell.driver.table.pack(drawn.parameters).items()}
    x = cell.tensor(drawn.inputs)
    states = {name: cell.tensor(value) for name, value in drawn.states.items()}
    bare = {name: value.detach() for name, value in leaves.items()}
    ends = [cell.tensor(drawn.d_outputs, leaf=False)]
    ends += [cell.tensor(drawn.d_finals[name], leaf=False) for name in subject.cell.state_names]
    wanted = [x, *states.values(), *leaves.values()]

    def forward() -> Any:
        with torch.no_grad():
            return cell.driver.run(bare, x.detach(), {k: v.detach() for k, v in states.items()}, None)

    def kept() -> Any:
        return cell.driver.run(leaves, x, states, None)

    def both() -> Any:
        outputs, finals = kept()
        starts = [outputs, *(finals[name] for name in subject.cell.state_names)]
        return torch.autograd.grad(starts, wanted, ends, allow_unused=True)

    calls: dict[str, Call] = {"forward": forward, "kept": kept, "both": both}
    ran = profile_kernel(kernel, setting)
    differs = ran.mismatch(kernel.expected_events, kernel.forbidden_events)
    told = f"another kernel ran: {differs}" if differs else None
    shown = str(ran) if kernel.profiled else ""
    return Competitor(kernel.id, kernel.spec, calls, lambda: told or _wrong(subject, drawn), shown)


def _wrong(subject: Subject, drawn: CaseArrays) -> str | None:
    """None if the last step is within its bound, from the subject's own state, and the gradients pass the screen."""
    rows = slice(0, 2)
    cell = subject.cell
    before = cell.forward(drawn.parameters, drawn.inputs[:-1], drawn.states).finals
    whole = cell.forward(drawn.parameters, drawn.inputs, drawn.states)
    states = {name: value[rows] for name, value in before.items()}
    sizes = drawn.case.sizes
    values = subject.values(drawn.parameters, drawn.inputs[-1:, rows], states, sizes)
    step = evaluate(subject.spec.program(LAYERS), values, BallArithmetic(rounding(drawn.case.dtype))).steps[0]
    for name, own in subject.states.items():
        found = compare_with_balls(
            subject.spec.id, f"state {own} after the last step", step[name], whole.finals[own][rows]
        )
        if not found.agrees:
            return found.detail
    gradients = cell.backward(whole, drawn.d_outputs, drawn.d_finals).parameters
    right = _exact(subject, drawn)
    for name, value in right.items():
        size = float(np.abs(value).max())
        if float(np.abs(gradients[name] - value).max()) > SCREEN_SINGLE * size:
            return f"the gradient of {name} is off by more than {SCREEN_SINGLE:.2g} of its largest entry"
    return None


def _exact(subject: Subject, drawn: CaseArrays) -> dict[str, Array]:
    """Gradients of the reference in float64."""
    wide = Subject.of(subject.spec).cell

    def up(values: dict[str, Array]) -> dict[str, Array]:
        return {name: value.astype(np.float64) for name, value in values.items()}

    run = wide.forward(up(drawn.parameters), drawn.inputs.astype(np.float64), up(drawn.states))
    return wide.backward(run, drawn.d_outputs.astype(np.float64), up(drawn.d_finals)).parameters


def _floors(point: SpeedPoint) -> dict[str, Call]:
    """The matrix products of one forward alone, in NumPy and in torch."""
    import torch

    dtype = getattr(torch, point.dtype)
    once: list[tuple[Any, Any]] = []
    again: list[tuple[Any, Any]] = []
    for (columns, known), rows in point.products.items():
        batch = point.T * point.B if known else point.B
        shapes = ((batch, columns), (columns, rows))
        left, right = (torch.randn(*shape, dtype=dtype, device=point.device) for shape in shapes)
        (once if known else again).append((left, right))

    def products(first: Sequence[Any], each: Sequence[Any]) -> None:
        for a, b in first:
            a @ b
        for _ in range(point.T):
            for a, b in each:
                a @ b

    floors: dict[str, Call] = {"floor in torch": lambda: products(once, again)}
    if point.device == "cpu":
        own_once, own_again = ([(a.numpy(), b.numpy()) for a, b in pairs] for pairs in (once, again))
        floors["floor in NumPy"] = lambda: products(own_once, own_again)
    return floors


def speed(
    point: SpeedPoint, rounds: int, cells: tuple[str, ...] = (), on_round: Callable[[], None] = lambda: None
) -> Iterator[SpeedMeasurement]:
    """All competitors at one place of the grid, interleaved."""
    import torch

    rows = list(competitors(point, cells))
    calls = {f"{row.name} {what}": call for row in rows for what, call in row.calls.items()}
    floors = _floors(point)
    limits, work = ceilings(getattr(torch, point.dtype), point.bytes, point.device)
    samples = interleaved({**calls, **floors, **limits}, rounds, on_round, point.device)
    best = work[PEAK] / min(samples[PEAK]), work[COPY] / min(samples[COPY])
    control, steady = tuple(samples[CONTROL]), drift(samples)

    def measured(subject: str, phase: SpeedPhase, times: Sequence[float]) -> SpeedMeasurement:
        base = SpeedMeasurement(
            subject=subject, spec=point.spec, phase=phase, sizes=point.sizes, dtype=point.dtype, device=point.device
        )
        work = _beside(point, phase, float(np.median(times)), best)
        return base.model_copy(update={"samples": tuple(times), "control": control, **work})

    for row in rows:
        wrong = row.check()
        both, kept = samples[f"{row.name} both"], samples[f"{row.name} kept"]
        times: dict[SpeedPhase, Sequence[float]] = {
            "forward": samples[f"{row.name} forward"],
            "both": both,
            "backward": [total - part for total, part in zip(both, kept, strict=True)],
        }
        for phase, seconds in times.items():
            memory = most_memory(row.calls["both"], point.device) if phase == "both" else None
            update = {"agrees": wrong is None, "reason": wrong or "", "profiled_ops": row.ran}
            update |= {"control_drift": steady, "peak_memory_mb": memory}
            yield _shown(measured(row.name, phase, seconds).model_copy(update=update))
    for name in floors:
        yield _shown(measured(name, "forward", samples[name]))


_WORK = ("operations", "bytes_moved", "share_of_peak", "share_of_roofline", "control_drift", "peak_memory_mb")


def _shown(measurement: SpeedMeasurement) -> SpeedMeasurement:
    """With its interval; a difference of two times that may be none at all is no time."""
    found = interval(measurement.samples)
    if found.low <= 0:
        lost = dict.fromkeys(_WORK) | {"reason": "lost in noise: the machine was busy"}
        return stamp(measurement.model_copy(update=lost))
    update = {"median": found.middle, "ci_low": found.low, "ci_high": found.high}
    made = stamp(measurement.model_copy(update=update))
    if made.device == "cpu":
        return made
    return made.model_copy(update={"machine": f"{made.machine}, {device_description(made.device)}"})


def _beside(point: SpeedPoint, what: SpeedPhase, seconds: float, best: tuple[float, float]) -> dict[str, float]:
    """Operations of the products, bytes that must move at least, and shares of what the machine can do.

    `best`: operations and bytes a second. The roofline is the peak, or, where there are few operations to a byte, what
    the memory can feed.
    """
    times = {"forward": 1, "backward": 2, "both": 3}[what]
    operations = times * point.operations
    moved = times * point.bytes
    reached = operations / seconds if seconds > 0 else 0.0
    roof = min(best[0], operations / moved * best[1])
    work = {"operations": operations, "bytes_moved": moved}
    return work | {"share_of_peak": reached / best[0], "share_of_roofline": reached / roof}


def at_equal_count(point: SpeedPoint, total: int) -> SpeedPoint:
    """The same place with the hidden size at which the spec has about `total` parameters."""
    from rnn_harness.benchmarks.parameters import matched

    return replace(point, d=matched(library().spec(point.spec), point.n, total))
