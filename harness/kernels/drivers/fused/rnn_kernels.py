"""The simple RNN, fused over time. Dimension legend: T time steps, B batch rows, D hidden size.

Imported only when a kernel is launched: it needs triton.
"""

from __future__ import annotations

import triton
import triton.language as tl

from rnn_harness.kernels.drivers.fused.device_functions import apply, narrow, product, slope, tile


@triton.jit
def rnn_forward(
    early, weight, first, hidden, T, B, D,
    TANH: tl.constexpr, ACC: tl.constexpr, PRECISION: tl.constexpr, INTERPRETED: tl.constexpr,
    BLOCK_B: tl.constexpr, BLOCK_D: tl.constexpr,
):  # fmt: skip
    """early (T, B, D): inputs and bias; weight (1, D, D); first (B, D). Writes hidden (T, B, D)."""
    row = tl.program_id(0) * BLOCK_B + tl.arange(0, BLOCK_B)
    column = tl.arange(0, BLOCK_D)
    inside = (row[:, None] < B) & (column[None, :] < D)
    place = row[:, None] * D + column[None, :]
    w = tile(weight, 0, D, BLOCK_D, True)
    h = tl.load(first + place, mask=inside, other=0.0)
    for t in range(T):
        a = tl.load(early + t * B * D + place, mask=inside, other=0.0).to(ACC)
        a += product(h, w, ACC, PRECISION, INTERPRETED)
        h = narrow(apply(a, TANH), w, INTERPRETED)
        tl.store(hidden + t * B * D + place, h, mask=inside)


@triton.jit
def rnn_backward(
    weight, hidden, d_hidden, d_last, delta, d_first, T, B, D,
    TANH: tl.constexpr, ACC: tl.constexpr, PRECISION: tl.constexpr, INTERPRETED: tl.constexpr,
    BLOCK_B: tl.constexpr, BLOCK_D: tl.constexpr,
):  # fmt: skip
    """Writes delta (T, B, D), the gradients of the pre-activations, and d_first (B, D)."""
    row = tl.program_id(0) * BLOCK_B + tl.arange(0, BLOCK_B)
    column = tl.arange(0, BLOCK_D)
    inside = (row[:, None] < B) & (column[None, :] < D)
    place = row[:, None] * D + column[None, :]
    w = tile(weight, 0, D, BLOCK_D, False)
    dh = tl.load(d_last + place, mask=inside, other=0.0).to(ACC)
    for back in range(T):
        t = T - 1 - back
        h = tl.load(hidden + t * B * D + place, mask=inside, other=0.0).to(ACC)
        dh += tl.load(d_hidden + t * B * D + place, mask=inside, other=0.0).to(ACC)
        change = narrow(dh * slope(h, TANH), w, INTERPRETED)
        tl.store(delta + t * B * D + place, change, mask=inside)
        dh = product(change, w, ACC, PRECISION, INTERPRETED)
    tl.store(d_first + place, narrow(dh, w, INTERPRETED), mask=inside)
