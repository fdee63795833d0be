"""Every way of calling a target that is tried, likely ones first."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import replace

from rnn_harness.validation.cells.call_argument import CallArgument
from rnn_harness.validation.cells.calling_convention import CallingConvention
from rnn_harness.validation.cells.state_form import SEPARATE, StateForm
from rnn_harness.validation.loading.forward_signature import ArgumentPlan

_UNUSUAL_FORMS: tuple[tuple[int, StateForm], ...] = (
    (1, StateForm("list")),
    (1, StateForm("tuple")),
    (2, StateForm("list")),
    (2, StateForm("tensor", merging="stacked")),
    (2, StateForm("tensor", merging="joined")),
    (2, StateForm("tuple", depth=1)),
)
_UNUSUAL_STEP_AXES = (("nB", "dB"), ("n", "d"), ("n1", "d1"), ("B1n", "B1d"))
_UNUSUAL_SEQUENCE_AXES = (("nBT", "Bd"), ("BnT", "Bd"), ("Tn", "d"), ("Tn", "1d"))


def usual_attempts(plans: Sequence[ArgumentPlan]) -> Iterator[CallingConvention]:
    """List the usual ways: tensors, a tuple of two states, rows in front or behind the time.

    Args:
        plans: The ways to tell the arguments apart.
    """
    # Where inputs are as wide as states, a sequence can be taken for a state of a step, or for several: what the
    # names of the arguments speak against comes last.
    groups = [[plan for plan in plans if plan.is_against_names is is_against] for is_against in (False, True)]
    calls = ((False, 1), (False, 2), (True, 1), (True, 2), (True, 0))
    for group, (sequence, states) in itertools.product(groups, calls):
        layouts = itertools.product(
            ("1Bd", "Bd") if sequence and states else ("Bd",), ("", "BTn") if sequence else ("",)
        )
        for (state_axes, input_axes), plan in itertools.product(layouts, group):
            for form in _usual_forms(plan, states):
                convention = CallingConvention(sequence, states, plan.arguments, form, input_axes, state_axes)
                yield from with_extras(convention)


def _usual_forms(plan: ArgumentPlan, states: int) -> tuple[StateForm, ...]:
    """The forms in which so many states usually go into the arguments of a plan."""
    if plan.states == 1 and states == 2:
        return (StateForm("tuple"),)
    return (SEPARATE,) if plan.states == states else ()


def unusual_attempts(plans: Sequence[ArgumentPlan], recorded: Sequence[StateForm] = ()) -> Iterator[CallingConvention]:
    """List further ways: states in lists, dictionaries and fields, stacked or joined.

    Args:
        plans: The ways to tell the arguments apart.
        recorded: Forms of a state that the target was seen to read.
    """
    for sequence, plan in itertools.product((False, True), plans):
        if plan.states != 1:
            continue
        forms = [(len(form.keys), form) for form in (*plan.forms, *recorded)]
        for states, form in (*forms, *_UNUSUAL_FORMS):
            for state_axes in ("Bd", "1Bd"):
                for input_axes in ("", "BTn") if sequence else ("",):
                    convention = CallingConvention(sequence, states, plan.arguments, form, input_axes, state_axes)
                    yield from with_extras(convention)
    for states, plan in itertools.product((1, 2), plans):  # steps of a stack of one layer
        for form in _usual_forms(plan, states):
            yield from with_extras(CallingConvention(False, states, plan.arguments, form, "", "1Bd"))


def arranged_attempts(plans: Sequence[ArgumentPlan], with_lists: bool = True) -> Iterator[CallingConvention]:
    """List further ways: rows in columns or one at a time, features first, steps in a list, packed sequences.

    Args:
        plans: The ways to tell the arguments apart.
        with_lists: Whether the target may take lists and packed sequences.
    """
    for (input_axes, state_axes), states, plan in itertools.product(_UNUSUAL_STEP_AXES, (1, 2), plans):
        for form in _usual_forms(plan, states):
            yield from with_extras(CallingConvention(False, states, plan.arguments, form, input_axes, state_axes))
    for (input_axes, state_axes), states, plan in itertools.product(_UNUSUAL_SEQUENCE_AXES, (1, 2, 0), plans):
        for form in _usual_forms(plan, states):
            features_first = CallingConvention(True, states, plan.arguments, form, input_axes, state_axes)
            yield from with_extras(features_first)
            if input_axes == "BnT":  # as convolutions give them, with outputs as recurrent layers do
                yield from with_extras(replace(features_first, output_axes="BTd"))
    for states, state_axes, plan in itertools.product((1, 2, 0), ("Bd", "1Bd"), plans if with_lists else ()):
        for form in _usual_forms(plan, states):
            plain = CallingConvention(True, states, plan.arguments, form, "", state_axes)
            yield from with_extras(replace(plain, input_form="list"))
            yield from with_extras(replace(plain, input_form="packed"))


def with_extras(convention: CallingConvention) -> Iterator[CallingConvention]:
    """List the convention with every shape and dtype that its further arguments may have; itself if it has none.

    Args:
        convention: The convention, its further arguments without axes.
    """
    if not any(argument.is_extra and argument.role != "step number" for argument in convention.arguments):
        yield convention
        return
    batch_time = convention.axes_of_input.replace("n", "") if convention.sequence else "B"
    batch_time = batch_time.replace("1", "") if convention.takes_rows else batch_time.replace("B", "")
    for axes, dtype in (
        (f"{batch_time}1", ""),
        (batch_time, ""),
        (batch_time, "bool"),
        (f"{batch_time}1", "bool"),
        ("", ""),
    ):
        for as_list in (False, True) if _has_lengths(convention) else (False,):
            arguments = tuple(_shaped(argument, axes, dtype, as_list) for argument in convention.arguments)
            yield replace(convention, arguments=arguments)


def _has_lengths(convention: CallingConvention) -> bool:
    """Say whether lengths are handed over."""
    return any(argument.role == "lengths" for argument in convention.arguments)


def _shaped(argument: CallArgument, axes: str, dtype: str, as_list: bool) -> CallArgument:
    """A further argument with axes and a dtype; any other as it is."""
    if argument.role == "lengths":
        return replace(argument, axes="B", dtype="int64", as_list=as_list)
    is_shaped = argument.is_extra and argument.role != "step number"
    return replace(argument, axes=axes, dtype=dtype) if is_shaped else argument
