"""What an adapter is: it drives the objects of one library as torch modules.

Dimension legend: n input size, d hidden size.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from rnn_harness.errors import UsageError
from rnn_harness.validation.cells.cell_model import CellModel
from rnn_harness.validation.loading.calling_convention import CallingConvention


@dataclass(frozen=True)
class DrivenModule:
    """A driven object. `module`: a torch module with its parameters, called as the object is.

    `convention`: how it is called, where the library says so. `dtypes`: those it takes. `gradients`: why it has none,
    empty if it has. `foreign`: the library, if torch's own transformations say nothing about it. `claims`: the cell
    that it says it is. `sizes`: (n, d), if it exists for these alone. `lengths`: it takes them as its last argument.
    `absolute`: the library promises its functions against 1, not against their own value.
    """

    module: Any
    convention: CallingConvention | None = None
    dtypes: tuple[str, ...] = ("float64", "float32")
    gradients: str = ""
    foreign: str = ""
    claims: CellModel | None = None
    sizes: tuple[int, int] | None = None
    lengths: bool = False
    absolute: bool = False


@runtime_checkable
class Adapter(Protocol):
    """Drives objects of one library; third parties offer theirs as an entry point of group ``rnn_harness.adapters``.

    `name`: what ``--adapter`` takes. `options`: what ``--init`` may hold for `wrap` and not for the constructor.
    """

    name: str
    options: tuple[str, ...]

    def claims(self, kind: type) -> bool:
        """Whether objects of that class are its own; called before the library is known to be there."""

    def defaults(self, kind: type) -> Mapping[str, Any]:
        """What a constructor of that class needs besides the sizes."""

    def wrap(self, module: Any, n: int, d: int, options: Mapping[str, Any]) -> DrivenModule:
        """The object, driven. Raises UsageError if it cannot be."""


def comes_from(kind: type, *packages: str) -> bool:
    """Whether a class, or one that it inherits from, is defined in one of these packages."""
    return any(f"{one.__module__}.".startswith(tuple(f"{name}." for name in packages)) for one in kind.__mro__)


def imported(name: str, extra: str) -> Any:
    """A module of a library that is no dependency. Raises UsageError that says what to install."""
    try:
        return importlib.import_module(name)
    except ImportError as error:
        package = name.partition(".")[0]
        raise UsageError(f"{package} is not installed ({error}): pip install 'rnn-harness[{extra}]'") from None
