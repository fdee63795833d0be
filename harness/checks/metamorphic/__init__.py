"""Metamorphic properties: what runs of one subject have to do with each other. `PROPERTIES` holds them all.

A property is written as a function of one argument, whose docstring begins with its number in the list (M-01).

It takes `original`, the `SubjectRun` of the subject on the numbers of a case; it may run the subject again on others,
but changes neither. It yields a `Comparison` for every relation that must hold, or none where the case has nothing to
compare (one batch row, one step). What the subject raises is passed on.
"""

from __future__ import annotations

from rnn_harness.checks.metamorphic import (
    arrays,
    batch,
    bounds,
    gradients,
    influence,
    inputs,
    limits,
    structure,
    symmetry,
    time,
    variants,
)
from rnn_harness.checks.metamorphic.cell_traits import Traits
from rnn_harness.checks.metamorphic.comparison import Comparison
from rnn_harness.checks.metamorphic.property import MetamorphicProperty


def _ledger_order(entry: MetamorphicProperty) -> tuple[int, str]:
    number = entry.ledger.removeprefix("M-")
    return (int("".join(filter(str.isdigit, number))), number)


PROPERTIES: tuple[MetamorphicProperty, ...] = tuple(
    sorted(
        {
            id(entry): entry
            for module in (
                arrays,
                batch,
                bounds,
                gradients,
                influence,
                inputs,
                limits,
                structure,
                symmetry,
                time,
                variants,
            )
            for entry in vars(module).values()
            if isinstance(entry, MetamorphicProperty)
        }.values(),
        key=_ledger_order,
    )
)

__all__ = ["PROPERTIES", "Comparison", "MetamorphicProperty", "Traits"]
