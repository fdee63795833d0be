"""Whose error it is that ended a check: the subject's, which may refute it, or the harness's, which decides nothing."""

from __future__ import annotations

import numpy as np

from rnn_harness.array_types import Array
from rnn_harness.checks import Check, Finding
from rnn_harness.errors import NotRun, Refused, UsageError, missing_resource, named_error
from rnn_harness.evaluation.evaluation import Evaluation
from rnn_harness.runtime.target_call import is_raised_by_target
from rnn_harness.runtime.target_code import failure_of


def finding_of_error(check: Check, evaluation: Evaluation, error: BaseException) -> Finding:
    """Return the finding that the error stands for which ended a check.

    Args:
        check: the check.
        evaluation: what it looked at.
        error: what it ended with.

    Raises:
        Refused: the subject raised it, and may do so in this check.
        HarnessError: the harness raised it; or what it needs of the system itself was used up.
        NotRun: what was asked for cannot be done, or needs more memory than there is; or code of the subject raised it
            where it was not called.
    """
    spec = evaluation.subject.spec.id
    if is_raised_by_target(error):
        if check.is_large and missing_resource(error) == "memory":
            raise NotRun(f"at the sizes of this check the memory did not suffice ({named_error(error)})") from error
        if check.may_be_refused:
            raise Refused(f"it raises {named_error(error)}") from error
        return Finding(spec, False, f"raises {named_error(error)}", float("inf"))
    if isinstance(error, UsageError):
        raise NotRun(str(error)) from error
    if resource := missing_resource(error):
        raise NotRun(f"there was not enough of what the harness needs itself: {resource}") from error
    if isinstance(error, SystemExit):
        raise error
    # Numbers of the wrong shape may end the harness's own arithmetic: it is the shape that refutes then.
    contradiction = wrong_shape(evaluation)
    if contradiction:
        return Finding(spec, False, contradiction, float("inf"))
    raise failure_of(error) from error


def wrong_shape(evaluation: Evaluation) -> str:
    """Say which output, final state or gradient of a subject has another shape than it must have; empty if none has.

    Args:
        evaluation: a subject on a case; what raises an error there, and what comes after it, is passed over.
    """
    arrays = evaluation.arrays
    computed: dict[str, Array] = {}
    expected: dict[str, tuple[int, ...]] = {}
    try:
        computed["the output"] = evaluation.run.outputs
        steps = [step[evaluation.subject.output_name] for step in evaluation.balls.steps]
        expected["the output"] = (len(steps), *np.shape(steps[0])) if steps else np.shape(evaluation.run.outputs)
        computed |= {f"the final state {name}": value for name, value in evaluation.run.finals.items()}
        expected |= {f"the final state {name}": np.shape(value) for name, value in arrays.states.items()}
        gradients = evaluation.flat_gradients
        computed |= {f"the gradient of {name}": value for name, value in gradients.items()}
        expected |= {f"the gradient of {name}": np.shape(value) for name, value in evaluation.flat_values.items()}
    except Exception:  # what cannot be computed at all has no shape
        pass
    for name, value in computed.items():
        if name in expected and np.shape(value) != expected[name]:
            return f"{name} has shape {np.shape(value)}, expected {expected[name]}"
    return ""
