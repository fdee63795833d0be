"""The simple RNN, fused over time.

Imported only when a kernel is launched: it needs triton.
"""

from __future__ import annotations

import triton
import triton.language as tl

from rnn_harness.kernels.drivers.fused.device_functions import apply, narrow, product, slope, tile


@triton.jit
def rnn_forward(
    projected, weight, first, hidden, T, B, D,
    TANH: tl.constexpr, ACC: tl.constexpr, PRECISION: tl.constexpr, INTERPRETED: tl.constexpr,
    BLOCK_B: tl.constexpr, BLOCK_D: tl.constexpr,
):  # fmt: skip
    """Run the simple RNN over all steps.

    One program computes BLOCK_B rows and all steps; each weight is a tile of BLOCK_D by BLOCK_D that stays on chip.

    Args:
        projected: (T, B, D), what inputs and bias add to the pre-activations.
        weight: (1, D, D), the recurrent weight.
        first: (B, D), the initial state.
        hidden: (T, B, D), written.
        T: Time steps.
        B: Batch rows.
        D: Hidden size.
        TANH: Whether the activation is tanh, or the sigmoid.
        ACC: The format in which products and functions are computed.
        PRECISION: Triton's ``input_precision`` of float32 products: ``ieee`` or ``tf32``.
        INTERPRETED: Whether Triton's interpreter runs the kernel.
        BLOCK_B: Batch rows of a program.
        BLOCK_D: The side of a weight's tile, at least D.
    """
    row = tl.program_id(0) * BLOCK_B + tl.arange(0, BLOCK_B)
    column = tl.arange(0, BLOCK_D)
    inside = (row[:, None] < B) & (column[None, :] < D)
    place = row[:, None] * D + column[None, :]
    w = tile(weight, 0, D, BLOCK_D, True)
    h = tl.load(first + place, mask=inside, other=0.0)
    for t in range(T):
        a = tl.load(projected + t * B * D + place, mask=inside, other=0.0).to(ACC)
        a += product(h, w, ACC, PRECISION, INTERPRETED)
        h = narrow(apply(a, TANH), w, INTERPRETED)
        tl.store(hidden + t * B * D + place, h, mask=inside)


@triton.jit
def rnn_backward(
    weight, hidden, d_hidden, d_last, delta, d_first, T, B, D,
    TANH: tl.constexpr, ACC: tl.constexpr, PRECISION: tl.constexpr, INTERPRETED: tl.constexpr,
    BLOCK_B: tl.constexpr, BLOCK_D: tl.constexpr,
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
        T: Time steps.
        B: Batch rows.
        D: Hidden size.
        TANH: Whether the activation is tanh, or the sigmoid.
        ACC: The format in which products and functions are computed.
        PRECISION: Triton's ``input_precision`` of float32 products: ``ieee`` or ``tf32``.
        INTERPRETED: Whether Triton's interpreter runs the kernel.
        BLOCK_B: Batch rows of a program.
        BLOCK_D: The side of a weight's tile, at least D.
    """
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
