"""Whether a kernel gives the same numbers wherever its arguments lie in memory or in the batch, or past a length."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from rnn_harness.array_types import Array, IndexArray
from rnn_harness.checks.check import Check, Finding, applies_to_all, compare_with_balls, worst_finding
from rnn_harness.errors import NotRun, Refused, first_line
from rnn_harness.evaluation.evaluation import Evaluation, flat
from rnn_harness.kernels.objective import cell_parameters, kernel_of, torch_objective
from rnn_harness.kernels.torch_reference import to_numpy
from rnn_harness.runtime.target_gradients import target_gradients
from rnn_harness.subjects.case_arrays import CaseArrays, draw_arrays

if TYPE_CHECKING:
    from torch import Tensor

EVERY = ("float64", "float32", "bfloat16", "float16")


def _results(evaluation: Evaluation) -> dict[str, Array]:
    """Give everything that a run gives: outputs, final states, every gradient."""
    results = {"outputs": evaluation.run.outputs}
    results |= {f"final {name}": value for name, value in evaluation.run.finals.items()}
    with contextlib.suppress(NotRun):  # what has no gradients is judged by what it has
        results |= {f"gradient {name}": value for name, value in flat(evaluation.gradients).items()}
    return results


def _output_balls(evaluation: Evaluation) -> Array:
    """Give the true outputs with their bounds, an object array (T, B, d) of balls."""
    return np.stack([step[evaluation.subject.output_name] for step in evaluation.balls.steps])


def _equal_or_bounded(circumstance: str, plain: Evaluation, changed: Evaluation) -> Finding:
    """Find whether two runs are equal bit for bit, or else the changed run lies in its own bounds."""
    entry = plain.subject.spec.id
    expected, computed = _results(plain), _results(changed)
    differing = [name for name in expected if not np.array_equal(expected[name], computed[name], equal_nan=True)]
    if not differing:
        return Finding(entry, True, f"{circumstance}: equal bit for bit", 0.0, 0.0)
    if any(not np.isfinite(computed[name]).all() for name in differing):
        return Finding(entry, False, f"{circumstance}: {', '.join(differing)} not finite", float("inf"))
    findings = [compare_with_balls(entry, f"{circumstance}: output", _output_balls(changed), changed.run.outputs)]
    with contextlib.suppress(NotRun):
        gradients = changed.flat_gradients
        findings += [
            compare_with_balls(entry, f"{circumstance}: gradient {name}", balls, gradients[name])
            for name, balls in changed.gradient_balls.items()
        ]
    worst = worst_finding(findings)
    detail = worst.detail or f"{circumstance}: {', '.join(differing)} differ, all within the bound"
    return replace(worst, detail=detail)


def _bitwise_equal(circumstance: str, first: Evaluation, second: Evaluation) -> Finding:
    """Find whether two runs are equal bit for bit."""
    expected, computed = _results(first), _results(second)
    differing = [name for name in expected if not np.array_equal(expected[name], computed[name], equal_nan=True)]
    detail = f"{', '.join(differing)} differ" if differing else "equal bit for bit"
    return Finding(first.subject.spec.id, not differing, f"{circumstance}: {detail}", 0.0)


def _repeated(circumstance: str, first: Evaluation, second: Evaluation) -> Finding:
    """Find whether two runs are equal bit for bit or, of a kernel whose runs may vary, within the bounds."""
    compare = _equal_or_bounded if first.options.varies_between_runs else _bitwise_equal
    return compare(circumstance, first, second)


def _determinism(evaluation: Evaluation) -> Iterator[Finding]:
    """Run the same numbers three times."""
    first, *repeated = [evaluation.on(evaluation.arrays) for _ in range(3)]
    yield worst_finding([_repeated("run again", first, again) for again in repeated])


def _take_rows(arrays: CaseArrays, order: IndexArray) -> CaseArrays:
    """Give the batch rows with these indices, in this order."""
    return replace(
        arrays,
        inputs=arrays.inputs[:, order],
        states={name: value[order] for name, value in arrays.states.items()},
        d_outputs=arrays.d_outputs[:, order],
        d_finals={name: value[order] for name, value in arrays.d_finals.items()},
    )


def _threads(evaluation: Evaluation) -> Iterator[Finding]:
    """Run with one thread and with two, at a size where threads share the work.

    Where bits differ, the outputs of the first rows are compared with their bounds.
    """
    import torch

    large = draw_arrays(evaluation.case.model_copy(update={"n": 32, "d": 64, "T": 2, "B": 64}), evaluation.subject)
    before, runs = torch.get_num_threads(), []
    try:
        for count in (1, 2):
            torch.set_num_threads(count)
            runs.append(evaluation.on(large).run)
    finally:
        torch.set_num_threads(before)
    entry = evaluation.subject.spec.id
    if np.array_equal(runs[0].outputs, runs[1].outputs, equal_nan=True):
        yield Finding(entry, True, "one thread and two: equal bit for bit", 0.0, 0.0)
        return
    balls = _output_balls(evaluation.on(_take_rows(large, np.arange(2))))
    yield worst_finding(
        [compare_with_balls(entry, "with one thread or two: output", balls, run.outputs[:, :2]) for run in runs]
    )


def _position(evaluation: Evaluation) -> Iterator[Finding]:
    """Run the rows in another order, and the first row alone: a row's output depends on no other row."""
    entry, batch = evaluation.subject.spec.id, evaluation.case.B
    for circumstance, order in (("rows turned", np.roll(np.arange(batch), -1)), ("a row alone", np.arange(1))):
        moved = evaluation.on(_take_rows(evaluation.arrays, order))
        if np.array_equal(evaluation.run.outputs[:, order], moved.run.outputs, equal_nan=True):
            yield Finding(entry, True, f"{circumstance}: equal bit for bit", 0.0, 0.0)
        else:
            yield compare_with_balls(entry, f"{circumstance}: output", _output_balls(moved), moved.run.outputs)


def _strided(evaluation: Evaluation) -> Iterator[Finding]:
    """Run on inputs and states that are every second number of a block."""
    strided = evaluation.on(evaluation.arrays, kernel_of(evaluation).laid_out("strided"))
    yield _equal_or_bounded("every second number of a block", evaluation, strided)


def _expanded(evaluation: Evaluation) -> Iterator[Finding]:
    """Run on one row in memory that is shown B times.

    The gradients for inputs and states are then sums over the rows, and are left out.
    """
    arrays = _take_rows(evaluation.arrays, np.zeros(evaluation.case.B, np.intp))
    plain = evaluation.on(arrays)
    expanded = plain.on(arrays, kernel_of(evaluation).laid_out("expanded"))
    skipped = ("gradient inputs", *(f"gradient states.{name}" for name in arrays.states))
    expected, computed = _results(plain), _results(expanded)
    compared = [name for name in expected if name not in skipped]
    differing = [name for name in compared if not np.array_equal(expected[name], computed[name], equal_nan=True)]
    entry = evaluation.subject.spec.id
    if not differing:
        yield Finding(entry, True, "expanded rows: equal bit for bit", 0.0, 0.0)
        return
    findings = [
        compare_with_balls(entry, name, balls, computed[f"gradient {name}"])
        for name, balls in plain.gradient_balls.items()
        if f"gradient {name}" not in skipped and f"gradient {name}" in computed
    ]
    output = compare_with_balls(entry, "expanded rows: output", _output_balls(plain), computed["outputs"])
    yield worst_finding([*findings, output])


def _intact(evaluation: Evaluation) -> Iterator[Finding]:
    """Compare the arguments after forward and backward with those that went in."""
    fresh = evaluation.on(evaluation.arrays)
    assert fresh.run is not None
    cell, arrays = kernel_of(evaluation), evaluation.arrays
    run = fresh.run.saved[0] if evaluation.subject.output is not None else fresh.run
    graph = run.saved
    with contextlib.suppress(NotRun):
        assert fresh.gradients is not None
    expected = cell.driver.table.pack(cell_parameters(evaluation)) | {"inputs": arrays.inputs}
    expected |= {f"state {name}": value for name, value in arrays.states.items()}
    now = graph.leaves | {"inputs": graph.inputs} | {f"state {name}": v for name, v in graph.states.items()}
    changed = [name for name, value in expected.items() if not np.array_equal(to_numpy(now[name]), value)]
    changed += _changed_cotangents(evaluation)
    detail = f"{', '.join(changed)} changed" if changed else ""
    yield Finding(evaluation.subject.spec.id, not changed, detail, 0.0)


def _changed_cotangents(evaluation: Evaluation) -> list[str]:
    """Name the output gradients if the backward writes into them.

    The outputs alone are differentiated: with the final states, autograd would hand the backward a sum of both.
    """
    import torch

    cell = kernel_of(evaluation)
    if cell.driver.no_gradients_reason:
        return []
    objective = torch_objective(evaluation)
    cotangent = cell.tensor(evaluation.arrays.d_outputs, leaf=False)
    outputs, before = objective.outputs(objective.inputs), cotangent.clone()
    if not outputs.requires_grad:
        return []
    total = _handed_over(outputs, cotangent)
    with objective.parameters_swapped_in():
        target_gradients([total], [objective.inputs], [torch.ones_like(total)])
    return [] if torch.equal(cotangent, before) else ["output gradients"]


def _handed_over(outputs: Tensor, cotangent: Tensor) -> Tensor:
    """Return a number whose backward hands that very cotangent to the outputs, and no product with it."""
    import torch

    class HandOver(torch.autograd.Function):
        """The sum of outputs times cotangent."""

        @staticmethod
        def forward(_ctx: object, results: Tensor) -> Tensor:
            return (results * cotangent).sum()

        @staticmethod
        def backward(_ctx: object, *_gradients: Tensor) -> Tensor:
            return cotangent

    number: Tensor = HandOver.apply(outputs)  # type: ignore[no-untyped-call]
    return number


def _poison(evaluation: Evaluation) -> Iterator[Finding]:
    """Put NaN past every row's length, in inputs and output gradients: nothing of it may come out."""
    case, arrays = evaluation.case, evaluation.arrays
    lengths = np.array([max(1, case.T - row % case.T) for row in range(case.B)])
    past = (np.arange(case.T)[:, None] >= lengths)[..., None]
    evaluations = []
    for poison in (0.0, np.nan):
        inputs = np.where(past, poison, arrays.inputs).astype(arrays.inputs.dtype)
        cotangent = np.where(past, poison, arrays.d_outputs).astype(inputs.dtype)
        evaluations.append(evaluation.on(replace(arrays, inputs=inputs, d_outputs=cotangent, lengths=lengths)))
    if not past.any():
        raise NotRun("no row is shorter than the others")
    clean, poisoned = evaluations
    yield _repeated("NaN in the padding", clean, poisoned)


def _no_steps(evaluation: Evaluation) -> Iterator[Finding]:
    """Run no step: there is no output, and the final state is the initial one."""
    arrays = evaluation.arrays
    run = evaluation.subject.forward(arrays.parameters, arrays.inputs[:0], arrays.states)
    returned = [name for name in arrays.states if f"finals.{name}" not in evaluation.absent]
    if any(run.finals[name].size == 0 < arrays.states[name].size for name in returned):
        raise Refused("gives no last state where there is no step")  # the last one of no outputs, outputs[:, -1:]
    unchanged = all(np.array_equal(run.finals[name], arrays.states[name]) for name in returned)
    right = unchanged and run.outputs.shape[:2] == (0, evaluation.case.B)
    detail = "" if right else f"outputs have shape {run.outputs.shape}, states kept: {unchanged}"
    yield Finding(evaluation.subject.spec.id, right, detail, 0.0)


def _no_rows(evaluation: Evaluation) -> Iterator[Finding]:
    """Run no batch row: shapes are right, gradients of weights are zero."""
    empty = evaluation.on(_take_rows(evaluation.arrays, np.arange(0)))
    try:
        results = _results(empty)
    except RuntimeError as error:
        raise Refused(f"refuses an empty batch: {first_line(error)}") from None
    nonzero = [name for name, value in results.items() if name.startswith("gradient parameters") and np.any(value)]
    right = not nonzero and results["outputs"].shape[:2] == (evaluation.case.T, 0)
    detail = f"without a row, not zero: {', '.join(nonzero)}" if nonzero else ""
    yield Finding(evaluation.subject.spec.id, right, detail, 0.0)


CHECKS = (
    Check("behaviour.determinism", "kernel", applies_to_all, _determinism, dtypes=EVERY),
    Check("behaviour.threads", "kernel", applies_to_all, _threads, dtypes=EVERY),
    Check("behaviour.position", "kernel", applies_to_all, _position, dtypes=EVERY),
    Check("behaviour.strided", "kernel", applies_to_all, _strided, dtypes=EVERY, may_be_refused=True),
    Check("behaviour.expanded", "kernel", applies_to_all, _expanded, dtypes=EVERY, may_be_refused=True),
    Check("behaviour.intact", "kernel", applies_to_all, _intact, dtypes=EVERY),
    Check("behaviour.poison", "kernel", applies_to_all, _poison, dtypes=EVERY, may_be_refused=True),
    Check("behaviour.no-steps", "kernel", applies_to_all, _no_steps, dtypes=EVERY, may_be_refused=True),
    Check("behaviour.no-rows", "kernel", applies_to_all, _no_rows, dtypes=EVERY, may_be_refused=True),
)
