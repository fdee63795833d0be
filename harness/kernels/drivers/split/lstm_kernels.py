"""The LSTM over many programs, each with its columns of all recurrent weights; its gates lie in the order i, f, o, g.

With full-matrix peepholes a step has two phases: all programs must have written the new cell state before any can
multiply it for the output gate. Imported only when a kernel is launched: it needs triton.
"""

from __future__ import annotations

import triton
import triton.language as tl

from rnn_harness.kernels.drivers.fused.device_functions import apply, narrow, sigmoid, slope
from rnn_harness.kernels.drivers.split.split_functions import columns_of, meet, product_over_parts, whole_rows


@triton.jit(do_not_specialize=["begin", "end", "T", "B", "first_tile"])
def lstm_forward(
    projected, weight, peephole, first_h, first_c, hidden, cell, gates, lengths, counter,
    begin, end, T, B, D, first_tile,
    TANH: tl.constexpr, TANH_OUT: tl.constexpr, FORGET: tl.constexpr, PEEPHOLE: tl.constexpr,
    ACC: tl.constexpr, PRECISION: tl.constexpr, INTERPRETED: tl.constexpr,
    LENGTHS: tl.constexpr, SYNC: tl.constexpr, PHASE: tl.constexpr,
    BLOCK_B: tl.constexpr, PARTS: tl.constexpr, PART: tl.constexpr, COLUMNS: tl.constexpr,
):  # fmt: skip
    """Run steps of the LSTM; the first programs' axis is that of columns, the second that of rows.

    Args:
        projected: (T, B, 4, D), what inputs and biases add to the gates' pre-activations.
        weight: (4, D, D), the recurrent weights.
        peephole: (3, D, D), the peepholes of i, f, o; used if PEEPHOLE.
        first_h: (B, D), the initial hidden state.
        first_c: (B, D), the initial cell state.
        hidden: (T, B, D), written.
        cell: (T, B, D), written; past a row's length its last state.
        gates: (T, B, 4, D), written.
        lengths: (B,), the steps of every row, if LENGTHS: past them outputs are 0.
        counter: A whole number for each tile of rows, 0 at the launch.
        begin: The first step.
        end: The step before which it ends.
        T: Time steps.
        B: Batch rows.
        D: Hidden size.
        first_tile: The first tile of rows of this launch.
        TANH: Whether the candidate's function is tanh, or the sigmoid.
        TANH_OUT: Whether the output's function is tanh, or the sigmoid.
        FORGET: Whether there is a forget gate.
        PEEPHOLE: Whether there are full-matrix peepholes.
        ACC: The format in which products and functions are computed.
        PRECISION: Triton's ``input_precision`` of float32 products.
        INTERPRETED: Whether Triton's interpreter runs the kernel.
        LENGTHS: Whether rows have lengths of their own.
        SYNC: Whether all programs run at the same time and meet after each phase.
        PHASE: Which of the two phases of a step is done, 0 or 1; -1 for all of a step.
        BLOCK_B: Batch rows of a program.
        PARTS: Into how many parts the units are divided for a product.
        PART: Units in a part.
        COLUMNS: Columns of a program.
    """
    start = (first_tile + tl.program_id(1)).to(tl.int64) * BLOCK_B
    first_column = tl.program_id(0) * COLUMNS
    column = first_column + tl.arange(0, COLUMNS)
    row = tl.arange(0, BLOCK_B)
    rows = B - start
    inside = (row[:, None] < rows) & (column[None, :] < D)
    size = B.to(tl.int64) * D
    origin = start * D
    place = origin + row[:, None] * D + column[None, :]
    wide = start * 4 * D + row[:, None] * 4 * D + column[None, :]
    counter += tl.program_id(1)
    arrivals = 0
    w_i = columns_of(weight, 0, first_column, D, True, PARTS, PART, COLUMNS)
    if FORGET:
        w_f = columns_of(weight, 1, first_column, D, True, PARTS, PART, COLUMNS)
    w_o = columns_of(weight, 2, first_column, D, True, PARTS, PART, COLUMNS)
    w_g = columns_of(weight, 3, first_column, D, True, PARTS, PART, COLUMNS)
    if PEEPHOLE:
        p_i = columns_of(peephole, 0, first_column, D, True, PARTS, PART, COLUMNS)
        if FORGET:
            p_f = columns_of(peephole, 1, first_column, D, True, PARTS, PART, COLUMNS)
        p_o = columns_of(peephole, 2, first_column, D, True, PARTS, PART, COLUMNS)
    if LENGTHS:
        ends = tl.load(lengths + start + row, mask=row < rows, other=0)[:, None]
    for t in range(begin, end):
        now = projected + t * (4 * size) + wide
        out = gates + t * (4 * size) + wide
        if t == 0:
            before_h, before_c = first_h, first_c
        else:
            before_h, before_c = hidden + (t - 1) * size, cell + (t - 1) * size
        h = whole_rows(before_h + origin, D, rows, D, BLOCK_B, PARTS, PART)
        a_o = tl.load(now + 2 * D, mask=inside, other=0.0).to(ACC) + product_over_parts(
            h, w_o, ACC, PRECISION, INTERPRETED
        )
        if PHASE != 1:
            c = tl.load(before_c + place, mask=inside, other=0.0, cache_modifier=".cg")
            remembered = c.to(ACC)
            a_i = tl.load(now, mask=inside, other=0.0).to(ACC) + product_over_parts(h, w_i, ACC, PRECISION, INTERPRETED)
            a_g = tl.load(now + 3 * D, mask=inside, other=0.0).to(ACC) + product_over_parts(
                h, w_g, ACC, PRECISION, INTERPRETED
            )
            if PEEPHOLE:
                c_all = whole_rows(before_c + origin, D, rows, D, BLOCK_B, PARTS, PART)
                a_i += product_over_parts(c_all, p_i, ACC, PRECISION, INTERPRETED)
            if FORGET:
                a_f = tl.load(now + D, mask=inside, other=0.0).to(ACC) + product_over_parts(
                    h, w_f, ACC, PRECISION, INTERPRETED
                )
                if PEEPHOLE:
                    a_f += product_over_parts(c_all, p_f, ACC, PRECISION, INTERPRETED)
                f = narrow(sigmoid(a_f), w_i, INTERPRETED)
                remembered = remembered * f.to(ACC)
                tl.store(out + D, f, mask=inside)
            i = narrow(sigmoid(a_i), w_i, INTERPRETED)
            g = narrow(apply(a_g, TANH), w_i, INTERPRETED)
            new_c = narrow(remembered + i.to(ACC) * g.to(ACC), w_i, INTERPRETED)
            if LENGTHS:
                new_c = tl.where(t < ends, new_c, c)
            tl.store(cell + t * size + place, new_c, mask=inside)
            tl.store(out, i, mask=inside)
            tl.store(out + 3 * D, g, mask=inside)
            if SYNC and PEEPHOLE:
                arrivals += tl.num_programs(0)
                meet(counter, arrivals)
        if PHASE != 0:
            if PEEPHOLE:
                new_c = tl.load(cell + t * size + place, mask=inside, other=0.0)
                new_c_all = whole_rows(cell + t * size + origin, D, rows, D, BLOCK_B, PARTS, PART)
                a_o += product_over_parts(new_c_all, p_o, ACC, PRECISION, INTERPRETED)
            o = narrow(sigmoid(a_o), w_i, INTERPRETED)
            q = narrow(apply(new_c.to(ACC), TANH_OUT), w_i, INTERPRETED)
            output = narrow(o.to(ACC) * q.to(ACC), w_i, INTERPRETED)
            if LENGTHS:
                output = tl.where(t < ends, output, 0.0)
            tl.store(hidden + t * size + place, output, mask=inside)
            tl.store(out + 2 * D, o, mask=inside)
            if SYNC:
                arrivals += tl.num_programs(0)
                meet(counter, arrivals)


@triton.jit(do_not_specialize=["begin", "end", "T", "B", "first_tile"])
def lstm_backward(
    weight, peephole, first_c, cell, gates, d_hidden, d_last_h, d_last_c, delta, d_first_h, d_first_c, carried,
    lengths, counter, begin, end, T, B, D, first_tile,
    TANH: tl.constexpr, TANH_OUT: tl.constexpr, FORGET: tl.constexpr, PEEPHOLE: tl.constexpr,
    ACC: tl.constexpr, PRECISION: tl.constexpr, INTERPRETED: tl.constexpr,
    LENGTHS: tl.constexpr, SYNC: tl.constexpr, PHASE: tl.constexpr,
    BLOCK_B: tl.constexpr, PARTS: tl.constexpr, PART: tl.constexpr, COLUMNS: tl.constexpr,
):  # fmt: skip
    """Differentiate `lstm_forward`: T steps back, and one more that gives the gradients of the initial states.

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
        carried: (B, D) in ACC, written: what a step passes on to the cell state before it without a product.
        lengths: (B,), the steps of every row, if LENGTHS: past them outputs are 0.
        counter: A whole number for each tile of rows, 0 at the launch.
        begin: The first step back, 0 for the last in time.
        end: The step back before which it ends, at most T + 1.
        T: Time steps.
        B: Batch rows.
        D: Hidden size.
        first_tile: The first tile of rows of this launch.
        TANH: Whether the candidate's function is tanh, or the sigmoid.
        TANH_OUT: Whether the output's function is tanh, or the sigmoid.
        FORGET: Whether there is a forget gate.
        PEEPHOLE: Whether there are full-matrix peepholes.
        ACC: The format in which products and functions are computed.
        PRECISION: Triton's ``input_precision`` of float32 products.
        INTERPRETED: Whether Triton's interpreter runs the kernel.
        LENGTHS: Whether rows have lengths of their own.
        SYNC: Whether all programs run at the same time and meet after each phase.
        PHASE: Which of the two phases of a step is done, 0 or 1; -1 for all of a step.
        BLOCK_B: Batch rows of a program.
        PARTS: Into how many parts the units are divided for a product.
        PART: Units in a part.
        COLUMNS: Columns of a program.
    """
    start = (first_tile + tl.program_id(1)).to(tl.int64) * BLOCK_B
    first_column = tl.program_id(0) * COLUMNS
    column = first_column + tl.arange(0, COLUMNS)
    row = tl.arange(0, BLOCK_B)
    rows = B - start
    inside = (row[:, None] < rows) & (column[None, :] < D)
    size = B.to(tl.int64) * D
    origin = start * D
    place = origin + row[:, None] * D + column[None, :]
    wide = start * 4 * D + row[:, None] * 4 * D + column[None, :]
    counter += tl.program_id(1)
    arrivals = 0
    w_i = columns_of(weight, 0, first_column, D, False, PARTS, PART, COLUMNS)
    if FORGET:
        w_f = columns_of(weight, 1, first_column, D, False, PARTS, PART, COLUMNS)
    w_o = columns_of(weight, 2, first_column, D, False, PARTS, PART, COLUMNS)
    w_g = columns_of(weight, 3, first_column, D, False, PARTS, PART, COLUMNS)
    if PEEPHOLE:
        p_i = columns_of(peephole, 0, first_column, D, False, PARTS, PART, COLUMNS)
        if FORGET:
            p_f = columns_of(peephole, 1, first_column, D, False, PARTS, PART, COLUMNS)
        p_o = columns_of(peephole, 2, first_column, D, False, PARTS, PART, COLUMNS)
    if LENGTHS:
        ends = tl.load(lengths + start + row, mask=row < rows, other=0)[:, None]
    for back in range(begin, end):
        t = T - 1 - back
        if PHASE != 1:
            dh = tl.load(d_last_h + place, mask=inside, other=0.0).to(ACC)
            dc = tl.load(d_last_c + place, mask=inside, other=0.0).to(ACC)
            if back > 0:
                later = delta + (t + 1) * (4 * size) + 4 * origin
                passed_c = tl.load(carried + place, mask=inside, other=0.0, cache_modifier=".cg")
                d_i = whole_rows(later, 4 * D, rows, D, BLOCK_B, PARTS, PART)
                passed_h = product_over_parts(d_i, w_i, ACC, PRECISION, INTERPRETED)
                if PEEPHOLE:
                    passed_c += product_over_parts(d_i, p_i, ACC, PRECISION, INTERPRETED)
                if FORGET:
                    d_f = whole_rows(later + D, 4 * D, rows, D, BLOCK_B, PARTS, PART)
                    passed_h += product_over_parts(d_f, w_f, ACC, PRECISION, INTERPRETED)
                    if PEEPHOLE:
                        passed_c += product_over_parts(d_f, p_f, ACC, PRECISION, INTERPRETED)
                d_o = whole_rows(later + 2 * D, 4 * D, rows, D, BLOCK_B, PARTS, PART)
                passed_h += product_over_parts(d_o, w_o, ACC, PRECISION, INTERPRETED)
                d_g = whole_rows(later + 3 * D, 4 * D, rows, D, BLOCK_B, PARTS, PART)
                passed_h += product_over_parts(d_g, w_g, ACC, PRECISION, INTERPRETED)
                if LENGTHS:
                    dh, dc = tl.where(t + 1 < ends, passed_h, dh), tl.where(t + 1 < ends, passed_c, dc)
                else:
                    dh, dc = passed_h, passed_c
            if t < 0:
                tl.store(d_first_h + place, narrow(dh, w_i, INTERPRETED), mask=inside)
                tl.store(d_first_c + place, narrow(dc, w_i, INTERPRETED), mask=inside)
        if t >= 0:
            now = gates + t * (4 * size) + wide
            out = delta + t * (4 * size) + wide
            if PHASE != 1:
                o = tl.load(now + 2 * D, mask=inside, other=0.0).to(ACC)
                q = apply(tl.load(cell + t * size + place, mask=inside, other=0.0).to(ACC), TANH_OUT)
                dh += tl.load(d_hidden + t * size + place, mask=inside, other=0.0).to(ACC)
                if LENGTHS:
                    dh, dc = tl.where(t < ends, dh, 0.0), tl.where(t < ends, dc, 0.0)
                tl.store(out + 2 * D, narrow(dh * q * slope(o, False), w_i, INTERPRETED), mask=inside)
                d_new_c = dc + dh * o * slope(q, TANH_OUT)
                if PEEPHOLE:
                    tl.store(carried + place, d_new_c, mask=inside)
                    if SYNC:
                        arrivals += tl.num_programs(0)
                        meet(counter, arrivals)
            if PHASE != 0:
                if PEEPHOLE:
                    d_o_now = whole_rows(
                        delta + t * (4 * size) + 4 * origin + 2 * D, 4 * D, rows, D, BLOCK_B, PARTS, PART
                    )
                    d_new_c = tl.load(carried + place, mask=inside, other=0.0, cache_modifier=".cg")
                    d_new_c += product_over_parts(d_o_now, p_o, ACC, PRECISION, INTERPRETED)
                i = tl.load(now, mask=inside, other=0.0).to(ACC)
                g = tl.load(now + 3 * D, mask=inside, other=0.0).to(ACC)
                tl.store(out, narrow(d_new_c * g * slope(i, False), w_i, INTERPRETED), mask=inside)
                tl.store(out + 3 * D, narrow(d_new_c * i * slope(g, TANH), w_i, INTERPRETED), mask=inside)
                if FORGET:
                    f = tl.load(now + D, mask=inside, other=0.0).to(ACC)
                    if t > 0:
                        before = cell + (t - 1) * size
                    else:
                        before = first_c
                    c = tl.load(before + place, mask=inside, other=0.0).to(ACC)
                    tl.store(out + D, narrow(d_new_c * c * slope(f, False), w_i, INTERPRETED), mask=inside)
                    d_new_c = d_new_c * f
                tl.store(carried + place, d_new_c, mask=inside)
                if SYNC:
                    arrivals += tl.num_programs(0)
                    meet(counter, arrivals)
