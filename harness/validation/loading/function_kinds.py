"""What a function is by the names of its arguments: one that makes cells of a configuration, or one of a step."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from rnn_harness.validation.loading.adapters.handwritten.argument_names import role_of
from rnn_harness.validation.loading.config_objects import is_config_name
from rnn_harness.validation.loading.size_arguments import argument_names


def names_configuration(function: Callable[..., object]) -> bool:
    """Say whether the only required argument of a function is a configuration.

    Args:
        function: A function that may make cells.
    """
    known = argument_names(function).values()
    required = [argument.name for argument in known if argument.default is argument.empty]
    return len(required) == 1 and is_config_name(required[0]) and required[0] != "params"


def is_step(names: Iterable[str]) -> bool:
    """Say whether arguments are those of a step: an input, a state, and one tree or several parameters.

    One of them may be called as a size is: a weight D, a state H.

    Args:
        names: The names of all arguments.
    """
    roles = [role_of(name) for name in names]
    has_parameters = "tree" in roles or roles.count("other") > 1
    return "x" in roles and bool({"h", "c"} & {*roles}) and has_parameters
