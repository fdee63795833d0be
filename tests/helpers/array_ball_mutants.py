"""Bounds of arrays that are wrong by one edit: they decide at the sizes in use, and must be noticed."""

from __future__ import annotations

from tests.helpers.oracle_mutant import OracleMutant

_ARRAYS, _VALUES = "arithmetic/array_ball.py", "arithmetic/array_ball_values.py"
_FUNCTIONS, _COMPARE, _CHECK = "arithmetic/array_ball_functions.py", "arithmetic/compare_arrays.py", "checks/check.py"
_BOUNDS, _SMALL = "unit/arithmetic/test_array_bounds.py", "unit/arithmetic/test_array_ball_values.py"
_FINDINGS = "unit/checks/test_array_findings.py"
_SUMS, _PROBABLE = "arithmetic/probable_sums.py", "arithmetic/probable_ball.py"
_OF_SUMS, _OF_PROBABLE = "unit/arithmetic/test_probable_sums.py", "unit/arithmetic/test_probable_ball.py"
_SIGNED, _OF_SIGNED = "arithmetic/signed_sums.py", "unit/arithmetic/test_signed_sums.py"
_APART, _OF_APART = "evaluation/steps_apart.py", "unit/evaluation/test_steps_apart.py"
_OWN, _OPERATIONS = "evaluation/own_states.py", "arithmetic/array_operations.py"
_PLACES, _OF_PLACES = "kernels/checks/bound_operations.py", "power/test_bounds_on_the_device.py"
_OF_TORCH = "unit/arithmetic/test_torch_balls.py"
_LOST, _NOT_REFUTED = "checks/lost_precision.py", "power/test_lost_precision.py"
_OF_OPERATIONS = "operations or functions_hold or cancel or underflows or matrix_of_balls or overflows"
_OF_PROGRAMS = "forward_and_backward and (lstm.column or gru.keep.column)"


def _rows(module: str, killer: str, only: str, *edits: tuple[str, str]) -> tuple[OracleMutant, ...]:
    return tuple(OracleMutant(module, old, new, killer, only) for old, new in edits)


ARRAY_BALL_MUTANTS: tuple[OracleMutant, ...] = (
    *_rows(
        _ARRAYS,
        _BOUNDS,
        _OF_OPERATIONS,
        ("(a.radius + b.radius + MIDPOINT_UNIT * abs(middle)) * UPWARD", "(a.radius + b.radius) * UPWARD"),
        (
            "(a.radius + b.radius + MIDPOINT_UNIT * abs(middle)) * UPWARD",
            "(a.radius + MIDPOINT_UNIT * abs(middle)) * UPWARD",
        ),
        ("widened: Array = rounding + radius", "widened: Array = 0 * rounding + radius"),
        ("widened: Array = rounding + radius", "widened: Array = rounding + 0 * radius"),
        ("widened += self._underflow * flushed + RADIUS_UNDERFLOW", "widened += RADIUS_UNDERFLOW"),
        (
            "        radius = MIDPOINT_UNIT * abs(middle) + RADIUS_UNDERFLOW\n",
            "        radius = 0 * abs(middle) + RADIUS_UNDERFLOW\n",
        ),
        ("radius = radius + abs(a.middle) * b.radius", "radius = radius + 0 * b.radius"),
        ("radius = radius + a.radius * b.size", "radius = radius + a.radius * abs(b.middle)"),
        ("smallest = (abs(b.middle) - b.radius) / UPWARD", "smallest = abs(b.middle)"),
        (
            "self._operations.where(smallest > 0, smallest, math.nan)",
            "self._operations.where(smallest > 0, smallest, 1.0)",
        ),
        ("numerator = a.radius + (abs(middle)", "numerator = 0 * a.radius + (abs(middle)"),
        ("(abs(middle) * UPWARD + underflow) * b.radius", "underflow * b.radius"),
        (
            "radius = (spread + MIDPOINT_UNIT * abs(middle) + RADIUS_UNDERFLOW) * UPWARD",
            "radius = (spread + RADIUS_UNDERFLOW) * UPWARD",
        ),
        (
            "self._operations.concatenate([x.size, x.radius]) @ sizes.T",
            "self._operations.concatenate([x.size, 0 * x.radius]) @ sizes.T",
        ),
        ("inexact = x.size @ matrix.radius.T", "inexact = 0 * x.size @ matrix.radius.T"),
        ("        if self._operand_growth:\n", "        if False:\n"),
        ("value.products, value.mass, size, further)", "value.products, abs(middle), size, further)"),
        ("value.products, value.mass, size, further)", "value.products, value.mass, 0 * radius, further)"),
        ("(spread + own * abs(middle) + RADIUS_UNDERFLOW) * UPWARD", "(spread + RADIUS_UNDERFLOW) * UPWARD"),
        ("(spread + own * abs(middle) + RADIUS_UNDERFLOW) * UPWARD", "(own * abs(middle) + RADIUS_UNDERFLOW) * UPWARD"),
        ("self._functions * (abs(middle) + radius)", "self._functions * 0"),
        ("radius = (radius + self._absolute) * UPWARD", "radius = radius * UPWARD"),
        ("return self._rounded(middle, radius, mass, roundings)\n", "return self._rounded(middle, radius, mass, 1)\n"),
        ("int(2 * distance) + 2 * FUNCTION_ROUNDINGS", "0 * 2 + FUNCTION_ROUNDINGS"),
        ("mass, 2 * count + 4, 2 * count)", "mass, 1, 2 * count)"),
        (
            "share = (unit + MIDPOINT_UNIT) * 2 * (x.shape[-1] + 8)",
            "share = (unit + MIDPOINT_UNIT) * 0 * (x.shape[-1] + 8)",
        ),
        (
            "self._operations.concatenate([a.size, a.radius], axis=1)",
            "self._operations.concatenate([a.size, 0 * a.radius], axis=1)",
        ),
        ("inexact = abs(a.middle).T @ b.radius", "inexact = 0 * abs(a.middle).T @ b.radius"),
        ("spread = radius.sum(axis=-1, keepdims=True) + own", "spread = own"),
        (
            "radius = self._operations.concatenate([ball.radius for ball in balls], axis=-1)",
            "radius = 0 * self._operations.concatenate([ball.radius for ball in balls], axis=-1)",
        ),
    ),
    *_rows(
        _ARRAYS,
        _BOUNDS,
        _OF_PROGRAMS,
        ("OpenArrayBall(middle, radius, a.mass + b.mass,", "OpenArrayBall(middle, radius, a.mass,"),
        ("a.terms + b.terms, a.products or b.products", "max(a.terms, b.terms), a.products or b.products"),
        ("a.parts + b.parts, a.addends + b.addends)", "a.parts + b.parts, 0)"),
        ("(value.terms == 2 and not value.products and not further)", "value.terms == 2"),
        ("        radius += spread\n", "        pass\n"),
        ("(a.radius.sum(axis=0) + own[0])", "own[0]"),
        ("a.terms * rows, a.addends", "a.terms, a.addends"),
    ),
    *_rows(
        _ARRAYS,
        _SMALL,
        "",
        ("return self._rounded(middle, middle * 0.0, abs(middle), 1)\n", "return ArrayBall(middle, middle * 0.0)\n"),
        ("if dyadic and abs(value.numerator) <= self._largest_whole and", "if dyadic and"),
        (
            "if dyadic and abs(value.numerator) <= self._largest_whole and",
            "if abs(value.numerator) <= self._largest_whole or",
        ),
    ),
    *_rows(
        _VALUES,
        _SMALL,
        "",
        (
            "ops.maximum(radius, (abs(ball.middle - first.middle) * UPWARD + ball.radius) * UPWARD)",
            "ops.maximum(radius, ball.radius)",
        ),
        ("ops.isfinite(self.middle).all() and", "ops.isfinite(self.middle).all() or"),
        ("else abs(self.middle) + self.radius", "else abs(self.middle)"),
        (
            "(self.radius + other.radius + MIDPOINT_UNIT * abs(middle)) * UPWARD",
            "(self.radius + other.radius) * UPWARD",
        ),
        (
            "(self.radius + other.radius + MIDPOINT_UNIT * abs(middle)) * UPWARD",
            "(self.radius + MIDPOINT_UNIT * abs(middle)) * UPWARD",
        ),
        ("exponent = -roundings * math.log1p(-unit)", "exponent = roundings * unit"),
        ("- wide_roundings * math.log1p(-wide)", "+ wide_roundings * math.log1p(-wide)"),
    ),
    *_rows(
        _FUNCTIONS,
        _BOUNDS,
        "functions_hold",
        (
            "power = ops.maximum(ops.exp(-_smallest_size(middle, radius)), SMALLEST_NORMAL)",
            "power = ops.maximum(ops.exp(-abs(middle)), SMALLEST_NORMAL)",
        ),
        (
            "power = ops.maximum(ops.exp(-2 * _smallest_size(middle, radius)), SMALLEST_NORMAL)",
            "power = ops.maximum(ops.exp(-2 * abs(middle)), SMALLEST_NORMAL)",
        ),
        (
            "return ops.log(middle), radius / ops.where(lower > 0, lower, math.nan) * UPWARD",
            "return ops.log(middle), radius / middle * UPWARD",
        ),
        ("ops.where(middle + radius < 0, 0.0, radius)", "ops.where(middle < 0, 0.0, radius)"),
        ("ops.where(above | below, 0.0, 0.5 * UPWARD)", "ops.where(above | below, 0.0, 0.25)"),
        ("bounds * (share * radius + remaining) * UPWARD", "bounds * share * radius * UPWARD"),
        ("ops.exp((middle + radius) * ops.where(middle > 0, UPWARD, 1.0))", "ops.exp(middle)"),
        (
            "slope = ops.minimum(_sigmoid(middle + radius) * UPWARD",
            "slope = ops.minimum(_sigmoid(middle - radius) * UPWARD",
        ),
        ("(deviation - moved) / UPWARD", "(deviation + moved) / UPWARD"),
    ),
    *_rows(
        _COMPARE,
        _FINDINGS,
        "",
        ("ops.where(ops.isfinite(distance), shares, math.inf)", "ops.where(ops.isfinite(distance), shares, 0.0)"),
        ("distance / (ball.radius * UPWARD)", "distance / (ball.radius + UPWARD)"),
        ("int(shares.argmax())", "int(shares.argmin())"),
        ("    if not ball.is_finite:\n        raise ValueError", "    if False:\n        raise ValueError"),
        ("float(-np.log2(error / scale))", "float(-np.log2(error))"),
    ),
    *_rows(
        _CHECK,
        _FINDINGS,
        "",
        ("if shape != ball.shape:", "if False:"),
        ("    if not ball.is_finite:\n        raise NotRun", "    if False:\n        raise NotRun"),
        ("agrees = found.error_over_bound <= 1\n", "agrees = found.error_over_bound <= 2\n"),
        ("if found.error_over_bound > 1:\n", "if found.error_over_bound < 1:\n"),
    ),
    *_rows(
        _APART,
        _OF_APART,
        "batch",
        ("(waiting if v.time == 0 else unseen)", "unseen"),
        (
            "batch |= {(key, -1): value for key, value in self.seen.items()}",
            "batch |= {(key, -1): self._at(0, value) for key, value in self.seen.items()}",
        ),
        ("value[t * rows : (t + 1) * rows]", "value[:rows]"),
    ),
    *_rows(
        _OWN,
        _OF_APART,
        "batch",
        ("arithmetic.before_storing(outputs[:-1]", "arithmetic.array(outputs[:-1]"),
        ("and expression.time == 0 else name", "and False else name"),
    ),
    *_rows(
        _PLACES,
        _OF_PLACES,
        "cuda or shape",
        (" or emulates_float64():", ":"),
    ),
    *_rows(
        _OPERATIONS,
        _OF_TORCH,
        "overflows or narrow or compare",
        ("self._torch.maximum(self._tensor(x), self._tensor(y))", "self._torch.fmax(self._tensor(x), self._tensor(y))"),
        (
            'copy = np.array(value, dtype=np.float64, order="C")',
            'copy = np.asarray(value, dtype=np.float64, order="C")',
        ),
    ),
    *_rows(
        _SIGNED,
        _OF_SIGNED,
        "",
        ("(products + between + additions", "(between + additions"),
        ("between + additions * growth_of(additions + 1))", "between)"),
        ("unit * (between + 1)", "unit * between"),
        ("additions = terms - 1 + further", "additions = terms - 1"),
        ("return terms - 1 + further + products", "return terms - 1 + products"),
        ("return terms - 1 + further + products", "return terms - 1 + further"),
        ("between = (additions - 1) / 2", "between = (additions - 1) / 4"),
        ("(m * in_any_case).min(", "(m * in_any_case).max("),
        ("x.abs_upper() * of_size", "0 * of_size"),
        ("mass * of_mass + size * of_size", "mass * of_mass"),
    ),
    *_rows(
        _SUMS,
        _OF_SUMS,
        "not many",
        ("(mass + operations_of(mass).minimum(size, mass)) / 2", "operations_of(mass).minimum(size, mass) / 2"),
        ("(mass + operations_of(mass).minimum(size, mass)) / 2", "(mass + size) / 2"),
        ("math.sqrt(leaves + 1) * unit", "unit"),
        ("leaves = terms + further", "leaves = terms"),
        ("partial_sums * (PROBABLE_DEVIATIONS * math", "partial_sums * (0.001 * math"),
        ("mass * growth(unit, leaves) + underflow", "mass * growth(unit, leaves)"),
        ("mass * growth(unit, leaves) + underflow", "underflow"),
        ("math.sqrt(terms + 2) < terms", "math.sqrt(terms + 2) < 2 * terms"),
        ("return sums * 2 *", "return 2 *"),
        ("(53 - math.ceil(math.log2(terms))) // 2", "27"),
        (
            "high_matrix @ (factor - high_factor) + (matrix - high_matrix) @ factor",
            "high_matrix @ (factor - high_factor)",
        ),
        ("MIDPOINT_UNIT * abs(product) + growth", "growth"),
    ),
    *_rows(
        _PROBABLE,
        _OF_PROBABLE,
        "",
        ("radius = (value.radius + rounding + underflow) * UPWARD", "radius = value.radius * UPWARD"),
        ("self._operations.minimum(radius, proved.radius)", "radius"),
        ("self.sums += math.prod(proved.shape)", "self.sums += 1"),
        ("or self._wide is not None or", "or"),
        ("self._splits = 0 < self._unit <= MIDPOINT_UNIT", "self._splits = False"),
        ("if self._operations.isfinite(split_rounding).all() else (product, rounding)", ""),
    ),
    *_rows(
        _LOST,
        _NOT_REFUTED,
        "",
        ("if share > 1 else", "if share > 1000 else"),
        ("if share > 1 else", "if share > 0 else"),
        ("    if not bounds.differ:\n", "    if False:\n"),
        ('update={"failure_probability": probability}', 'update={"failure_probability": 0.0}'),
    ),
)
"""Edits of the bounds in arrays, each with the tests that notice it."""
