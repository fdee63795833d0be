"""Steps timed on the card: cuDNN as people call it against the Triton kernels, in turns, TF32 alike.

The documents' variants that cuDNN lacks follow at the same sizes.

cuDNN is timed as a module whose weights lie in one block, in the forward and with all gradients; the flag of TF32 is
held in both directions.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, NamedTuple

from rnn_harness.arithmetic.torch_dtype import torch_dtype
from rnn_harness.attributes import member
from rnn_harness.benchmarks.speed.speed import with_interval
from rnn_harness.benchmarks.speed.stopwatch import CONTROL, control_drift, time_interleaved
from rnn_harness.errors import named_error
from rnn_harness.families import FAMILIES, Family
from rnn_harness.gpu.run_digest import run_digest
from rnn_harness.kernels import all_kernels
from rnn_harness.kernels.drivers.fused import fused_sequence
from rnn_harness.kernels.drivers.split import split_sequence
from rnn_harness.kernels.drivers.torch_nn import library_kernels
from rnn_harness.kernels.environment.device import ensure_sound
from rnn_harness.records.measurement import SpeedMeasurement, SpeedPhase
from rnn_harness.references import get_reference
from rnn_harness.runtime.worker import Send
from rnn_harness.specs import library

ROUNDS = 5
"""Samples of each call."""


class Arithmetic(NamedTuple):
    """A format, and how float32 products are computed.

    Attributes:
        dtype: The format of storage.
        precision: Of the Triton kernel's products.
        suffix: Of the Triton kernel's id.
        tf32: Whether cuDNN may shorten operands to TF32.
    """

    dtype: str
    precision: str
    suffix: str
    tf32: bool


ARITHMETICS = (
    Arithmetic("bfloat16", "ieee", "", False),
    Arithmetic("float32", "tf32x3", "-tf32x3", False),
    Arithmetic("float32", "tf32", "-tf32", True),
    Arithmetic("float16", "ieee", "", False),
)


@dataclass(frozen=True)
class TimedPoint:
    """A spec at some sizes; input and hidden size are the same.

    Attributes:
        spec: The id of the spec, as ``gru.keep.column``.
        d: The hidden size.
        B: Batch rows.
        T: Time steps.
        device: ``cuda``, or ``cpu`` for a trial.
        with_split: Whether kernels that are split over many processors are timed.
    """

    spec: str
    d: int
    B: int
    T: int
    device: str
    with_split: bool = True

    @property
    def family(self) -> Family:
        """The family of the spec."""
        return FAMILIES[self.spec.partition(".")[0]]

    @property
    def digest(self) -> str:
        """What its times depend on."""
        return run_digest(self.device, "times", self.spec, self.d, self.B, self.T, self.with_split, ROUNDS)

    @property
    def titles(self) -> set[tuple[str, str, SpeedPhase]]:
        """What is timed there: subject, format and phase."""
        phases: tuple[SpeedPhase, ...] = ("forward", "both")
        names = {(name, a.dtype) for a in ARITHMETICS for name in (*_torch_names(self, a), *_triton_names(self, a))}
        return {(name, dtype, phase) for name, dtype in names for phase in phases}

    def is_timed_by(self, times: Iterable[SpeedMeasurement]) -> bool:
        """Say whether measurements are all of this point, so that it need not be timed again.

        Args:
            times: Measurements that depend on what those of the point do.
        """
        return {(time.subject, time.dtype, time.phase) for time in times} == self.titles


def timed_points(device: str, with_split: bool = True) -> list[TimedPoint]:
    """List the points of the grid, the most telling first.

    Args:
        device: ``cuda``, or ``cpu`` for a small trial.
        with_split: Whether kernels that are split over many processors are timed.
    """
    if device == "cpu":
        return [TimedPoint(spec, 16, 2, 2, device, with_split) for spec in ("rnn.tanh", "rnn.sigma")]
    grid = itertools.product((1000, 100), (16, 64, 1), ((64, 256, 1024), (128, 512)), timed_specs())
    return [
        TimedPoint(spec, d, rows, steps, device, with_split)
        for steps, rows, sizes, specs in grid
        for d, spec in itertools.product(sizes, specs)
    ]


def timed_specs() -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Give the specs that cuDNN computes too, and the documents' variants that it lacks."""
    with_cudnn = tuple(FAMILIES[name].spec for name in ("lstm", "gru", "rnn"))
    ours = tuple(kernel.spec for kernel in all_kernels() if kernel.id.startswith("fused/"))
    return with_cudnn, tuple(spec for spec in ours if spec not in with_cudnn)


def time_point(send: Send[SpeedMeasurement], point: TimedPoint) -> None:
    """Time everyone at one point and send the measurements; who cannot be timed is sent with the reason.

    Args:
        send: Sends a measurement.
        point: The spec and its sizes.
    """
    calls: dict[str, _Timed] = {}
    for arithmetic in ARITHMETICS:
        for timed in _competitors(point, arithmetic):
            try:
                timed.call()
            except Exception as error:  # out of shared memory, not supported, refused: the others go on
                send(_measurement(point, timed, (), reason=named_error(error)))
                ensure_sound(point.device)
            else:
                calls[timed.title] = timed
    if not calls:
        return
    samples = time_interleaved({title: timed.call for title, timed in calls.items()}, ROUNDS, device=point.device)
    drift, control = control_drift(samples), tuple(samples[CONTROL])
    for title, timed in calls.items():
        measurement = _measurement(point, timed, tuple(samples[title]))
        send(with_interval(measurement.model_copy(update={"control": control, "control_drift": drift})))
    ensure_sound(point.device)


@dataclass(frozen=True)
class _Timed:
    """A call that is timed.

    Attributes:
        subject: The kernel's id in the catalogue.
        dtype: The format.
        phase: Forward, or forward and backward.
        call: What is timed.
    """

    subject: str
    dtype: str
    phase: SpeedPhase
    call: Callable[[], object]

    @property
    def title(self) -> str:
        """What tells it from the others."""
        return f"{self.subject} {self.dtype} {self.phase}"


def _measurement(point: TimedPoint, timed: _Timed, seconds: tuple[float, ...], reason: str = "") -> SpeedMeasurement:
    return SpeedMeasurement(
        subject=timed.subject,
        spec=point.spec,
        reason=reason,
        sizes={"n": point.d, "d": point.d, "B": point.B, "T": point.T},
        dtype=timed.dtype,
        phase=timed.phase,
        device=point.device,
        samples=seconds,
        depends_on=point.digest,
    )


def _competitors(point: TimedPoint, arithmetic: Arithmetic) -> Iterator[_Timed]:
    """Give the Triton kernels in one arithmetic, behind torch's own of the same spec: cuDNN on a card.

    cuDNN has none of the documents' other variants: its time at the same sizes stands at the point of the family.
    """
    import torch

    dtype = torch_dtype(arithmetic.dtype)
    torch.manual_seed(1)
    x = torch.randn(point.T, point.B, point.d).to(point.device, dtype).requires_grad_()
    d_outputs = torch.randn(point.T, point.B, point.d).to(point.device, dtype)

    def held() -> AbstractContextManager[None]:
        return library_kernels(enabled=True, tf32=arithmetic.tf32)

    for name in _torch_names(point, arithmetic):
        run, variables = _torch_call(point, x)
        yield from _phases(name, arithmetic.dtype, run, variables, d_outputs, held)
    for name in _triton_names(point, arithmetic):
        run, variables = _triton_call(point, arithmetic, x, _SEQUENCES[name.partition("/")[0].partition("-")[0]])
        yield from _phases(name, arithmetic.dtype, run, variables, d_outputs, held)


_SEQUENCES: dict[str, Callable[..., Any]] = {"fused": fused_sequence, "split": split_sequence}
"""By the beginning of the kernel's id."""


def _torch_names(point: TimedPoint, arithmetic: Arithmetic) -> tuple[str, ...]:
    """Give the id of torch's module, if there is one of the spec."""
    if point.spec != point.family.spec:
        return ()
    path = "native" if point.device == "cpu" else "cudnn-tf32" if arithmetic.tf32 else "cudnn"
    return (f"nn.{point.family.torch_class}/{path}",)


def _triton_names(point: TimedPoint, arithmetic: Arithmetic) -> tuple[str, ...]:
    """Give the ids of the Triton kernels."""
    divisions = tuple(_SEQUENCES) if point.with_split else ("fused",)
    return tuple(f"{division}{arithmetic.suffix}/{point.spec}" for division in divisions)


def _torch_call(point: TimedPoint, x: Any) -> tuple[Callable[[], Any], tuple[Any, ...]]:
    """Give the call of torch's module, and what is differentiated."""
    import torch

    module = member(torch.nn, point.family.torch_class)(point.d, point.d).to(device=point.device, dtype=x.dtype)
    if point.device == "cuda":
        module.flatten_parameters()
    return lambda: module(x)[0], (x, *module.parameters())


def _triton_call(
    point: TimedPoint, arithmetic: Arithmetic, x: Any, sequence: Callable[..., Any]
) -> tuple[Callable[[], Any], tuple[Any, ...]]:
    """Give the call of the Triton kernel, and what is differentiated."""
    import torch

    link = library().spec(point.spec).reference
    assert link is not None, "a spec that is timed has a reference"
    reference = get_reference(link.name, **link.options)
    dtype = torch_dtype(arithmetic.dtype)
    shapes = reference.parameter_shapes(point.d, point.d)
    weights = {k: (torch.randn(s) / point.d**0.5).to(point.device, dtype).requires_grad_() for k, s in shapes.items()}
    states = {name: torch.zeros(point.B, point.d, device=point.device, dtype=dtype) for name in reference.state_names}

    def run() -> Any:
        return sequence(reference, weights, x, states, precision=arithmetic.precision)[0]

    return run, (x, *weights.values())


def _phases(
    subject: str,
    dtype: str,
    run: Callable[[], Any],
    variables: tuple[Any, ...],
    d_outputs: Any,
    held: Callable[[], AbstractContextManager[None]],
) -> Iterator[_Timed]:
    """Give the forward without a graph, and the forward with all gradients."""
    import torch

    def forward() -> None:
        with torch.no_grad(), held():
            run()

    def both() -> None:
        with held():
            torch.autograd.grad(run(), variables, d_outputs)

    yield _Timed(subject, dtype, "forward", forward)
    yield _Timed(subject, dtype, "both", both)
