"""The radius of every operation, to the last factor: worked out here in rationals, from what the module claims.

A bound that is wider than it says hides faults, one that is narrower refutes what is right: both are seen.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import numpy as np
import pytest
from flint import arb

from rnn_harness.arithmetic.assumptions import FUNCTION_ROUNDINGS
from rnn_harness.arithmetic.ball import BallArithmetic
from rnn_harness.arithmetic.open_sum import OpenSum
from rnn_harness.arithmetic.rounding import Rounding
from rnn_harness.array_types import Array
from rnn_harness.specs.expression import Function

U, TINY, WIDE = Fraction(1, 2**8), Fraction(1, 2**20), Fraction(1, 2**12)
PLAIN = Rounding(U, TINY)
FINE = Rounding(U, TINY, wide=WIDE)
A, B, C, D = Fraction(3, 4), Fraction(-5, 8), Fraction(7, 16), Fraction(-9, 32)


def _growth(roundings: int, wide: int = 0) -> Fraction:
    """What so many roundings may add, relatively: (1 - u)^-k - 1."""
    return (1 - U) ** -roundings * (1 - WIDE) ** -wide - 1


def _sum(terms: int, products: bool, mass: Fraction, size: Fraction, further: int = 0) -> Fraction:
    """What rounding may add to a sum: of its additions the last gives it, and no other more than (M + s) / 2.

    `signed_sums.py` says so; the smaller one of it and of the old bound is taken.
    """
    additions = terms - 1 + further
    partial = (mass + abs(size)) / 2
    passed_on = additions * _growth(additions + 1) * mass
    signed = U * (products * mass + (additions - 1) * partial + abs(size) + passed_on)
    return min(signed, _growth(additions + products) * mass)


def _row(*values: Fraction, radius: Fraction = Fraction(0)) -> Array:
    spread = arb(0, float(radius)) if radius else arb(0)
    return np.array([[arb(float(value)) + spread for value in values]], dtype=object)


def _decide(value: Array, middles: list[Fraction], radii: list[Fraction]) -> None:
    """Compare midpoints and radii; Arb keeps 30 bits of a radius and rounds up."""
    assert value.size == len(middles)
    for ball, middle, radius in zip(value.flat, middles, radii, strict=True):
        assert float(ball.mid()) == pytest.approx(float(middle), rel=2.0**-50)
        assert float(arb(ball.rad())) == pytest.approx(float(radius), rel=2.0**-26, abs=0)


def _arithmetic(rounding: Rounding | None = PLAIN) -> BallArithmetic:
    return BallArithmetic(rounding)


@pytest.fixture(autouse=True)
def _at_working_precision() -> object:
    with BallArithmetic().scope():
        yield


def test_a_stored_value_is_not_rounded_again() -> None:
    arithmetic = _arithmetic()
    (ball,) = arithmetic.settle(_row(A)).flat
    assert ball.is_exact()
    opened = arithmetic.add(_row(A), _row(B))
    assert isinstance(opened, OpenSum)
    assert (opened.terms, opened.parts, opened.products) == (2, 2, False)


@pytest.mark.parametrize(("sign", "name"), [(1, "add"), (-1, "subtract")])
def test_a_sum_of_two_has_one_rounding(sign: int, name: str) -> None:
    arithmetic = _arithmetic()
    operation: Callable[[Array, Array], OpenSum] = arithmetic.add if sign > 0 else arithmetic.subtract
    right = A + sign * B
    _decide(arithmetic.settle(operation(_row(A), _row(B))), [right], [_growth(1) * abs(right) + TINY])


@pytest.mark.parametrize("rounding", [PLAIN, FINE], ids=["one format", "sums in a wider format"])
def test_a_sum_of_three_rounds_every_term_twice_or_less_where_terms_cancel(rounding: Rounding) -> None:
    arithmetic = _arithmetic(rounding)
    total = arithmetic.settle(arithmetic.subtract(arithmetic.add(_row(A), _row(B)), _row(C)))
    mass = abs(A) + abs(B) + abs(C)
    bound = _growth(3, 3) * mass if rounding is FINE else _sum(3, False, mass, A + B - C)
    assert bound < _growth(2) * mass or rounding is FINE
    _decide(total, [A + B - C], [bound + 6 * TINY])


def test_a_product_has_one_rounding_and_a_sum_of_products_one_a_term() -> None:
    arithmetic = _arithmetic()
    product = arithmetic.multiply(_row(A), _row(B))
    assert (product.terms, product.parts, product.products) == (1, 1, True)
    _decide(arithmetic.settle(product), [A * B], [_growth(1) * abs(A * B) + TINY])
    total = arithmetic.settle(arithmetic.add(product, arithmetic.multiply(_row(C), _row(D))))
    bound = _sum(2, True, abs(A * B) + abs(C * D), A * B + C * D)
    _decide(total, [A * B + C * D], [bound + 4 * TINY])


def test_a_quotient_has_one_rounding() -> None:
    arithmetic = _arithmetic()
    _decide(arithmetic.divide(_row(A), _row(B)), [A / B], [_growth(1) * abs(A / B) + TINY])


@pytest.mark.parametrize("bias", [False, True], ids=["product", "with a bias"])
@pytest.mark.parametrize("rounding", [PLAIN, FINE], ids=["one format", "sums in a wider format"])
def test_a_matrix_product_is_one_sum(rounding: Rounding, bias: bool) -> None:
    arithmetic = _arithmetic(rounding)
    matrix = np.array([[arb(float(A)), arb(float(B))], [arb(float(C)), arb(float(D))]], dtype=object)
    product: OpenSum = arithmetic.matrix_vector(matrix, _row(B, C))
    if bias:
        product = arithmetic.add(product, _row(D, A)[0])  # a parameter, which has no rows
    added = (D, A) if bias else (Fraction(0), Fraction(0))
    rows = [(A, B), (C, D)]
    middles = [w * B + v * C + b for (w, v), b in zip(rows, added, strict=True)]
    masses = [abs(w * B) + abs(v * C) + abs(b) for (w, v), b in zip(rows, added, strict=True)]
    terms, further = (3, 1) if bias else (2, 0)  # a layer may have two biases in the place of one
    parts = 3 if bias else 1  # a product of matrices is stored once
    bounds = [_growth(parts, terms + further) * mass for mass in masses]
    if rounding is not FINE:
        bounds = [_sum(terms, True, mass, middle, further) for mass, middle in zip(masses, middles, strict=True)]
    _decide(arithmetic.settle(product), middles, [bound + 2 * (terms + further) * TINY for bound in bounds])


@pytest.mark.parametrize(("parts", "roundings"), [(1, 1), (2, 2), (3, 3)])
def test_a_bias_that_may_be_held_in_parts_is_added_as_often(parts: int, roundings: int) -> None:
    for rounding in (Rounding(U, TINY, bias_parts=parts), Rounding(U, TINY, wide=WIDE, bias_parts=parts)):
        arithmetic = _arithmetic(rounding)
        total = arithmetic.settle(arithmetic.add(_row(A), _row(C)[0]))
        if rounding.wide is None or parts == 1:
            bound = min(_growth(roundings), U * (roundings + roundings * _growth(roundings + 1))) * (A + C)
            bound = _growth(1) * (A + C) if parts == 1 else bound
        else:
            bound = _growth(2 + parts - 1, 2 + parts - 1) * (A + C)
        flushed = 1 if parts == 1 else 2 * (2 + parts - 1)
        _decide(total, [A + C], [bound + flushed * TINY])


def test_a_row_of_a_batch_is_held_as_one_number() -> None:
    arithmetic = _arithmetic(Rounding(U, TINY, bias_parts=3))
    _decide(arithmetic.settle(arithmetic.add(_row(A), _row(C))), [A + C], [_growth(1) * (A + C) + TINY])


def test_the_error_of_an_operand_passes_through_a_matrix() -> None:
    arithmetic = _arithmetic(Rounding(U, Fraction(0)))
    radius = Fraction(1, 64)
    matrix = np.array([[arb(float(A)), arb(float(B))]], dtype=object)
    value = arithmetic.settle(arithmetic.matrix_vector(matrix, _row(B, C, radius=radius)))
    through = (abs(A) + abs(B)) * radius
    mass = abs(A) * (abs(B) + radius) + abs(B) * (abs(C) + radius)
    size = abs(A * B + B * C) + through
    _decide(value, [A * B + B * C], [through + _sum(2, True, mass, size)])


def test_shortened_operands_widen_every_term_twice() -> None:
    arithmetic = _arithmetic(Rounding(Fraction(1, 2**24), Fraction(0), operands=U))
    matrix = np.array([[arb(float(A)), arb(float(B))]], dtype=object)
    value = arithmetic.settle(arithmetic.matrix_vector(matrix, _row(B, C)))
    mass = abs(A * B) + abs(B * C)
    fine = (1 - Fraction(1, 2**24)) ** -2 - 1
    _decide(value, [A * B + B * C], [((1 - U) ** -2 - 1) * mass + fine * mass])


def test_a_transposed_product_is_the_product_with_the_transpose() -> None:
    arithmetic = _arithmetic()
    matrix = np.array([[arb(float(A)), arb(float(B)), arb(1)], [arb(float(C)), arb(float(D)), arb(2)]], dtype=object)
    value = arithmetic.settle(arithmetic.vector_matrix(_row(B, C), matrix))
    columns = [(A, C), (B, D), (Fraction(1), Fraction(2))]
    middles = [B * first + C * second for first, second in columns]
    masses = [abs(B * first) + abs(C * second) for first, second in columns]
    bounds = [_sum(2, True, mass, middle) for mass, middle in zip(masses, middles, strict=True)]
    _decide(value, middles, [bound + 4 * TINY for bound in bounds])


@pytest.mark.parametrize("rounding", [PLAIN, FINE], ids=["one format", "functions in a wider format"])
def test_a_function_has_its_own_roundings(rounding: Rounding) -> None:
    arithmetic = _arithmetic(rounding)
    value = arithmetic.apply(Function.TANH, _row(A))
    size = abs(Fraction(float(value.flat[0].mid())))
    assert float(size) == pytest.approx(np.tanh(float(A)), rel=2.0**-48)
    growth = _growth(1, FUNCTION_ROUNDINGS) if rounding is FINE else _growth(FUNCTION_ROUNDINGS)
    _decide(value, [size], [growth * size + TINY])


@pytest.mark.parametrize(
    ("rounding", "relative", "absolute"),
    [
        (Rounding(U, Fraction(0), functions=Fraction(1, 32)), Fraction(1, 32), Fraction(0)),
        (Rounding(U, Fraction(0), absolute=Fraction(1, 16)), Fraction(0), Fraction(1, 16)),
    ],
    ids=["relatively", "in itself"],
)
def test_an_approximate_function_is_wider_by_what_it_may_be_off(
    rounding: Rounding, relative: Fraction, absolute: Fraction
) -> None:
    value = _arithmetic(rounding).apply(Function.SIGMOID, _row(A))
    size = Fraction(float(value.flat[0].mid()))
    off = size * relative + absolute
    _decide(value, [size], [off + _growth(FUNCTION_ROUNDINGS) * (size + off)])


def test_relu_step_and_identity_round_nothing() -> None:
    arithmetic = _arithmetic()
    for function, expected in ((Function.RELU, A), (Function.STEP, Fraction(1)), (Function.IDENTITY, A)):
        _decide(arithmetic.apply(function, _row(A)), [expected], [Fraction(0)])


def test_softmax_counts_shifts_functions_sum_and_quotient() -> None:
    arithmetic = _arithmetic()
    value = arithmetic.apply(Function.SOFTMAX, _row(A, B))
    spread = abs(A - B)
    roundings = int(2 * spread) + 2 * FUNCTION_ROUNDINGS + 2 + 3
    sizes = [Fraction(float(ball.mid())) for ball in value.flat]
    assert float(sum(sizes)) == pytest.approx(1)
    _decide(value, sizes, [_growth(roundings) * size + (2 + 2) * TINY for size in sizes])


def test_whole_numbers_are_exact_as_far_as_the_format_holds_them() -> None:
    arithmetic = _arithmetic()
    for value in (Fraction(1), Fraction(3, 4), Fraction(2**8)):
        _decide(arithmetic.number(value), [value], [Fraction(0)])
    for value in (Fraction(2**8 + 1), Fraction(1, 3)):
        _decide(arithmetic.number(value), [value], [_growth(1) * value + TINY])


def test_outer_and_dot_products_and_sums_over_rows_are_sums() -> None:
    arithmetic = _arithmetic()
    x = np.concatenate([_row(A, B), _row(C, D)])
    y = np.concatenate([_row(B), _row(C)])
    outer = arithmetic.settle(arithmetic.outer(x, y))
    middles = [A * B + C * C, B * B + D * C]
    masses = [abs(A * B) + abs(C * C), abs(B * B) + abs(D * C)]
    bounds = [_sum(2, True, mass, middle) for mass, middle in zip(masses, middles, strict=True)]
    _decide(outer, middles, [bound + 4 * TINY for bound in bounds])
    dot = arithmetic.settle(arithmetic.dot(_row(A, B), _row(C, A)))
    _decide(dot, [A * C + B * A], [_sum(2, True, abs(A * C) + abs(B * A), A * C + B * A) + 4 * TINY])
    fine = _arithmetic(FINE)
    summed = fine.settle(fine.batch_sum(np.concatenate([x, x])))
    middles, masses = [2 * (A + C), 2 * (B + D)], [2 * (abs(A) + abs(C)), 2 * (abs(B) + abs(D))]
    _decide(summed, middles, [_growth(2, 4) * mass + 8 * TINY for mass in masses])


def test_wide_operands_of_an_outer_product_pass_on_their_error() -> None:
    arithmetic = _arithmetic(Rounding(U, Fraction(0)))
    r = Fraction(1, 64)
    value = arithmetic.settle(arithmetic.outer(_row(A, radius=r), _row(B, radius=r)))
    spread = (abs(A) + r) * r + r * abs(B)
    mass = (abs(A) + r) * (abs(B) + r)
    _decide(value, [A * B], [spread + _growth(1) * mass])


def test_without_rounding_everything_is_exact() -> None:
    arithmetic = _arithmetic(None)
    total = arithmetic.settle(arithmetic.add(arithmetic.multiply(_row(A), _row(B)), _row(C)))
    _decide(total, [A * B + C], [Fraction(0)])
    matrix = np.array([[arb(float(A)), arb(float(B))]], dtype=object)
    _decide(arithmetic.settle(arithmetic.matrix_vector(matrix, _row(B, C))), [A * B + B * C], [Fraction(0)])


def test_components_and_parts_keep_their_balls() -> None:
    arithmetic = _arithmetic()
    row = _row(A, B, C)
    index = np.array([1])
    _decide(arithmetic.component(row, index), [B], [Fraction(0)])
    _decide(arithmetic.place(_row(D), index, 3), [Fraction(0), D, Fraction(0)], [Fraction(0)] * 3)
    _decide(arithmetic.concatenate(_row(A), _row(B)), [A, B], [Fraction(0)] * 2)
    part = arithmetic.slice(arithmetic.add(row, row), 1, 3)
    growth = _growth(1)
    _decide(arithmetic.settle(part), [2 * B, 2 * C], [growth * 2 * abs(B) + TINY, growth * 2 * abs(C) + TINY])
