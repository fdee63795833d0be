"""Does what each recurrent part gives reach an output, or nothing but the state that it goes on from itself?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from rnn_harness.validation.models.given_states import (
    StatePlace,
    given_tensors,
    holds_same_numbers,
    returned_states,
    state_places,
    with_states,
)
from rnn_harness.validation.models.model_arguments import ModelArguments, map_tensors, named_tensors, uneven
from rnn_harness.validation.models.part_calls import part_calls
from rnn_harness.validation.models.recurrent_part import RecurrentPart
from rnn_harness.validation.models.run_model import Intervention, ModelRun
from rnn_harness.validation.models.statement import WiringStatement, listed, refuted
from rnn_harness.validation.models.under_test import ModelUnderTest
from rnn_harness.validation.models.unread_parts import unread_held_parts

if TYPE_CHECKING:
    from torch import Tensor

CHECK = "influence"


def check_influence(model: ModelUnderTest) -> Iterator[WiringStatement]:
    """Change all that a part gives, and see what of the result changes.

    Args:
        model: The model; outputs that are no real numbers, as tokens, do not show small changes, and decide nothing.
    """
    if not all(output.is_floating_point() for output in model.baseline.outputs):
        return
    silent = [part for part in model.called_parts if _is_silent(model, part)]
    for part in silent:
        sentence = f"{part.shown_name} is called, and neither what it gives nor its parameters reach any output"
        yield refuted(CHECK, sentence, part.name)
    for name in unread_held_parts(model):
        yield refuted(CHECK, f"{name} is not read: none of its parameters has an influence on any output", name)
    if not silent:
        yield from _unread_layers(model)
        yield from _unread_cells_of_a_list(model)


def _is_silent(model: ModelUnderTest, part: RecurrentPart) -> bool:
    """Whether neither the results of a part nor its parameters have an influence on any output."""
    if model.is_changed_by(model.run(None, *_changed_results(model.baseline, part))):
        return False
    prefix = f"{part.name}." if part.name else ""
    names = [prefix + name for name, _ in model.module.get_submodule(part.name).named_parameters()]
    return not model.is_changed_by(model.changed_parameters(names, lambda value: value + uneven(value)))


def _changed_results(run: ModelRun, part: RecurrentPart) -> tuple[Intervention, ...]:
    """Change everything that a part gives, in all of its calls."""
    return tuple(Intervention(part.name, call.index, _shifted) for call in run.of(part.name))


def _shifted(result: Any) -> Any:
    """Add numbers that are not all alike: what is alike, a normalisation takes away."""
    return map_tensors(lambda tensor: tensor + uneven(tensor) if tensor.is_floating_point() else tensor, result)


def _unread_layers(model: ModelUnderTest) -> Iterator[WiringStatement]:
    """Say that a layer on top of another one reaches its own state alone, and the output is of the layer below."""
    arguments = with_states(model)
    run = model.runs(arguments) if arguments is not None else None
    if arguments is None or run is None:
        return
    given = given_tensors(arguments)
    returned = returned_states(run, given)
    if returned is None or not returned.others:
        return
    places = state_places(arguments)
    for part in model.called_parts:
        below = _part_below(model, run, part)
        initial = [state for call in part_calls(run, part)[:1] for state in call.given_states]
        its_places = [place for place in places if any(holds_same_numbers(place.of(given), state) for state in initial)]
        if below is None or not initial or len(its_places) != len(initial):
            continue
        changes = (
            model.run(arguments, *_changed_results(run, part)),
            model.run(_with_changed_states(arguments, its_places)),
        )
        expected = _kept_tensors(run, returned.others, given, its_places)
        if all(_equal(_kept_tensors(other, returned.others, given, its_places), expected) for other in changes):
            sentence = (
                f"{part.shown_name} reads what {below} gives, and what it gives itself reaches nothing but its own "
                f"state: the output is that of {below}"
            )
            yield refuted(CHECK, sentence, part.name)


def _unread_cells_of_a_list(model: ModelUnderTest) -> Iterator[WiringStatement]:
    """Say that several cells of one list read the same inputs, and all but one reach their own last state alone.

    Cells side by side, whose results are put together, each reach what the model gives besides their last states;
    layers on top of each other do not read the same. What gives back the last states of all as the layers of one
    tensor is meant as layers on top of each other.
    """
    groups: dict[tuple[str, str], list[RecurrentPart]] = {}
    for part in model.called_parts:
        parent = part.name.rpartition(".")[0]
        if parent and not part.is_layer:  # parts are in the order of their first calls, from the lowest layer on
            groups.setdefault((parent, part.module_class), []).append(part)
    for parts in groups.values():
        if len(parts) < 2 or not _read_the_same(model, parts):
            continue
        silent = [part for number, part in enumerate(parts) if _reaches_last_state_alone(model, parts, number)]
        if silent and len(silent) == len(parts) - 1:
            read = next(part for part in parts if part not in silent)
            names, verb, whose = listed([part.shown_name for part in silent]), "gives", "its"
            if len(silent) > 1:
                verb, whose = "give", "their"
            sentence = (
                f"{names} and {read.shown_name} read the same inputs, and what {names} {verb} reaches nothing but "
                f"{whose} own last state: the output is that of {read.shown_name} alone, as of one layer"
            )
            yield refuted(CHECK, sentence, silent[0].name)


def _read_the_same(model: ModelUnderTest, parts: Sequence[RecurrentPart]) -> bool:
    """Whether in every step each of several cells reads the same inputs."""
    first, *others = ([call.inputs for call in part_calls(model.baseline, part)] for part in parts)
    return len(first) > 1 and all(
        len(inputs) == len(first) and all(map(holds_same_numbers, inputs, first)) for inputs in others
    )


def _reaches_last_state_alone(model: ModelUnderTest, parts: Sequence[RecurrentPart], number: int) -> bool:
    """Whether other results of one of several cells change its own last state among all of theirs, and nothing else.

    Their last states are given back as the layers of one tensor: a last state that is given back by itself may be
    what one of several cells is there for.
    """
    run = model.run(None, *_changed_results(model.baseline, parts[number]))
    changed = 0
    for before, after in zip(model.baseline.outputs, run.outputs, strict=True):
        if before.equal(after):
            continue
        changed += 1
        if not _are_last_states(model, parts, before):
            return False
        if any(k != number and not before[k].equal(after[k]) for k in range(len(parts))):
            return False
    return changed > 0


def _are_last_states(model: ModelUnderTest, parts: Sequence[RecurrentPart], output: Tensor) -> bool:
    """Whether an output holds the last state of each of several cells, in their order along its first axis."""
    if output.dim() != 3 or len(output) != len(parts):
        return False
    last_states = (part_calls(model.baseline, part)[-1].new_states for part in parts)
    return all(
        any(holds_same_numbers(layer, state) for state in states)
        for layer, states in zip(output, last_states, strict=True)
    )


def _part_below(model: ModelUnderTest, run: ModelRun, part: RecurrentPart) -> str | None:
    """Name the part whose outputs are the inputs of a part in every call; None where there is none."""
    calls = part_calls(run, part)
    for other in model.called_parts:
        outputs = [call.outputs for call in part_calls(run, other)]
        is_read = all(any(holds_same_numbers(call.inputs, output) for output in outputs) for call in calls)
        if other.name != part.name and calls and is_read:
            return other.shown_name
    return None


def _with_changed_states(arguments: ModelArguments, places: Sequence[StatePlace]) -> ModelArguments:
    """The arguments with other numbers at some places of the states."""
    number = -1

    def change(tensor: Tensor) -> Tensor:
        nonlocal number
        number += 1
        moved = tensor.clone()
        for place in places:
            if place.tensor == number:
                moved[... if place.layer is None else place.layer] += 1
        return moved

    for argument in arguments.of_role("state"):
        arguments = arguments.with_value(argument.name, map_tensors(change, argument.value))
    return arguments


def _kept_tensors(
    run: ModelRun, others: Sequence[int], given: Sequence[Tensor], places: Sequence[StatePlace]
) -> list[Tensor]:
    """The tensors of a result without the states at some places."""
    import torch

    tensors = [tensor for _, tensor in named_tensors(run.result)]
    returned = returned_states(run, given)
    kept = [tensors[number] for number in others]
    for number, tensor in enumerate(returned.tensors if returned is not None else ()):
        layers = {place.layer for place in places if place.tensor == number}
        if None in layers:
            continue
        remaining = [k for k in range(len(tensor)) if k not in layers] if layers else list(range(len(tensor)))
        kept.append(tensor[torch.tensor(remaining, dtype=torch.int64)])
    return kept


def _equal(first: Sequence[Tensor], second: Sequence[Tensor]) -> bool:
    """Whether two lists hold the same numbers."""
    import torch

    return len(first) == len(second) and all(torch.equal(a, b) for a, b in zip(first, second, strict=True))
