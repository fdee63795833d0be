"""The parts of the kernels that are split over many programs: tiles of columns, products over all units, the barrier.

Imported only when a kernel is launched: it needs triton.
"""

from __future__ import annotations

import triton
import triton.language as tl


@triton.jit
def columns_of(pointer, gate, first_column, D, TURNED: tl.constexpr, PARTS: tl.constexpr, PART: tl.constexpr,
               COLUMNS: tl.constexpr):  # fmt: skip
    """Load a program's columns of one gate's weight, (PARTS, PART, COLUMNS), zeros beyond D.

    Args:
        pointer: The weights of all gates, (G, D, D).
        gate: Which of them.
        first_column: The first of the program's columns.
        D: Hidden size.
        TURNED: Whether they are columns of the transpose.
        PARTS: Into how many parts the units of the state are divided.
        PART: Units in a part; all parts together are at least D.
        COLUMNS: The program's columns.
    """
    unit = tl.arange(0, PARTS)[:, None, None] * PART + tl.arange(0, PART)[None, :, None]
    column = first_column + tl.arange(0, COLUMNS)[None, None, :]
    if TURNED:
        place = column * D + unit
    else:
        place = unit * D + column
    return tl.load(pointer + gate * D * D + place, mask=(unit < D) & (column < D), other=0.0)


@triton.jit
def whole_rows(pointer, stride, rows, D, BLOCK_B: tl.constexpr, PARTS: tl.constexpr, PART: tl.constexpr):
    """Load all units of a tile of rows, (PARTS, BLOCK_B, PART), past the first-level cache: others have written them.

    Args:
        pointer: The first number of the first row.
        stride: From one row to the next.
        rows: How many rows there are.
        D: Hidden size.
        BLOCK_B: Rows of the tile.
        PARTS: Into how many parts the units are divided.
        PART: Units in a part.
    """
    unit = tl.arange(0, PARTS)[:, None, None] * PART + tl.arange(0, PART)[None, None, :]
    row = tl.arange(0, BLOCK_B)[None, :, None]
    return tl.load(pointer + row * stride + unit, mask=(row < rows) & (unit < D), other=0.0, cache_modifier=".cg")


@triton.jit
def product_over_parts(values, weight, ACC: tl.constexpr, PRECISION: tl.constexpr, INTERPRETED: tl.constexpr):
    """Multiply rows by columns: each part of the units by itself, by warps of its own, then the sum of the parts.

    Args:
        values: (PARTS, BLOCK_B, PART).
        weight: (PARTS, PART, COLUMNS), in the same format.
        ACC: The format in which sums are accumulated.
        PRECISION: Triton's ``input_precision`` of float32 products.
        INTERPRETED: Whether Triton's interpreter runs the kernel, which multiplies no bfloat16: then operands become
            float32.
    """
    if INTERPRETED and weight.dtype == tl.bfloat16:
        exact = tl.dot(values.to(tl.float32), weight.to(tl.float32), input_precision="ieee", out_dtype=tl.float32)
        return tl.sum(exact, axis=0)
    else:
        return tl.sum(tl.dot(values, weight, input_precision=PRECISION, out_dtype=ACC), axis=0)


@triton.jit
def meet(counter, arrivals):
    """Wait until all programs have come here; what they have written before is then seen by all.

    Args:
        counter: How many have come since the launch, a whole number in global memory.
        arrivals: What it must have reached.
    """
    tl.debug_barrier()  # all warps have written
    tl.atomic_add(counter, 1, sem="release", scope="gpu")
    while tl.atomic_add(counter, 0, sem="acquire", scope="gpu") < arrivals:
        pass
    tl.debug_barrier()
