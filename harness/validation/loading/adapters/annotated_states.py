"""The state of a method that is an object with fields, as its annotation says: ``prev_state: LSTMState``."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

from rnn_harness.attributes import member
from rnn_harness.validation.cells.callable_facts import tuple_fields

_MOST_STATES = 2


@dataclass(frozen=True)
class AnnotatedState:
    """Which argument of a method is a state with fields.

    Attributes:
        place: Its place among the arguments, the object itself aside.
        name: What it is called.
        state_class: The dataclass, or the class of named tuples.
        field_names: The fields, each a state.
    """

    place: int
    name: str
    state_class: Callable[..., object]
    field_names: tuple[str, ...]

    def packed(self, values: tuple[object, ...]) -> tuple[object, ...]:
        """Return positional arguments with the state as the method takes it.

        Args:
            values: The arguments, the state as one array or as a tuple of them.
        """
        if self.place >= len(values):
            return values
        state = values[self.place]
        parts = tuple(state) if isinstance(state, tuple | list) else (state,)
        if len(parts) != len(self.field_names):
            return values
        named = self.state_class(**dict(zip(self.field_names, parts, strict=True)))
        return (*values[: self.place], named, *values[self.place + 1 :])

    def unpacked(self, result: Any) -> Any:
        """Return what came back, with a tuple of its fields, or the only one, in the place of every such object.

        Args:
            result: What the method gave.
        """
        if isinstance(result, self.state_class):  # type: ignore[arg-type]  # it is a class
            parts = tuple(member(result, name) for name in self.field_names)
            return parts if len(parts) > 1 else parts[0]
        return tuple(map(self.unpacked, result)) if type(result) is tuple else result


def annotated_state(written_class: type) -> AnnotatedState | None:
    """Read which argument of calling an object is a state of one or two fields; None where none is annotated so.

    Args:
        written_class: The class, whose ``__call__`` has the annotations.
    """
    try:
        method = inspect.getattr_static(written_class, "__call__")
        hints = typing.get_type_hints(method)
        names = list(inspect.signature(method).parameters)[1:]
    except (NameError, TypeError, AttributeError, ValueError):  # annotations may name what does not exist
        return None
    for place, name in enumerate(names):
        state_class = hints.get(name)
        if isinstance(state_class, type) and 0 < len(known := _field_names(state_class)) <= _MOST_STATES:
            return AnnotatedState(place, name, state_class, known)
    return None


def _field_names(state_class: type) -> tuple[str, ...]:
    """The fields of a dataclass or a named tuple; none of anything else."""
    if is_dataclass(state_class):
        return tuple(field.name for field in fields(state_class))
    return tuple_fields(state_class) if issubclass(state_class, tuple) else ()
