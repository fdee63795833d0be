"""Of a layer that is read in part: which steps of which direction reach the output, and how much had they seen?"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass

from rnn_harness.validation.models.part_calls import (
    PartCall,
    is_packed,
    part_calls,
    shifted_final,
    shifted_output,
)
from rnn_harness.validation.models.recurrent_part import RecurrentPart, layer_parameters
from rnn_harness.validation.models.run_model import Intervention
from rnn_harness.validation.models.statement import WiringStatement, agrees, listed, refuted
from rnn_harness.validation.models.under_test import ModelUnderTest

CHECK = "directions"
FEWEST_STEPS = 3
"""From so many steps on, the first step, the last and all can be told apart."""


@dataclass(frozen=True)
class ReadSteps:
    """What the model reads of one direction of a layer.

    Attributes:
        steps: The steps of its output, in the order of the sequence.
        final: Whether its final state is read.
    """

    steps: tuple[int, ...]
    final: bool

    def words(self, count: int) -> str:
        """Say it, for a sequence of so many steps.

        Args:
            count: The number of steps, T, which says whether the steps are all, and which is the last.
        """
        if len(self.steps) == count:
            text = "every step"
        elif self.steps == (count - 1,):
            text = "the last step"
        elif self.steps == (0,):
            text = "the first step"
        else:
            text = f"step {listed([str(step) for step in self.steps])}" if self.steps else ""
        parts = [text] if text else []
        return listed([*parts, "the final state"] if self.final else parts) if parts or self.final else "nothing"


def check_directions(model: ModelUnderTest) -> Iterator[WiringStatement]:
    """Change a layer's output at one step after the other, and its final states, and see what reaches the output.

    Args:
        model: The model; of its parts, layers that its baseline run calls once, unpacked and over enough steps, are
            looked at.
    """
    for part in model.called_parts:
        calls = part_calls(model.baseline, part) if part.is_layer else []
        if len(calls) != 1 or calls[0].steps < FEWEST_STEPS or is_packed(calls[0].call):
            continue
        readings = [read_steps(model, part, calls[0], reverse) for reverse in range(part.directions)]
        yield from _judge(part, calls[0], readings)


def read_steps(model: ModelUnderTest, part: RecurrentPart, call: PartCall, direction: int) -> ReadSteps:
    """See which steps and which final state of one direction of the last layer reach the outputs of the model.

    Args:
        model: What is run, with one thing changed after the other.
        part: A layer that it calls once.
        call: That call.
        direction: 0 forward, 1 reverse.
    """
    size = part.output_size
    features = slice(direction * size, (direction + 1) * size)
    steps = tuple(
        step
        for step in range(call.steps)
        if _matters(model, part, functools.partial(shifted_output, part, step=step, features=features))
    )
    index = (part.layers - 1) * part.directions + direction
    return ReadSteps(steps, _matters(model, part, functools.partial(shifted_final, index=index)))


def _matters(model: ModelUnderTest, part: RecurrentPart, change: functools.partial[object]) -> bool:
    """Whether a change of what a part gives reaches the outputs of the model."""
    return model.is_changed_by(model.run(None, Intervention(part.name, 0, change)))


def _judge(part: RecurrentPart, call: PartCall, readings: list[ReadSteps]) -> Iterator[WiringStatement]:
    """Yield what is said about what is read of a layer."""
    name, steps = part.shown_name, call.steps
    if part.directions == 1:
        reading = readings[0]
        if reading.steps == (0,) and not reading.final:
            sentence = (
                f"of {name} the output at the first step is read alone, where it has seen one of {steps} steps: the "
                "steps after it have no influence"
            )
            yield refuted(CHECK, sentence, part.name)
        elif reading.steps or reading.final:
            yield agrees(CHECK, f"of {name} {reading.words(steps)} is read", part.name)
        return
    forward, reverse = readings
    if reverse.steps == (steps - 1,) and not reverse.final:
        sentence = (
            f"the reverse direction is read at its first step: of {name} the output at the last step is taken, where "
            f"the reverse direction has seen one of {steps} steps (its final state is h_n[-1], or the output at step 0)"
        )
        yield refuted(CHECK, sentence, part.name)
        return
    for words, reading, opposite in (("forward", forward, reverse), ("reverse", reverse, forward)):
        is_read, other_is_read = (bool(r.steps or r.final) for r in (reading, opposite))
        if not is_read and other_is_read:
            sentence = (
                f"the {words} direction of {name} (bidirectional=True) has no influence on the output: "
                f"{opposite.words(steps)} of the other direction is read alone"
            )
            yield refuted(CHECK, sentence, part.name)
            return
    if forward.steps or forward.final:
        words = f"of {name} {forward.words(steps)} of the forward direction and {reverse.words(steps)} of the reverse"
        yield agrees(CHECK, f"{words} direction is read", part.name)


def check_layers(model: ModelUnderTest) -> Iterator[WiringStatement]:
    """Change the weights of one layer after the other: each must have an influence on the output.

    Args:
        model: The model; of its parts, torch's layers of ``num_layers`` > 1 are looked at.
    """
    for part in model.called_parts:
        if not part.is_layer or part.layers == 1:
            continue
        prefix = f"{part.name}." if part.name else ""
        silent = []
        for layer in range(part.layers):
            places = layer_parameters(model.module.get_submodule(part.name))
            names = [
                prefix + name for (number, _), its_names in places.items() if number == layer for name in its_names
            ]
            if not model.is_changed_by(model.changed_parameters(names, lambda value: value + 1)):
                silent.append(layer)
        if silent:
            layers = listed([str(layer) for layer in silent])
            sentence = (
                f"layer {layers} of {part.shown_name} (num_layers={part.layers}, counted from 0) has no influence on "
                "the output: the state of a layer below is read"
            )
            yield refuted("layers", sentence, part.name)
        else:
            yield agrees("layers", f"each of the {part.layers} layers of {part.shown_name} has an influence", part.name)
