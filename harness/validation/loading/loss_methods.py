"""A class of NumPy with one method for its loss and one for the gradients, as tutorials of language models have it.

``calculate_loss(x, y)`` gives the loss, of one sequence or of a list of them, and ``bptt(x, y)`` the gradients of all
weights for one sequence, perhaps cut after some steps.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from rnn_harness.attributes import member
from rnn_harness.validation.loading.adapters.handwritten.argument_names import (
    all_arguments,
    methods_of_targets,
    role_of,
)
from rnn_harness.validation.loading.adapters.handwritten.returned_names import returned_names

_LOSS = re.compile(r"loss|cost|cross_?entropy|nll", re.IGNORECASE)
_GRADIENTS = re.compile(r"bptt|back|grad|bprop", re.IGNORECASE)
_CUT = re.compile(r"trunc|bptt", re.IGNORECASE)
_ALSO_OF_THE_LOSS = ("x", "target", "h", "c")
"""The roles of arguments that a method for the gradients shares with that for the loss."""


class LossAndGradients(NamedTuple):
    """Two methods of a class as one that gives the loss and the gradients.

    Attributes:
        name: The names of both.
        function: A function of the object and of the arguments of the method that gives the gradients.
        result_names: What the function returns is called.
    """

    name: str
    function: Callable[..., Any]
    result_names: tuple[str, ...]


def loss_and_gradients(written_class: type) -> Iterator[LossAndGradients]:
    """Yield the pairs of methods that may be a loss and its gradients; losses of all steps together before means.

    Args:
        written_class: The class.
    """
    names = [name for name, _ in methods_of_targets(written_class)]
    gradients = [name for name in names if _GRADIENTS.search(name) and "check" not in name]
    losses = [name for name in names if _LOSS.search(name) and name not in gradients]
    for behind in gradients:
        for loss in sorted(losses, key=lambda name: "total" not in name.lower()):
            for is_listed in (False, True):
                yield _together(written_class, loss, behind, is_listed=is_listed)


def _together(written_class: type, loss: str, behind: str, *, is_listed: bool) -> LossAndGradients:
    """The two methods as one, which hands over one sequence, or a list that holds it, to the loss."""
    loss_method, gradient_method = member(written_class, loss), member(written_class, behind)
    roles = {name: role for name in _names(gradient_method) if (role := role_of(name)) in _ALSO_OF_THE_LOSS}
    loss_names = {role_of(name): name for name in _names(loss_method) if role_of(name) in _ALSO_OF_THE_LOSS}
    of_gradients_alone = [name for name, role in roles.items() if role not in loss_names]

    @functools.wraps(gradient_method)
    def both(holder: object, **values: Any) -> tuple[Any, ...]:
        # A loss that begins with a state of its own has the gradients of that.
        values = {name: value for name, value in values.items() if name not in of_gradients_alone}
        handed_over = {
            loss_names[role]: [values[name]] if is_listed else values[name]
            for name, role in roles.items()
            if name in values
        }
        number = loss_method(holder, **handed_over)
        gradients = gradient_method(holder, **values)
        return (number, *gradients) if isinstance(gradients, tuple | list) else (number, gradients)

    return LossAndGradients(f"{loss} and {behind}", both, ("loss", *returned_names(gradient_method)))


def _names(method: Callable[..., Any]) -> list[str]:
    """The names of a method's arguments."""
    return [argument.name for argument in all_arguments(method)]


def cuts_gradients(holder: object, steps: int) -> bool:
    """Say whether an object has a number that says after how few steps its gradients are cut.

    Args:
        holder: The object.
        steps: The number of steps that are to count.
    """
    numbers = [value for name, value in vars(holder).items() if _CUT.search(name) and type(value) is int]
    return any(0 <= number < steps for number in numbers)
