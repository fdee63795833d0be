"""What an adapter is: it drives the objects of one library as torch modules."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol, runtime_checkable

from rnn_harness.errors import UsageError
from rnn_harness.options import Options
from rnn_harness.validation.cells.capabilities import CellSizes, TargetCapabilities
from rnn_harness.validation.cells.cell_model import CellModel

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True)
class DrivenModule:
    """An object of some library, driven as a torch module.

    Attributes:
        module: A torch module that holds the object's parameters and is called as the object is.
        capabilities: What the object takes and offers.
        declared_model: The cell that the object declares itself to be; None if it does not say.
        remake: Makes the module of another object of the same kind, of other sizes, that is called in the same way;
            None if every object is driven anew.
    """

    module: nn.Module
    capabilities: TargetCapabilities = field(default_factory=TargetCapabilities)
    declared_model: CellModel | None = None
    remake: Callable[[Any, CellSizes], nn.Module] | None = None


@dataclass(frozen=True)
class HeldPart:
    """A recurrent cell or layer inside of a model of some library.

    Attributes:
        name: Its name in the model.
        class_name: The name of its class.
        make: Makes a cell or layer like it, of given sizes if `any_sizes`, that the adapter of its library drives.
        sizes: Its own sizes.
        any_sizes: Whether it can be made for other sizes.
        is_layer: Whether it runs over a sequence.
        is_watched: Whether its calls can be seen: it is a module of the same name inside of the model's module, which
            gives its outputs (B, T, d) and its final states.
    """

    name: str
    class_name: str
    make: Callable[[CellSizes], Any]
    sizes: CellSizes
    any_sizes: bool = True
    is_layer: bool = True
    is_watched: bool = False


FurtherRole = Literal["sequence", "lengths", "mask", "padding mask", "state"]
"""What a model takes besides its first sequence: another one, lengths (B,) of the rows, a mask (B, T), or a state."""


@dataclass(frozen=True)
class FurtherInput:
    """An argument of a model of some library besides its first sequence.

    Attributes:
        name: What the model calls it.
        role: What it is; a padding mask is true where a row has ended.
        features: n of another sequence of numbers (B, T, n); 0 where it has no such axis.
        vocabulary: The number of tokens of another sequence; 0 for numbers.
        shape: The shape of a state, 0 for the number of rows.
    """

    name: str
    role: FurtherRole
    features: int = 0
    vocabulary: int = 0
    shape: tuple[int, ...] = ()


@dataclass(frozen=True)
class ModelInputs:
    """What a model of some library is called with: one sequence (B, T, n) or (T, B, n), or tokens without n.

    Attributes:
        features: n; 0 for tokens.
        vocabulary: The number of tokens; 0 for numbers.
        lengths: The only lengths of the first two axes that it takes; 0 where it takes any.
        dtypes: The dtypes that it computes in.
        further: Its arguments after the sequence.
        padding_rows: The parameter whose first row stands for token 0, where the model says that this token is
            padding which is left out; empty where it says nothing.
        is_step: Whether it takes one step (B, n), and no sequence.
        rows_axis: Which axis of the sequence is the batch, where it takes the lengths of rows, or states.
    """

    features: int
    vocabulary: int = 0
    lengths: tuple[int, int] = (0, 0)
    dtypes: tuple[str, ...] = ("float64", "float32")
    further: tuple[FurtherInput, ...] = ()
    padding_rows: str = ""
    is_step: bool = False
    rows_axis: int = 0


@runtime_checkable
class HoldsParts(Protocol):
    """A torch module that stands for a model of another library: several recurrent parts, and what is around them.

    Attributes:
        held_parts: Its recurrent parts.
        model_inputs: What it is called with.
    """

    held_parts: tuple[HeldPart, ...]
    model_inputs: ModelInputs


@runtime_checkable
class MakesWithoutValues(Protocol):
    """An adapter whose library can make an object that has the shapes of its parameters before their values."""

    def make_without_values(self, make: Callable[[], Any]) -> Any:
        """Make an object whose parameters have any values; with its initial ones, where it cannot be made otherwise.

        Args:
            make: Makes it with its initial values.
        """


@runtime_checkable
class DrivesWithoutValues(Protocol):
    """An adapter that knows the shapes of parameters before their initial values are drawn, which may take long."""

    def drive_without_values(self, cell: Any, n: int, d: int, options: Options) -> DrivenModule:
        """Drive an object as `Adapter.drive` does; its parameters have their shapes, and any values.

        Args:
            cell: The object.
            n: Its input size.
            d: Its hidden size.
            options: Those of ``--init`` that are meant for the adapter.
        """


@runtime_checkable
class Adapter(Protocol):
    """Drives the objects of one library.

    Other packages offer theirs as an entry point of the group ``rnn_harness.adapters``: a class, or a function
    without arguments, that gives an object with these members.

    Attributes:
        name: What ``--adapter`` takes.
        options: The keys of ``--init`` that are meant for `drive` and not for the constructor.
    """

    name: str
    options: tuple[str, ...]

    def accepts(self, cell_type: type) -> bool:
        """Say whether this adapter drives objects of a class.

        It is asked about every class, also where its library is not installed: it must not import the library.

        Args:
            cell_type: The class of the user's object, or the class itself where that is to be constructed.
        """

    def defaults(self, cell_type: type) -> Options:
        """Return what a constructor of that class needs besides the sizes, unless the user gives it.

        Args:
            cell_type: A class that the adapter accepts; its library is installed.

        Returns:
            Values by the names of the constructor's arguments; empty where the sizes suffice.
        """

    def drive(self, cell: Any, n: int, d: int, options: Options) -> DrivenModule:
        """Drive an object.

        Args:
            cell: An object whose class the adapter accepts.
            n: The input size.
            d: The hidden size.
            options: The user's values for keys in `options`.

        Raises:
            UsageError: The object cannot be driven; the message says what was expected.
        """


def new_object(adapter: Adapter, has_values: bool, make: Callable[[], Any]) -> Any:
    """Make an object of an adapter's library.

    Args:
        adapter: What drives it.
        has_values: Whether its parameters need their initial values.
        make: Makes it with them.
    """
    return make() if has_values or not isinstance(adapter, MakesWithoutValues) else adapter.make_without_values(make)


def driving(adapter: Adapter, has_values: bool) -> Callable[[Any, int, int, Options], DrivenModule]:
    """Return the method of an adapter that drives a cell.

    Args:
        adapter: What drives the cells of its library.
        has_values: Whether its parameters need their initial values.
    """
    return adapter.drive if has_values or not isinstance(adapter, DrivesWithoutValues) else adapter.drive_without_values


def comes_from(cell_type: type, *packages: str) -> bool:
    """Say whether a class, or one that it inherits from, is defined in one of these packages.

    Args:
        cell_type: The class.
        packages: Dotted names; what a package contains is in it too.
    """
    prefixes = tuple(f"{package}." for package in packages)
    return any(f"{base.__module__}.".startswith(prefixes) for base in cell_type.__mro__)


def import_library(name: str, extra: str) -> Any:
    """Import a module of a library that is no dependency.

    Args:
        name: The module, such as ``flax.nnx``.
        extra: The extra of rnn-harness that installs its library.

    Raises:
        UsageError: It is not installed; the message says what to install.
    """
    try:
        return importlib.import_module(name)
    except ImportError as error:
        package = name.partition(".")[0]
        raise UsageError(f"{package} is not installed ({error}): pip install 'rnn-harness[{extra}]'") from None
