"""Every kernel there is: what torch ships, and ours. A new one is one entry here."""

from __future__ import annotations

import functools
import re

from rnn_harness.arithmetic.assumptions import TF32_OPERANDS
from rnn_harness.errors import UsageError
from rnn_harness.families import FAMILIES
from rnn_harness.kernels.drivers.autograd_function import FunctionDriver
from rnn_harness.kernels.drivers.compiled import CompiledDriver, missing_compiler
from rnn_harness.kernels.drivers.eager import EagerDriver
from rnn_harness.kernels.drivers.fused import FusedDriver, unavailable
from rnn_harness.kernels.drivers.scan import ScanDriver
from rnn_harness.kernels.drivers.torch_nn import CellDriver, LayerDriver
from rnn_harness.kernels.kernel import Kernel, Setting, settings

_WIDE = ("float64", "float32")
_ALL = (*_WIDE, "bfloat16", "float16")
_UPDATE = {"gru.reset_after": ("T-005",), "gru.stacked": ("T-043",), "gru.bidirectional": ("T-044", "T-045")}
"""How torch's CPU and native CUDA kernels write the GRU's last line."""

_COMPOSITE = {"rnn": "aten::rnn_tanh", "gru": "aten::gru", "lstm": "aten::lstm"}
_FUSED_STEP = {"gru": ("aten::_thnn_fused_gru_cell",), "lstm": ("aten::_thnn_fused_lstm_cell",)}
_CUDNN = r"aten::_cudnn_rnn"
_ONEDNN = "aten::mkldnn_rnn_layer"


def _onednn_takes(setting: Setting) -> str | None:
    """Whether torch hands an LSTM of this dtype to oneDNN, with gradients."""
    import torch

    if not torch.backends.mkldnn.is_available():  # type: ignore[no-untyped-call]
        return "this torch was built without oneDNN"
    if setting.dtype == "float16":
        return "torch hands float16 to oneDNN only without gradients; with them its native kernels run"
    if setting.dtype == "bfloat16" and not torch.ops.mkldnn._is_mkldnn_bf16_supported():
        return "oneDNN has no bfloat16 on this processor"
    return None


def _cells() -> list[Kernel]:
    return [
        Kernel(
            f"nn.{family.torch_class}Cell",
            f"torch.nn.{family.torch_class}Cell, step by step",
            family.spec,
            lambda _, name=family.name: CellDriver(name),  # type: ignore[misc]
            settings(cpu=_ALL, cuda=_ALL),
            expects=(f"{_COMPOSITE[family.name]}_cell",),
            alternatives=_UPDATE.get(family.spec, ()),
        )
        for family in FAMILIES.values()
    ]


def _layer(name: str, title: str, family: str, spec: str, **options: bool | int) -> list[Kernel]:
    """A layer of torch on its native path, and on its library's: oneDNN (CPU, LSTM only), cuDNN (CUDA)."""
    alternatives = _UPDATE.get(spec, ())
    native = Kernel(
        f"{name}/native",
        f"{title}, native kernels",
        spec,
        lambda _: LayerDriver(family, **options),  # type: ignore[arg-type]
        settings(cpu=_ALL, cuda=_ALL),
        expects=(_COMPOSITE[family],),
        never=(_ONEDNN, _CUDNN),
        alternatives=alternatives,
    )
    cudnn = Kernel(
        f"{name}/cudnn",
        f"{title}, cuDNN, TF32 not allowed",
        spec,
        lambda _: LayerDriver(family, fused=True, **options),  # type: ignore[arg-type]
        settings(cuda=_ALL),
        expects=(_CUDNN,),
        alternatives=alternatives,
    )
    tf32 = Kernel(
        f"{name}/cudnn-tf32",
        f"{title}, cuDNN, TF32 allowed (torch's default)",
        spec,
        lambda _: LayerDriver(family, fused=True, tf32=True, **options),  # type: ignore[arg-type]
        settings(cuda=("float32",)),
        expects=(_CUDNN,),
        alternatives=alternatives,
        operands=TF32_OPERANDS,
    )
    rows = [native, cudnn, tf32]
    if family == "lstm" and "projected" not in options:  # oneDNN has no projection
        onednn = Kernel(
            f"{name}/onednn",
            f"{title}, oneDNN",
            spec,
            lambda _: LayerDriver(family, fused=True, **options),  # type: ignore[arg-type]
            settings(cpu=("float32", "bfloat16", "float16")),
            expects=(_ONEDNN, f"{_ONEDNN}_backward"),
            needs=_onednn_takes,
        )
        rows.insert(1, onednn)
    return rows


def _shipped() -> list[Kernel]:
    rows = _cells()
    for family, row in FAMILIES.items():
        cls = row.torch_class
        rows += _layer(f"nn.{cls}", f"torch.nn.{cls}", family, row.spec)
        stacked, both = f"{family}.stacked", f"{family}.bidirectional"
        rows += _layer(f"nn.{cls}/layers", f"torch.nn.{cls}, two layers", family, stacked, layers=2)
        rows += _layer(f"nn.{cls}/both", f"torch.nn.{cls}, bidirectional", family, both, bidirectional=True)
    rows += _layer("nn.LSTM/projected", "torch.nn.LSTM with proj_size", "lstm", "lstm.projected", projected=True)
    rows += _layer(
        "nn.LSTM/unbiased",
        "torch.nn.LSTM without bias",
        "lstm",
        "lstm.rowvector.unbiased",
        bias=False,
        batch_first=True,
    )
    return rows


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


def _own() -> list[Kernel]:
    rows = []
    for spec, title in _VARIANTS.items():
        rows.append(Kernel(f"eager/{spec}", f"{title}, plain torch", spec, EagerDriver, settings(_ALL, _ALL)))
        rows.append(
            Kernel(
                f"function/{spec}",
                f"{title}, one autograd Function",
                spec,
                FunctionDriver,
                settings(_ALL, _ALL),
                expects=("SequenceBackward",),
            )
        )
        rows.append(
            Kernel(
                f"compiled/{spec}",
                f"{title}, torch.compile",
                spec,
                CompiledDriver,
                settings(("float32",), ("float32", "bfloat16")),
                expects=(r"Torch-Compiled Region.*", r"CompiledFunctionBackward"),
                needs=missing_compiler,
                fixed=COMPILED_SIZES,
            )
        )
    return rows


_FUSED = {
    "rnn.tanh": "tanh RNN",
    "gru.keep.column": "reset-before GRU, the update gate keeps",
    "gru.write.concatenated": "reset-before GRU, the update gate writes",
    "gru.reset_after": "reset-after GRU",
    "lstm.column": "LSTM",
    "lstm.peephole": "LSTM with full-matrix peepholes",
}


def _fused() -> list[Kernel]:
    """Ours in Triton. float64 is for the interpreter: it lets the numeric witnesses speak about the same source."""
    rows = []
    for spec, title in _FUSED.items():
        family = spec.partition(".")[0]
        seen = (f"triton::{family}_forward", f"triton::{family}_backward")
        rows.append(
            Kernel(
                f"fused/{spec}",
                f"{title}, Triton, fused over time",
                spec,
                FusedDriver,
                settings(cpu=_ALL, cuda=("float32", "bfloat16", "float16")),
                expects=seen,
                needs=lambda setting: unavailable(setting.device, setting.dtype),
                interpreted=True,
            )
        )
        rows.append(
            Kernel(
                f"fused-tf32/{spec}",
                f"{title}, Triton, fused over time, TF32 products",
                spec,
                lambda like: FusedDriver(like, "tf32"),
                settings(cuda=("float32",)),
                expects=seen,
                operands=TF32_OPERANDS,
            )
        )
    return rows


def _defects() -> list[Kernel]:
    return [
        Kernel(
            "scan/lstm.column",
            "LSTM by torch's scan, recurrent weights closed over, torch.compile",
            "lstm.column",
            ScanDriver,
            settings(cpu=("float32",)),
            expects=(r"Torch-Compiled Region.*", r"CompiledFunctionBackward"),
            needs=missing_compiler,
            fixed={"n": 8, "d": 8, "B": 4, "T": 100},
            known_wrong="with torch 2.13 the gradient of the recurrent weights, and nothing else, where n = d",
        )
    ]


@functools.cache
def kernels() -> tuple[Kernel, ...]:
    """All kernels, shipped ones first."""
    return (*_shipped(), *_own(), *_fused(), *_defects())


def choose(names: tuple[str, ...], everything: bool = False) -> tuple[Kernel, ...]:
    """The kernels whose id is, or begins with, one of `names`, or whose spec it is.

    Without names all but those known to be wrong, which are there to be named (`everything`: those too). Raises
    UsageError that lists what there is near.
    """
    if not names:
        return tuple(one for one in kernels() if everything or not one.known_wrong)
    found: list[Kernel] = []
    for name in names:
        meant = [one for one in kernels() if name in (one.id, one.spec) or one.id.startswith((f"{name}/", f"{name}."))]
        if not meant:
            stem = re.split(r"[/.]", name)[0].lower()
            near = [one.id for one in kernels() if stem in one.id.lower() or stem in one.spec][:6]
            hint = f"; near: {', '.join(near)}" if near else ""
            raise UsageError(f"there is no kernel {name!r}{hint} (rnn-harness kernels lists all)")
        found += [one for one in meant if one not in found]
    return tuple(found)
