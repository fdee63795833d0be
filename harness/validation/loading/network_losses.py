"""What a method for the loss of a network takes, and its backward: inputs, outputs, a target, or a cotangent."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from rnn_harness.array_types import Array
from rnn_harness.attributes import member
from rnn_harness.validation.loading.adapters.handwritten.argument_names import (
    backward_role_of,
    required_arguments,
    role_of,
)

NetworkRole = Literal["x", "outputs", "target", "cotangent"]
TargetForm = Literal["numbers", "ones", "classes"]
"""A target as numbers like the outputs, with a one at the right class, or as the numbers of the classes."""

RATES = re.compile(r"(^|_)(lr|learn|learning|eta)(_?rate)?$", re.IGNORECASE)
_LOSS = re.compile(r"loss|cost|cross_?entropy|nll|mse|objective", re.IGNORECASE)
_TARGET = re.compile(r"target|label|true|truth|(^|_)(gt|t|d|desired)$", re.IGNORECASE)
_OUTPUTS = re.compile(
    r"^(y|ys|o|os|p|ps|y_?hats?|y_?preds?|preds?|predictions?|out|outputs?|probs?|logits|scores)$", re.I
)


@dataclass(frozen=True)
class NetworkLoss:
    """What the gradients of a network are the slopes of.

    Attributes:
        name: The name of the method that gives the loss; empty where backward takes the cotangent of the outputs.
        takes: What that method takes.
        backward_takes: What backward takes, a learning rate aside.
    """

    name: str
    takes: tuple[NetworkRole, ...]
    backward_takes: tuple[NetworkRole, ...]


def network_losses(holder: object, forward: str, backward: str) -> Iterator[NetworkLoss]:
    """Yield what the gradients that a backward gives may be the slopes of; nothing where its arguments do not say it.

    Args:
        holder: The network.
        forward: The name of its forward, which must take its input alone.
        backward: The name of its backward; empty if it has none.
    """
    if not backward or len(required_arguments(member(holder, forward))) != 1:
        return
    names = [argument.name for argument in required_arguments(member(holder, backward))]
    names = [name for name in names if not RATES.search(name)]
    if len(names) == 1 and role_of(names[0]) != "target" and backward_role_of(names[0]) == "gradient":
        yield NetworkLoss("", (), ("cotangent",))
        return
    taken = _roles(names)
    if taken is None or ("target" not in taken and taken):
        return
    for method in _loss_methods(holder):
        roles = _roles([argument.name for argument in required_arguments(member(holder, method))])
        if roles is not None and "target" in roles and len(roles) > 1:
            yield NetworkLoss(method, roles, taken)


def _loss_methods(holder: object) -> list[str]:
    """The names of the methods that may give a loss; the one of the usual name first."""
    methods = [name for name, value in inspect.getmembers(type(holder), inspect.isroutine) if not name.startswith("__")]
    losses = [name for name in methods if _LOSS.search(name) and not re.search(r"grad|back|deriv|prime", name, re.I)]
    return sorted(losses, key=lambda name: name != "loss")


def _roles(names: list[str]) -> tuple[NetworkRole, ...] | None:
    """What arguments take, by their names; None where one of them says nothing, or two say the same."""
    targets = [name for name in names if _TARGET.search(name)]
    targets = targets or [name for name in names if role_of(name) == "target"][-1:]
    roles: list[NetworkRole] = []
    for name in names:
        if name in targets[-1:]:
            roles.append("target")
        elif role_of(name) == "x":
            roles.append("x")
        elif _OUTPUTS.match(name):
            roles.append("outputs")
        else:
            return None
    return tuple(roles) if len(set(roles)) == len(roles) else None


def drawn_target(outputs: Array, form: TargetForm, rng: np.random.Generator, others: tuple[int, ...]) -> Array:
    """Draw a target for outputs.

    Args:
        outputs: What forward gives, steps and rows among their axes.
        form: How a target is given.
        rng: Gives the numbers.
        others: The lengths of axes that are steps or rows, and no classes.

    Returns:
        The target: of the shape of the outputs, or without the axis of the classes.

    Raises:
        ValueError: No single axis of the outputs can be that of the classes.
    """
    if form == "numbers":
        return rng.standard_normal(outputs.shape)
    longer = [axis for axis, length in enumerate(outputs.shape) if length > 1]
    axes = [axis for axis in longer if outputs.shape[axis] not in others] or longer[-1:]
    if len(axes) != 1:
        raise ValueError("no single axis of its outputs can be that of the classes")
    count = outputs.shape[axes[0]]
    classes = rng.integers(0, count, np.delete(outputs.shape, axes[0]))
    if form == "classes":
        return np.asarray(classes)
    return np.moveaxis(np.eye(count)[classes], -1, axes[0])


def laid_out_like(target: Array, outputs: Any) -> Any:
    """Return a target as a list of steps where the outputs are one.

    Args:
        target: The target, steps first.
        outputs: What forward gave.
    """
    return list(target) if isinstance(outputs, list) else target
