"""What torch does in a format on a device: whether it computes in it at all, and how it sums there."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Iterator


@functools.cache
def computes_in(dtype: str, device: str) -> bool:
    """Say whether torch computes products, tanh and sigmoid in a format, with their gradients.

    Args:
        dtype: A name of a torch dtype, as ``float16``.
        device: ``cpu`` or ``cuda``.
    """
    import torch

    from rnn_harness.arithmetic.torch_dtype import torch_dtype

    try:
        weight = torch.ones((2, 2), dtype=torch_dtype(dtype), device=device, requires_grad=True)
        total = (torch.tanh(weight @ weight) * torch.sigmoid(weight)).sum()
        total.backward()  # type: ignore[no-untyped-call]
    except RuntimeError:  # NotImplementedError is one, and so is what older versions raise
        return False
    return True


@contextlib.contextmanager
def sums_in_float32() -> Iterator[None]:
    """Let products of bfloat16 and float16 on CUDA add up their partial sums in float32.

    torch's default lets cuBLAS round partial sums to the narrow format: that would be a kernel of its own.
    """
    import torch

    flags = torch.backends.cuda.matmul
    before = flags.allow_bf16_reduced_precision_reduction, flags.allow_fp16_reduced_precision_reduction
    flags.allow_bf16_reduced_precision_reduction = flags.allow_fp16_reduced_precision_reduction = False
    try:
        yield
    finally:
        flags.allow_bf16_reduced_precision_reduction, flags.allow_fp16_reduced_precision_reduction = before
