"""States that come back in another order than they go in: a way of calling, or a mistake."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from rnn_harness.validation.identification.identification import Identification
from rnn_harness.validation.identification.identify import identify
from rnn_harness.validation.identification.probe import Probe
from rnn_harness.validation.identification.state_words import is_called_a_state
from rnn_harness.validation.loading.target import Target

KEPT_STATE = "a state comes back as it was given: the new one is the output alone, and is never carried on"
EXCHANGED_STEPS = "its states are exchanged at every step: what a step gives back as the one is the other one"
SENTENCE = "its states come back in another order than they go in, so they are exchanged at every step"


@dataclass(frozen=True)
class WronglyCarried:
    """A cell that a target would equal if it carried on the states that it computes.

    Attributes:
        cell: The identification, by which it is called and its parameters are named.
        sentence: What the target carries on instead.
    """

    cell: Identification
    sentence: str


def with_exchanged_states(target: Target, probe: Probe) -> tuple[Identification, ...]:
    """Find every cell that a target equals if the states that come back are exchanged.

    Args:
        target: The target, which equals no cell as it is.
        probe: Runs of the target.

    Returns:
        The cells; none where the target does not take two states.
    """
    if probe.convention.states != 2:
        return ()
    convention = replace(probe.convention, exchanged=not probe.convention.exchanged)
    return identify(target, replace(probe, convention=convention, _responses={}))


def with_exchanged_steps(target: Target, probe: Probe) -> tuple[Identification, ...]:
    """Find every cell that a layer equals step by step, if the states that a single step gives back are exchanged.

    Whoever calls a layer names its states before the first step and after the last one: between the steps it is the
    layer that carries them.

    Args:
        target: The layer, which equals no cell as it is.
        probe: Runs of the layer.

    Returns:
        The cells; none where it does not take and give two states.
    """
    convention = probe.convention
    takes_tensor = convention.input_form == "tensor" and not (convention.listed or convention.prefixes)
    gives_states = len(convention.taken) == 3 and not convention.merging and not convention.reading
    if convention.states != 2 or not (convention.sequence and takes_tensor and gives_states):
        return ()
    single_steps = replace(
        convention,
        sequence=False,
        input_axes=convention.axes_of_input.replace("T", "1"),
        taken=convention.taken[1:],
        exchanged=not convention.exchanged,
        wording=str(convention),
    )
    return identify(target, replace(probe, convention=single_steps, _responses={}))


def with_output_as_state(target: Target, probe: Probe) -> tuple[Identification, ...]:
    """Find every cell that a target equals if its output is carried in the place of a state that it never changes.

    Args:
        target: A cell that gives an output besides its states, and equals no cell as it is.
        probe: Runs of the target.

    Returns:
        The cells; none where every state that comes back is another than the one that was given, or where nothing but
        the numbers says that the tensor is a state, and no context that is meant to stay.
    """
    convention = probe.convention
    if convention.output_place is None or convention.sequence:
        return ()
    response = probe.respond(probe.parameters, 1)
    if response.shown is None or response.shown.shape[1:] != response.finals[0].shape:
        return ()  # an output beside states that are joined to one
    for index, (given, final) in enumerate(zip(probe.states, response.finals, strict=False)):
        if np.array_equal(given, final):
            taken = list(convention.taken)
            taken[index] = convention.output_place
            carried = replace(convention, taken=tuple(taken), output_place=None)
            cells = identify(target, replace(probe, convention=carried, _responses={}))
            return tuple(
                cell for cell in cells if is_called_a_state(probe.module, convention, index, cell.states[index])
            )
    return ()


def find_wrongly_carried(target: Target, probe: Probe) -> WronglyCarried | None:
    """Find a cell that a target would equal if it carried on the states that it computes.

    Args:
        target: The target, which equals no cell as it is, nor with the states that come back exchanged.
        probe: Runs of the target.

    Returns:
        None where it equals no cell that way either.
    """
    for find, sentence in ((with_exchanged_steps, EXCHANGED_STEPS), (with_output_as_state, KEPT_STATE)):
        if cells := find(target, probe):
            return WronglyCarried(cells[0], sentence)
    return None


def is_the_callers_affair(probe: Probe) -> bool:
    """Say whether whoever calls the target names each state, in the arguments and in the results.

    Then another order is a way of calling; where one object goes in and one comes back, it is a mistake.

    Args:
        probe: Runs of the target.
    """
    return not probe.convention.packed and not probe.convention.merging
