"""Says what a recurrent cell computes, whether its forward and gradients are right, and how precise it is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rnn_harness.candidates import Match
    from rnn_harness.records import Record

__all__ = ["identify", "validate"]


def identify(cell: Any, **options: Any) -> tuple[Match, ...]:
    """What `cell` (a torch module, its class, or a function that makes one) computes: one match, several, or none.

    `options`: what its constructor needs besides the sizes. Raises `rnn_harness.errors.UsageError`.
    """
    from rnn_harness.candidates import identify as find
    from rnn_harness.candidates import target

    return find(target(getattr(cell, "__qualname__", type(cell).__qualname__), cell, options))


def validate(
    cell: Any, spec: str = "auto", seed: int = 0, examples: int = 5, dtypes: tuple[str, ...] = ("float64", "float32"),
    **options: Any,
) -> Iterator[Record]:  # fmt: skip
    """Whether `cell` is right, in this process: records of its identification and of every check.

    `spec`: an id, a spec file of one's own, or ``auto``. Raises `rnn_harness.errors.UsageError`.
    """
    from rnn_harness.candidates import target
    from rnn_harness.candidates import validate as decide

    name = getattr(cell, "__qualname__", type(cell).__qualname__)
    return decide(target(name, cell, options), spec, seed, examples, dtypes)
