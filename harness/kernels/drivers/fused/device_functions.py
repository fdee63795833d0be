"""What the fused kernels are made of: rounding to the format of storage, tanh and sigmoid, tiles of weights.

Imported only when a kernel is launched: it needs triton.
"""

from __future__ import annotations

import triton
import triton.language as tl


@triton.jit
def narrow(x, like, INTERPRETED: tl.constexpr):
    """`x` in the dtype of `like`, rounded to nearest. Triton's interpreter would cut bfloat16 off."""
    if INTERPRETED and like.dtype == tl.bfloat16:
        bits = x.to(tl.float32).to(tl.uint32, bitcast=True)
        bits = (bits + 0x7FFF + ((bits >> 16) & 1)) & 0xFFFF0000
        return bits.to(tl.float32, bitcast=True).to(tl.bfloat16)
    return x.to(like.dtype)


@triton.jit
def product(left, right, ACC: tl.constexpr, PRECISION: tl.constexpr, INTERPRETED: tl.constexpr):
    """`left` in the dtype of `right`, times `right`, accumulated in ACC. The interpreter multiplies no bfloat16."""
    if INTERPRETED and right.dtype == tl.bfloat16:
        short = narrow(left, right, INTERPRETED).to(tl.float32)
        return tl.dot(short, right.to(tl.float32), input_precision="ieee", out_dtype=tl.float32)
    return tl.dot(narrow(left, right, INTERPRETED), right, input_precision=PRECISION, out_dtype=ACC)


@triton.jit
def sigmoid(x):
    return 1 / (1 + tl.exp(-x))


@triton.jit
def tanh(x):
    """(1 - e) / (1 + e) with e = exp(-2 |x|); up to 1/4, where 1 - e cancels, ten terms of the odd series (2^-53)."""
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
    if TANH:
        return tanh(x)
    return sigmoid(x)


@triton.jit
def slope(value, TANH: tl.constexpr):
    """The derivative of tanh or sigmoid where its value is `value`."""
    if TANH:
        return 1 - value * value
    return value * (1 - value)


@triton.jit
def tile(pointer, gate, D, BLOCK_D: tl.constexpr, TURNED: tl.constexpr):
    """The weight of one gate out of (G, D, D), its transpose if TURNED, zeros beyond D."""
    i = tl.arange(0, BLOCK_D)
    inside = (i[:, None] < D) & (i[None, :] < D)
    if TURNED:
        place = i[None, :] * D + i[:, None]
    else:
        place = i[:, None] * D + i[None, :]
    return tl.load(pointer + gate * D * D + place, mask=inside, other=0.0)
