"""What the source of a module calls its states: a name tells a state, which changes, from a context, which may stay."""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from typing import TYPE_CHECKING

from rnn_harness.validation.cells.calling_convention import CallingConvention
from rnn_harness.validation.loading.parameter_exchange import CalledWithParameters

if TYPE_CHECKING:
    from torch import nn

_OF_EARLIER_STEP = r"(_?(0|t|x|s|n|tm1|t_1|t0|in|prev|last|old|pre))?"
_STATE_WORDS = {
    "h": re.compile(
        rf"(h{_OF_EARLIER_STEP}|(prev|last|old)_?(h|hidden|state)|hidden(_?states?)?(_?\w)?|states?)$", re.I
    ),
    "c": re.compile(rf"(c{_OF_EARLIER_STEP}|(prev|last|old)_?(c|cell)|cell(_?states?)?(_?\w)?)$", re.I),
}


def is_called_a_state(
    module: nn.Module | CalledWithParameters, convention: CallingConvention, place: int, state: str
) -> bool:
    """Say whether the source of a module calls a tensor that it is given as a cell's state is called.

    Gates may read an encoding, a speaker or a goal in the place of a state; it goes in and out as it is, and no number
    tells such a context from a state that somebody forgot to carry on.

    Args:
        module: The module, whose source is read.
        convention: How it is called.
        place: The number of the tensor among the states that it is given.
        state: The state that the tensor would be: ``h`` or ``c``.
    """
    words = _STATE_WORDS[state]
    arguments = [argument.name for argument in convention.handed_over if "state" in argument.role]
    if not convention.packed:
        return len(arguments) > place and words.match(arguments[place]) is not None
    if convention.state_form.keys:
        return words.match(convention.state_form.keys[place]) is not None
    names = () if isinstance(module, CalledWithParameters) else _unpacked_names(type(module), arguments[0], place)
    return any(words.match(name) for name in names)


def _unpacked_names(written_class: type, argument: str, place: int) -> tuple[str, ...]:
    """The names that the forward of a class, or one that it overrides, gives to an entry of an argument."""
    names: list[str] = []
    for base in written_class.__mro__:
        if "forward" in vars(base):
            names += _names_in(vars(base)["forward"], argument, place)
    return tuple(names)


def _names_in(forward: object, argument: str, place: int) -> list[str]:
    """The names that one function gives to an entry of an argument: ``h, c = states`` or ``h = states[0]``."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(forward)))  # type: ignore[arg-type]
    except (OSError, TypeError, SyntaxError, ValueError):  # it was made where there is no source
        return []
    names: list[str] = []
    for statement in ast.walk(tree):
        if not isinstance(statement, ast.Assign) or not _mentions(statement.value, argument):
            continue
        target, value = statement.targets[0], statement.value
        if isinstance(target, ast.Tuple) and len(target.elts) == 2:
            entry = target.elts[place]
            names += [entry.id] if isinstance(entry, ast.Name) else []
        elif isinstance(target, ast.Name) and isinstance(value, ast.Subscript):
            is_entry = isinstance(value.slice, ast.Constant) and value.slice.value == place
            names += [target.id] if is_entry else []
    return names


def _mentions(expression: ast.expr, name: str) -> bool:
    """Say whether a name stands in an expression."""
    return any(isinstance(node, ast.Name) and node.id == name for node in ast.walk(expression))
