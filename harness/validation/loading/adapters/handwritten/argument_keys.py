"""Which keys a function reads in the dictionary of all its parameters, where nothing else says so."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rnn_harness.validation.loading.adapters.handwritten.argument_names import required_arguments, role_of


class _Anything:
    """Stands for any array: every operation gives it back."""

    shape = (3, 3)
    ndim = 2
    T: _Anything

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


class _RecordedKeys(dict[str, Any]):
    """A dictionary that has every key, and notes which are read."""

    def __missing__(self, key: str) -> _Anything:
        self[key] = _Anything()
        return _Anything()


def keys_read(function: Callable[..., Any], tree_argument: str) -> list[str]:
    """The keys that a function reads in a dictionary, in order.

    Args:
        function: The function.
        tree_argument: The argument that takes the dictionary.
    """
    recorded = _RecordedKeys()
    names = [argument.name for argument in required_arguments(function)]
    arguments: dict[str, Any] = {name: _Anything() for name in names if role_of(name) != "tree"}
    try:
        function(**arguments, **{tree_argument: recorded})
    except Exception:  # what was read before stays noted
        return list(recorded)
    return list(recorded)
