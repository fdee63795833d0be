"""Could this case have failed? A case that could not proves nothing, and is counted as vacuous.

Zero states hide a recurrent fault, T = 1 hides a fault in time, symmetric weights hide a transposition, all-ones
output gradients hide most wrong backward passes, saturated gates hide everything. All of it is asked of the numbers
drawn and of what the equations give for them: what the subject computes never excuses it.
"""

from __future__ import annotations

import numpy as np
from flint import arb

from rnn_harness.arithmetic.assumptions import SATURATION
from rnn_harness.evaluation.evaluation import Evaluation


def vacuity_reason(evaluation: Evaluation) -> str | None:
    """Return why the case proves nothing, or None if it counts.

    Args:
        evaluation: a subject on a case; what the subject lacks is not required to be generic.
    """
    case, arrays = evaluation.case, evaluation.arrays
    if case.T < 2:
        return f"T is {case.T}: nothing happens over time"
    if case.B < 1:
        return "there is no batch row"
    for name, state in arrays.states.items():
        if f"states.{name}" not in evaluation.absent and not state.any():
            return f"the initial state {name} is zero"
    if np.ptp(arrays.d_outputs) == 0:
        return "the output gradient is constant"
    for name, weight in arrays.parameters.items():
        if name in evaluation.absent:
            continue
        if weight.size > 1 and np.ptp(weight) == 0:
            return f"parameter {name} is constant"
        if weight.ndim == 2 and weight.shape[0] == weight.shape[1] > 1 and np.array_equal(weight, weight.T):
            return f"parameter {name} is symmetric"
    return _saturated(evaluation) or _silent(evaluation)


def _saturated(evaluation: Evaluation) -> str | None:
    limit = float(SATURATION)
    for symbol, name in evaluation.subject.trace.items():
        quantity = name.split(".")[-1]
        if quantity in ("cell_state", "output", "hidden_state", "merged_state"):
            continue
        values = (float(ball.mid()) for step in evaluation.balls.steps for ball in step[symbol].flat)
        closed = [abs(value if quantity == "candidate" else 2 * value - 1) > limit for value in values]
        if closed and all(closed):
            return f"{name} is saturated everywhere"
    return None


def _silent(evaluation: Evaluation) -> str | None:
    """A parameter whose gradient is lost in its own rounding bound."""
    for name, balls in evaluation.gradient_balls.items():
        if not balls.size:
            continue
        size = max(float(ball.mid().abs_lower()) for ball in balls.flat)
        bound = max(float(arb(ball.rad())) for ball in balls.flat)
        if size <= evaluation.margin * bound:
            return f"{name} moves the output by less than {evaluation.margin} rounding bounds"
    return None
