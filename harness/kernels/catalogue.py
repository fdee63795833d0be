"""Every kernel there is: what torch ships, and ours. A new kernel is one entry here."""

from __future__ import annotations

import difflib
import functools
from dataclasses import replace

from rnn_harness.arithmetic.assumptions import SPLIT_TF32_OPERANDS, TF32_OPERANDS
from rnn_harness.errors import UsageError
from rnn_harness.families import FAMILIES
from rnn_harness.kernels.drivers.autograd_function import FunctionDriver
from rnn_harness.kernels.drivers.compiled import CompiledDriver, missing_compiler
from rnn_harness.kernels.drivers.eager import EagerDriver
from rnn_harness.kernels.drivers.fused import FusedDriver, unavailable_reason
from rnn_harness.kernels.drivers.scan import ScanDriver
from rnn_harness.kernels.drivers.split import SplitDriver
from rnn_harness.kernels.drivers.torch_nn import CellDriver, LayerDriver
from rnn_harness.kernels.kernel import Kernel
from rnn_harness.kernels.setting import Setting, settings

_WIDE = ("float64", "float32")
_ALL = (*_WIDE, "bfloat16", "float16")
_STATE_UPDATES = {"gru.reset_after": ("T-005",), "gru.stacked": ("T-043",), "gru.bidirectional": ("T-044", "T-045")}
"""How torch's CPU and native CUDA kernels write the GRU's last line."""

_COMPOSITE_EVENTS = {"rnn": "aten::rnn_tanh", "gru": "aten::gru", "lstm": "aten::lstm"}
_CUDNN_EVENT = r"aten::_cudnn_rnn"
_ONEDNN_EVENT = "aten::mkldnn_rnn_layer"


def _onednn_refusal(setting: Setting) -> str | None:
    """Say why torch hands no LSTM of this dtype, with gradients, to oneDNN; None if it does."""
    import torch

    if not torch.backends.mkldnn.is_available():  # type: ignore[no-untyped-call]
        return "this torch was built without oneDNN"
    if setting.dtype == "float16":
        return "torch hands float16 to oneDNN only without gradients; with them its native kernels run"
    if setting.dtype == "bfloat16" and not torch.ops.mkldnn._is_mkldnn_bf16_supported():  # noqa: SLF001  # torch has no public way to ask
        return "oneDNN has no bfloat16 on this processor"
    return None


def _cells() -> list[Kernel]:
    """List torch's cells, called step by step."""
    return [
        Kernel(
            f"nn.{family.torch_class}Cell",
            f"torch.nn.{family.torch_class}Cell, step by step",
            family.spec,
            lambda _, name=family.name: CellDriver(name),  # type: ignore[misc]
            settings(cpu=_ALL, cuda=_ALL),
            expected_events=(f"{_COMPOSITE_EVENTS[family.name]}_cell",),
            alternatives=_STATE_UPDATES.get(family.spec, ()),
        )
        for family in FAMILIES.values()
    ]


def _layer(name: str, title: str, family: str, spec: str, **options: bool | int) -> list[Kernel]:
    """List a layer of torch on its native path, and on its libraries': oneDNN (CPU, LSTM only), cuDNN (CUDA)."""
    alternatives = _STATE_UPDATES.get(spec, ())
    native = Kernel(
        f"{name}/native",
        f"{title}, native kernels",
        spec,
        lambda _: LayerDriver(family, **options),  # type: ignore[arg-type]
        settings(cpu=_ALL, cuda=_ALL),
        expected_events=(_COMPOSITE_EVENTS[family],),
        forbidden_events=(_ONEDNN_EVENT, _CUDNN_EVENT),
        alternatives=alternatives,
    )
    cudnn = Kernel(
        f"{name}/cudnn",
        f"{title}, cuDNN, TF32 not allowed",
        spec,
        lambda _: LayerDriver(family, fused=True, **options),  # type: ignore[arg-type]
        settings(cuda=_ALL),
        expected_events=(_CUDNN_EVENT,),
        alternatives=alternatives,
        varies_between_runs=True,
    )
    tf32 = Kernel(
        f"{name}/cudnn-tf32",
        f"{title}, cuDNN, TF32 allowed (torch's default)",
        spec,
        lambda _: LayerDriver(family, fused=True, tf32=True, **options),  # type: ignore[arg-type]
        settings(cuda=("float32",)),
        expected_events=(_CUDNN_EVENT,),
        alternatives=alternatives,
        varies_between_runs=True,
        operand_roundoff=TF32_OPERANDS,
    )
    kernels = [native, cudnn, tf32]
    if family == "lstm" and "projected" not in options:  # oneDNN has no projection
        onednn = Kernel(
            f"{name}/onednn",
            f"{title}, oneDNN",
            spec,
            lambda _: LayerDriver(family, fused=True, **options),  # type: ignore[arg-type]
            settings(cpu=("float32", "bfloat16", "float16")),
            expected_events=(_ONEDNN_EVENT, f"{_ONEDNN_EVENT}_backward"),
            missing_requirement=_onednn_refusal,
        )
        kernels.insert(1, onednn)
    return kernels


def _shipped() -> list[Kernel]:
    """List what torch ships."""
    kernels = _cells()
    for family, row in FAMILIES.items():
        class_name = row.torch_class
        kernels += _layer(f"nn.{class_name}", f"torch.nn.{class_name}", family, row.spec)
        stacked, bidirectional = f"{family}.stacked", f"{family}.bidirectional"
        kernels += _layer(f"nn.{class_name}/layers", f"torch.nn.{class_name}, two layers", family, stacked, layers=2)
        kernels += _layer(
            f"nn.{class_name}/both", f"torch.nn.{class_name}, bidirectional", family, bidirectional, bidirectional=True
        )
    kernels += _layer("nn.LSTM/projected", "torch.nn.LSTM with proj_size", "lstm", "lstm.projected", projected=True)
    kernels += _layer(
        "nn.LSTM/unbiased",
        "torch.nn.LSTM without bias",
        "lstm",
        "lstm.rowvector.unbiased",
        bias=False,
        batch_first=True,
    )
    return kernels


_VARIANTS = {
    "rnn.sigma": "sigmoid RNN",
    "gru.keep.column": "reset-before GRU, the update gate keeps",
    "gru.write.concatenated": "reset-before GRU, the update gate writes",
    "gru.sigma": "sigmoid GRU",
    "lstm.sigma": "sigmoid LSTM",
    "lstm.noforget": "LSTM without a forget gate",
    "lstm.peephole": "LSTM with full-matrix peepholes",
}
COMPILED_SIZES = {"n": 3, "d": 4, "B": 2}


def _plain() -> list[Kernel]:
    """List ours in plain torch: what torch does not ship, each as steps, as one Function, and compiled."""
    kernels = []
    for spec, title in _VARIANTS.items():
        kernels.append(Kernel(f"eager/{spec}", f"{title}, plain torch", spec, EagerDriver, settings(_ALL, _ALL)))
        kernels.append(
            Kernel(
                f"function/{spec}",
                f"{title}, one autograd Function",
                spec,
                FunctionDriver,
                settings(_ALL, _ALL),
                expected_events=("SequenceBackward",),
            )
        )
        kernels.append(
            Kernel(
                f"compiled/{spec}",
                f"{title}, torch.compile",
                spec,
                CompiledDriver,
                settings(("float32",), ("float32", "bfloat16")),
                expected_events=(r"Torch-Compiled Region.*", r"CompiledFunctionBackward"),
                missing_requirement=missing_compiler,
                fixed_sizes=COMPILED_SIZES,
                # Inductor's exp on CUDA is ex2.approx of a rounded x log2(e): off by |x| roundings of its value.
                absolute_function_devices=("cuda",),
            )
        )
    return kernels


_IN_TRITON = {"rnn.tanh": "tanh RNN", "gru.reset_after": "reset-after GRU", "lstm.column": "LSTM", **_VARIANTS}
"""What torch ships too, then what it does not."""


def _fused() -> list[Kernel]:
    """List ours in Triton, on one processor and split over many.

    Products are exact (float32 by ordinary multiplications), or on TF32's tensor cores.
    """
    on_one = [kernel for spec, title in _IN_TRITON.items() for kernel in _in_triton("fused", spec, title)]
    return on_one + [kernel for spec, title in _IN_TRITON.items() for kernel in _in_triton("split", spec, title)]


_DIVISIONS: dict[str, tuple[type[FusedDriver | SplitDriver], str, str]] = {
    "fused": (FusedDriver, "Triton, fused over time", ""),
    "split": (SplitDriver, "Triton, weights split over many processors", "split_"),
}
"""By the beginning of the id: the driver, a title, and the beginning of the kernels' names."""
_INTERPRETED = {"fused": _ALL, "split": ("float64", "bfloat16")}
"""The formats in which the interpreter judges them: it takes a minute for each."""
DIFFERENT_BY_A_FLAG = ("rnn.sigma", "gru.sigma", "lstm.sigma", "lstm.noforget")
"""Variants that differ from another one by a function or a gate, so that two formats show all that is new."""


def _in_triton(division: str, spec: str, title: str) -> list[Kernel]:
    """List a variant with each way of multiplying in float32."""
    driver, manner, prefix = _DIVISIONS[division]
    family = spec.partition(".")[0]
    fields = {
        "expected_events": (f"triton::{prefix}{family}_forward", f"triton::{prefix}{family}_backward"),
        "missing_requirement": lambda setting: unavailable_reason(setting.device),
    }
    formats = ("float64", "bfloat16") if spec in DIFFERENT_BY_A_FLAG else _INTERPRETED[division]
    exact = Kernel(
        f"{division}/{spec}",
        f"{title}, {manner}",
        spec,
        driver,
        settings(cpu=formats, cuda=_ALL),
        interpreted=True,
        **fields,  # type: ignore[arg-type]
    )
    kernels = [exact]
    for precision, operands in (("tf32x3", SPLIT_TF32_OPERANDS), ("tf32", TF32_OPERANDS)):
        kernels.append(
            Kernel(
                f"{division}-{precision}/{spec}",
                f"{title}, {manner}, float32 products by {precision}",
                spec,
                lambda reference, precision=precision: driver(reference, precision),  # type: ignore[misc]
                settings(cuda=("float32",)),
                operand_roundoff=operands,
                **fields,  # type: ignore[arg-type]
            )
        )
    return kernels


def _defects() -> list[Kernel]:
    """List defects of torch that are kept as cases."""
    return [
        Kernel(
            "scan/lstm.column",
            "LSTM by torch's scan, recurrent weights closed over, torch.compile",
            "lstm.column",
            ScanDriver,
            settings(cpu=("float32",)),
            expected_events=(r"Torch-Compiled Region.*", r"CompiledFunctionBackward"),
            missing_requirement=missing_compiler,
            fixed_sizes={"n": 8, "d": 8, "B": 4, "T": 100},
            known_wrong="with torch 2.13 the gradient of the recurrent weights, and nothing else, where n = d",
        )
    ]


@functools.cache
def all_kernels() -> tuple[Kernel, ...]:
    """List all kernels, those that torch ships first."""
    return (*_shipped(), *_plain(), *_fused(), *_defects())


def _is_named(kernel: Kernel, name: str) -> bool:
    """Say whether `name` is the kernel's id, the beginning of it, or its spec."""
    return name in (kernel.id, kernel.spec) or kernel.id.startswith((f"{name}/", f"{name}."))


def on_device(kernels: tuple[Kernel, ...], device: str) -> tuple[Kernel, ...]:
    """Give the kernels with their settings on one device, without those that have none there.

    Args:
        kernels: Entries of the catalogue.
        device: ``cpu`` or ``cuda``.

    Raises:
        UsageError: None of them has a setting there.
    """
    limited = tuple(replace(k, settings=tuple(s for s in k.settings if s.device == device)) for k in kernels)
    there = tuple(kernel for kernel in limited if kernel.settings)
    if not there:
        names = ", ".join(kernel.id for kernel in kernels[:4])
        raise UsageError(f"--device {device}: {names} has no setting there (rnn-harness kernels lists them all)")
    return there


def choose_kernels(names: tuple[str, ...], include_known_wrong: bool = False) -> tuple[Kernel, ...]:
    """Give the kernels that names stand for.

    Args:
        names: Ids, beginnings of ids, or specs; without any, all kernels but those known to be wrong.
        include_known_wrong: Whether no names stand for those too, which otherwise run only where they are named.

    Raises:
        UsageError: A name stands for no kernel; the message lists the nearest ones.
    """
    if not names:
        return tuple(kernel for kernel in all_kernels() if include_known_wrong or not kernel.known_wrong)
    chosen: list[Kernel] = []
    for name in names:
        matching = [kernel for kernel in all_kernels() if _is_named(kernel, name)]
        if not matching:
            names_there = {
                text for kernel in all_kernels() for text in (kernel.id, kernel.id.partition("/")[0], kernel.spec)
            }
            near = difflib.get_close_matches(name, sorted(names_there), n=4)
            hint = f"; did you mean {', '.join(near)}?" if near else ""
            raise UsageError(f"there is no kernel {name!r}{hint} (rnn-harness kernels lists all)")
        chosen += [kernel for kernel in matching if kernel not in chosen]
    return tuple(chosen)
