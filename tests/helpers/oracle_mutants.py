"""Oracles that are wrong by one edit: each must be noticed by the tests of the oracle side.

An edit is text that stands once in a module of the package. It is tried on a copy of the package, in a process of its
own, by the test file that is named with it.
"""

from __future__ import annotations

from tests.helpers.array_ball_mutants import ARRAY_BALL_MUTANTS
from tests.helpers.oracle_mutant import OracleMutant
from tests.helpers.statement_mutants import STATEMENT_MUTANTS

_COMPARE, _BALL, _FUNCTIONS = "arithmetic/compare.py", "arithmetic/ball.py", "arithmetic/ball_functions.py"
_VACUITY, _CHECK, _FORWARD = "evaluation/vacuity.py", "checks/check.py", "checks/forward.py"
_BACKWARD, _EQUATION, _SIDES = "checks/backward.py", "checks/equation.py", "checks/metamorphic/comparison.py"
_REVERSE, _WALK, _NUMPY = "derivatives/reverse_mode.py", "derivatives/run_backward.py", "arithmetic/numpy_arithmetic.py"
_STEP, _EXAMPLES, _ENTRIES = "arithmetic/complex_step.py", "checks/document_examples.py", "checks/jacobian_entries.py"
_RADII, _SHARES = "unit/arithmetic/test_ball_radii.py", "unit/arithmetic/test_compare.py"
_GUARDS, _FINDINGS = "unit/evaluation/test_vacuity.py", "unit/checks/test_findings.py"
_DERIVE, _DOCUMENTS = "unit/derivatives/test_derive.py", "unit/checks/test_document_checks.py"
_QUOTIENTS = "unit/derivatives/test_quotients.py"
_ARITHMETIC, _VERDICTS = "unit/arithmetic/test_arithmetic.py", "unit/reports/test_claims.py"


def _rows(module: str, killer: str, *edits: tuple[str, str]) -> tuple[OracleMutant, ...]:
    return tuple(OracleMutant(module, old, new, killer) for old, new in edits)


_EDGES, _SEQUENCES = "unit/references/test_edges.py", "references/sequences.py"

REFERENCE_MUTANTS: tuple[OracleMutant, ...] = (
    *_rows(
        "references/activations.py",
        _EDGES,
        ("np.exp(x - x.max(axis=-1, keepdims=True))", "np.exp(x + x.max(axis=-1, keepdims=True))"),
    ),
    *_rows(
        "references/loss.py",
        _EDGES,
        (
            "shifted = logits - logits.max(axis=-1, keepdims=True)",
            "shifted = logits + logits.max(axis=-1, keepdims=True)",
        ),
    ),
    *_rows(
        "references/stacked.py",
        _EDGES,
        (
            "initial = None if states is None else select_prefix(layer, states)",
            "initial = select_prefix(layer, states)",
        ),
    ),
    *_rows("references/lstm.py", _EDGES, ("        activation(self.output)\n        expect", "        expect")),
    *_rows(
        _SEQUENCES,
        _EDGES,
        ("indices.min() < 0 or indices.max() >= size", "indices.min() < 0 and indices.max() >= size"),
        ("indices.min() < 0 or indices.max() >= size", "indices.min() < 0 or indices.max() > size"),
        ("indices.min() < 0 or indices.max() >= size", "indices.max() >= size"),
        ("if indices.size and (", "if ("),
        ("series[start + offset : start + offset + width]", "series[start + shift : start + shift + width]"),
        ("if min(width, shift, offset) < 1:", "if min(width, shift, offset) < 2:"),
        ("    if last < 0:\n", "    if last <= 0:\n"),
        ("last = len(series) - width - offset", "last = len(series) - width - shift"),
        ("starts = range(0, last + 1, shift)", "starts = range(0, last, shift)"),
        ("if batch < 1 or width < 1 or length < width:", "if batch < 1 or width < 2 or length < width:"),
        ("range(0, length - width + 1, width)", "range(0, length - width, width)"),
    ),
)
"""What survived in the references, each killed by a test with the right value."""

ORACLE_MUTANTS: tuple[OracleMutant, ...] = (
    *_rows(
        _COMPARE,
        _SHARES,
        ("ball.mid() - arb(computed)", "ball.lower() - arb(computed)"),
        ("if not (math.isfinite(value) and ball.is_finite()):", "if not (math.isfinite(value) or ball.is_finite()):"),
        ("            return math.inf, index\n", "            continue\n"),
        ("if radius > 0 else math.inf", "if radius > 0 else 0.0"),
        ("if share > worst:", "if share < worst:"),
        ("worst, worst_index = share, index", "worst = share"),
        ("return max((float(arb(ball.rad())) for", "return min((float(arb(ball.rad())) for"),
        ("return -math.log2(error / scale)", "return -math.log2(error)"),
    ),
    *_rows(
        _BALL,
        _RADII,
        ("factor = (1 - self._unit) ** -roundings", "factor = (1 - self._unit) ** -(roundings + 1)"),
        ("factor *= (1 - self._wide) ** -wide", "factor *= (1 - self._wide) ** wide"),
        ("return (factor - 1).abs_upper()", "return factor.abs_upper()"),
        ("+ self._underflow * flushed)", ")"),
        ("if not self._rounded or roundings + wide == 0:", "if True:"),
        ("not value.products and not further:", "not further:"),
        ("not value.products and not further:", "not value.products:"),
        ("value.parts + further, flushed, wide=", "value.terms + further, flushed, wide="),
        ("value.parts + further, flushed, wide=", "value.parts, flushed, wide="),
        ("round_sums(value.value, value.mass, shares", "round_sums(value.value, _upper(value.value), shares"),
        ("addends=int(np.ndim(value) < 2)", "addends=1"),
        ("if value.products else value.value", "if not value.products else value.value"),
        ("OpenSum(value, a.mass + b.mass, terms,", "OpenSum(value, a.mass - b.mass, terms,"),
        ("terms, products = a.terms + b.terms, a", "terms, products = a.terms * b.terms, a"),
        ("a.parts + b.parts, a.addends + b.addends)", "a.parts + b.parts, 0)"),
        ("return self._round(quotient, _upper(quotient), 1)", "return quotient"),
        (
            "_shortened(OpenSum(_widen(middle, both[len(x) :]), both[: len(x)],",
            "_shortened(OpenSum(middle, both[: len(x)],",
        ),
        ("growth = ((1 - self._operands) ** -2 - 1)", "growth = ((1 - self._operands) ** -1 - 1)"),
        ("_widen(value, _upper(value) * self._functions)", "_widen(value, _upper(value) * 0)"),
        ("return self._computed(value, FUNCTION_ROUNDINGS)", "return self._computed(value, 1)"),
        ("int(2 * spread) + 2 * FUNCTION_ROUNDINGS", "int(2 * spread) + FUNCTION_ROUNDINGS"),
        ("np.concatenate([sizes, _radius(a)])", "np.concatenate([sizes, 0 * _radius(a)])"),
        ("a.products, a.parts + 1, addends)", "a.products, a.parts, addends)"),
        ("abs(value.numerator) <= self._largest_whole", "abs(value.numerator) <= 2 * self._largest_whole"),
        ("_upper(products).sum(axis=-1, keepdims=True), products.shape[-1]", "_upper(total), products.shape[-1]"),
    ),
    *_rows(
        _VACUITY,
        _GUARDS,
        ("if case.T < 2:", "if case.T < 1:"),
        ("if case.B < 1:", "if case.B < 0:"),
        (
            'if f"states.{name}" not in evaluation.absent and not state.any():',
            'if f"states.{name}" not in evaluation.absent and not state.all():',
        ),
        ("if np.ptp(arrays.d_outputs) == 0:", "if np.ptp(arrays.d_outputs) != 0:"),
        ("if weight.size > 1 and np.ptp(weight) == 0:", "if weight.size > 1 and np.ptp(weight) < 0:"),
        ("np.array_equal(weight, weight.T)", "not np.array_equal(weight, weight.T)"),
        ("return _saturated(evaluation) or _silent(evaluation)", "return _silent(evaluation)"),
        ("return _saturated(evaluation) or _silent(evaluation)", "return _saturated(evaluation)"),
        ("else 2 * value - 1) > limit", "else 2 * value - 1) > 2 * limit"),
        ("if closed and all(closed):", "if closed and any(closed):"),
        ("if size <= evaluation.margin * bound:", "if size <= bound / evaluation.margin:"),
        ("        if name in evaluation.absent:\n            continue\n", ""),
    ),
    *_rows(
        _CHECK,
        _FINDINGS,
        ("if computed.shape != balls.shape:", "if False:"),
        ("        worst <= 1,\n", "        worst <= 2,\n"),
        ("finite = bool(np.isfinite(computed).all())", "finite = True"),
        ("(not finding.agrees, finding.error_over_bound or 0.0)", "(finding.agrees, finding.error_over_bound or 0.0)"),
        ("        worst_bound(balls),\n", "        0.0,\n"),
    ),
    *_rows(
        _FORWARD,
        _FINDINGS,
        (
            "by_equation.setdefault(assignment.equation, []).append(finding)",
            "by_equation.setdefault(assignment.equation, [finding])",
        ),
        ("if target not in evaluation.subject.trace:", "if target in evaluation.subject.trace:"),
        (
            "not np.array_equal(traced, evaluation.run.outputs)",
            "not np.shape(traced) == np.shape(evaluation.run.outputs)",
        ),
        ("[0 if name in backward else -1]", "[-1 if name in backward else 0]"),
        (
            "if not np.array_equal(last, evaluation.run.finals[source]):",
            "if np.array_equal(last, evaluation.run.finals[source]):",
        ),
        ("[initial, now[:-1]] if offset < 0", "[initial, now[1:]] if offset < 0"),
        (
            'compare_with_balls(evaluation.subject.spec.id, f"output {name}", expected, evaluation.run.outputs)',
            'compare_with_balls(evaluation.subject.spec.id, f"output {name}", expected[-1:], evaluation.run.outputs[-1:])',  # noqa: E501
        ),
    ),
    *_rows(
        _BACKWARD,
        _FINDINGS,
        (
            'else Finding(evaluation.subject.spec.id, False, f"gradient {name} is missing")',
            'else Finding(evaluation.subject.spec.id, True, f"gradient {name} is missing")',
        ),
        ("worst = worst_finding(list(rows.values()))", "worst = list(rows.values())[0]"),
        ("agrees = bool(error <= bound)\n", "agrees = True\n"),
        ("claimed = float(sum(product.sum() for product in products))", "claimed = float(products[0].sum())"),
        ("/ COMPLEX_STEP)\n\n\ndef _along", ")\n\n\ndef _along"),
        (
            "rows.append(Finding(evaluation.subject.spec.id, worst <= 1, detail,",
            "rows.append(Finding(evaluation.subject.spec.id, worst <= 2**40, detail,",
        ),
        ("    agrees = error <= limit\n", "    agrees = error <= 2**60 * limit\n"),
        ("rows += [theirs, mine]", "rows += [theirs]"),
        ("rows += [theirs, mine]", "rows += [mine]"),
        ("error / limit, error, limit)", "limit / error if error else 0.0, error, limit)"),
    ),
    *_rows(
        _SIDES,
        _FINDINGS,
        ("return Judgement(error_over_bound > 1, detail)", "return Judgement(True, detail)"),
        ("gap = np.maximum(gap, 0) if self.below else np.abs(gap)", "gap = np.abs(gap)"),
        ("gap = np.maximum(gap, 0) if self.below else np.abs(gap)", "gap = np.maximum(gap, 0)"),
        (
            "return Judgement(error_over_bound <= 1, detail, error_over_bound, error, bound)",
            "return Judgement(error_over_bound <= 2, detail, error_over_bound, error, bound)",
        ),
        ('return Judgement(False, f"{self.label}: a value is not finite", float("inf"))', "return Judgement(True)"),
    ),
    *_rows(
        _REVERSE,
        _DERIVE,
        ("return Multiply(value, Subtract(_UNIT, value))", "return Multiply(value, Add(_UNIT, value))"),
        ("return Subtract(_UNIT, Multiply(value, value))", "return Subtract(_UNIT, value)"),
        (
            "propagate(node.right, negate(_gathered(node.right, seed)), into)",
            "propagate(node.right, _gathered(node.right, seed), into)",
        ),
        ("Multiply(value, Subtract(seed, Dot(seed, value)))", "Multiply(value, seed)"),
        ("_into_matrix(matrix.matrix, second, first, into)", "_into_matrix(matrix.matrix, first, second, into)"),
        ("                start = stop\n", "                start = Dimension()\n"),
    ),
    *_rows(
        _WALK,
        _DERIVE,
        ("self.arithmetic.add(self.by_key[key], value) if key in self.by_key else value", "value"),
        ('carry[state.name] = computed["carried", i]', 'carry.setdefault(state.name, computed["carried", i])'),
    ),
    *_rows(
        _NUMPY,
        _ARITHMETIC,
        ("w.imag = u * (1 - t) * (1 + t) / bottom", "w.imag = u * (1 - t) / bottom"),
        ("np.where(z < 0, w, np.ones_like(z)) / (1 + w)", "np.where(z < 0, w, np.ones_like(z)) / (1 - w)"),
    ),
    *_rows(
        _REVERSE,
        _QUOTIENTS,
        ("_gathered(node.left, Divide(seed, node.right))", "_gathered(node.left, seed)"),
    ),
    *_rows(
        _NUMPY,
        _QUOTIENTS,
        ("np.exp(z - z.real.max(axis=-1, keepdims=True))", "np.exp(z + z.real.max(axis=-1, keepdims=True))"),
    ),
    *_rows(
        _STEP,
        _FINDINGS,
        ("    slope *= _4\n", ""),
        (
            "np.multiply(z.imag, slope, out=value.imag)\n    return value\n\n\ndef tanh",
            "value.imag[...] = slope\n    return value\n\n\ndef tanh",
        ),
    ),
    *_rows(
        _EXAMPLES,
        _DOCUMENTS,
        ("agrees = bool(audited) and audited <= declared", "agrees = audited <= declared"),
        ("return Finding(entry.id, not mistakes, detail)", "return Finding(entry.id, True, detail)"),
        ("if not equalities and entry.asked is None:", "if False:"),
    ),
    *_rows(
        "reports/page/claims.py",
        _VERDICTS,
        ("if Outcome.REFUTED in outcomes.values():", "if set(outcomes.values()) == {Outcome.REFUTED}:"),
        ("set(outcomes.values()) == {Outcome.AGREES}:", "Outcome.AGREES in outcomes.values():"),
        ("return _Decision(measured.verdict, measured.numbers)", 'return _Decision("true", measured.numbers)'),
        ("    if not refuting:\n", "    if False:\n"),
    ),
    *_rows(
        "reports/page/evidence.py",
        _VERDICTS,
        ("if record.check not in SELF_WITNESSES or record.outcome is Outcome.REFUTED:", "if True:"),
        ("or record.outcome is Outcome.REFUTED:", "or False:"),
        ("if not record.kernel:", "if True:"),
        ("in (Outcome.REFUTED, Outcome.AGREES) if", "in (Outcome.AGREES, Outcome.REFUTED) if"),
    ),
    *ARRAY_BALL_MUTANTS,
    *STATEMENT_MUTANTS,
)
"""The bank: every edit with the tests that notice it."""
