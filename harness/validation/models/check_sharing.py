"""Do layers share their weights, and is every layer of a list called?"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from rnn_harness.validation.models.given_states import holds_same_numbers
from rnn_harness.validation.models.part_calls import PartCall, part_calls
from rnn_harness.validation.models.recurrent_part import modules_by_object
from rnn_harness.validation.models.statement import WiringStatement, agrees, listed, refuted
from rnn_harness.validation.models.under_test import ModelUnderTest

if TYPE_CHECKING:
    from torch import nn

CHECK = "sharing"
_WANTED = re.compile(
    r"\bshar(e|ed|es|ing)|\btie[ds]?\b|\btying\b|_shared?\b|\bsame (cell|weights|layer)", re.IGNORECASE
)


def check_sharing(model: ModelUnderTest) -> Iterator[WiringStatement]:
    """See whether one object, or one parameter, stands in several places.

    Args:
        model: The model; modules and parameters count as one where they are the same object.
    """
    recurrent = {part.name for part in model.parts}
    classes = {type(model.module.get_submodule(part)) for part in recurrent if part}
    doubled = [
        names
        for names, module in modules_by_object(model.module)
        if len(names) > 1
        and (
            any(name == part or part.startswith(f"{name}.") for name in names for part in recurrent)
            or type(module) in classes  # what is called for two layers in turn does not look like one cell
        )
    ]
    # Whatever stands inside of an object that is there twice is there twice as well.
    outer = [names for names in doubled if not any(_is_inside(names, others) for others in doubled)]
    for names in outer:
        sentence = f"{listed(names)} are one object, so that they share their weights"
        if _are_entries_of_one_list(model.module, names) and not says_it_shares(model.module):
            count = f"the {len(names)} layers {listed(names)}"
            yield refuted(CHECK, sentence.replace(listed(names), count, 1), names[0])
        else:
            yield agrees(CHECK, sentence, names[0])
    if not outer and len(model.parts) > 1:
        yield from _shared_parameters(model)


def _is_inside(names: Sequence[str], others: Sequence[str]) -> bool:
    """Whether an object stands inside of another one."""
    return any(name.startswith(f"{other}.") for name in names for other in others)


def _are_entries_of_one_list(module: nn.Module, names: Sequence[str]) -> bool:
    """Whether all names are entries of one ModuleList or Sequential."""
    from torch import nn

    parents = {name.rpartition(".")[0] for name in names}
    return len(parents) == 1 and isinstance(module.get_submodule(parents.pop()), nn.ModuleList | nn.Sequential)


def says_it_shares(module: nn.Module) -> bool:
    """Say whether the source of a model's class speaks of sharing or tying weights.

    Args:
        module: The model, or any module.
    """
    return _WANTED.search(source_of(module)) is not None


def source_of(module: nn.Module) -> str:
    """Return the source of a model's class; empty where there is none.

    Args:
        module: The model, or any module.
    """
    try:
        return inspect.getsource(type(module))
    except (OSError, TypeError):
        return ""


def _shared_parameters(model: ModelUnderTest) -> Iterator[WiringStatement]:
    """Say which recurrent parts share single parameters, or that none do."""
    owners: dict[int, list[str]] = {}
    for part in model.parts:
        for parameter in model.module.get_submodule(part.name).parameters():
            owners.setdefault(id(parameter), []).append(part.shown_name)
    groups = dict.fromkeys(tuple(names) for names in owners.values() if len(names) > 1)
    for names in groups:
        yield agrees(CHECK, f"{listed(list(names))} share some of their weights", names[0])
    if not groups:
        yield agrees(CHECK, "its recurrent parts have weights of their own")


def check_calls(model: ModelUnderTest) -> Iterator[WiringStatement]:
    """See whether an entry of a list of layers is called in the place of others.

    Args:
        model: The model; of its ``nn.ModuleList``s, entries of one class and the same shapes are compared.
    """
    from torch import nn

    counts = {name: len(model.baseline.of(name)) for name in model.watched}
    for list_name, module in model.module.named_modules():
        if not isinstance(module, nn.ModuleList) or len(module) < 2:
            continue
        prefix = f"{list_name}." if list_name else ""
        groups: dict[tuple[object, ...], list[str]] = {}
        for entry, child in module.named_children():
            shapes = tuple(tuple(parameter.shape) for parameter in child.parameters())
            if f"{prefix}{entry}" in counts and shapes:
                groups.setdefault((type(child), shapes), []).append(f"{prefix}{entry}")
        for names in groups.values():
            steps = {model.arguments.sequence.shape[axis] for axis in model.arguments.grid}
            yield from _called_in_place(names, [counts[name] for name in names], steps)


def check_shared_directions(model: ModelUnderTest) -> Iterator[WiringStatement]:
    """See whether a recurrent part reads every step twice, and another one of its kind next to it none.

    Args:
        model: The model; nothing is said where its source speaks of sharing weights.
    """
    if says_it_shares(model.module):
        return
    for part in model.called_parts:
        module = model.module.get_submodule(part.name)
        silent = [
            name
            for name, other in _counterparts(model.module, part.name)
            if other is not module
            and type(other) is type(module)
            and _shapes(other) == _shapes(module)
            and not any(f"{call.name}.".startswith(f"{name}.") for call in model.baseline.calls)
        ]
        if silent and _reads_every_step_twice(part_calls(model.baseline, part)):
            sentence = (
                f"{listed(silent)} {'is' if len(silent) == 1 else 'are'} never called: {part.shown_name}, of the same "
                "size, reads every step twice, so that both directions share its weights"
            )
            yield refuted("shared-directions", sentence, silent[0])


def _counterparts(model: nn.Module, name: str) -> Iterator[tuple[str, nn.Module]]:
    """Yield the modules beside a part, and those at its place in the lists beside its list, by name."""
    from torch import nn

    parent_name, _, own_name = name.rpartition(".")
    if not own_name:
        return
    parent = model.get_submodule(parent_name)
    prefix = f"{parent_name}." if parent_name else ""
    yield from ((f"{prefix}{child_name}", child) for child_name, child in parent.named_children())
    if not parent_name or not isinstance(parent, nn.ModuleList):
        return
    grandparent_name, _, _ = parent_name.rpartition(".")
    above = f"{grandparent_name}." if grandparent_name else ""
    for list_name, beside in model.get_submodule(grandparent_name).named_children():
        if isinstance(beside, nn.ModuleList) and beside is not parent and len(beside) == len(parent):
            yield f"{above}{list_name}.{own_name}", beside[int(own_name)]


def _shapes(module: nn.Module) -> list[tuple[int, ...]]:
    """The shapes of the parameters of a module."""
    return [tuple(parameter.shape) for parameter in module.parameters()]


def _reads_every_step_twice(calls: Sequence[PartCall]) -> bool:
    """Whether every step that a part reads is read twice, and there is more than one."""
    steps = [step for call in calls for step in call.inputs]
    counts = [sum(holds_same_numbers(step, other) for other in steps) for step in steps]
    return len(steps) > 2 and set(counts) == {2}


def _called_in_place(names: Sequence[str], counts: Sequence[int], steps: set[int]) -> Iterator[WiringStatement]:
    """Say that one of several equal layers is called for all of them, and the others never.

    It is called for all of them if it is called as often as there are layers, or as there are layers times steps.
    """
    called = [name for name, count in zip(names, counts, strict=True) if count]
    silent = [name for name, count in zip(names, counts, strict=True) if not count]
    is_called_for_all = sum(counts) not in steps and sum(counts) in {len(names) * count for count in (1, *steps)}
    if len(called) == 1 and silent and is_called_for_all:
        sentence = (
            f"{listed(silent)} {'is' if len(silent) == 1 else 'are'} never called: {called[0]}, of the same size, is "
            f"called in {'its' if len(silent) == 1 else 'their'} place ({sum(counts)} times), so that the layers share "
            "their weights"
        )
        yield refuted("calls", sentence, silent[0])
