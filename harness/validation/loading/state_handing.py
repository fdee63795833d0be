"""How several states go into a torch cell, each as an argument, in a tuple or by names, and how they come back."""

from __future__ import annotations

import ast
import inspect
import itertools
import textwrap
import typing
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, is_dataclass
from typing import TYPE_CHECKING, Any

from rnn_harness.attributes import attribute
from rnn_harness.validation.cells.callable_facts import tuple_fields
from rnn_harness.validation.cells.state_form import SEPARATE, Leaf, StateForm
from rnn_harness.validation.loading.adapters.handwritten.returned_names import returned_names
from rnn_harness.validation.loading.adapters.handwritten.returned_states import stem_of
from rnn_harness.validation.loading.forward_signature import INPUT_NAME, ForwardArgument, forward_arguments

if TYPE_CHECKING:
    from torch import Tensor, nn

GROUPS = ((1, 2), (2, 1))
"""Three states of which two go in together: ``h, (c, s)`` and ``(c, s), h``."""


@dataclass(frozen=True)
class StateHanding:
    """How the states of a cell go in.

    Attributes:
        form: What holds them; where nothing does, each is an argument.
        names: What the cell calls them: arguments, keys or fields; empty where it calls them nothing.
        arguments: The names of the input and of what holds the states, or of each state, where these go by name.
        groups: How many states each argument holds, those of several in a tuple: ``h, (c, s)`` is (1, 2). Empty where
            no argument differs from the others.
    """

    form: StateForm = SEPARATE
    names: tuple[str, ...] = ()
    arguments: tuple[str, ...] = ()
    groups: tuple[int, ...] = ()

    def takes(self, count: int) -> bool:
        """Say whether that many states can go in.

        Args:
            count: The number of states.
        """
        if self.names or self.groups:
            return (sum(self.groups) or len(self.names)) == count
        return self.form == SEPARATE or count > 1

    def holds_one(self, count: int) -> bool:
        """Say whether a single state goes in within a tuple, which that of a stack of layers may.

        Args:
            count: The number of states.
        """
        return count == 1 and self.form.container == "tuple" and not self.names and not self.groups

    def call(self, cell: nn.Module, x: Tensor, states: Sequence[Tensor]) -> object:
        """Call a cell with its states apart.

        Args:
            cell: What is called; its forward takes the states as this says.
            x: Inputs (B, n).
            states: The states, each (B, its width).
        """
        handed: Sequence[object] = states if self.form == SEPARATE else (self.form.pack(states),)
        if self.groups:
            grouped = self._grouped(states)
            handed = grouped if self.form == SEPARATE else (tuple(grouped),)
        if self.arguments:
            return cell(**dict(zip(self.arguments, (x, *handed), strict=True)))
        return cell(x, *handed)

    def _grouped(self, states: Sequence[Tensor]) -> list[object]:
        """The states, those of one argument in one tuple."""
        ends = list(itertools.accumulate(self.groups))
        grouped = [tuple(states[end - size : end]) for size, end in zip(self.groups, ends, strict=True)]
        return [group if len(group) > 1 else group[0] for group in grouped]

    def named_places(self, cell: nn.Module, results: Sequence[Leaf]) -> tuple[int, ...]:
        """Return the place of each state among what comes back, where names tell it; empty where they do not.

        Keys and fields tell, and where whoever calls the cell names each state, so does its return statement:
        ``return s, h`` of ``forward(self, x, h, s)``. What comes back of one tuple is in the order of that tuple.

        Args:
            cell: The cell, whose source is read.
            results: The tensors that came back.
        """
        place_of = {leaf.path[-1]: place for place, leaf in enumerate(results) if leaf.path}
        if self.names and set(self.names) <= set(place_of):
            return tuple(place_of[name] for name in self.names)
        returned = [stem_of(name) if name else "" for name in returned_names(type(cell).forward)]
        stems = [stem_of(name) for name in self.names]
        if len(returned) != len(results) or any(returned.count(stem) != 1 for stem in stems):
            return ()
        return tuple(returned.index(stem) for stem in stems)


def state_handings(cell: nn.Module, state_names: tuple[str, ...] = ()) -> list[StateHanding]:
    """List the ways in which a cell may take its states, those that its own code shows first.

    Args:
        cell: The cell; its source is read, and nothing is called.
        state_names: What the states are called by the equations that it is held against, where there are any.
    """
    arguments = [argument for argument in forward_arguments(cell) or () if argument.is_required]
    x = next((argument for argument in arguments if INPUT_NAME.match(argument.name)), None)
    if any(argument.name in state_names for argument in arguments):
        x = next((argument for argument in arguments if argument.name not in state_names), None)
    if not arguments or x is None:
        return [StateHanding(StateForm("tuple")), StateHanding()]
    states = [argument for argument in arguments if argument is not x]
    is_by_name = arguments[0] is not x or any(argument.keyword_only for argument in arguments)
    names = (x.name, *(argument.name for argument in states)) if is_by_name else ()
    if len(states) == 2:
        apart = StateHanding(names=tuple(argument.name for argument in states), arguments=names)
        return [apart, *(StateHanding(arguments=names, groups=groups) for groups in GROUPS)]
    if len(states) != 1:
        return [StateHanding(names=tuple(argument.name for argument in states), arguments=names)]
    named = [StateHanding(form, form.keys, names) for form in _named_forms(cell, states[0], state_names)]
    pair = StateForm("tuple")
    nested = [StateHanding(pair, arguments=names, groups=groups) for groups in GROUPS]
    return [*named, StateHanding(pair, arguments=names), StateHanding(arguments=names), *nested]


def _named_forms(cell: nn.Module, argument: ForwardArgument, state_names: tuple[str, ...]) -> Iterator[StateForm]:
    """The forms with names that the argument of all states may have, by its annotation, its use, and the equations."""
    for option in (argument.annotation, *typing.get_args(argument.annotation)):
        if names := _field_names(option):
            yield StateForm("fields", names, constructor=option, constructor_name=option.__name__)
    keys, attributes = _read_names(type(cell), argument.name)
    seen: list[StateForm] = []
    for form in (
        StateForm("mapping", keys),
        StateForm("mapping", state_names),
        StateForm("fields", attributes),
        StateForm("fields", state_names),
    ):
        if len(form.keys) > 1 and form not in seen:
            seen.append(form)
            yield form


def _field_names(option: Any) -> tuple[str, ...]:
    """The fields of a dataclass or a named tuple; none of anything else."""
    if not isinstance(option, type):
        return ()
    return tuple(field.name for field in fields(option)) if is_dataclass(option) else tuple_fields(option)


def _read_names(written_class: type, argument: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The keys and the fields that the forward of a class reads of an argument, in the order of the source."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(vars(written_class)["forward"])))
    except (KeyError, OSError, TypeError, SyntaxError):  # it was made where there is no source
        return (), ()
    keys: dict[str, None] = {}
    attributes: dict[str, None] = {}
    for node in ast.walk(tree):
        value = attribute(node, "value", ast.Name)
        if value is None or value.id != argument:
            continue
        if (
            isinstance(node, ast.Subscript)
            and isinstance(node.slice, ast.Constant)
            and isinstance(node.slice.value, str)
        ):
            keys[node.slice.value] = None
        elif isinstance(node, ast.Attribute):
            attributes[node.attr] = None
    return tuple(keys), tuple(attributes)
