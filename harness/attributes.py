"""Attributes of objects that others wrote, read by names that are data: the one place where a type is not known.

Whoever reads an attribute says what type is expected; what has another type under that name is something else, as
where an object answers to every name.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

Expected = TypeVar("Expected")


def attribute(owner: object, name: str, expected: type[Expected]) -> Expected | None:
    """Return an attribute of any object.

    Args:
        owner: The object; a property of its own may raise anything but AttributeError.
        name: What the attribute is called.
        expected: Its type; ``object`` for any.

    Returns:
        None where the object has none of that name and type.
    """
    value = getattr(owner, name, None)
    return value if isinstance(value, expected) else None


def member(owner: object, name: str) -> Any:
    """Return what a module, a class or an object has under a name: a function, a class, a method.

    Args:
        owner: The module, class or object.
        name: What it is called there.

    Raises:
        AttributeError: There is nothing of that name.
    """
    return getattr(owner, name)


def method_if_any(owner: object, name: str) -> Callable[..., Any] | None:
    """Return a method of an object or a class.

    Args:
        owner: The object or class.
        name: The name of the method; it may be empty.

    Returns:
        None where there is none of that name, or what has it cannot be called.
    """
    value = attribute(owner, name, object) if name else None
    return value if callable(value) else None


def field_values(record: object) -> dict[str, Any]:
    """Return the values of a dataclass's fields, as they are, in their order.

    Args:
        record: An instance of a dataclass.
    """
    return {field.name: getattr(record, field.name) for field in dataclasses.fields(record)}  # type: ignore[arg-type]


def array_shape(value: object) -> tuple[int, ...] | None:
    """Return the shape of an array of any library; None of what is no array.

    Args:
        value: Any object.
    """
    shape = attribute(value, "shape", object)
    return tuple(shape) if isinstance(shape, Iterable) else None
