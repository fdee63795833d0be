"""What the arguments of a module's forward are, by their names, annotations and defaults."""

from __future__ import annotations

import inspect
import re
import types
import typing
from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import TYPE_CHECKING, Any

from rnn_harness.validation.cells.call_argument import STEP_NUMBER_NAME, CallArgument, Role, role_of_extra
from rnn_harness.validation.cells.callable_facts import tuple_fields
from rnn_harness.validation.cells.state_form import StateForm
from rnn_harness.validation.loading.parameter_exchange import scripted_arguments

if TYPE_CHECKING:
    from torch import nn

INPUT_NAME = re.compile(
    r"(x|xs|xt|x_?t|inp|inputs?|input_\w+|inp_\w+|u|u_t|obs|observations?|features?|seqs?|sequences?|series|data|signal|"
    r"x_seq|emb|embeddings?|embedded|batch|tokens?|frames?)$",
    re.I,
)
STATE_NAME = re.compile(
    r"([hcs](_\w{1,6}|\d|[xct]|s)?|hidden\w*|\w*states?|\w*carry|mem|memory|cell\w*|\w*prev\w*|last\w*|ctx|"
    r"context|belief|init\w*|z)$",
    re.I,
)
MOST_ARGUMENTS = 8


@dataclass(frozen=True)
class ForwardArgument:
    """One argument of a module's forward.

    Attributes:
        name: How the signature calls it.
        is_required: Whether it has no default.
        keyword_only: Whether it must be handed over by name.
        annotation: Its annotation, with names resolved; None without one.
        default: Its default; None without one.
    """

    name: str
    is_required: bool
    keyword_only: bool = False
    annotation: Any = None
    default: Any = None

    @property
    def is_switch(self) -> bool:
        """Whether it is true or false, or a word, whatever its name: ``return_states: bool = False`` takes no state.

        Handed a state, it would be true, and the call would do something else.
        """
        is_union = typing.get_origin(self.annotation) in (typing.Union, types.UnionType)
        options = typing.get_args(self.annotation) if is_union else (self.annotation,)
        return isinstance(self.default, bool | str) or any(option in (bool, str) for option in options)

    @property
    def extra_role(self) -> Role | None:
        """What it is besides an input or a state; None if its name does not say so."""
        return role_of_extra(self.name)


def forward_arguments(module: nn.Module) -> tuple[ForwardArgument, ...] | None:
    """List the arguments of a module's forward.

    Args:
        module: The module; annotations that name what does not exist are left out.

    Returns:
        The arguments in order; None where forward does not show them, or takes any.
    """
    import torch

    if isinstance(module, torch.jit.ScriptModule):
        return _scripted_arguments(module)
    forward = module.forward
    try:
        parameters = list(inspect.signature(forward).parameters.values())
    except (TypeError, ValueError):
        return None
    try:
        hints = typing.get_type_hints(forward)
    except Exception:  # annotations may name what does not exist
        hints = {}
    if any(parameter.kind is parameter.VAR_POSITIONAL for parameter in parameters):
        return None
    return tuple(
        ForwardArgument(
            parameter.name,
            parameter.default is parameter.empty,
            parameter.kind is parameter.KEYWORD_ONLY,
            hints.get(parameter.name),
            None if parameter.default is parameter.empty else parameter.default,
        )
        for parameter in parameters
        if parameter.kind is not parameter.VAR_KEYWORD
    )


def _scripted_arguments(module: nn.Module) -> tuple[ForwardArgument, ...] | None:
    """The arguments of a scripted module, from the schema of its forward or of the first of several."""
    arguments = tuple(ForwardArgument(*argument) for argument in scripted_arguments(module))
    return arguments or None


def annotated_forms(annotation: Any) -> Iterator[StateForm]:
    """List the forms of a state that an annotation names: dataclasses and named tuples of one or two fields.

    Args:
        annotation: What stands behind an argument's name, or a union of such.
    """
    for option in (annotation, *typing.get_args(annotation)):
        names: tuple[str, ...] = ()
        if isinstance(option, type) and is_dataclass(option):
            names = tuple(field.name for field in fields(option))
        elif isinstance(option, type) and issubclass(option, tuple):
            names = tuple_fields(option)
        if len(names) in (1, 2):
            yield StateForm("fields", names, constructor=option, constructor_name=option.__name__)


@dataclass(frozen=True)
class ArgumentPlan:
    """Which arguments are handed over, and what each of them is.

    Attributes:
        arguments: The arguments in order, further ones without their axes.
        states: The number of arguments for states: 0, 1 or 2.
        state_names: The names of those arguments.
        forms: Forms of a state that annotations name.
        is_against_names: Whether what has the name of a state is the input, and what has that of an input a state.
    """

    arguments: tuple[CallArgument, ...]
    states: int
    state_names: tuple[str, ...] = ()
    forms: tuple[StateForm, ...] = ()
    is_against_names: bool = False


def argument_plans(arguments: tuple[ForwardArgument, ...] | None) -> list[ArgumentPlan]:
    """List the ways to tell inputs, states and further arguments apart, likely ones first.

    Args:
        arguments: The arguments of a forward; None where they are unknown.
    """
    if arguments is None:
        return _positional_plans()
    required = [argument for argument in arguments if argument.is_required]
    optional = [
        argument
        for argument in arguments
        if not (argument.is_required or argument.is_switch or argument.extra_role is not None)
    ]
    plans: list[ArgumentPlan] = []
    for handed_over in _optional_choices(optional):
        chosen = [argument for argument in arguments if argument in required or argument in handed_over]
        if len(chosen) <= MOST_ARGUMENTS:
            named = _named_from(arguments, chosen)
            plans += [plan for plan in _plans_of(chosen, named) if plan not in plans]
    return plans + _plans_with_step_number(required)


def _plans_with_step_number(required: list[ForwardArgument]) -> list[ArgumentPlan]:
    """The plans that hand over the number of the step, or else its time, beside an input and a state."""
    numbers = [argument for argument in required if STEP_NUMBER_NAME.match(argument.name)]
    if len(numbers) != 1 or len(required) < 3:
        return []
    by_name = {argument.name for argument in required if argument.keyword_only}
    plans = list(_plans_of([argument for argument in required if argument is not numbers[0]], by_name))
    number = CallArgument("step number", numbers[0].name, numbers[0].name in by_name)
    place = required.index(numbers[0])
    return [
        replace(plan, arguments=(*plan.arguments[:place], argument, *plan.arguments[place:]))
        for argument in (number, replace(number, role="dt"))
        for plan in plans
    ]


def _positional_plans() -> list[ArgumentPlan]:
    """The plans of a forward that takes any arguments."""
    x, packed = CallArgument("input"), CallArgument("states")
    separate = (CallArgument("first state"), CallArgument("second state"))
    return [
        ArgumentPlan((x, packed), 1),
        ArgumentPlan((packed, x), 1),
        ArgumentPlan((x, *separate), 2),
        ArgumentPlan((*separate, x), 2),
        ArgumentPlan((x,), 0),
    ]


def _optional_choices(optional: list[ForwardArgument]) -> list[list[ForwardArgument]]:
    """The optional arguments that may be handed over as states: those that are named so, then any, then none."""
    named = [argument for argument in optional if STATE_NAME.match(argument.name)]
    likely = named or optional
    choices = [likely[:2], likely[:1], []]
    return [choice for place, choice in enumerate(choices) if choice not in choices[:place]]


def _named_from(arguments: tuple[ForwardArgument, ...], chosen: list[ForwardArgument]) -> set[str]:
    """The chosen arguments that go by name: those that take no place, and those behind one that is left out."""
    first_left_out = next((i for i, argument in enumerate(arguments) if argument not in chosen), len(arguments))
    behind = {argument.name for argument in arguments[first_left_out:]}
    return {argument.name for argument in chosen if argument.keyword_only or argument.name in behind}


def _plans_of(chosen: list[ForwardArgument], named: set[str]) -> Iterator[ArgumentPlan]:
    """The plans that hand over these arguments: each that could be the input is, and one or two are states.

    Args:
        chosen: The arguments.
        named: The names of those that go by name.
    """
    unnamed = [argument for argument in chosen if argument.extra_role is None]
    if not 1 <= len(unnamed) <= 3:
        return
    for x in sorted(unnamed, key=_unlikely_input):
        states = [argument for argument in unnamed if argument is not x]
        roles: list[Role] = ["states"] if len(states) == 1 else ["first state", "second state"]
        ordered = _placed(chosen, x, dict(zip((state.name for state in states), roles, strict=False)), named)
        forms = tuple(form for state in states for form in annotated_forms(state.annotation))
        is_against_names = _unlikely_input(x) == 2 and any(_unlikely_input(state) == 0 for state in states)
        yield ArgumentPlan(ordered, len(states), tuple(state.name for state in states), forms, is_against_names)


def _unlikely_input(argument: ForwardArgument) -> int:
    """Order arguments by how little their names are those of an input."""
    if INPUT_NAME.match(argument.name) and "prev" not in argument.name:
        return 0
    return 2 if STATE_NAME.match(argument.name) else 1


def _placed(
    chosen: list[ForwardArgument], x: ForwardArgument, states: dict[str, Role], named: set[str]
) -> tuple[CallArgument, ...]:
    """The arguments in order, each with its role."""
    ordered = []
    for argument in chosen:
        role = "input" if argument is x else states.get(argument.name) or argument.extra_role
        assert role is not None, "every argument is an input, a state or one of the further ones"
        ordered.append(CallArgument(role, argument.name, argument.name in named))
    return tuple(ordered)
