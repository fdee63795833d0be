"""The parts of the fused kernels: rounding to the format of storage, tanh and sigmoid, tiles of weights.

Imported only when a kernel is launched: it needs triton.
"""

from __future__ import annotations

import triton
import triton.language as tl


@triton.jit
def narrow(x, target, INTERPRETED: tl.constexpr):
    """Round to nearest in the dtype of another tensor.

    Args:
        x: Numbers in the format of accumulation.
        target: A tensor in the format of storage.
        INTERPRETED: Whether Triton's interpreter runs, which would truncate to bfloat16: then bits are rounded by hand.
    """
    if INTERPRETED and target.dtype == tl.bfloat16:
        bits = x.to(tl.float32).to(tl.uint32, bitcast=True)
        bits = (bits + 0x7FFF + ((bits >> 16) & 1)) & 0xFFFF0000
        return bits.to(tl.float32, bitcast=True).to(tl.bfloat16)
    return x.to(target.dtype)


@triton.jit
def product(values, weight, ACC: tl.constexpr, PRECISION: tl.constexpr, INTERPRETED: tl.constexpr):
    """Multiply by a weight what is first rounded to the weight's dtype.

    Args:
        values: (BLOCK_B, BLOCK_D).
        weight: (BLOCK_D, BLOCK_D).
        ACC: The format in which sums are accumulated.
        PRECISION: Triton's ``input_precision`` of float32 products.
        INTERPRETED: Whether Triton's interpreter runs, which multiplies no bfloat16: then operands become float32.
    """
    if INTERPRETED and weight.dtype == tl.bfloat16:
        short = narrow(values, weight, INTERPRETED).to(tl.float32)
        return tl.dot(short, weight.to(tl.float32), input_precision="ieee", out_dtype=tl.float32)
    return tl.dot(narrow(values, weight, INTERPRETED), weight, input_precision=PRECISION, out_dtype=ACC)


@triton.jit
def sigmoid(x):
    """Compute 1 / (1 + exp(-x)).

    Args:
        x: A tile of pre-activations, float32 or float64.
    """
    return 1 / (1 + tl.exp(-x))


@triton.jit
def tanh(x):
    """Compute tanh as (1 - e) / (1 + e) with e = exp(-2 |x|).

    Up to |x| = 1/4, where 1 - e cancels, ten terms of the odd series are summed instead (error 2^-53).

    Args:
        x: A tile of pre-activations, float32 or float64.
    """
    s = x * x
    p = -443861162 / 1856156927625 * s + 6404582 / 10854718875
    p = p * s - 929569 / 638512875
    p = p * s + 21844 / 6081075
    p = p * s - 1382 / 155925
    p = p * s + 62 / 2835
    p = p * s - 17 / 315
    p = p * s + 2 / 15
    p = p * s - 1 / 3
    e = tl.exp(-2 * tl.abs(x))
    large = (1 - e) / (1 + e)
    return tl.where(tl.abs(x) > 0.25, tl.where(x < 0, -large, large), x + x * s * p)


@triton.jit
def apply(x, TANH: tl.constexpr):
    """Compute tanh or the sigmoid.

    Args:
        x: Pre-activations.
        TANH: Which of the two.
    """
    if TANH:
        return tanh(x)
    return sigmoid(x)


@triton.jit
def slope(value, TANH: tl.constexpr):
    """Compute the derivative of tanh or of the sigmoid.

    Args:
        value: The function's value there.
        TANH: Which of the two.
    """
    if TANH:
        return 1 - value * value
    return value * (1 - value)


@triton.jit
def tile(pointer, gate, D, BLOCK_D: tl.constexpr, TURNED: tl.constexpr):
    """Load the weight of one gate into (BLOCK_D, BLOCK_D), zeros beyond D.

    Args:
        pointer: The weights of all gates, (G, D, D).
        gate: Which of them.
        D: Hidden size.
        BLOCK_D: The side of the tile, at least D.
        TURNED: Whether the transpose is loaded.
    """
    i = tl.arange(0, BLOCK_D)
    inside = (i[:, None] < D) & (i[None, :] < D)
    if TURNED:
        place = i[None, :] * D + i[:, None]
    else:
        place = i[:, None] * D + i[None, :]
    return tl.load(pointer + gate * D * D + place, mask=inside, other=0.0)
