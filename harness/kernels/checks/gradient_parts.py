"""Whether every place of a parameter in the kernel gets the whole gradient: torch adds two biases for one."""

from __future__ import annotations

from collections.abc import Iterator

from rnn_harness.checks.check import Check, Finding, applies_to_all, compare_with_balls, worst_finding
from rnn_harness.errors import NotRun
from rnn_harness.evaluation.evaluation import Evaluation
from rnn_harness.kernels.checks.memory_layout import EVERY
from rnn_harness.kernels.objective import kernel_of


def _gradient_parts(evaluation: Evaluation) -> Iterator[Finding]:
    """Compare the gradient of either of two biases that a kernel has for one with that of their sum."""
    cell, arrays = kernel_of(evaluation), evaluation.arrays
    run = evaluation.run.saved[0] if evaluation.subject.output is not None else evaluation.run
    d_outputs = arrays.d_outputs
    if evaluation.subject.output is not None:
        inner, top, _ = evaluation.run.saved
        d_outputs, _ = evaluation.subject.output.backward(top, inner.outputs, evaluation.run.outputs, arrays.d_outputs)
    by_parameter = cell.gradient_parts(run, d_outputs, arrays.d_finals).parameters
    doubled = {name: parts for name, parts in by_parameter.items() if len(parts) > 1}
    if not doubled:
        raise NotRun("the kernel has no parameter twice")
    entry, balls = evaluation.subject.spec.id, evaluation.gradient_balls
    yield worst_finding(
        [
            compare_with_balls(entry, f"gradient {name}, share {i + 1}", balls[f"parameters.{name}"], part)
            for name, parts in doubled.items()
            for i, part in enumerate(parts)
        ]
    )


CHECKS = (Check("backward.shares", "kernel", applies_to_all, _gradient_parts, dtypes=EVERY),)
