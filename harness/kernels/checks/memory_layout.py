"""Does a kernel give the same, whatever the place of its arguments in memory, in the batch, or past a length?

Dimension legend: T time steps, B batch rows, n input size, d hidden size.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from rnn_harness.array_types import Array, IndexArray
from rnn_harness.checks.check import Check, Finding, applies_to_all, compare_with_balls, worst_finding
from rnn_harness.errors import NotRun, Refused, first_line
from rnn_harness.evaluation.evaluation import Evaluation, flat
from rnn_harness.kernels.objective import cell_parameters, kernel_of, torch_objective
from rnn_harness.kernels.torch_reference import to_numpy
from rnn_harness.subjects.case_arrays import CaseArrays, draw_arrays

EVERY = ("float64", "float32", "bfloat16", "float16")


def _kernel(evaluation: Evaluation) -> Evaluation:
    return evaluation


def _numbers(evaluation: Evaluation) -> dict[str, Array]:
    """Everything a run gives: outputs, final states, every gradient."""
    found = {"outputs": evaluation.run.outputs} | {
        f"final {name}": value for name, value in evaluation.run.finals.items()
    }
    with contextlib.suppress(NotRun):  # what has no gradients is judged by what it has
        found |= {f"gradient {name}": value for name, value in flat(evaluation.gradients).items()}
    return found


def _same(what: str, one: Evaluation, two: Evaluation, skip: tuple[str, ...] = ()) -> Finding:
    """Equal bit for bit, or else the second run in its own bounds."""
    entry = one.subject.spec.id
    left, right = _numbers(one), _numbers(two)
    differing = [k for k in left if k not in skip and not np.array_equal(left[k], right[k], equal_nan=True)]
    if not differing:
        return Finding(entry, True, f"{what}: equal bit for bit", 0.0, 0.0)
    if any(not np.isfinite(right[name]).all() for name in differing):
        return Finding(entry, False, f"{what}: {', '.join(differing)} not finite", float("inf"))
    outputs = np.stack([step[two.subject.output_name] for step in two.balls.steps])
    rows = [compare_with_balls(entry, f"{what}: output", outputs, two.run.outputs)]
    with contextlib.suppress(NotRun):
        found = two.flat_gradients
        rows += [
            compare_with_balls(entry, f"{what}: gradient {k}", balls, found[k])
            for k, balls in two.gradient_balls.items()
        ]
    worst = worst_finding(rows)
    detail = worst.detail or f"{what}: {', '.join(differing)} differ, all within the bound"
    return replace(worst, detail=detail)


def _bitwise(what: str, one: Evaluation, two: Evaluation) -> Finding:
    """Equal bit for bit."""
    left, right = _numbers(one), _numbers(two)
    differing = [name for name in left if not np.array_equal(left[name], right[name])]
    detail = f"{what}: {', '.join(differing)} differ" if differing else f"{what}: equal bit for bit"
    return Finding(one.subject.spec.id, not differing, detail, 0.0)


def _determinism(evaluation: Evaluation) -> Iterator[Finding]:
    again = [_kernel(evaluation).on(evaluation.arrays) for _ in range(3)]
    yield worst_finding([_bitwise("run again", again[0], other) for other in again[1:]])


def _rows(arrays: CaseArrays, order: IndexArray) -> CaseArrays:
    """Some batch rows, in that order."""
    return replace(
        arrays,
        inputs=arrays.inputs[:, order],
        states={name: value[order] for name, value in arrays.states.items()},
        d_outputs=arrays.d_outputs[:, order],
        d_finals={name: value[order] for name, value in arrays.d_finals.items()},
    )


def _threads(evaluation: Evaluation) -> Iterator[Finding]:
    """At a size where threads share the work. Where bits differ, the outputs of the first rows are judged."""
    import torch

    own = _kernel(evaluation)
    large = draw_arrays(evaluation.case.model_copy(update={"n": 32, "d": 64, "T": 2, "B": 64}), evaluation.subject)
    before, runs = torch.get_num_threads(), []
    try:
        for count in (1, 2):
            torch.set_num_threads(count)
            runs.append(own.on(large).run)
    finally:
        torch.set_num_threads(before)
    entry = evaluation.subject.spec.id
    if np.array_equal(runs[0].outputs, runs[1].outputs):
        yield Finding(entry, True, "one thread and two: equal bit for bit", 0.0, 0.0)
        return
    few = own.on(_rows(large, np.arange(2)))
    balls = np.stack([step[evaluation.subject.output_name] for step in few.balls.steps])
    yield worst_finding(
        [compare_with_balls(entry, "with one thread or two: output", balls, run.outputs[:, :2]) for run in runs]
    )


def _position(evaluation: Evaluation) -> Iterator[Finding]:
    """The rows in another order, and the first one alone; a row's output depends on no other row."""
    own, batch = _kernel(evaluation), evaluation.case.B
    for what, order in (("rows turned", np.roll(np.arange(batch), -1)), ("a row alone", np.arange(1))):
        moved = own.on(_rows(evaluation.arrays, order))
        if np.array_equal(evaluation.run.outputs[:, order], moved.run.outputs):
            yield Finding(evaluation.subject.spec.id, True, f"{what}: equal bit for bit", 0.0, 0.0)
        else:
            balls = np.stack([step[evaluation.subject.output_name] for step in moved.balls.steps])
            yield compare_with_balls(evaluation.subject.spec.id, f"{what}: output", balls, moved.run.outputs)


def _strided(evaluation: Evaluation) -> Iterator[Finding]:
    laid = _kernel(evaluation).on(evaluation.arrays, kernel_of(evaluation).laid_out("strided"))
    yield _same("every second number of a block", evaluation, laid)


def _expanded(evaluation: Evaluation) -> Iterator[Finding]:
    """One row seen B times; its own gradient is then the sum over the rows, which is left out."""
    first = np.zeros(evaluation.case.B, np.intp)
    arrays = _rows(evaluation.arrays, first)
    plain = _kernel(evaluation).on(arrays)
    laid = plain.on(arrays, kernel_of(evaluation).laid_out("expanded"))
    skip = ("gradient inputs", *(f"gradient states.{name}" for name in arrays.states))
    left, right = _numbers(plain), _numbers(laid)
    differing = [name for name in left if name not in skip and not np.array_equal(left[name], right[name])]
    if not differing:
        yield Finding(evaluation.subject.spec.id, True, "expanded rows: equal bit for bit", 0.0, 0.0)
        return
    rows = [
        compare_with_balls(evaluation.subject.spec.id, name, balls, right[f"gradient {name}"])
        for name, balls in plain.gradient_balls.items()
        if f"gradient {name}" not in skip and f"gradient {name}" in right
    ]
    balls = np.stack([step[evaluation.subject.output_name] for step in plain.balls.steps])
    yield worst_finding(
        [*rows, compare_with_balls(evaluation.subject.spec.id, "expanded rows: output", balls, right["outputs"])]
    )


def _intact(evaluation: Evaluation) -> Iterator[Finding]:
    fresh = _kernel(evaluation).on(evaluation.arrays)
    assert fresh.run is not None
    cell, d = kernel_of(evaluation), evaluation.arrays
    run = fresh.run.saved[0] if evaluation.subject.output is not None else fresh.run
    graph = run.saved
    with contextlib.suppress(NotRun):
        assert fresh.gradients is not None
    expected = cell.driver.table.pack(cell_parameters(evaluation)) | {"inputs": d.inputs}
    expected |= {f"state {name}": value for name, value in d.states.items()}
    now = graph.leaves | {"inputs": graph.inputs} | {f"state {name}": v for name, v in graph.states.items()}
    changed = [name for name, value in expected.items() if not np.array_equal(to_numpy(now[name]), value)]
    changed += _altered(evaluation)
    detail = f"{', '.join(changed)} changed" if changed else ""
    yield Finding(evaluation.subject.spec.id, not changed, detail, 0.0)


def _altered(evaluation: Evaluation) -> list[str]:
    """The output gradients, if the backward writes into them. The outputs alone are differentiated: beside the final
    states it is a sum of both that goes in.
    """
    import torch

    if kernel_of(evaluation).driver.no_gradients_reason:
        return []
    made = torch_objective(evaluation)
    start = kernel_of(evaluation).tensor(evaluation.arrays.d_outputs, leaf=False)
    outputs, before = made.outputs(made.inputs), start.clone()
    if not outputs.requires_grad:
        return []
    with made.parameters_swapped_in():
        torch.autograd.grad(outputs, made.inputs, start, allow_unused=True)
    return [] if torch.equal(start, before) else ["output gradients"]


def _poison(evaluation: Evaluation) -> Iterator[Finding]:
    """NaN past every row's length, in inputs and output gradients: nothing of it may come out."""
    case, own = evaluation.case, _kernel(evaluation)
    lengths = np.array([max(1, case.T - row % case.T) for row in range(case.B)])
    past = (np.arange(case.T)[:, None] >= lengths)[..., None]
    runs = []
    for poison in (0.0, np.nan):
        inputs = np.where(past, poison, evaluation.arrays.inputs).astype(evaluation.arrays.inputs.dtype)
        cotangent = np.where(past, poison, evaluation.arrays.d_outputs).astype(inputs.dtype)
        runs.append(own.on(replace(evaluation.arrays, inputs=inputs, d_outputs=cotangent, lengths=lengths)))
    if not past.any():
        raise NotRun("no row is shorter than the others")
    yield _bitwise("NaN in the padding", *runs)


def _no_steps(evaluation: Evaluation) -> Iterator[Finding]:
    """No step: no output, and the final state is the initial one."""
    d = evaluation.arrays
    run = evaluation.subject.forward(d.parameters, d.inputs[:0], d.states)
    kept = all(np.array_equal(run.finals[name], value) for name, value in d.states.items())
    right = kept and run.outputs.shape[:2] == (0, evaluation.case.B)
    detail = "" if right else f"outputs have shape {run.outputs.shape}, states kept: {kept}"
    yield Finding(evaluation.subject.spec.id, right, detail, 0.0)


def _no_rows(evaluation: Evaluation) -> Iterator[Finding]:
    """No batch row: shapes hold, gradients of weights are zero."""
    empty = _kernel(evaluation).on(_rows(evaluation.arrays, np.arange(0)))
    try:
        found = _numbers(empty)
    except RuntimeError as error:
        raise Refused(f"refuses an empty batch: {first_line(error)}") from None
    lost = [name for name, value in found.items() if name.startswith("gradient parameters") and np.any(value)]
    right = not lost and found["outputs"].shape[:2] == (evaluation.case.T, 0)
    yield Finding(evaluation.subject.spec.id, right, f"without a row, not zero: {', '.join(lost)}" if lost else "", 0.0)


CHECKS = (
    Check("behaviour.determinism", "kernel", applies_to_all, _determinism, dtypes=EVERY),
    Check("behaviour.threads", "kernel", applies_to_all, _threads, dtypes=EVERY),
    Check("behaviour.position", "kernel", applies_to_all, _position, dtypes=EVERY),
    Check("behaviour.strided", "kernel", applies_to_all, _strided, dtypes=EVERY),
    Check("behaviour.expanded", "kernel", applies_to_all, _expanded, dtypes=EVERY),
    Check("behaviour.intact", "kernel", applies_to_all, _intact, dtypes=EVERY),
    Check("behaviour.poison", "kernel", applies_to_all, _poison, dtypes=EVERY),
    Check("behaviour.no-steps", "kernel", applies_to_all, _no_steps, dtypes=EVERY),
    Check("behaviour.no-rows", "kernel", applies_to_all, _no_rows, dtypes=EVERY),
)
