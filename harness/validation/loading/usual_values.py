"""Values for what a constructor or a configuration asks for besides the sizes: one layer, nothing dropped."""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Iterator

_BY_NAME: dict[str, object] = {
    "num_layers": 1,
    "n_layers": 1,
    "nlayers": 1,
    "layers": 1,
    "num_layer": 1,
    "layer_dim": 1,
    "dropout": 0.0,
    "dropout_rate": 0.0,
    "drop": 0.0,
    "p": 0.0,
    "bias": True,
    "use_bias": True,
    "batch_first": True,
    "bidirectional": False,
    "device": None,
    "dtype": None,
}
_DROPPED = re.compile(r"drop(out)?_?(prob|rate|ratio|p)?(_\w+)?$|\w+_drop(out)?(_?(prob|rate|p))?$", re.I)


def has_usual_value(name: str) -> bool:
    """Say whether an argument of that name has a value that it usually has.

    Args:
        name: The argument's name; case does not count.
    """
    return name.lower() in _BY_NAME


def usual_value(name: str) -> object:
    """Return the value of an argument that `has_usual_value`.

    Args:
        name: The argument's name; case does not count.
    """
    return _BY_NAME[name.lower()]


_KERNEL = re.compile(r"(kernel|filter)_?sizes?$", re.I)
_KERNELS: tuple[object, ...] = (3, (3, 3))
"""Kernels that leave a space as large as it is, of a number or of two."""


def usual_kernels(names: Iterable[str], given: Container[str]) -> Iterator[dict[str, object]]:
    """Yield values for the sizes of kernels among the arguments of a constructor; one without any where there is none.

    Args:
        names: The names of the arguments that it requires.
        given: The names of those that the user gives.
    """
    kernels = [name for name in names if _KERNEL.match(name) and name not in given]
    yield from (dict.fromkeys(kernels, value) for value in (_KERNELS if kernels else _KERNELS[:1]))


def is_dropped_part(name: str) -> bool:
    """Say whether a field of that name is the probability with which numbers are dropped.

    Args:
        name: The field's name.
    """
    return _DROPPED.match(name) is not None
