"""What rounding does to a sum but for a stated probability, in any order; and products that round little.

A sum s of k terms p_i, each a number or the product of two, is computed in some order: as a binary tree of additions
with the terms as leaves. Each operation returns its exact result times (1 + e), abs(e) <= u; let d_j be by how much it
is off, itself. An addition passes on what its operands are off, unchanged, so that the computed sum is *exactly*

    s + sum of all d_j                                                                                          (1)

over the k leaves (what a product rounds; nothing where it is fused) and at most k - 1 additions. A leaf is off by at
most u abs(p_i), an addition by at most u times the sum x_j of its two computed operands. x_j is the exact sum of some
of the terms, which in size is at most the sum P of the positive ones or N of the negative ones, and what these are off
already, which is at most growth(k) M with M = P + N, as each term passes through at most k roundings (Higham 2002,
section 3.1). Since P - N = s, the larger of P and N is (M + abs(s)) / 2, and

    abs(x_j) <= B = (M + abs(s)) / 2 + growth(k) M                                                              (2)

**The assumption.** Given the operands and all roundings before it, each d_j has mean zero, and the order of the sum
does not depend on them (Higham and Mary 2019, *A new approach to probabilistic rounding error analysis*, SIAM J. Sci.
Comput. 41(5), A2815-A2835; that no more independence is needed, see Connolly, Higham and Mary 2021, *Stochastic
rounding and its probabilistic backward error analysis*, SIAM J. Sci. Comput. 43(1)).

**The bound.** The sum of the d_j in (1), one after the other in any order in which they can be computed, is then a
martingale whose steps are at most u abs(p_i) and u B. By the inequality of Azuma and Hoeffding it exceeds t with a
probability of at most 2 exp(-t^2 / (2 V)), where V = u^2 (sum of p_i^2 + (k - 1) B^2) <= u^2 (k + 1) B^2, for p_i^2
sums to at most P^2 + N^2 <= 2 B^2. With t = lambda sqrt(k + 1) u B,

    abs(computed - s) <= lambda sqrt(k + 1) u B    but for a probability of 2 exp(-lambda^2 / 2)                  (3)

with no terms of higher order left out: Higham and Mary's lambda sqrt(k) u in the place of k u. Each addition that an
implementation makes besides, since it holds a bias in parts of one sign, counts as one term more: it changes neither M
nor s. Several sums exceed their bounds with at most the sum of the probabilities.

Sums in sequence, in blocks, by trees, fused or not, of operands that are split first (what the parts leave out is
bounded apart, as `Rounding.operands`), all keep to the assumption for numbers that were drawn with all of their bits
random. It fails for equal terms that are added one by one, whose errors have one sign; in units that cut off instead
of rounding (the accumulators of tensor cores); and where a sum stagnates, since its terms are less than its last bit.
So (3) is no proof of anything about a computation. What exceeds it was less precise than its format, or rounded with a
bias; neither makes it wrong, and nothing is refuted by it.
"""

from __future__ import annotations

import math
from typing import cast

from rnn_harness.arithmetic.array_ball_values import MIDPOINT_UNIT, growth
from rnn_harness.arithmetic.array_operations import operations_of
from rnn_harness.arithmetic.assumptions import PROBABLE_DEVIATIONS
from rnn_harness.array_types import Array


def probable_rounding(
    unit: float, terms: int, mass: Array, size: Array, underflow: float = 0.0, further: int = 0
) -> Array:
    """Bound what rounding does to each of some sums, by (3) above, up to a factor of `UPWARD`.

    Args:
        unit: The unit roundoff u.
        terms: The number of terms k.
        mass: At least the sums of the terms' sizes, M.
        size: At least the sizes of the sums.
        underflow: What all operations of a sum may be off together where they underflow.
        further: How many additions there may be besides k - 1.

    Returns:
        The bounds, each of which fails with `failure_probability(1)`.
    """
    leaves = terms + further
    partial_sums = (mass + operations_of(mass).minimum(size, mass)) / 2 + (mass * growth(unit, leaves) + underflow)
    return cast("Array", partial_sums * (PROBABLE_DEVIATIONS * math.sqrt(leaves + 1) * unit))


def is_sharper(terms: int) -> bool:
    """Say whether sums of so many terms, whose signs differ, have a probable bound below that of the worst case.

    Args:
        terms: The number of terms k.
    """
    return PROBABLE_DEVIATIONS * math.sqrt(terms + 2) < terms


def failure_probability(sums: int) -> float:
    """Return with what probability at most one of so many sums exceeds its bound, if the assumption holds.

    Args:
        sums: The number of sums whose bounds are probable.
    """
    return sums * 2 * math.exp(-(PROBABLE_DEVIATIONS**2) / 2)


def split_product(matrix: Array, factor: Array) -> tuple[Array, Array]:
    """Multiply matrices so that hardly more than the result is rounded.

    Each row of `matrix` and column of `factor` is cut into a high part of b bits and a rest (Rump, Ogita and Oishi
    2008, *Accurate floating-point summation part I*, lemma 3.3: with all sizes at most 2^e and s = 2^(e + 53 - b), the
    high part (x + s) - s is a multiple of 2^(e - b) and at most 2^e, and the rest, which is exact, at most 2^(e - b)).
    Sums of k products of two high parts are multiples of 2^(e + f - 2 b) and at most k 2^(e + f): no order of summing
    rounds them while k 2^(2 b) <= 2^53. What the rests add, two products of k terms, is at most 2 k 2^(e + f - b) in
    size, and only its rounding and that of the last addition remain.

    Args:
        matrix: (m, k), float64.
        factor: (k, n), float64.

    Returns:
        The product (m, n), and how far it may be off, up to a factor of `UPWARD` and what underflows; not finite where
        numbers are so large that they cannot be cut.
    """
    terms = matrix.shape[1]
    bits = (53 - math.ceil(math.log2(terms))) // 2 if terms else 0
    of_rows, of_columns = _powers(matrix, 1), _powers(factor, 0)
    high_matrix, high_factor = _high(matrix, of_rows, bits), _high(factor, of_columns, bits)
    rests = high_matrix @ (factor - high_factor) + (matrix - high_matrix) @ factor
    product = high_matrix @ high_factor + rests
    largest = 2 * terms * of_rows * of_columns * 2.0**-bits
    return product, MIDPOINT_UNIT * abs(product) + growth(MIDPOINT_UNIT, terms + 1) * largest


def _powers(matrix: Array, axis: int) -> Array:
    """Return the powers of two above all sizes along an axis, which stays with length one."""
    ops, size = operations_of(matrix), abs(matrix)
    if not matrix.shape[axis]:
        return cast("Array", size.sum(axis=axis, keepdims=True) + 1)
    largest = ops.largest(size, axis)
    # A number over its mantissa is a power of two, which a quotient gives exactly.
    return ops.where(largest > 0, largest / ops.where(largest > 0, ops.mantissas(largest), 1.0), 1.0)


def _high(matrix: Array, powers: Array, bits: int) -> Array:
    """Return the high parts."""
    shift = powers * 2.0 ** (53 - bits)
    return cast("Array", (matrix + shift) - shift)
