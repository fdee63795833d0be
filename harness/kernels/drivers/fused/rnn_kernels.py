"""The simple RNN, fused over time.

Imported only when a kernel is launched: it needs triton.
"""

from __future__ import annotations

import triton
import triton.language as tl

from rnn_harness.kernels.drivers.fused.device_functions import apply, narrow, product, slope, tile


@triton.jit(do_not_specialize=["T", "B"])
def rnn_forward(
    projected, weight, first, hidden, lengths, T, B, D,
    TANH: tl.constexpr, ACC: tl.constexpr, PRECISION: tl.constexpr, INTERPRETED: tl.constexpr,
    LENGTHS: tl.constexpr, BLOCK_B: tl.constexpr, BLOCK_D: tl.constexpr,
):  # fmt: skip
    """Run the simple RNN over all steps.

    One program computes BLOCK_B rows and all steps; each weight is a tile of BLOCK_D by BLOCK_D that stays on chip.

    Args:
        projected: (T, B, D), what inputs and bias add to the pre-activations.
        weight: (1, D, D), the recurrent weight.
        first: (B, D), the initial state.
        hidden: (T, B, D), written.
        lengths: (B,), the steps of every row, if LENGTHS: past them a state is kept, and outputs are 0.
        T: Time steps.
        B: Batch rows.
        D: Hidden size.
        TANH: Whether the activation is tanh, or the sigmoid.
        ACC: The format in which products and functions are computed.
        PRECISION: Triton's ``input_precision`` of float32 products.
        INTERPRETED: Whether Triton's interpreter runs the kernel.
        LENGTHS: Whether rows have lengths of their own.
        BLOCK_B: Batch rows of a program.
        BLOCK_D: The side of a weight's tile, at least D.
    """
    start = tl.program_id(0).to(tl.int64) * BLOCK_B  # 64 bits: an offset that grows with T or B may pass 2^31
    projected += start * D
    first += start * D
    hidden += start * D
    row = tl.arange(0, BLOCK_B)
    column = tl.arange(0, BLOCK_D)
    inside = (row[:, None] < B - start) & (column[None, :] < D)
    size = B.to(tl.int64) * D
    place = row[:, None] * D + column[None, :]
    w = tile(weight, 0, D, BLOCK_D, True)
    h = tl.load(first + place, mask=inside, other=0.0)
    if LENGTHS:
        ends = tl.load(lengths + start + row, mask=row < B - start, other=0)[:, None]
    for t in range(T):
        a = tl.load(projected + t * size + place, mask=inside, other=0.0).to(ACC)
        a += product(h, w, ACC, PRECISION, INTERPRETED)
        new = narrow(apply(a, TANH), w, INTERPRETED)
        if LENGTHS:
            h = tl.where(t < ends, new, h)
            new = tl.where(t < ends, new, 0.0)
        else:
            h = new
        tl.store(hidden + t * size + place, new, mask=inside)


@triton.jit(do_not_specialize=["T", "B"])
def rnn_backward(
    weight, hidden, d_hidden, d_last, delta, d_first, lengths, T, B, D,
    TANH: tl.constexpr, ACC: tl.constexpr, PRECISION: tl.constexpr, INTERPRETED: tl.constexpr,
    LENGTHS: tl.constexpr, BLOCK_B: tl.constexpr, BLOCK_D: tl.constexpr,
):  # fmt: skip
    """Differentiate `rnn_forward` from the last step to the first.

    One program computes BLOCK_B rows and all steps; each weight is a tile of BLOCK_D by BLOCK_D that stays on chip.

    Args:
        weight: (1, D, D), the recurrent weight.
        hidden: (T, B, D), what the forward wrote.
        d_hidden: (T, B, D), the gradients for the outputs.
        d_last: (B, D), the gradient for the final state.
        delta: (T, B, D), written: the gradients of the pre-activations.
        d_first: (B, D), written: the gradient of the initial state.
        lengths: (B,), the steps of every row, if LENGTHS: past them a state is kept, and outputs are 0.
        T: Time steps.
        B: Batch rows.
        D: Hidden size.
        TANH: Whether the activation is tanh, or the sigmoid.
        ACC: The format in which products and functions are computed.
        PRECISION: Triton's ``input_precision`` of float32 products.
        INTERPRETED: Whether Triton's interpreter runs the kernel.
        LENGTHS: Whether rows have lengths of their own.
        BLOCK_B: Batch rows of a program.
        BLOCK_D: The side of a weight's tile, at least D.
    """
    start = tl.program_id(0).to(tl.int64) * BLOCK_B  # 64 bits: an offset that grows with T or B may pass 2^31
    hidden += start * D
    d_hidden += start * D
    d_last += start * D
    delta += start * D
    d_first += start * D
    row = tl.arange(0, BLOCK_B)
    column = tl.arange(0, BLOCK_D)
    inside = (row[:, None] < B - start) & (column[None, :] < D)
    size = B.to(tl.int64) * D
    place = row[:, None] * D + column[None, :]
    w = tile(weight, 0, D, BLOCK_D, False)
    dh = tl.load(d_last + place, mask=inside, other=0.0).to(ACC)
    if LENGTHS:
        ends = tl.load(lengths + start + row, mask=row < B - start, other=0)[:, None]
    for back in range(T):
        t = T - 1 - back
        h = tl.load(hidden + t * size + place, mask=inside, other=0.0).to(ACC)
        d_output = tl.load(d_hidden + t * size + place, mask=inside, other=0.0).to(ACC)
        change = narrow((dh + d_output) * slope(h, TANH), w, INTERPRETED)
        if LENGTHS:
            change = tl.where(t < ends, change, 0.0)
        tl.store(delta + t * size + place, change, mask=inside)
        passed_on = product(change, w, ACC, PRECISION, INTERPRETED)
        if LENGTHS:
            dh = tl.where(t < ends, passed_on, dh)
        else:
            dh = passed_on
    tl.store(d_first + place, narrow(dh, w, INTERPRETED), mask=inside)
