"""The GRU over many programs, each with its columns of all recurrent weights; its gates lie in the order r, z, g.

Where the reset gate acts before the product, a step has two phases: all programs must have written r * h before any can
multiply it. Imported only when a kernel is launched: it needs triton.
"""

from __future__ import annotations

import triton
import triton.language as tl

from rnn_harness.kernels.drivers.fused.device_functions import apply, narrow, sigmoid, slope
from rnn_harness.kernels.drivers.split.split_functions import columns_of, meet, product_over_parts, whole_rows


@triton.jit(do_not_specialize=["begin", "end", "T", "B", "first_tile"])
def gru_forward(
    projected, weight, inner_bias, first, hidden, gates, inner, lengths, counter, begin, end, T, B, D, first_tile,
    KEEP: tl.constexpr, BEFORE: tl.constexpr, TANH: tl.constexpr,
    ACC: tl.constexpr, PRECISION: tl.constexpr, INTERPRETED: tl.constexpr,
    LENGTHS: tl.constexpr, SYNC: tl.constexpr, PHASE: tl.constexpr,
    BLOCK_B: tl.constexpr, PARTS: tl.constexpr, PART: tl.constexpr, COLUMNS: tl.constexpr,
):  # fmt: skip
    """Run steps of the GRU; the first programs' axis is that of columns, the second that of rows.

    Args:
        projected: (T, B, 3, D), what inputs and biases add to the gates' pre-activations.
        weight: (3, D, D), the recurrent weights.
        inner_bias: (D,), the bias inside the reset gate's product; used if not BEFORE.
        first: (B, D), the initial state.
        hidden: (T, B, D), written.
        gates: (T, B, 3, D), written.
        inner: (T, B, D), written: r * h before the product, or W h + b after it.
        lengths: (B,), the steps of every row, if LENGTHS: past them outputs are 0.
        counter: A whole number for each tile of rows, 0 at the launch.
        begin: The first step.
        end: The step before which it ends.
        T: Time steps.
        B: Batch rows.
        D: Hidden size.
        first_tile: The first tile of rows of this launch.
        KEEP: Whether the update gate keeps the state, or writes the candidate.
        BEFORE: Whether the reset gate acts before the recurrent product, or after it.
        TANH: Whether the candidate's function is tanh, or the sigmoid.
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
    wide = start * 3 * D + row[:, None] * 3 * D + column[None, :]
    counter += tl.program_id(1)
    arrivals = 0
    w_r = columns_of(weight, 0, first_column, D, True, PARTS, PART, COLUMNS)
    w_z = columns_of(weight, 1, first_column, D, True, PARTS, PART, COLUMNS)
    w_g = columns_of(weight, 2, first_column, D, True, PARTS, PART, COLUMNS)
    bias = tl.load(inner_bias + column, mask=column < D, other=0.0).to(ACC)[None, :]
    if LENGTHS:
        ends = tl.load(lengths + start + row, mask=row < rows, other=0)[:, None]
    for t in range(begin, end):
        now = projected + t * (3 * size) + wide
        out = gates + t * (3 * size) + wide
        if t == 0:
            before = first
        else:
            before = hidden + (t - 1) * size
        own = tl.load(before + place, mask=inside, other=0.0, cache_modifier=".cg").to(ACC)
        a_g = tl.load(now + 2 * D, mask=inside, other=0.0).to(ACC)
        if PHASE != 1:
            a_r = tl.load(now, mask=inside, other=0.0).to(ACC)
            a_z = tl.load(now + D, mask=inside, other=0.0).to(ACC)
            h = whole_rows(before + origin, D, rows, D, BLOCK_B, PARTS, PART)
            r = narrow(sigmoid(a_r + product_over_parts(h, w_r, ACC, PRECISION, INTERPRETED)), w_r, INTERPRETED)
            z = narrow(sigmoid(a_z + product_over_parts(h, w_z, ACC, PRECISION, INTERPRETED)), w_r, INTERPRETED)
            if BEFORE:
                m = narrow(r.to(ACC) * own, w_r, INTERPRETED)
            else:
                m = narrow(product_over_parts(h, w_g, ACC, PRECISION, INTERPRETED) + bias, w_r, INTERPRETED)
                a_g += r.to(ACC) * m.to(ACC)
            tl.store(inner + t * size + place, m, mask=inside)
            tl.store(out, r, mask=inside)
            tl.store(out + D, z, mask=inside)
            if SYNC and BEFORE:
                arrivals += tl.num_programs(0)
                meet(counter, arrivals)
        if PHASE != 0:
            if BEFORE:
                z = tl.load(out + D, mask=inside, other=0.0)
                reset = whole_rows(inner + t * size + origin, D, rows, D, BLOCK_B, PARTS, PART)
                a_g += product_over_parts(reset, w_g, ACC, PRECISION, INTERPRETED)
            g = narrow(apply(a_g, TANH), w_r, INTERPRETED)
            new, open_gate = g.to(ACC), z.to(ACC)
            if KEEP:
                mixed = open_gate * own + (1 - open_gate) * new
            else:
                mixed = open_gate * new + (1 - open_gate) * own
            output = narrow(mixed, w_r, INTERPRETED)
            if LENGTHS:
                output = tl.where(t < ends, output, 0.0)
            tl.store(hidden + t * size + place, output, mask=inside)
            tl.store(out + 2 * D, g, mask=inside)
            if SYNC:
                arrivals += tl.num_programs(0)
                meet(counter, arrivals)


@triton.jit(do_not_specialize=["begin", "end", "T", "B", "first_tile"])
def gru_backward(
    weight, first, hidden, gates, inner, d_hidden, d_last, delta, d_inner, d_first, carried, lengths, counter,
    begin, end, T, B, D, first_tile,
    KEEP: tl.constexpr, BEFORE: tl.constexpr, TANH: tl.constexpr,
    ACC: tl.constexpr, PRECISION: tl.constexpr, INTERPRETED: tl.constexpr,
    LENGTHS: tl.constexpr, SYNC: tl.constexpr, PHASE: tl.constexpr,
    BLOCK_B: tl.constexpr, PARTS: tl.constexpr, PART: tl.constexpr, COLUMNS: tl.constexpr,
):  # fmt: skip
    """Differentiate `gru_forward`: T steps back, and one more that gives the gradient of the initial state.

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
        carried: (B, D) in ACC, written: what a step passes on without a product.
        lengths: (B,), the steps of every row, if LENGTHS: past them outputs are 0.
        counter: A whole number for each tile of rows, 0 at the launch.
        begin: The first step back, 0 for the last in time.
        end: The step back before which it ends, at most T + 1.
        T: Time steps.
        B: Batch rows.
        D: Hidden size.
        first_tile: The first tile of rows of this launch.
        KEEP: Whether the update gate keeps the state, or writes the candidate.
        BEFORE: Whether the reset gate acts before the recurrent product, or after it.
        TANH: Whether the candidate's function is tanh, or the sigmoid.
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
    wide = start * 3 * D + row[:, None] * 3 * D + column[None, :]
    counter += tl.program_id(1)
    arrivals = 0
    w_r = columns_of(weight, 0, first_column, D, False, PARTS, PART, COLUMNS)
    w_z = columns_of(weight, 1, first_column, D, False, PARTS, PART, COLUMNS)
    w_g = columns_of(weight, 2, first_column, D, False, PARTS, PART, COLUMNS)
    if LENGTHS:
        ends = tl.load(lengths + start + row, mask=row < rows, other=0)[:, None]
    for back in range(begin, end):
        t = T - 1 - back
        if PHASE != 1:
            dh = tl.load(d_last + place, mask=inside, other=0.0).to(ACC)
            if back > 0:
                later = delta + (t + 1) * (3 * size) + 3 * origin
                passed_on = tl.load(carried + place, mask=inside, other=0.0, cache_modifier=".cg")
                d_r = whole_rows(later, 3 * D, rows, D, BLOCK_B, PARTS, PART)
                passed_on += product_over_parts(d_r, w_r, ACC, PRECISION, INTERPRETED)
                d_z = whole_rows(later + D, 3 * D, rows, D, BLOCK_B, PARTS, PART)
                passed_on += product_over_parts(d_z, w_z, ACC, PRECISION, INTERPRETED)
                if not BEFORE:
                    d_m = whole_rows(d_inner + (t + 1) * size + origin, D, rows, D, BLOCK_B, PARTS, PART)
                    passed_on += product_over_parts(d_m, w_g, ACC, PRECISION, INTERPRETED)
                if LENGTHS:
                    dh = tl.where(t + 1 < ends, passed_on, dh)
                else:
                    dh = passed_on
            if t < 0:
                tl.store(d_first + place, narrow(dh, w_r, INTERPRETED), mask=inside)
        if t >= 0:
            now = gates + t * (3 * size) + wide
            out = delta + t * (3 * size) + wide
            if t > 0:
                before = hidden + (t - 1) * size
            else:
                before = first
            r = tl.load(now, mask=inside, other=0.0).to(ACC)
            h = tl.load(before + place, mask=inside, other=0.0).to(ACC)
            if PHASE != 1:
                z = tl.load(now + D, mask=inside, other=0.0).to(ACC)
                g = tl.load(now + 2 * D, mask=inside, other=0.0).to(ACC)
                d_new_h = dh + tl.load(d_hidden + t * size + place, mask=inside, other=0.0).to(ACC)
                if LENGTHS:
                    d_new_h = tl.where(t < ends, d_new_h, 0.0)
                if KEEP:
                    keep, into, difference = z, 1 - z, h - g
                else:
                    keep, into, difference = 1 - z, z, g - h
                a_z = narrow(d_new_h * difference * slope(z, False), w_r, INTERPRETED)
                a_g = narrow(d_new_h * into * slope(g, TANH), w_r, INTERPRETED)
                tl.store(out + D, a_z, mask=inside)
                tl.store(out + 2 * D, a_g, mask=inside)
                tl.store(carried + place, d_new_h * keep, mask=inside)
                if not BEFORE:
                    m = tl.load(inner + t * size + place, mask=inside, other=0.0).to(ACC)
                    a_r = narrow(a_g.to(ACC) * m * slope(r, False), w_r, INTERPRETED)
                    tl.store(d_inner + t * size + place, narrow(a_g.to(ACC) * r, w_r, INTERPRETED), mask=inside)
                    tl.store(out, a_r, mask=inside)
                if SYNC:
                    arrivals += tl.num_programs(0)
                    meet(counter, arrivals)
            if BEFORE and PHASE != 0:
                d_g = whole_rows(delta + t * (3 * size) + 3 * origin + 2 * D, 3 * D, rows, D, BLOCK_B, PARTS, PART)
                reached = product_over_parts(d_g, w_g, ACC, PRECISION, INTERPRETED)
                tl.store(out, narrow(reached * h * slope(r, False), w_r, INTERPRETED), mask=inside)
                direct = tl.load(carried + place, mask=inside, other=0.0, cache_modifier=".cg")
                tl.store(carried + place, direct + reached * r, mask=inside)
                if SYNC:
                    arrivals += tl.num_programs(0)
                    meet(counter, arrivals)
