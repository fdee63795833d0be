"""Which references there are. A new cell is one line here."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import TypeAlias

from rnn_harness.references.arguments import ArgumentError
from rnn_harness.references.bidirectional import Bidirectional
from rnn_harness.references.feedforward import Feedforward
from rnn_harness.references.gru import GRU
from rnn_harness.references.lstm import LSTM
from rnn_harness.references.protocol import Reference
from rnn_harness.references.rnn import RNN
from rnn_harness.references.stacked import Stacked

Option: TypeAlias = bool | int | float | str | None
"""The value of an option of a reference."""


def _stacked(cell: str = "rnn", layers: int = 2, **options: Option) -> Reference:
    """Build a stack of layers of one cell."""
    return Stacked(tuple(get_reference(cell, **options) for _ in range(layers)))


def _bidirectional(cell: str = "rnn", merge: str = "concat", **options: Option) -> Reference:
    """Build a bidirectional pair of one cell."""
    return Bidirectional(get_reference(cell, **options), get_reference(cell, **options), merge)


_REGISTRY: dict[str, Callable[..., Reference]] = {
    "feedforward": Feedforward,
    "rnn": RNN,
    "gru": GRU,
    "lstm": LSTM,
    "stacked": _stacked,
    "bidirectional": _bidirectional,
}


def reference_names() -> tuple[str, ...]:
    """Return the names that `get_reference` knows."""
    return tuple(_REGISTRY)


def get_reference(name: str, **options: Option) -> Reference:
    """Build a reference by its name.

    Args:
        name: one of `reference_names`.
        options: the fields of the reference, such as ``reset="after"``; ``cell`` and ``layers`` of a stack.

    Returns:
        The reference.

    Raises:
        ArgumentError: that lists the names, or the options, there are.
    """
    if name not in _REGISTRY:
        raise ArgumentError(f"reference is {name!r}, expected one of {', '.join(_REGISTRY)}")
    constructor = _REGISTRY[name]
    parameters = inspect.signature(constructor).parameters
    if not any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values()):
        unknown = sorted(set(options) - set(parameters))
        if unknown:
            raise ArgumentError(f"reference {name} has no option {', '.join(unknown)}; it has {', '.join(parameters)}")
    return constructor(**options)
