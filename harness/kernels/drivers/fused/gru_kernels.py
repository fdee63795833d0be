"""The GRU, fused over time. Dimension legend: T time steps, B batch rows, D hidden size; gates r, z, g in that order.

Imported only when a kernel is launched: it needs triton.
"""

from __future__ import annotations

import triton
import triton.language as tl

from rnn_harness.kernels.drivers.fused.device_functions import apply, narrow, product, sigmoid, slope, tile


@triton.jit
def gru_forward(
    early, weight, inner_bias, first, hidden, gates, inner, T, B, D,
    KEEP: tl.constexpr, BEFORE: tl.constexpr, TANH: tl.constexpr,
    ACC: tl.constexpr, PRECISION: tl.constexpr, INTERPRETED: tl.constexpr,
    BLOCK_B: tl.constexpr, BLOCK_D: tl.constexpr,
):  # fmt: skip
    """early (T, B, 3, D), weight (3, D, D), inner_bias (D,), first (B, D).

    Writes hidden (T, B, D), gates (T, B, 3, D) and inner (T, B, D): r * h before the product, or W h + b after it.
    """
    row = tl.program_id(0) * BLOCK_B + tl.arange(0, BLOCK_B)
    column = tl.arange(0, BLOCK_D)
    inside = (row[:, None] < B) & (column[None, :] < D)
    place = row[:, None] * D + column[None, :]
    wide = row[:, None] * 3 * D + column[None, :]
    size = B * D
    w_r = tile(weight, 0, D, BLOCK_D, True)
    w_z = tile(weight, 1, D, BLOCK_D, True)
    w_g = tile(weight, 2, D, BLOCK_D, True)
    bias = tl.load(inner_bias + column, mask=column < D, other=0.0).to(ACC)
    h = tl.load(first + place, mask=inside, other=0.0)
    for t in range(T):
        now = early + t * 3 * size + wide
        a_r = tl.load(now, mask=inside, other=0.0).to(ACC) + product(h, w_r, ACC, PRECISION, INTERPRETED)
        a_z = tl.load(now + D, mask=inside, other=0.0).to(ACC) + product(h, w_z, ACC, PRECISION, INTERPRETED)
        a_g = tl.load(now + 2 * D, mask=inside, other=0.0).to(ACC)
        r = narrow(sigmoid(a_r), w_r, INTERPRETED)
        z = narrow(sigmoid(a_z), w_r, INTERPRETED)
        if BEFORE:
            m = narrow(r.to(ACC) * h.to(ACC), w_r, INTERPRETED)
            a_g += product(m, w_g, ACC, PRECISION, INTERPRETED)
        else:
            m = narrow(product(h, w_g, ACC, PRECISION, INTERPRETED) + bias[None, :], w_r, INTERPRETED)
            a_g += r.to(ACC) * m.to(ACC)
        g = narrow(apply(a_g, TANH), w_r, INTERPRETED)
        kept, new, open_gate = h.to(ACC), g.to(ACC), z.to(ACC)
        if KEEP:
            mixed = open_gate * kept + (1 - open_gate) * new
        else:
            mixed = open_gate * new + (1 - open_gate) * kept
        h = narrow(mixed, w_r, INTERPRETED)
        out = gates + t * 3 * size + wide
        tl.store(out, r, mask=inside)
        tl.store(out + D, z, mask=inside)
        tl.store(out + 2 * D, g, mask=inside)
        tl.store(inner + t * size + place, m, mask=inside)
        tl.store(hidden + t * size + place, h, mask=inside)


@triton.jit
def gru_backward(
    weight, first, hidden, gates, inner, d_hidden, d_last, delta, d_inner, d_first, T, B, D,
    KEEP: tl.constexpr, BEFORE: tl.constexpr, TANH: tl.constexpr,
    ACC: tl.constexpr, PRECISION: tl.constexpr, INTERPRETED: tl.constexpr,
    BLOCK_B: tl.constexpr, BLOCK_D: tl.constexpr,
):  # fmt: skip
    """Writes delta (T, B, 3, D); d_inner (T, B, D), the gradient of W h + b if the reset gate acts after; d_first."""
    row = tl.program_id(0) * BLOCK_B + tl.arange(0, BLOCK_B)
    column = tl.arange(0, BLOCK_D)
    inside = (row[:, None] < B) & (column[None, :] < D)
    place = row[:, None] * D + column[None, :]
    wide = row[:, None] * 3 * D + column[None, :]
    size = B * D
    w_r = tile(weight, 0, D, BLOCK_D, False)
    w_z = tile(weight, 1, D, BLOCK_D, False)
    w_g = tile(weight, 2, D, BLOCK_D, False)
    dh = tl.load(d_last + place, mask=inside, other=0.0).to(ACC)
    for back in range(T):
        t = T - 1 - back
        now = gates + t * 3 * size + wide
        r = tl.load(now, mask=inside, other=0.0).to(ACC)
        z = tl.load(now + D, mask=inside, other=0.0).to(ACC)
        g = tl.load(now + 2 * D, mask=inside, other=0.0).to(ACC)
        if t > 0:
            h = tl.load(hidden + (t - 1) * size + place, mask=inside, other=0.0).to(ACC)
        else:
            h = tl.load(first + place, mask=inside, other=0.0).to(ACC)
        dh += tl.load(d_hidden + t * size + place, mask=inside, other=0.0).to(ACC)
        if KEEP:
            kept, into, difference = z, 1 - z, h - g
        else:
            kept, into, difference = 1 - z, z, g - h
        a_z = narrow(dh * difference * slope(z, False), w_r, INTERPRETED)
        a_g = narrow(dh * into * slope(g, TANH), w_r, INTERPRETED)
        if BEFORE:
            reached = product(a_g, w_g, ACC, PRECISION, INTERPRETED)
            a_r = narrow(reached * h * slope(r, False), w_r, INTERPRETED)
            through = reached * r
        else:
            m = tl.load(inner + t * size + place, mask=inside, other=0.0).to(ACC)
            a_r = narrow(a_g.to(ACC) * m * slope(r, False), w_r, INTERPRETED)
            a_m = narrow(a_g.to(ACC) * r, w_r, INTERPRETED)
            tl.store(d_inner + t * size + place, a_m, mask=inside)
            through = product(a_m, w_g, ACC, PRECISION, INTERPRETED)
        out = delta + t * 3 * size + wide
        tl.store(out, a_r, mask=inside)
        tl.store(out + D, a_z, mask=inside)
        tl.store(out + 2 * D, a_g, mask=inside)
        dh = dh * kept + through + product(a_r, w_r, ACC, PRECISION, INTERPRETED)
        dh += product(a_z, w_z, ACC, PRECISION, INTERPRETED)
    tl.store(d_first + place, narrow(dh, w_r, INTERPRETED), mask=inside)
