"""The fused kernels compile for an H100 or H200 ahead of time, and stay within its shared memory; no GPU is needed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import pytest

from rnn_harness.kernels.drivers.fused.limits import HOPPER_SHARED

triton = pytest.importorskip("triton", reason="not run: triton is not installed")
PROGRAM = """
import json, sys, warnings
warnings.simplefilter("ignore")
import triton
import triton.language as tl
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource
from rnn_harness.kernels.drivers.fused import gru_kernels
from rnn_harness.kernels.drivers.fused import lstm_kernels
from rnn_harness.kernels.drivers.fused import rnn_kernels

rnn, gru = {"TANH": True}, {"KEEP": True, "BEFORE": False, "TANH": True}
lstm = {"TANH": True, "TANH_OUT": True, "FORGET": True, "PEEPHOLE": False}
rows = {}
for module, family, flags in ((rnn_kernels, "rnn", rnn), (gru_kernels, "gru", gru), (lstm_kernels, "lstm", lstm)):
    for part in ("forward", "backward"):
        kernel = getattr(module, f"{family}_{part}")
        fixed = flags | {"ACC": tl.float32, "PRECISION": "ieee", "INTERPRETED": False, "BLOCK_B": 16, "BLOCK_D": 64}
        types = {"T": "i32", "B": "i32", "D": "i32"}
        signature = {name: "constexpr" if name in fixed else types.get(name, "*bf16") for name in kernel.arg_names}
        source = ASTSource(fn=kernel, signature=signature, constexprs=fixed)
        compiled = triton.compile(source, target=GPUTarget("cuda", 90, 32), options={"num_warps": 4})
        ptx = compiled.asm["ptx"]
        rows[f"{family}_{part}"] = [compiled.metadata.shared, "wgmma" in ptx or "mma.sync" in ptx]
print(json.dumps(rows))
"""


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    environment = {name: value for name, value in os.environ.items() if name != "TRITON_INTERPRET"}
    environment["TRITON_CACHE_DIR"] = str(tmp_path_factory.mktemp("triton"))
    process = subprocess.run(
        [sys.executable, "-c", PROGRAM], env=environment, capture_output=True, text=True, timeout=300, check=False
    )
    assert process.returncode == 0, process.stderr[-2000:]
    rows: dict[str, Any] = json.loads(process.stdout.splitlines()[-1])
    return rows


@pytest.mark.parametrize("family", ["rnn", "gru", "lstm"])
@pytest.mark.parametrize("part", ["forward", "backward"])
def test_a_kernel_of_hidden_size_64_in_bfloat16_uses_tensor_cores_and_fits(
    compiled: dict[str, Any], family: str, part: str
) -> None:
    shared, tensor_cores = compiled[f"{family}_{part}"]
    assert tensor_cores
    assert 0 < shared <= HOPPER_SHARED
