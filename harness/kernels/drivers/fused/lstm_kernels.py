"""The LSTM, fused over time; its gates lie in the order i, f, o, g.

Without a forget gate the second slot is unused. Imported only when a kernel is launched: it needs triton.
"""

from __future__ import annotations

import triton
import triton.language as tl

from rnn_harness.kernels.drivers.fused.device_functions import apply, narrow, product, sigmoid, slope, tile


@triton.jit(do_not_specialize=["T", "B"])
def lstm_forward(
    projected, weight, peephole, first_h, first_c, hidden, cell, gates, lengths, T, B, D,
    TANH: tl.constexpr, TANH_OUT: tl.constexpr, FORGET: tl.constexpr, PEEPHOLE: tl.constexpr,
    ACC: tl.constexpr, PRECISION: tl.constexpr, INTERPRETED: tl.constexpr,
    LENGTHS: tl.constexpr, BLOCK_B: tl.constexpr, BLOCK_D: tl.constexpr,
):  # fmt: skip
    """Run the LSTM over all steps.

    One program computes BLOCK_B rows and all steps; each weight is a tile of BLOCK_D by BLOCK_D that stays on chip.

    Args:
        projected: (T, B, 4, D), what inputs and biases add to the gates' pre-activations.
        weight: (4, D, D), the recurrent weights.
        peephole: (3, D, D), the peepholes of i, f, o; used if PEEPHOLE.
        first_h: (B, D), the initial hidden state.
        first_c: (B, D), the initial cell state.
        hidden: (T, B, D), written.
        cell: (T, B, D), written.
        gates: (T, B, 4, D), written.
        lengths: (B,), the steps of every row, if LENGTHS: past them a state is kept, and outputs are 0.
        T: Time steps.
        B: Batch rows.
        D: Hidden size.
        TANH: Whether the candidate's function is tanh, or the sigmoid.
        TANH_OUT: Whether the output's function is tanh, or the sigmoid.
        FORGET: Whether there is a forget gate.
        PEEPHOLE: Whether there are full-matrix peepholes.
        ACC: The format in which products and functions are computed.
        PRECISION: Triton's ``input_precision`` of float32 products.
        INTERPRETED: Whether Triton's interpreter runs the kernel.
        LENGTHS: Whether rows have lengths of their own.
        BLOCK_B: Batch rows of a program.
        BLOCK_D: The side of a weight's tile, at least D.
    """
    start = tl.program_id(0).to(tl.int64) * BLOCK_B  # 64 bits: an offset that grows with T or B may pass 2^31
    projected += 4 * start * D
    first_h += start * D
    first_c += start * D
    hidden += start * D
    cell += start * D
    gates += 4 * start * D
    row = tl.arange(0, BLOCK_B)
    column = tl.arange(0, BLOCK_D)
    inside = (row[:, None] < B - start) & (column[None, :] < D)
    size = B.to(tl.int64) * D
    place = row[:, None] * D + column[None, :]
    wide = row[:, None] * 4 * D + column[None, :]
    w_i = tile(weight, 0, D, BLOCK_D, True)
    w_f = tile(weight, 1, D, BLOCK_D, True)
    w_o = tile(weight, 2, D, BLOCK_D, True)
    w_g = tile(weight, 3, D, BLOCK_D, True)
    if PEEPHOLE:
        p_i = tile(peephole, 0, D, BLOCK_D, True)
        p_f = tile(peephole, 1, D, BLOCK_D, True)
        p_o = tile(peephole, 2, D, BLOCK_D, True)
    h = tl.load(first_h + place, mask=inside, other=0.0)
    c = tl.load(first_c + place, mask=inside, other=0.0)
    if LENGTHS:
        ends = tl.load(lengths + start + row, mask=row < B - start, other=0)[:, None]
    for t in range(T):
        now = projected + t * (4 * size) + wide
        out = gates + t * (4 * size) + wide
        a_i = tl.load(now, mask=inside, other=0.0).to(ACC) + product(h, w_i, ACC, PRECISION, INTERPRETED)
        a_o = tl.load(now + 2 * D, mask=inside, other=0.0).to(ACC) + product(h, w_o, ACC, PRECISION, INTERPRETED)
        a_g = tl.load(now + 3 * D, mask=inside, other=0.0).to(ACC) + product(h, w_g, ACC, PRECISION, INTERPRETED)
        if PEEPHOLE:
            a_i += product(c, p_i, ACC, PRECISION, INTERPRETED)
        i = narrow(sigmoid(a_i), w_i, INTERPRETED)
        g = narrow(apply(a_g, TANH), w_i, INTERPRETED)
        remembered = c.to(ACC)
        if FORGET:
            a_f = tl.load(now + D, mask=inside, other=0.0).to(ACC) + product(h, w_f, ACC, PRECISION, INTERPRETED)
            if PEEPHOLE:
                a_f += product(c, p_f, ACC, PRECISION, INTERPRETED)
            f = narrow(sigmoid(a_f), w_i, INTERPRETED)
            remembered = remembered * f.to(ACC)
            tl.store(out + D, f, mask=inside)
        new_c = narrow(remembered + i.to(ACC) * g.to(ACC), w_i, INTERPRETED)
        if PEEPHOLE:
            a_o += product(new_c, p_o, ACC, PRECISION, INTERPRETED)
        o = narrow(sigmoid(a_o), w_i, INTERPRETED)
        q = narrow(apply(new_c.to(ACC), TANH_OUT), w_i, INTERPRETED)
        output = narrow(o.to(ACC) * q.to(ACC), w_i, INTERPRETED)
        if LENGTHS:
            c, h = tl.where(t < ends, new_c, c), tl.where(t < ends, output, h)
            output = tl.where(t < ends, output, 0.0)
        else:
            c, h = new_c, output
        tl.store(out, i, mask=inside)
        tl.store(out + 2 * D, o, mask=inside)
        tl.store(out + 3 * D, g, mask=inside)
        tl.store(cell + t * size + place, c, mask=inside)
        tl.store(hidden + t * size + place, output, mask=inside)


@triton.jit(do_not_specialize=["T", "B"])
def lstm_backward(
    weight, peephole, first_c, cell, gates, d_hidden, d_last_h, d_last_c, delta, d_first_h, d_first_c, lengths, T, B, D,
    TANH: tl.constexpr, TANH_OUT: tl.constexpr, FORGET: tl.constexpr, PEEPHOLE: tl.constexpr,
    ACC: tl.constexpr, PRECISION: tl.constexpr, INTERPRETED: tl.constexpr,
    LENGTHS: tl.constexpr, BLOCK_B: tl.constexpr, BLOCK_D: tl.constexpr,
):  # fmt: skip
    """Differentiate `lstm_forward` from the last step to the first.

    One program computes BLOCK_B rows and all steps; each weight is a tile of BLOCK_D by BLOCK_D that stays on chip.

    Args:
        weight: (4, D, D), the recurrent weights.
        peephole: (3, D, D), the peepholes of i, f, o; used if PEEPHOLE.
        first_c: (B, D), the initial cell state.
        cell: (T, B, D), what the forward wrote.
        gates: (T, B, 4, D), what the forward wrote.
        d_hidden: (T, B, D), the gradients for the outputs.
        d_last_h: (B, D), the gradient for the final hidden state.
        d_last_c: (B, D), the gradient for the final cell state.
        delta: (T, B, 4, D), written: the gradients of the pre-activations.
        d_first_h: (B, D), written: the gradient of the initial hidden state.
        d_first_c: (B, D), written: the gradient of the initial cell state.
        lengths: (B,), the steps of every row, if LENGTHS: past them a state is kept, and outputs are 0.
        T: Time steps.
        B: Batch rows.
        D: Hidden size.
        TANH: Whether the candidate's function is tanh, or the sigmoid.
        TANH_OUT: Whether the output's function is tanh, or the sigmoid.
        FORGET: Whether there is a forget gate.
        PEEPHOLE: Whether there are full-matrix peepholes.
        ACC: The format in which products and functions are computed.
        PRECISION: Triton's ``input_precision`` of float32 products.
        INTERPRETED: Whether Triton's interpreter runs the kernel.
        LENGTHS: Whether rows have lengths of their own.
        BLOCK_B: Batch rows of a program.
        BLOCK_D: The side of a weight's tile, at least D.
    """
    start = tl.program_id(0).to(tl.int64) * BLOCK_B  # 64 bits: an offset that grows with T or B may pass 2^31
    first_c += start * D
    cell += start * D
    gates += 4 * start * D
    d_hidden += start * D
    d_last_h += start * D
    d_last_c += start * D
    delta += 4 * start * D
    d_first_h += start * D
    d_first_c += start * D
    row = tl.arange(0, BLOCK_B)
    column = tl.arange(0, BLOCK_D)
    inside = (row[:, None] < B - start) & (column[None, :] < D)
    size = B.to(tl.int64) * D
    place = row[:, None] * D + column[None, :]
    wide = row[:, None] * 4 * D + column[None, :]
    w_i = tile(weight, 0, D, BLOCK_D, False)
    w_f = tile(weight, 1, D, BLOCK_D, False)
    w_o = tile(weight, 2, D, BLOCK_D, False)
    w_g = tile(weight, 3, D, BLOCK_D, False)
    if PEEPHOLE:
        p_i = tile(peephole, 0, D, BLOCK_D, False)
        p_f = tile(peephole, 1, D, BLOCK_D, False)
        p_o = tile(peephole, 2, D, BLOCK_D, False)
    dh = tl.load(d_last_h + place, mask=inside, other=0.0).to(ACC)
    dc = tl.load(d_last_c + place, mask=inside, other=0.0).to(ACC)
    if LENGTHS:
        ends = tl.load(lengths + start + row, mask=row < B - start, other=0)[:, None]
    for back in range(T):
        t = T - 1 - back
        now = gates + t * (4 * size) + wide
        out = delta + t * (4 * size) + wide
        i = tl.load(now, mask=inside, other=0.0).to(ACC)
        o = tl.load(now + 2 * D, mask=inside, other=0.0).to(ACC)
        g = tl.load(now + 3 * D, mask=inside, other=0.0).to(ACC)
        q = apply(tl.load(cell + t * size + place, mask=inside, other=0.0).to(ACC), TANH_OUT)
        d_new_h = dh + tl.load(d_hidden + t * size + place, mask=inside, other=0.0).to(ACC)
        d_new_c = dc
        if LENGTHS:
            d_new_h, d_new_c = tl.where(t < ends, d_new_h, 0.0), tl.where(t < ends, d_new_c, 0.0)
        a_o = narrow(d_new_h * q * slope(o, False), w_i, INTERPRETED)
        d_new_c += d_new_h * o * slope(q, TANH_OUT)
        if PEEPHOLE:
            d_new_c += product(a_o, p_o, ACC, PRECISION, INTERPRETED)
        a_i = narrow(d_new_c * g * slope(i, False), w_i, INTERPRETED)
        a_g = narrow(d_new_c * i * slope(g, TANH), w_i, INTERPRETED)
        d_new_h = product(a_i, w_i, ACC, PRECISION, INTERPRETED) + product(a_o, w_o, ACC, PRECISION, INTERPRETED)
        d_new_h += product(a_g, w_g, ACC, PRECISION, INTERPRETED)
        if FORGET:
            f = tl.load(now + D, mask=inside, other=0.0).to(ACC)
            if t > 0:
                before = tl.load(cell + (t - 1) * size + place, mask=inside, other=0.0).to(ACC)
            else:
                before = tl.load(first_c + place, mask=inside, other=0.0).to(ACC)
            a_f = narrow(d_new_c * before * slope(f, False), w_i, INTERPRETED)
            tl.store(out + D, a_f, mask=inside)
            d_new_h += product(a_f, w_f, ACC, PRECISION, INTERPRETED)
            d_new_c = d_new_c * f
            if PEEPHOLE:
                d_new_c += product(a_f, p_f, ACC, PRECISION, INTERPRETED)
        if PEEPHOLE:
            d_new_c += product(a_i, p_i, ACC, PRECISION, INTERPRETED)
        if LENGTHS:
            dh, dc = tl.where(t < ends, d_new_h, dh), tl.where(t < ends, d_new_c, dc)
        else:
            dh, dc = d_new_h, d_new_c
        tl.store(out, a_i, mask=inside)
        tl.store(out + 2 * D, a_o, mask=inside)
        tl.store(out + 3 * D, a_g, mask=inside)
    tl.store(d_first_h + place, narrow(dh, w_i, INTERPRETED), mask=inside)
    tl.store(d_first_c + place, narrow(dc, w_i, INTERPRETED), mask=inside)
