"""The named sizes of a case, read off its numbers: whoever changed them may have added or taken a unit."""

from __future__ import annotations

from rnn_harness.subjects.case_arrays import CaseArrays
from rnn_harness.subjects.parameter_role import hidden_size
from rnn_harness.subjects.subject import LAYERS, Subject


def sizes_of(subject: Subject, arrays: CaseArrays) -> dict[str, int]:
    """Read n, d and k off the numbers of a case.

    Args:
        subject: Whose names and shapes they have.
        arrays: The numbers.
    """
    return {
        "n": subject.one_input_size(arrays.inputs.shape[2]),
        "d": hidden_units(subject, arrays),
        "k": arrays.d_outputs.shape[2],
    }


def hidden_units(subject: Subject, arrays: CaseArrays) -> int:
    """Read d off the numbers of a case.

    Args:
        subject: Whose names and shapes they have. A spec without a reference names its parameters and states as it
            likes, so there its declared shapes count, and no name does.
        arrays: The numbers.

    Raises:
        ValueError: No array is as long as d.
    """
    if subject.spec.reference is None:
        return _declared_units(subject, arrays)
    first_state = next(iter(arrays.states.values()), None)
    return hidden_size(arrays.parameters) if first_state is None else int(first_state.shape[1])


def _declared_units(subject: Subject, arrays: CaseArrays) -> int:
    """The length of an axis that the spec declares to be d."""
    program = subject.spec.program(LAYERS)
    for state in program.states:
        if str(state.shape[0]) == "d":
            return int(arrays.states[state.name].shape[1])
    for parameter in program.parameters:
        for axis, size in enumerate(parameter.shape):
            if str(size) == "d":
                return int(arrays.parameters[parameter.name].shape[axis])
    raise ValueError(f"no state and no parameter of {subject.spec.id} is as long as d")
