"""The backward that belongs to a forward function, by its name in the same module."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple, cast

from rnn_harness.validation.cells.callable_facts import module_of, name_of


@dataclass(frozen=True)
class FunctionPair:
    """A forward and a backward function that a user names together.

    Attributes:
        forward: The forward function.
        backward: The backward function.
    """

    forward: Callable[..., Any]
    backward: Callable[..., Any]


@dataclass(frozen=True)
class FunctionOfTensors:
    """A function that computes on torch tensors alone, so that no array of another library is tried.

    Attributes:
        forward: The function.
    """

    forward: Callable[..., Any]


_EXCHANGED = (("forward", "backward"), ("fwd", "bwd"), ("fprop", "bprop"), ("Forward", "Backward"), ("fw", "bw"))


def backward_names(name: str) -> Iterator[str]:
    """Yield the names that the backward of a forward may have.

    Args:
        name: The name of the forward function or method.
    """
    for ahead, behind in _EXCHANGED:
        if ahead in name:
            yield name.replace(ahead, behind)
    stem = re.sub(r"_?(forward|fwd|fprop|fw)_?", "_", name).strip("_")
    for base in dict.fromkeys((name, stem)):
        if base:
            yield from (f"{base}_backward", f"backward_{base}", f"{base}_back", f"{base}_bwd", f"{base}_bprop")
            yield from (f"{base}_grad", f"{base}_gradient", f"d_{base}", f"{base}_bptt")
    if not stem:
        yield from ("gradients", "grads", "gradient", "bptt", "backprop")


def backward_partner(function: Callable[..., Any]) -> Callable[..., Any] | None:
    """Return the backward function in the module of a forward function; None if there is none.

    Args:
        function: The forward function.
    """
    module = vars(module_of(function))
    for name in backward_names(name_of(function, "")):
        partner: Callable[..., Any] | None = module.get(name)
        if callable(partner) and partner is not function and not isinstance(partner, type):
            return partner
    return None


class PairOfClass(NamedTuple):
    """The functions of a class that is only a name for them, as in a batched LSTM that is much copied.

    Attributes:
        pair: Its forward and its backward.
        make_weights: What makes the weights that forward takes; None if the class has nothing for that.
    """

    pair: FunctionPair
    make_weights: Callable[..., Any] | None


def pair_of_class(written_class: type) -> PairOfClass | None:
    """Return the static methods ``forward`` and ``backward`` of a class; None if it has none of these.

    Args:
        written_class: A class, of which no object is made.
    """
    static = {name: method.__func__ for name, method in vars(written_class).items() if isinstance(method, staticmethod)}
    if not {"forward", "backward"} <= static.keys():
        return None
    maker = next((static[name] for name in _MAKERS if name in static), None)
    return PairOfClass(FunctionPair(static["forward"], static["backward"]), maker)


_MAKERS = ("init", "init_params", "init_weights", "initialize", "make_params")


def forward_partner(function: Callable[..., Any]) -> Callable[..., Any] | None:
    """Return the forward function whose backward a function is, in the same module; None if it is none.

    Args:
        function: A function; whoever names a backward alone means the pair.
    """
    for partner in vars(module_of(function)).values():
        if partner is function or isinstance(partner, type) or not callable(partner) or not name_of(partner, ""):
            continue
        if name_of(function, "") in backward_names(name_of(partner, "")) and backward_partner(partner) is function:
            return cast("Callable[..., Any]", partner)
    return None
