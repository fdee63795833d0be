"""Functions of wide balls: tight, and with the true value still in the middle.

Arb's own functions of a wide ball return a ball whose midpoint is no longer the function of the midpoint (the
quotient 1 / (3 +- 0.06) is off by 1e-4), and a formula that uses its argument twice widens twice. All functions here
are by the mean value theorem: f(middle) +- sup abs(f') times the radius, the supremum taken over the whole ball.
"""

from __future__ import annotations

import functools
from collections.abc import Callable

from flint import arb

from rnn_harness.arithmetic.assumptions import SOFTPLUS_END
from rnn_harness.specs.expression import Function

FAR = 2**20
"""Beyond it a sigmoid, and a tanh, is within exp(-2^20) of its limit, and Arb's exponentials lose what they hold."""


def _distance_to_limit(x: arb) -> arb | None:
    """Enclose how far sigmoid and tanh are from their limit where all of `x` is beyond `FAR`; None elsewhere."""
    if not x.abs_lower() > FAR:
        return None
    half = arb(-FAR).exp().abs_upper()
    return arb(half, half)


def _mean_value(x: arb, value: Callable[[arb], arb], slope: Callable[[arb], arb]) -> arb:
    """Enclose a function by its value at the midpoint and a bound on its slope over the ball."""
    middle = value(x.mid())
    if x.is_exact():
        return middle
    return middle + arb(0, (slope(x) * arb(x.rad())).abs_upper())


def _sigmoid(x: arb) -> arb:
    return 1 / (1 + (-x).exp())


def sigmoid(x: arb) -> arb:
    """Enclose the sigmoid. Its slope s(1 - s) falls with abs(x): the supremum is at the point next to zero.

    Args:
        x: The argument.

    Returns:
        A ball that holds the function's value for every number in `x`, as all functions here do.
    """
    distance = _distance_to_limit(x)
    if distance is not None:
        return distance if x < 0 else 1 - distance

    def slope(ball: arb) -> arb:
        s = _sigmoid(-ball.abs_lower())
        return s * (1 - s)

    return _mean_value(x, _sigmoid, slope)


def tanh(x: arb) -> arb:
    """Enclose tanh. Its slope (1 - t)(1 + t) falls with abs(x): the supremum is at the point next to zero.

    Args:
        x: The argument.
    """
    distance = _distance_to_limit(x)
    if distance is not None:
        return distance - 1 if x < 0 else 1 - distance

    def slope(ball: arb) -> arb:
        t = ball.abs_lower().tanh()
        return (1 - t) * (1 + t)

    return _mean_value(x, lambda m: m.tanh(), slope)


def log(x: arb) -> arb:
    """Enclose the logarithm. Its slope 1 / x is largest at the lower end.

    A ball that reaches zero gives one that is not finite.

    Args:
        x: The argument.
    """
    return _mean_value(x, lambda m: m.log(), lambda ball: 1 / ball.lower() if ball > 0 else arb("inf"))


def exp(x: arb) -> arb:
    """Enclose the exponential. Its slope, itself, is largest at the upper end.

    Args:
        x: The argument.
    """
    return _mean_value(x, lambda m: m.exp(), lambda ball: ball.upper().exp())


def softplus(x: arb) -> arb:
    """Enclose the softplus, log(1 + exp x). Its slope, the sigmoid, is largest at the upper end.

    Args:
        x: The argument.
    """

    def value(middle: arb) -> arb:
        size = abs(middle)
        positive = middle if middle > 0 else arb(0)
        return positive + (-size).exp().log1p()

    return _mean_value(x, value, lambda ball: _sigmoid(ball.upper()))


def softplus_replacement(x: arb) -> arb:
    """Bound what torch's softplus is off beyond `SOFTPLUS_END`, where it is its argument x and has the slope 1.

    log(1 + e^x) - x = log(1 + e^-x) and 1 - sigmoid(x) = 1 / (1 + e^x) are both at most e^-x.

    Args:
        x: The argument.

    Returns:
        The bound, not a ball around a value; zero where no number in `x` lies beyond.
    """
    if x <= SOFTPLUS_END:
        return arb(0)
    return (-x.lower().max(arb(SOFTPLUS_END))).exp().abs_upper()


def sqrt(x: arb) -> arb:
    """Enclose the square root. Its slope, the half of its inverse, is largest at the lower end.

    A ball that reaches zero gives one that is not finite.

    Args:
        x: The argument.
    """
    return _mean_value(x, lambda m: m.sqrt(), lambda ball: 1 / (2 * ball.lower().sqrt()) if ball > 0 else arb("inf"))


def relu(x: arb) -> arb:
    """Enclose ReLU. Its slope is 0 or 1; where the ball contains zero, 1 bounds it.

    Args:
        x: The argument.
    """
    if x > 0:
        return x
    return arb(0) if x < 0 else _mean_value(x, lambda m: m if m > 0 else arb(0), lambda _: arb(1))


def step(x: arb) -> arb:
    """Enclose the step function: 1 above zero, else 0; where the ball contains zero, 1/2 +- 1/2.

    Args:
        x: The argument.
    """
    if x > 0:
        return arb(1)
    return arb(0) if x <= 0 else arb(0.5, 0.5)


def quotient(x: arb, y: arb) -> arb:
    """Enclose x / y. With q the quotient of the midpoints, x/y - q = ((x - mid x) - q (y - mid y)) / y.

    Args:
        x: The numerator.
        y: The denominator; where it contains zero, the result is not finite.
    """
    middle = x.mid() / y.mid()
    if x.is_exact() and y.is_exact():
        return middle
    spread = arb(x.rad()) + abs(middle) * arb(y.rad())
    return middle + arb(0, (spread / y.abs_lower()).abs_upper())


def inverse_deviation(row: list[arb], epsilon: arb) -> arb:
    """Enclose 1 / sqrt(variance + epsilon) of a row.

    The deviation sqrt(v + e) of numbers that move by r_j moves by at most sqrt(sum of r_j^2 / d): it is the length of
    the vector of the centred numbers over sqrt(d) and of sqrt(e), and centring makes no vector longer.

    Args:
        row: The numbers, at least one.
        epsilon: What is added to the variance, exact.
    """
    count = len(row)
    middles = [x.mid() for x in row]
    mean = sum(middles, arb(0)) / count
    deviation = (sum(((m - mean) ** 2 for m in middles), arb(0)) / count + epsilon).sqrt()
    moved = (sum((arb(x.rad()) ** 2 for x in row), arb(0)) / count).sqrt()
    least = (deviation - moved).lower().max(epsilon.sqrt().lower())
    value = 1 / deviation
    # 1 / a - 1 / b = (b - a) / (a b).
    return value + arb(0, (moved / (least * deviation)).abs_upper())


def softmax(row: list[arb]) -> list[arb]:
    """Enclose the softmax of a row, entry by entry.

    d s_i / d x_j is s_i (1 - s_i) for i = j, and -s_i s_j otherwise; every s_i is bounded over the whole box first.
    It lies within a factor exp(2 r) of its value at the midpoints, r the largest radius: numerator and denominator
    change by at most exp(r) each.

    Args:
        row: The arguments of one row, at least one.
    """
    middles = [x.mid() for x in row]
    largest = max(middles, key=float)
    powers = [(m - largest).exp() for m in middles]
    total = sum(powers, arb(0))
    values = [power / total for power in powers]
    radii = [arb(x.rad()) for x in row]
    grow = (2 * functools.reduce(lambda a, b: a.max(b), radii)).exp()
    bounds = [(value * grow).abs_upper().min(arb(1)) for value in values]
    moved = [b * r for b, r in zip(bounds, radii, strict=True)]
    result = []
    for i, (value, bound) in enumerate(zip(values, bounds, strict=True)):
        remaining = sum(moved[:i] + moved[i + 1 :], arb(0))
        spread = bound * ((1 - value / grow) * radii[i] + remaining)
        result.append(value + arb(0, spread.abs_upper()))
    return result


FUNCTIONS: dict[Function, Callable[[arb], arb]] = {
    Function.SIGMOID: sigmoid,
    Function.TANH: tanh,
    Function.LOG: log,
    Function.RELU: relu,
    Function.STEP: step,
    Function.EXP: exp,
    Function.SOFTPLUS: softplus,
    Function.SOFTPLUS_SLOPE: sigmoid,
    Function.SQRT: sqrt,
}
"""The functions that act entry by entry."""
REPLACED_BY_LIBRARIES = (Function.SOFTPLUS, Function.SOFTPLUS_SLOPE)
"""The functions in whose place a library computes another one for some arguments."""
