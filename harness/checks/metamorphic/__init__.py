"""Metamorphic relations: laws between runs of one subject. `RELATIONS` holds them all."""

from __future__ import annotations

from rnn_harness.checks.metamorphic import batch, bounds, gradients, limits, structure, symmetry, time, variants
from rnn_harness.checks.metamorphic.cell_traits import Traits
from rnn_harness.checks.metamorphic.relation import Comparison, Relation


def _key(one: Relation) -> tuple[int, str]:
    number = one.id.removeprefix("M-")
    return (int("".join(filter(str.isdigit, number))), number)


RELATIONS: tuple[Relation, ...] = tuple(
    sorted(
        {
            id(one): one
            for module in (batch, bounds, gradients, limits, structure, symmetry, time, variants)
            for one in vars(module).values()
            if isinstance(one, Relation)
        }.values(),
        key=_key,
    )
)

__all__ = ["RELATIONS", "Comparison", "Relation", "Traits"]
