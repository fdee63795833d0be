"""Kernels compiled for sm_90 ahead of time, in a process without Triton's interpreter; no GPU is needed.

As a program it reads jobs as JSON from its standard input and prints what each compiled to.
"""

from __future__ import annotations

import dataclasses
import importlib
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rnn_harness.kernels.drivers.fused.launch import CompileOptions, compile_options
from rnn_harness.kernels.drivers.split.launch import split_options
from rnn_harness.kernels.drivers.split.layout import PARTS, SMALLEST_UNITS, Layout


@dataclasses.dataclass(frozen=True)
class CompileJob:
    """A kernel to compile.

    Attributes:
        module: The module that defines it.
        kernel: Its name there.
        dtype: The format of its tensors.
        precision: Of its float32 products.
        side: The side of a weight's tile.
        flags: Its flags, in capitals.
        lengths: Whether rows have lengths of their own.
        columns: Of a split kernel, the columns of a program; 0 of a fused one.
    """

    module: str
    kernel: str
    dtype: str
    precision: str
    side: int
    flags: dict[str, bool]
    lengths: bool = False
    columns: int = 0


@dataclasses.dataclass(frozen=True)
class CompiledKernel:
    """What a kernel compiled to.

    Attributes:
        shared: Bytes of shared memory of a program.
        registers: Registers of a thread.
        spilled: Bytes that a thread stores because registers do not suffice.
        has_tensor_cores: Whether products run on tensor cores.
        has_narrow_offsets: Whether the time step is multiplied in 32 bits anywhere.
    """

    shared: int
    registers: int
    spilled: int
    has_tensor_cores: bool
    has_narrow_offsets: bool


def compile_for_hopper(jobs: Sequence[CompileJob], seconds: float = 1200) -> list[CompiledKernel]:
    """Compile kernels, in order.

    Args:
        jobs: What to compile.
        seconds: How long all of it may take.
    """
    environment = {name: value for name, value in os.environ.items() if name != "TRITON_INTERPRET"}
    root = str(Path(__file__).parents[2])
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, (environment.get("PYTHONPATH", ""), root)))
    with tempfile.TemporaryDirectory() as cache:
        environment |= {"TRITON_CACHE_DIR": cache, "TRITON_DUMP_PTXAS_LOG": "1"}
        process = subprocess.run(
            [sys.executable, "-W", "ignore", "-m", "tests.helpers.compile_for_hopper"],
            input=json.dumps([dataclasses.asdict(job) for job in jobs]),
            env=environment,
            cwd=cache,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )
    assert process.returncode == 0, process.stderr[-2000:]
    return [CompiledKernel(**row) for row in json.loads(process.stdout.splitlines()[-1])]


_POINTERS = {"float64": "*fp64", "float32": "*fp32", "bfloat16": "*bf16", "float16": "*fp16"}
_WHOLE_NUMBERS = ("T", "B", "D", "begin", "end", "first_tile")
_TYPES = {**dict.fromkeys(_WHOLE_NUMBERS, "i32"), "lengths": "*i32", "counter": "*i32"}
_NEVER_SPECIALISED = ("T", "B", "begin", "end", "first_tile")


def _options(job: CompileJob) -> CompileOptions:
    """What the kernel is compiled with where it is launched."""
    if not job.columns:
        return compile_options(job.dtype, job.precision, job.side, job.lengths, interpreted=False)
    layout = Layout(job.columns, PARTS, max(SMALLEST_UNITS, job.side) // PARTS)
    return split_options(job.dtype, job.precision, layout, job.lengths)


def _compile(job: CompileJob) -> CompiledKernel:
    """Compile one kernel in this process."""
    import triton
    from triton.backends.compiler import GPUTarget
    from triton.compiler import ASTSource

    kernel = getattr(importlib.import_module(job.module), job.kernel)
    options = _options(job)
    fixed: dict[str, Any] = {**job.flags, **options.constants, **({} if job.lengths else {"lengths": None})}
    names = kernel.arg_names
    pointer = _POINTERS[job.dtype]
    types = {**_TYPES, "carried": "*fp64" if job.dtype == "float64" else "*fp32"}
    signature = {name: "constexpr" if name in fixed else types.get(name, pointer) for name in names}
    aligned = [i for i, name in enumerate(names) if name not in fixed and name not in _NEVER_SPECIALISED]
    attributes = {(i,): [["tt.divisibility", 16]] for i in aligned}
    source = ASTSource(fn=kernel, signature=signature, constexprs=fixed, attrs=attributes)
    with tempfile.TemporaryFile("w+") as log:
        sys.stdout.flush()
        standard_output = os.dup(1)
        os.dup2(log.fileno(), 1)  # the compiler prints what ptxas says
        try:
            compiled = triton.compile(source, target=GPUTarget("cuda", 90, 32), options=options.compiler)
        finally:
            sys.stdout.flush()
            os.dup2(standard_output, 1)
            os.close(standard_output)
        log.seek(0)
        text = log.read()
    ptx = compiled.asm["ptx"]
    return CompiledKernel(
        shared=compiled.metadata.shared,
        registers=max(int(number) for number in re.findall(r"Used (\d+) registers", text)),
        spilled=max(int(number) for number in re.findall(r"(\d+) bytes spill stores", text)),
        has_tensor_cores="wgmma" in ptx or "mma.sync" in ptx,
        has_narrow_offsets=_multiplies_step_in_32_bits(compiled.asm["ttir"]),
    )


def _multiplies_step_in_32_bits(code: str) -> bool:
    """Say whether the loop over time multiplies its 32-bit step by anything, before it is widened."""
    loop = re.search(r"scf\.for %(\w+) = ", code)
    assert loop, "the kernel has no loop"
    steps, is_narrow = {loop[1]}, False
    for line in code.splitlines():
        defined = re.match(r"\s*%(\w+) = arith\.(\w+) (.*)", line)
        if not defined or ": i32" not in line:
            continue
        operands = set(re.findall(r"%(\w+)", defined[3]))
        if operands & steps and defined[2] in ("subi", "addi"):
            steps.add(defined[1])
        is_narrow = is_narrow or bool(operands & steps and defined[2] == "muli")
    return is_narrow


if __name__ == "__main__":
    print(json.dumps([dataclasses.asdict(_compile(CompileJob(**row))) for row in json.load(sys.stdin)]))
