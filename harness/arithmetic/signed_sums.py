"""What rounding may do to a sum at most, in any order, where the signs of its terms differ.

A sum s of k terms p_i, each a number or the product of two, is computed in some order: as a binary tree of additions
with the terms as leaves. Let M be the sum of the terms' sizes, and a the number of additions: k - 1, and one more for
each number besides the first that stands in the place of one term, as torch's two biases do. Such numbers have one sign
and add up to the term exactly, so that they change neither M nor s. Every term passes through r = a roundings at most,
r = a + 1 if it is a product, which gives a bound of ((1 - u)^-r - 1) M (Higham 2002, section 3.1), as if every partial
sum could be as large as M. But terms of different signs cancel on the way as well:

* The computed sum is *exactly* s plus all that single operations are off (`probable_sums.py`, (1)). A product is off by
  at most u abs(p_i), which together is at most u M. An addition is off by at most u times the exact sum x of its two
  computed operands.
* x is the sum of some of the terms, off by what its operands are off already. The sum of some of the terms lies between
  -N and P, the sums of the negative and of the positive ones. Since P + N = M and P - N = s, neither is larger than
  B = (M + abs(s)) / 2. The operands are off by at most growth(a + 1) M, as each term has passed through one product
  and a additions at most.
* The last addition gives s itself: there x is s, and what the operands are off.

With a - 1 additions before the last, the sum is off by at most

    u (M + (a - 1) B + abs(s) + a growth(a + 1) M)                                                               (1)

where the first M stands for the products and is left out of sums of numbers. It is about half of the old bound where
many terms cancel. Where they do not, the old one is smaller; both are true, and the smaller one is taken. Operands need
not be known exactly: M and abs(s) are replaced by bounds of them over all members of the operands' balls, in which (1)
grows.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TypeVar, cast

import numpy as np
from flint import arb

from rnn_harness.arithmetic.array_ball_values import growth
from rnn_harness.arithmetic.array_operations import operations_of
from rnn_harness.arithmetic.assumptions import UPWARD
from rnn_harness.array_types import Array

NumberT = TypeVar("NumberT", float, arb)
"""A number of either arithmetic of balls."""


def most_roundings(terms: int, products: bool, further: int = 0) -> int:
    """Return through how many roundings a term passes at most, r above.

    Args:
        terms: The number of terms k.
        products: Whether a term is the product of two numbers.
        further: How many additions there may be besides k - 1.
    """
    return terms - 1 + further + products


def sum_shares(
    unit: NumberT, growth_of: Callable[[int], NumberT], terms: int, products: bool, further: int = 0
) -> tuple[NumberT, NumberT]:
    """Return the factors of M and of abs(s) in (1).

    Args:
        unit: The unit roundoff u.
        growth_of: Gives (1 - u)^-r - 1, or a bound of it, of an r.
        terms: The number of terms k, at least two.
        products: Whether a term is the product of two numbers.
        further: How many additions there may be besides k - 1.
    """
    additions = terms - 1 + further
    between = (additions - 1) / 2
    return unit * (products + between + additions * growth_of(additions + 1)), unit * (between + 1)


def sum_rounding(unit: float, terms: int, products: bool, mass: Array, size: Array, further: int = 0) -> Array:
    """Bound what rounding makes of each of some sums, by the smaller one of both bounds, up to a factor of `UPWARD`.

    Args:
        unit: The unit roundoff u.
        terms: The number of terms k.
        products: Whether a term is the product of two numbers.
        mass: At least the sums of the terms' sizes, M.
        size: At least the sizes of the sums.
        further: How many additions there may be besides k - 1.
    """
    old = growth(unit, most_roundings(terms, products, further))
    in_any_case: Array = mass * old
    if terms < 2:
        return in_any_case
    of_mass, of_size = _upward_shares(unit, terms, products, further)
    if of_mass >= old:
        return in_any_case
    return operations_of(mass).minimum(in_any_case, mass * of_mass + size * of_size)


@functools.lru_cache(maxsize=4096)
def _upward_shares(unit: float, terms: int, products: bool, further: int) -> tuple[float, float]:
    """Return the factors, rounded upward."""
    of_mass, of_size = sum_shares(unit, lambda k: growth(unit, k), terms, products, further)
    return of_mass * UPWARD, of_size * UPWARD


def round_sums(value: Array, mass: Array, shares: tuple[arb, arb], in_any_case: arb, underflow: arb) -> Array:
    """Widen balls of sums by what rounding may make of them, by the smaller one of both bounds.

    Args:
        value: The sums, an object array of arb.
        mass: The sums of the terms' largest sizes, M.
        shares: The factors of M and of abs(s) in (1).
        in_any_case: The factor of M in the old bound.
        underflow: What all operations of a sum may be off together where they underflow.
    """
    of_mass, of_size = shares

    def rounded(x: arb, m: arb) -> arb:
        return x + arb(0, (m * in_any_case).min(m * of_mass + x.abs_upper() * of_size) + underflow)

    return cast("Array", np.frompyfunc(rounded, 2, 1)(value, mass))
