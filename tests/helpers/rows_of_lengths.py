"""A kernel on rows of several lengths, and without a step, held to the proved bounds at any size."""

from __future__ import annotations

from rnn_harness.cases.case import Case
from rnn_harness.kernels import Kernel, Setting
from rnn_harness.kernels.checks.scale import judge_at


def assert_rows_end_at_their_lengths(kernel: Kernel, setting: Setting, n: int, d: int, rows: int, steps: int) -> None:
    """Rows of lengths T - 1, ..., 0, T, T - 1, ...: outputs, final states and all gradients lie in their bounds."""
    lengths = tuple((steps - 1 - row) % (steps + 1) for row in range(rows))
    _assert_right(kernel, setting, n, d, rows, steps, lengths)


def assert_no_step_changes_nothing(kernel: Kernel, setting: Setting, n: int, d: int, rows: int) -> None:
    """A sequence of no steps has no outputs, hands its states on and their gradients back, and no weight counts."""
    _assert_right(kernel, setting, n, d, rows, 0, None)


def _assert_right(
    kernel: Kernel, setting: Setting, n: int, d: int, rows: int, steps: int, lengths: tuple[int, ...] | None
) -> None:
    sizes = {"n": n, "d": d, "B": rows, "T": steps}
    case = Case(spec=kernel.spec, dtype=setting.dtype, seed=1, lengths=lengths, **sizes)  # type: ignore[arg-type]
    finding = judge_at(kernel.evaluation(setting, case), case)
    assert finding.agrees, finding.detail
