"""The GRU, fused over time; its gates lie in the order r, z, g.

Imported only when a kernel is launched: it needs triton.
"""

from __future__ import annotations

import triton
import triton.language as tl

from rnn_harness.kernels.drivers.fused.device_functions import apply, narrow, product, sigmoid, slope, tile


@triton.jit(do_not_specialize=["T", "B"])
def gru_forward(
    projected, weight, inner_bias, first, hidden, gates, inner, lengths, T, B, D,
    KEEP: tl.constexpr, BEFORE: tl.constexpr, TANH: tl.constexpr,
    ACC: tl.constexpr, PRECISION: tl.constexpr, INTERPRETED: tl.constexpr,
    LENGTHS: tl.constexpr, BLOCK_B: tl.constexpr, BLOCK_D: tl.constexpr,
):  # fmt: skip
    """Run the GRU over all steps.

    One program computes BLOCK_B rows and all steps; each weight is a tile of BLOCK_D by BLOCK_D that stays on chip.

    Args:
        projected: (T, B, 3, D), what inputs and biases add to the gates' pre-activations.
        weight: (3, D, D), the recurrent weights.
        inner_bias: (D,), the bias inside the reset gate's product; used if not BEFORE.
        first: (B, D), the initial state.
        hidden: (T, B, D), written.
        gates: (T, B, 3, D), written.
        inner: (T, B, D), written: r * h before the product, or W h + b after it.
        lengths: (B,), the steps of every row, if LENGTHS: past them a state is kept, and outputs are 0.
        T: Time steps.
        B: Batch rows.
        D: Hidden size.
        KEEP: Whether the update gate keeps the state, or writes the candidate.
        BEFORE: Whether the reset gate acts before the recurrent product, or after it.
        TANH: Whether the candidate's function is tanh, or the sigmoid.
        ACC: The format in which products and functions are computed.
        PRECISION: Triton's ``input_precision`` of float32 products.
        INTERPRETED: Whether Triton's interpreter runs the kernel.
        LENGTHS: Whether rows have lengths of their own.
        BLOCK_B: Batch rows of a program.
        BLOCK_D: The side of a weight's tile, at least D.
    """
    start = tl.program_id(0).to(tl.int64) * BLOCK_B  # 64 bits: an offset that grows with T or B may pass 2^31
    projected += 3 * start * D
    first += start * D
    hidden += start * D
    gates += 3 * start * D
    inner += start * D
    row = tl.arange(0, BLOCK_B)
    column = tl.arange(0, BLOCK_D)
    inside = (row[:, None] < B - start) & (column[None, :] < D)
    size = B.to(tl.int64) * D
    place = row[:, None] * D + column[None, :]
    wide = row[:, None] * 3 * D + column[None, :]
    w_r = tile(weight, 0, D, BLOCK_D, True)
    w_z = tile(weight, 1, D, BLOCK_D, True)
    w_g = tile(weight, 2, D, BLOCK_D, True)
    bias = tl.load(inner_bias + column, mask=column < D, other=0.0).to(ACC)
    h = tl.load(first + place, mask=inside, other=0.0)
    if LENGTHS:
        ends = tl.load(lengths + start + row, mask=row < B - start, other=0)[:, None]
    for t in range(T):
        now = projected + t * (3 * size) + wide
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
        previous, new, open_gate = h.to(ACC), g.to(ACC), z.to(ACC)
        if KEEP:
            mixed = open_gate * previous + (1 - open_gate) * new
        else:
            mixed = open_gate * new + (1 - open_gate) * previous
        output = narrow(mixed, w_r, INTERPRETED)
        if LENGTHS:
            h = tl.where(t < ends, output, h)
            output = tl.where(t < ends, output, 0.0)
        else:
            h = output
        out = gates + t * (3 * size) + wide
        tl.store(out, r, mask=inside)
        tl.store(out + D, z, mask=inside)
        tl.store(out + 2 * D, g, mask=inside)
        tl.store(inner + t * size + place, m, mask=inside)
        tl.store(hidden + t * size + place, output, mask=inside)


@triton.jit(do_not_specialize=["T", "B"])
def gru_backward(
    weight, first, hidden, gates, inner, d_hidden, d_last, delta, d_inner, d_first, lengths, T, B, D,
    KEEP: tl.constexpr, BEFORE: tl.constexpr, TANH: tl.constexpr,
    ACC: tl.constexpr, PRECISION: tl.constexpr, INTERPRETED: tl.constexpr,
    LENGTHS: tl.constexpr, BLOCK_B: tl.constexpr, BLOCK_D: tl.constexpr,
):  # fmt: skip
    """Differentiate `gru_forward` from the last step to the first.

    One program computes BLOCK_B rows and all steps; each weight is a tile of BLOCK_D by BLOCK_D that stays on chip.

    Args:
        weight: (3, D, D), the recurrent weights.
        first: (B, D), the initial state.
        hidden: (T, B, D), what the forward wrote.
        gates: (T, B, 3, D), what the forward wrote.
        inner: (T, B, D), what the forward wrote.
        d_hidden: (T, B, D), the gradients for the outputs.
        d_last: (B, D), the gradient for the final state.
        delta: (T, B, 3, D), written: the gradients of the pre-activations.
        d_inner: (T, B, D), written if not BEFORE: the gradients of W h + b.
        d_first: (B, D), written: the gradient of the initial state.
        lengths: (B,), the steps of every row, if LENGTHS: past them a state is kept, and outputs are 0.
        T: Time steps.
        B: Batch rows.
        D: Hidden size.
        KEEP: Whether the update gate keeps the state, or writes the candidate.
        BEFORE: Whether the reset gate acts before the recurrent product, or after it.
        TANH: Whether the candidate's function is tanh, or the sigmoid.
        ACC: The format in which products and functions are computed.
        PRECISION: Triton's ``input_precision`` of float32 products.
        INTERPRETED: Whether Triton's interpreter runs the kernel.
        LENGTHS: Whether rows have lengths of their own.
        BLOCK_B: Batch rows of a program.
        BLOCK_D: The side of a weight's tile, at least D.
    """
    start = tl.program_id(0).to(tl.int64) * BLOCK_B  # 64 bits: an offset that grows with T or B may pass 2^31
    first += start * D
    hidden += start * D
    gates += 3 * start * D
    inner += start * D
    d_hidden += start * D
    d_last += start * D
    delta += 3 * start * D
    d_inner += start * D
    d_first += start * D
    row = tl.arange(0, BLOCK_B)
    column = tl.arange(0, BLOCK_D)
    inside = (row[:, None] < B - start) & (column[None, :] < D)
    size = B.to(tl.int64) * D
    place = row[:, None] * D + column[None, :]
    wide = row[:, None] * 3 * D + column[None, :]
    w_r = tile(weight, 0, D, BLOCK_D, False)
    w_z = tile(weight, 1, D, BLOCK_D, False)
    w_g = tile(weight, 2, D, BLOCK_D, False)
    dh = tl.load(d_last + place, mask=inside, other=0.0).to(ACC)
    if LENGTHS:
        ends = tl.load(lengths + start + row, mask=row < B - start, other=0)[:, None]
    for back in range(T):
        t = T - 1 - back
        now = gates + t * (3 * size) + wide
        r = tl.load(now, mask=inside, other=0.0).to(ACC)
        z = tl.load(now + D, mask=inside, other=0.0).to(ACC)
        g = tl.load(now + 2 * D, mask=inside, other=0.0).to(ACC)
        if t > 0:
            h = tl.load(hidden + (t - 1) * size + place, mask=inside, other=0.0).to(ACC)
        else:
            h = tl.load(first + place, mask=inside, other=0.0).to(ACC)
        d_new_h = dh + tl.load(d_hidden + t * size + place, mask=inside, other=0.0).to(ACC)
        if LENGTHS:
            d_new_h = tl.where(t < ends, d_new_h, 0.0)
        if KEEP:
            keep, into, difference = z, 1 - z, h - g
        else:
            keep, into, difference = 1 - z, z, g - h
        a_z = narrow(d_new_h * difference * slope(z, False), w_r, INTERPRETED)
        a_g = narrow(d_new_h * into * slope(g, TANH), w_r, INTERPRETED)
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
        out = delta + t * (3 * size) + wide
        tl.store(out, a_r, mask=inside)
        tl.store(out + D, a_z, mask=inside)
        tl.store(out + 2 * D, a_g, mask=inside)
        passed_on = d_new_h * keep + through + product(a_r, w_r, ACC, PRECISION, INTERPRETED)
        passed_on += product(a_z, w_z, ACC, PRECISION, INTERPRETED)
        if LENGTHS:
            dh = tl.where(t < ends, passed_on, dh)
        else:
            dh = passed_on
    tl.store(d_first + place, narrow(dh, w_r, INTERPRETED), mask=inside)
