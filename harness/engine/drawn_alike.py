"""The same seed draws the same cases, whatever other modules are loaded and wherever the command is started."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from types import ModuleType


@contextlib.contextmanager
def without_constants_of_modules() -> Iterator[None]:
    """Keep Hypothesis from drawing constants that it reads out of modules of the working directory.

    It has no setting for that. A version that reads none, or reads them elsewhere, is left as it is.
    """
    try:
        from hypothesis.internal.conjecture import providers
    except ImportError:
        yield
        return
    with (
        _replaced(providers, "_get_local_constants", _no_constants(providers)),
        _replaced(providers, "CONSTANTS_CACHE", {}),
    ):
        yield


def _no_constants(providers: ModuleType) -> object:
    """Return a function that finds no constants in any module; None where Hypothesis has no such function."""
    constants = vars(providers).get("Constants")
    return None if constants is None else lambda: constants(integers=(), floats=(), bytes=(), strings=())


@contextlib.contextmanager
def _replaced(module: ModuleType, name: str, value: object) -> Iterator[None]:
    """Let a name of a module stand for another value, if the module has it."""
    if value is None or name not in vars(module):
        yield
        return
    before = vars(module)[name]
    setattr(module, name, value)
    try:
        yield
    finally:
        setattr(module, name, before)
