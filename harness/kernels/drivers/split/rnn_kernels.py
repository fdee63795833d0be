"""The simple RNN over many programs: each holds its columns of the recurrent weight on chip, for all steps.

After each step all programs meet, and read the whole state from the second-level cache. Without SYNC the same source
does some steps and leaves: launched once a step, it runs in Triton's interpreter, where programs run one after another.
Imported only when a kernel is launched: it needs triton.
"""

from __future__ import annotations

import triton
import triton.language as tl

from rnn_harness.kernels.drivers.fused.device_functions import apply, narrow, slope
from rnn_harness.kernels.drivers.split.split_functions import columns_of, meet, product_over_parts, whole_rows


@triton.jit(do_not_specialize=["begin", "end", "T", "B", "first_tile"])
def rnn_forward(
    projected, weight, first, hidden, lengths, counter, begin, end, T, B, D, first_tile,
    TANH: tl.constexpr, ACC: tl.constexpr, PRECISION: tl.constexpr, INTERPRETED: tl.constexpr,
    LENGTHS: tl.constexpr, SYNC: tl.constexpr, PHASE: tl.constexpr,
    BLOCK_B: tl.constexpr, PARTS: tl.constexpr, PART: tl.constexpr, COLUMNS: tl.constexpr,
):  # fmt: skip
    """Run steps of the simple RNN; the first programs' axis is that of columns, the second that of rows.

    Args:
        projected: (T, B, D), what inputs and bias add to the pre-activations.
        weight: (1, D, D), the recurrent weight.
        first: (B, D), the initial state.
        hidden: (T, B, D), written.
        lengths: (B,), the steps of every row, if LENGTHS: past them outputs are 0.
        counter: A whole number for each tile of rows, 0 at the launch.
        begin: The first step.
        end: The step before which it ends.
        T: Time steps.
        B: Batch rows.
        D: Hidden size.
        first_tile: The first tile of rows of this launch.
        TANH: Whether the activation is tanh, or the sigmoid.
        ACC: The format in which products and functions are computed.
        PRECISION: Triton's ``input_precision`` of float32 products.
        INTERPRETED: Whether Triton's interpreter runs the kernel.
        LENGTHS: Whether rows have lengths of their own.
        SYNC: Whether all programs run at the same time and meet after each step.
        PHASE: Not used: a step has one phase.
        BLOCK_B: Batch rows of a program.
        PARTS: Into how many parts the units are divided for a product.
        PART: Units in a part.
        COLUMNS: Columns of a program.
    """
    start = (first_tile + tl.program_id(1)).to(tl.int64) * BLOCK_B
    column = tl.program_id(0) * COLUMNS + tl.arange(0, COLUMNS)
    row = tl.arange(0, BLOCK_B)
    inside = (row[:, None] < B - start) & (column[None, :] < D)
    size = B.to(tl.int64) * D
    counter += tl.program_id(1)
    arrivals = 0
    place = start * D + row[:, None] * D + column[None, :]
    w = columns_of(weight, 0, tl.program_id(0) * COLUMNS, D, True, PARTS, PART, COLUMNS)
    if LENGTHS:
        ends = tl.load(lengths + start + row, mask=row < B - start, other=0)[:, None]
    for t in range(begin, end):
        a = tl.load(projected + t * size + place, mask=inside, other=0.0).to(ACC)
        if t == 0:
            h = whole_rows(first + start * D, D, B - start, D, BLOCK_B, PARTS, PART)
        else:
            h = whole_rows(hidden + (t - 1) * size + start * D, D, B - start, D, BLOCK_B, PARTS, PART)
        new = narrow(apply(a + product_over_parts(h, w, ACC, PRECISION, INTERPRETED), TANH), w, INTERPRETED)
        if LENGTHS:
            new = tl.where(t < ends, new, 0.0)
        tl.store(hidden + t * size + place, new, mask=inside)
        if SYNC:
            arrivals += tl.num_programs(0)
            meet(counter, arrivals)


@triton.jit(do_not_specialize=["begin", "end", "T", "B", "first_tile"])
def rnn_backward(
    weight, hidden, d_hidden, d_last, delta, d_first, lengths, counter, begin, end, T, B, D, first_tile,
    TANH: tl.constexpr, ACC: tl.constexpr, PRECISION: tl.constexpr, INTERPRETED: tl.constexpr,
    LENGTHS: tl.constexpr, SYNC: tl.constexpr, PHASE: tl.constexpr,
    BLOCK_B: tl.constexpr, PARTS: tl.constexpr, PART: tl.constexpr, COLUMNS: tl.constexpr,
):  # fmt: skip
    """Differentiate `rnn_forward`: T steps back, and one more that gives the gradient of the initial state.

    Args:
        weight: (1, D, D), the recurrent weight.
        hidden: (T, B, D), what the forward wrote.
        d_hidden: (T, B, D), the gradients for the outputs.
        d_last: (B, D), the gradient for the final state.
        delta: (T, B, D), written: the gradients of the pre-activations.
        d_first: (B, D), written: the gradient of the initial state.
        lengths: (B,), the steps of every row, if LENGTHS.
        counter: A whole number for each tile of rows, 0 at the launch.
        begin: The first step back, 0 for the last in time.
        end: The step back before which it ends, at most T + 1.
        T: Time steps.
        B: Batch rows.
        D: Hidden size.
        first_tile: The first tile of rows of this launch.
        TANH: Whether the activation is tanh, or the sigmoid.
        ACC: The format in which products and functions are computed.
        PRECISION: Triton's ``input_precision`` of float32 products.
        INTERPRETED: Whether Triton's interpreter runs the kernel.
        LENGTHS: Whether rows have lengths of their own.
        SYNC: Whether all programs run at the same time and meet after each step.
        PHASE: Not used: a step has one phase.
        BLOCK_B: Batch rows of a program.
        PARTS: Into how many parts the units are divided for a product.
        PART: Units in a part.
        COLUMNS: Columns of a program.
    """
    start = (first_tile + tl.program_id(1)).to(tl.int64) * BLOCK_B
    column = tl.program_id(0) * COLUMNS + tl.arange(0, COLUMNS)
    row = tl.arange(0, BLOCK_B)
    inside = (row[:, None] < B - start) & (column[None, :] < D)
    size = B.to(tl.int64) * D
    counter += tl.program_id(1)
    arrivals = 0
    place = start * D + row[:, None] * D + column[None, :]
    w = columns_of(weight, 0, tl.program_id(0) * COLUMNS, D, False, PARTS, PART, COLUMNS)
    if LENGTHS:
        ends = tl.load(lengths + start + row, mask=row < B - start, other=0)[:, None]
    for back in range(begin, end):
        t = T - 1 - back
        dh = tl.load(d_last + place, mask=inside, other=0.0).to(ACC)
        if back > 0:
            later = whole_rows(delta + (t + 1) * size + start * D, D, B - start, D, BLOCK_B, PARTS, PART)
            passed_on = product_over_parts(later, w, ACC, PRECISION, INTERPRETED)
            if LENGTHS:
                dh = tl.where(t + 1 < ends, passed_on, dh)
            else:
                dh = passed_on
        if t >= 0:
            h = tl.load(hidden + t * size + place, mask=inside, other=0.0).to(ACC)
            dh += tl.load(d_hidden + t * size + place, mask=inside, other=0.0).to(ACC)
            change = narrow(dh * slope(h, TANH), w, INTERPRETED)
            if LENGTHS:
                change = tl.where(t < ends, change, 0.0)
            tl.store(delta + t * size + place, change, mask=inside)
            if SYNC:
                arrivals += tl.num_programs(0)
                meet(counter, arrivals)
        else:
            tl.store(d_first + place, narrow(dh, w, INTERPRETED), mask=inside)
