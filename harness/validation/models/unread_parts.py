"""Parts and parameters of a model that reach no output: a direction that runs the other's cell, unused weights."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from rnn_harness.validation.loading.adapters.adapter import HoldsParts
from rnn_harness.validation.models.model_arguments import uneven
from rnn_harness.validation.models.under_test import ModelUnderTest

_SEPARATOR = re.compile(r"[/.]")
"""What stands between the names of a part and of its parameter: one or the other, by the library."""


def unread_held_parts(model: ModelUnderTest) -> Iterator[str]:
    """Yield the names of held parts none of whose parameters has an influence on any output.

    Args:
        model: The model; of one of torch, or whose parameters do not bear the names of its parts, nothing is yielded.
    """
    if not isinstance(model.module, HoldsParts):
        return
    for held in model.module.held_parts:
        names = _parameters_of(model, held.name)
        others = [
            name for other in model.module.held_parts if other is not held for name in _parameters_of(model, other.name)
        ]
        is_own = names and not set(names) & set(others)
        if is_own and not model.is_changed_by(model.changed_parameters(names, lambda value: value + uneven(value))):
            yield held.name


def silent_parameters(model: ModelUnderTest) -> list[str]:
    """Name the parameters beside the recurrent parts that have no influence on any output, whether they grow or fall.

    Args:
        model: Its parameters are changed one after the other, and put back.
    """
    held = model.module.held_parts if isinstance(model.module, HoldsParts) else ()
    parts = [*(part.name for part in model.called_parts), *(part.name for part in held)]
    of_parts = {name for part in parts for name in _parameters_of(model, part)}
    others = [name for name, value in model.module.named_parameters() if value.is_floating_point()]
    return [name for name in others if name not in of_parts and _is_silent(model, name)]


def _is_silent(model: ModelUnderTest, name: str) -> bool:
    """Say whether no output changes with a parameter; a rectifier that is off may go on in one direction alone."""
    changes = (lambda value: value + uneven(value), lambda value: value - uneven(value))
    return not any(model.is_changed_by(model.changed_parameters([name], change)) for change in changes)


def _parameters_of(model: ModelUnderTest, part: str) -> Sequence[str]:
    """List the parameters that lie below a part, by their names."""
    wanted = _SEPARATOR.split(part)
    names = (name for name, value in model.module.named_parameters() if value.is_floating_point())
    return [name for name in names if _SEPARATOR.split(name)[: len(wanted)] == wanted]
