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
        INTERPRETED: Whether Triton's interpreter runs the kernel, which multiplies no bfloat16: then operands become
            float32.
    """
    if INTERPRETED and weight.dtype == tl.bfloat16:
        short = narrow(values, weight, INTERPRETED).to(tl.float32)
        return tl.dot(short, weight.to(tl.float32), input_precision="ieee", out_dtype=tl.float32)
    return tl.dot(narrow(values, weight, INTERPRETED), weight, input_precision=PRECISION, out_dtype=ACC)


@triton.jit
def exp_of_negative(x):
    """Compute exp(x) for x <= 0, subnormal results included.

    In float32 by multiplications and additions alone, since the hardware's ex2.approx of the rounded x log2(e) is off
    by |x| roundings: x = n log(2) + r with |r| <= log(2)/2, where n 355/512 is exact, and seven terms of exp(r).

    Args:
        x: Float32 or float64, none above 0; NaN gives NaN.
    """
    if x.dtype == tl.float64:
        return tl.exp(x)
    else:
        clamped = tl.where(x > -104.0, x, -104.0)  # exp(-104) is 0 in float32
        n = tl.floor(clamped * 1.4426950408889634 + 0.5)
        r = clamped - n * (355 / 512)
        r = r - n * (0.6931471805599453 - 355 / 512)
        series = r * (1 / 5040) + 1 / 720
        series = series * r + 1 / 120
        series = series * r + 1 / 24
        series = series * r + 1 / 6
        series = series * r + 0.5
        series = (series * r * r + r) + 1.0
        power = n.to(tl.int32)
        half = power >> 1  # 2^n in two factors, each of them a normal number
        factor = ((half + 127) << 23).to(tl.float32, bitcast=True)
        other_factor = ((power - half + 127) << 23).to(tl.float32, bitcast=True)
        return tl.where(x == x, series * factor * other_factor, x)


@triton.jit
def quotient(x, y):
    """Divide, rounded to nearest: Triton's own float32 division is off by up to 2 ulp.

    Args:
        x: Float32 or float64.
        y: In the same format.
    """
    if x.dtype == tl.float64:
        return x / y
    else:
        return tl.div_rn(x, y)


@triton.jit
def sigmoid(x):
    """Compute 1 / (1 + exp(-x)) as e / (1 + e) with e = exp(-|x|), or 1 / (1 + e).

    Args:
        x: A tile of pre-activations, float32 or float64.
    """
    e = exp_of_negative(-tl.abs(x))
    return quotient(tl.where(x >= 0, e * 0 + 1, e), 1 + e)


@triton.jit
def tanh(x):
    """Compute tanh as (1 - e) / (1 + e) with e = exp(-2 |x|).

    Up to |x| = 1/4, where 1 - e cancels, terms of the odd series are summed instead: ten (error 2^-53), or five in
    float32.

    Args:
        x: A tile of pre-activations, float32 or float64.
    """
    small = tl.where(tl.abs(x) > 0.25, 0.0, x)
    s = small * small
    if x.dtype == tl.float64:
        p = -443861162 / 1856156927625 * s + 6404582 / 10854718875
        p = p * s - 929569 / 638512875
        p = p * s + 21844 / 6081075
        p = p * s - 1382 / 155925
        p = p * s + 62 / 2835
    else:
        p = -1382 / 155925 * s + 62 / 2835
    p = p * s - 17 / 315
    p = p * s + 2 / 15
    p = p * s - 1 / 3
    e = exp_of_negative(-2 * tl.abs(x))
    large = quotient(1 - e, 1 + e)
    return tl.where(tl.abs(x) > 0.25, tl.where(x < 0, -large, large), small + small * s * p)


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
