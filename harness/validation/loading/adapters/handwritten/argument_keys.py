"""Which keys a function reads in the dictionary of all its parameters, where nothing else says so."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

from rnn_harness.validation.loading.adapters.handwritten.argument_names import required_arguments, role_of


class _Anything:
    """Stands for any array of so many axes: every operation gives it back."""

    T: _Anything

    def __init__(self, ndim: int) -> None:
        self.ndim, self.shape = ndim, (3,) * ndim

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return self if name == "T" else lambda *_, **__: self

    def _same(self, *_: object) -> _Anything:
        return self

    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __matmul__ = __rmatmul__ = _same
    __truediv__ = __rtruediv__ = __pow__ = __getitem__ = __neg__ = _same

    def __array_ufunc__(self, *_: object, **__: object) -> _Anything:
        return self

    def __array_function__(self, *_: object, **__: object) -> _Anything:
        return self


class _RecordedKeys(dict[str, "_Anything"]):
    """A dictionary that has every key, and notes which are read."""

    def __missing__(self, key: str) -> _Anything:
        value = _Anything(2)
        self[key] = value
        return value


def keys_read(function: Callable[..., Any], tree_argument: str) -> list[str]:
    """Return the keys that a function reads in a dictionary, in order.

    Args:
        function: A function of Python; of another one no key is seen.
        tree_argument: The argument that takes the dictionary.
    """
    names = [argument.name for argument in required_arguments(function)]
    recorded = _RecordedKeys()
    for input_axes in (2, 3):  # one step, or a sequence
        arguments: dict[str, _Anything] = {
            name: _Anything(input_axes if role_of(name) == "x" else 2) for name in names if role_of(name) != "tree"
        }
        # What was read before it raised stays noted.
        with contextlib.suppress(Exception):
            function(**arguments, **{tree_argument: recorded})
    return list(recorded)
