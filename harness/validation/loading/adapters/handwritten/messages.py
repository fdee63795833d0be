"""What is said of a cell written by hand that cannot be driven: the way that went furthest, and what would help."""

from __future__ import annotations

from collections.abc import Sequence

from rnn_harness.validation.loading.adapters.handwritten.call_errors import FailureLog

WRAPPER = """
Write these lines next to it, and name `step,step_backward` after the file:
    def step(x, h_prev, Wx, Wh, b):        # x (B, n), h_prev (B, d)
        ...
        return h_next, cache
    def step_backward(dh_next, cache):     # dh_next (B, d)
        ...
        return dx, dh_prev, dWx, dWh, db"""

_UNCALLED = (
    "it was not called, for its arguments are no input (x), states (h, c) and parameters that are known by their names "
    "or their number; expected a step (x, h, ...) that gives the next h, or a sequence."
)


def cannot_be_driven(name: str, log: FailureLog, hint: str = "") -> str:
    """Say why a cell cannot be driven.

    Args:
        name: The cell, with the arguments of its forward.
        log: What went wrong.
        hint: What else may help; one of several lines has what is to be written itself.
    """
    failure = log.furthest()
    furthest = f"Of {len(log.failures)} ways of calling it this one went furthest: {failure}." if failure else _UNCALLED
    if "\n" in hint:
        return f"cannot drive {name}: {furthest} {hint}"
    return f"cannot drive {name}: {furthest}{f' {hint}.' if hint else ''}{WRAPPER}"


def computes_a_loss(name: str, arguments: Sequence[str]) -> str:
    """Say that a function of inputs and targets is no cell.

    Args:
        name: The function.
        arguments: The names of its arguments.
    """
    return (
        f"cannot drive {name}: it takes targets ({', '.join(arguments)}), so it computes a loss and not states; judged "
        f"is a recurrent cell.{WRAPPER}"
    )
