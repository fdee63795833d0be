"""Claims that are decided by what cells learn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rnn_harness.records.gradient_visibility import FLOAT32_SHARE
from rnn_harness.records.measurement import LearningMeasurement, Measurement
from rnn_harness.reports.page.claim_verdict import ClaimVerdict, MeasuredClaim

WINDOWED = ("carry",)
"""Tasks whose gradient goes back over a window alone: it does not vanish over the length of the sequence."""


def _learners(measurements: Sequence[Measurement], task: str) -> Mapping[str, LearningMeasurement]:
    """Return the measurements of learning one task, by learner; of several lengths the longest."""
    rows = [row for row in measurements if isinstance(row, LearningMeasurement) and row.task == task]
    return {row.subject: row for row in sorted(rows, key=lambda row: row.sizes["T"])}


def solved_within(row: LearningMeasurement) -> str:
    """Say how many seeds solved a task, or within how many steps of training none did.

    Args:
        row: A measurement of learning.
    """
    if not row.seeds_solved:
        return f"not within {row.training_steps} steps"
    return f"{row.seeds_solved} of {row.seeds}"


def long_dependencies(measurements: Sequence[Measurement]) -> ClaimVerdict | None:
    """Decide whether plain LSTM and GRU learn a task of long dependencies, and a simple RNN does not.

    Args:
        measurements: Those of adding are asked; learners with biases of their own do not count.
    """
    learners = _learners(measurements, "adding")
    if not {"RNN", "GRU", "LSTM"} <= set(learners):
        return None
    rnn, gru, lstm = (learners[name] for name in ("RNN", "GRU", "LSTM"))
    solved = "; ".join(f"{name} {row.median:.4f} ({solved_within(row)})" for name, row in learners.items())
    numbers = f"adding over {rnn.sizes['T']} steps, loss without a memory {rnn.chance:.4f}: {solved}"
    gated = (gru, lstm)
    if rnn.seeds_solved or not any(row.seeds_solved for row in gated):
        return ClaimVerdict("false", numbers)
    if not all(row.seeds_solved for row in gated):
        return ClaimVerdict("depends", numbers)
    every_seed = all(row.seeds_solved == row.seeds for row in gated)
    return ClaimVerdict("true" if every_seed else "true under conditions", numbers)


def _vanished(measurements: Sequence[Measurement]) -> list[LearningMeasurement]:
    """Return the learners whose gradient, before training, vanished over their sequences' length in float32."""
    return [
        row
        for row in measurements
        if isinstance(row, LearningMeasurement)
        and row.task not in WINDOWED
        and row.rate_before is not None
        and row.rate_before ** row.sizes["T"] < FLOAT32_SHARE
    ]


def _beats_memoryless(row: LearningMeasurement) -> bool:
    """Whether every seed came below what no model without a memory can reach."""
    return max(row.samples, default=row.median) < row.chance


def nothing_is_learnt(measurements: Sequence[Measurement]) -> ClaimVerdict | None:
    """Decide whether nothing useful is learnt where the gradient vanishes before training.

    Args:
        measurements: Those of learning are asked whose gradient vanished over the length of their sequences.
    """
    rows = _vanished(measurements)
    if not rows:
        return None
    learnt = [row for row in rows if _beats_memoryless(row)]
    shown = learnt[:3] or rows[:3]
    numbers = "; ".join(
        f"{row.subject} on {row.task}, {row.rate_before:.3f} per step over {row.sizes['T']} steps: loss "
        f"{row.median:.4f}, without a memory {row.chance:.4f}"
        for row in shown
    )
    return ClaimVerdict("false" if learnt else "true", numbers)


def _falls(row: LearningMeasurement) -> bool:
    """Whether the loss of every seed ends lower than it was, by more than the seeds differ from one another."""
    ends = row.samples or (row.median,)
    return row.loss_curve[0].value - max(ends) > max(ends) - min(ends)


def loss_stands_still(measurements: Sequence[Measurement]) -> ClaimVerdict | None:
    """Decide whether a loss that does not fall tells of a vanishing gradient: whether it falls where it vanishes.

    Args:
        measurements: Those of learning are asked whose gradient vanished over the length of their sequences.
    """
    rows = [row for row in _vanished(measurements) if row.loss_curve]
    if not rows:
        return None
    falling = [row for row in rows if _falls(row)]
    shown = falling[:3] or rows[:3]
    numbers = "; ".join(
        f"{row.subject} on {row.task}, {row.rate_before:.3f} per step over {row.sizes['T']} steps: loss "
        f"{row.loss_curve[0].value:.4f}, then {row.median:.4f}"
        for row in shown
    )
    return ClaimVerdict("false" if falling else "true", numbers)


def only_these_learn(task: str, able: str, unable: str = "") -> MeasuredClaim:
    """Return the decision whether only some learners solve a task.

    Args:
        task: The task's name.
        able: The end of the names of those that solve it.
        unable: The end of the names of those that do not; empty for all whose names do not end in `able`.
    """

    def decide(measurements: Sequence[Measurement]) -> ClaimVerdict | None:
        learners = _learners(measurements, task)
        solving = [row for name, row in learners.items() if name.endswith(able)]
        failing = [
            row for name, row in learners.items() if (name.endswith(unable) if unable else not name.endswith(able))
        ]
        if not solving or not failing:
            return None
        losses = "; ".join(f"{row.subject} {row.median:.4f} ({solved_within(row)})" for row in (*solving, *failing))
        numbers = f"{solving[0].task_title}, loss without that memory {solving[0].chance:.3f}: {losses}"
        if any(row.seeds_solved for row in failing) or not any(row.seeds_solved for row in solving):
            return ClaimVerdict("false", numbers)
        if not all(row.seeds_solved for row in solving):
            return ClaimVerdict("depends", numbers)
        every_seed = all(row.seeds_solved == row.seeds for row in solving)
        return ClaimVerdict("true" if every_seed else "true under conditions", numbers)

    return decide
