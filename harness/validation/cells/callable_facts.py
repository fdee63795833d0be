"""What Python knows of a function or class that somebody hands in; any object may be called, so each may be absent."""

from __future__ import annotations

import sys
from types import CodeType, ModuleType, SimpleNamespace

from rnn_harness.attributes import attribute


def name_of(function: object, default: str = "the function") -> str:
    """Return the name of a function or a class.

    Args:
        function: Whatever can be called.
        default: What it is called where it has no name: a partial function, an object with ``__call__``.
    """
    return attribute(function, "__name__", str) or default


def module_of(maker: object) -> ModuleType | SimpleNamespace:
    """Return the module in which a class or function is defined; an empty one if it is not loaded.

    Args:
        maker: Whatever can be called.
    """
    return sys.modules.get(attribute(maker, "__module__", str) or "") or SimpleNamespace()


def code_of(function: object) -> CodeType | None:
    """Return the code of a function or of a bound method; None if it was not written in Python.

    Args:
        function: Whatever can be called.
    """
    return attribute(attribute(function, "__func__", object) or function, "__code__", CodeType)


def code_names(function: object) -> tuple[str, ...]:
    """Return the names of globals and attributes in the code of a function; none where it was not written in Python.

    Args:
        function: Whatever can be called.
    """
    code = code_of(function)
    return () if code is None else code.co_names


def tuple_fields(value: object) -> tuple[str, ...]:
    """Return the names of the fields of a named tuple; none of any other object.

    Args:
        value: Whatever a cell takes or gives.
    """
    return attribute(value, "_fields", tuple) or ()
