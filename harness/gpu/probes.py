"""Short probes: each shows one behaviour that was predicted by reading, before any device had been tried."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from rnn_harness.arithmetic.assumptions import UNIT_ROUNDOFF
from rnn_harness.arithmetic.torch_dtype import torch_dtype
from rnn_harness.errors import named_error
from rnn_harness.gpu.fused_probes import cooperative_launch, function_accuracy, offsets_beyond_32_bits, split_products
from rnn_harness.kernels.drivers.torch_nn import library_kernels
from rnn_harness.kernels.environment.device import ensure_sound
from rnn_harness.kernels.environment.profiler import profiled_event_names
from rnn_harness.kernels.environment.torch_formats import sums_in_float32
from rnn_harness.records.gpu_evidence import ProbeResult
from rnn_harness.runtime.worker import Send

COOPERATIVE = "an LSTM split over several processors"
"""The probe whose answer decides whether such kernels are tried further: where they hang, they take all the time."""
TERMS = 4096
"""Terms of the sums whose rounding is measured."""


@dataclass(frozen=True)
class Probe:
    """A question to the device.

    Attributes:
        title: What is asked.
        prediction: What reading the code of torch and Triton leads to expect.
        ask: Gives the answer in words; its argument is ``cuda``, or ``cpu`` for a trial without a device.
    """

    title: str
    prediction: str
    ask: Callable[[str], str]


@dataclass(frozen=True)
class ProbeJob:
    """A probe as a worker gets it.

    Attributes:
        number: Its place in `PROBES`.
        device: ``cuda``, or ``cpu`` for a trial without a device.
    """

    number: int
    device: str


def ask_probe(send: Send[ProbeResult], job: ProbeJob) -> None:
    """Ask one probe in this process and send its result; an error that it raises is a result, too.

    Args:
        send: Sends the result.
        job: Which probe, and where.
    """
    probe = PROBES[job.number]
    try:
        result = probe.ask(job.device)
    except Exception as error:  # whatever torch or Triton raises there is what is to be known
        result = f"raises {named_error(error)}"
    send(ProbeResult(probe=probe.title, prediction=probe.prediction, result=result))
    ensure_sound(job.device)


def _lstm(device: str, dtype: str, size: int) -> tuple[Any, Any]:
    """Make an nn.LSTM and inputs (5, 4, size)."""
    import torch

    torch.manual_seed(0)
    torch_type = torch_dtype(dtype)
    return torch.nn.LSTM(size, size).to(device, torch_type), torch.randn(5, 4, size).to(device, torch_type)


def _gradient(module: Any, x: Any) -> Any:
    """Give the gradient of the recurrent weights in float64."""
    module.zero_grad()
    module(x)[0].square().sum().backward()
    return module.weight_hh_l0.grad.double().clone()


def _tf32_in_backward(device: str) -> str:
    module, x = _lstm(device, "float32", 256)
    with library_kernels(enabled=True, tf32=False):
        held = _gradient(module, x)
        module.zero_grad()
        total = module(x)[0].square().sum()
    with library_kernels(enabled=True, tf32=True):
        total.backward()
    gap = float((module.weight_hh_l0.grad.double() - held).norm() / held.norm())
    return f"with TF32 allowed in the backward alone, the gradient is off by {gap:.1e} of its norm"


def _formats_of_cudnn(device: str) -> str:
    found = []
    for dtype in ("float64", "float32", "bfloat16", "float16"):
        module, x = _lstm(device, dtype, 32)
        names = profiled_event_names(lambda module=module, x=x: _gradient(module, x), device)  # type: ignore[misc]
        reached = sorted({name for name in names if "cudnn_rnn" in name})
        found.append(f"{dtype}: {', '.join(reached) or 'not cuDNN'}")
    return "; ".join(found)


def _noncontiguous_state(device: str) -> str:
    import torch

    module, x = _lstm(device, "float32", 32)
    state = torch.randn(1, 4, 64, device=device)[..., ::2]
    module(x, (state, state))
    return "taken"


def _repeated_backward(device: str) -> str:
    import torch

    module, x = _lstm(device, "float32", 128)
    first, *repeated = [_gradient(module, x) for _ in range(5)]
    return "equal bit for bit" if all(torch.equal(first, other) for other in repeated) else "differ from run to run"


def _narrow_sums(device: str) -> str:
    import contextlib

    import torch

    found = []
    for dtype in ("bfloat16", "float16"):
        for title, context in (("torch's default", contextlib.nullcontext()), ("held", sums_in_float32())):
            torch.manual_seed(0)
            x = (torch.rand(2, TERMS, device=device) / TERMS**0.5).to(torch_dtype(dtype))
            w = (torch.rand(TERMS, 2, device=device) / TERMS**0.5).to(torch_dtype(dtype))
            exact = x.double() @ w.double()
            with context:
                error = float((((x @ w).double() - exact) / exact).abs().max())
            found.append(f"{dtype}, {title}: {error / float(UNIT_ROUNDOFF[dtype]):.2f} u")
    return "; ".join(found)


def _warnings_of(call: Callable[[], object]) -> str:
    """Give the warnings of a call, shortened."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        call()
    return "; ".join(sorted({str(warning.message)[:100] for warning in caught})) or "no warning"


def _first_backward(device: str) -> str:
    import torch

    weight = torch.randn(8, 8, device=device, requires_grad=True)
    total: Any = (torch.randn(8, 8, device=device) @ weight).sum()
    return _warnings_of(total.backward)


def _compiled_product(device: str) -> str:
    import torch

    compiled = torch.compile(lambda x, y: torch.tanh(x @ y), fullgraph=True)
    return _warnings_of(lambda: compiled(torch.randn(4, 4, device=device), torch.randn(4, 4, device=device)))


def _weights_apart(device: str) -> str:
    import torch

    from rnn_harness.benchmarks.speed.stopwatch import time_interleaved

    module, x = _lstm(device, "float32", 256)
    leaves = {name: value.detach().clone() for name, value in module.named_parameters()}
    calls = {"module": lambda: module(x), "apart": lambda: torch.func.functional_call(module, leaves, (x,))}
    samples = time_interleaved(calls, 3, device=device)
    own, apart = (float(np.median(samples[name])) * 1e6 for name in ("module", "apart"))
    return f"{own:.0f} us a call of the module, {apart:.0f} us with weights that do not lie in one block"


PROBES = (
    Probe(COOPERATIVE, "right: all programs run at the same time, and meet after every step", cooperative_launch),
    Probe("TF32 in cuDNN's backward", "the flag of the backward decides: 1e-4 or more", _tf32_in_backward),
    Probe(
        "sigmoid and tanh of the fused kernels",
        "at most 3 u of float32, as in the interpreter: they use no approximate instruction",
        function_accuracy,
    ),
    Probe("products by tf32x3", "at most 2^-19 of the sum of sizes; tf32 some 2^-10", split_products),
    Probe("a sum of 4,096 terms", "by torch's default more than 1 u, held within 1 u", _narrow_sums),
    Probe("which formats reach cuDNN", "all four", _formats_of_cudnn),
    Probe(
        "a state that is not contiguous", "cuDNN refuses it; the harness counts that as refused", _noncontiguous_state
    ),
    Probe("five backwards of cuDNN", "unknown: torch documents that they may differ", _repeated_backward),
    Probe(
        "offsets beyond 2^31 in a fused kernel", "the last steps equal a run over them alone", offsets_beyond_32_bits
    ),
    Probe("warnings of the first backward of a process", "'no current CUDA context', or none", _first_backward),
    Probe("warnings of torch.compile", "'TensorFloat32 tensor cores are available but not enabled'", _compiled_product),
    Probe("weights that do not lie in one block", "cuDNN copies them at every call: slower", _weights_apart),
)
