"""Functions that take further inputs beside x, such as a mask and the time since the last value, filled with numbers.

Cells for series with gaps have them. What such a function computes of x and its states is a cell whatever the numbers.
"""

from __future__ import annotations

import functools
import inspect
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from rnn_harness.validation.cells.call_argument import role_of_extra
from rnn_harness.validation.loading.adapters.handwritten.argument_names import required_arguments, role_of
from rnn_harness.validation.loading.adapters.handwritten.renamed_arguments import with_signature_of

_MOST_INPUTS = 3
_NUMBERS = (0.6, 0.35, 0.8)
"""What further inputs are filled with: between 0 and 1, where masks are, and of different sizes."""


_WEIGHT = re.compile(r"[WUVRb](_?\w*)?$|w(_|\d|[a-z]{1,2}$)|w$|(?i:.*(weight_|kernel|bias|gamma|beta))")
"""Names of single weights: then weights are arguments of their own, and what stands beside them may be one."""


@dataclass(frozen=True)
class FilledInputs:
    """Further inputs of the shape of x, each filled with one number.

    Attributes:
        names: The arguments.
        x: The argument that holds the inputs.
        name: Empty: none of them says which steps are padding.
    """

    names: tuple[str, ...]
    x: str
    name: str = ""

    @property
    def note(self) -> str:
        """What is said of them, a sentence without its full stop."""
        numbers = ", ".join(f"{name} = {number}" for name, number in zip(self.names, _NUMBERS, strict=False))
        return f"what it takes beside {self.x} is given as fixed numbers in the shape of {self.x}: {numbers}"

    def without(self, forward: Callable[..., Any]) -> Callable[..., Any]:
        """Return the function without these arguments.

        Args:
            forward: A function or a bound method that takes them.
        """
        return with_signature_of(functools.partial(_call_filled, forward, self), forward, {}, self.names)


def _call_filled(forward: Callable[..., Any], filled: FilledInputs, *values: Any, **keywords: Any) -> Any:
    """Call forward with its further inputs filled, in the shape and format of the inputs."""
    names = [name for name in inspect.signature(forward).parameters if name not in filled.names]
    arguments = {**dict(zip(names, values, strict=False)), **keywords}
    shape, dtype = np.shape(arguments[filled.x]), str(arguments[filled.x].dtype)
    further = {name: np.full(shape, number, dtype) for name, number in zip(filled.names, _NUMBERS, strict=False)}
    return forward(**arguments, **further)


def further_inputs(forward: Callable[..., Any], *, is_method: bool = False) -> FilledInputs | None:
    """Return the arguments of a function that are inputs beside x; None where none is.

    Those of a function can be told from weights only where one argument takes all weights. An argument that is called
    after x, such as ``x_last``, is a further input where there is an x.

    Args:
        forward: The function or bound method.
        is_method: Whether its weights are no arguments.
    """
    names = [argument.name for argument in required_arguments(forward)]
    roles = {name: role_of(name) for name in names}
    inputs = sorted((name for name in names if roles[name] == "x"), key=len)
    trees = [name for name in names if roles[name] == "tree" and not _WEIGHT.match(name)]
    if not inputs or "target" in roles.values() or len(trees) != (0 if is_method else 1):
        return None
    further = tuple(name for name in names if name != inputs[0] and roles[name] in ("x", "other"))
    if any(_WEIGHT.match(name) for name in names):
        return None
    extra_roles = [role_of_extra(name) for name in further]
    if "lengths" in extra_roles or all(role in ("mask", "done") for role in extra_roles) or len(further) > _MOST_INPUTS:
        return None
    return FilledInputs(further, inputs[0])
