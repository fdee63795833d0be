"""An object whose state is forgotten at every call unless a switch says otherwise: Keras' ``stateful``, in NumPy."""

from __future__ import annotations

import copy
from typing import Any

_SWITCHES = ("stateful", "is_stateful", "keep_state", "keeps_state", "carry_state")
"""What the attribute is called; an underscore before it changes nothing."""


def kept_state(cell: Any) -> Any | None:
    """Return a copy of an object that keeps its state from call to call; None if it has no such switch, or has it on.

    Without it the state that is handed over is forgotten before it is read.

    Args:
        cell: The object, as its constructor made it.
    """
    switches = [name for name, value in vars(cell).items() if value is False and name.lstrip("_") in _SWITCHES]
    if not switches:
        return None
    changed = copy.deepcopy(cell)
    for name in switches:
        setattr(changed, name, True)
    return changed
