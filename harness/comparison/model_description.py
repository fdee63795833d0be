"""What a worker says of a model that is compared: its recurrent layers one by one, as plain data."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from rnn_harness.comparison.cell_description import CellDescription
from rnn_harness.runtime.plain_array import PlainArray


@dataclass(frozen=True)
class LayerOfModel:
    """One layer of a model in one direction of time.

    Attributes:
        title: Which one it is, in words.
        cell: What it computes.
        input_size: n.
        hidden_size: d.
        parameter_names: The model's names of its parameters, by the cell's.
        part: The model's name of the module that computes it; empty for the model itself.
        is_reverse: Whether it reads the sequence from its end.
        is_alone: Whether that module computes no other layer or direction.
    """

    title: str
    cell: CellDescription
    input_size: int
    hidden_size: int
    parameter_names: dict[str, str]
    part: str = ""
    is_reverse: bool = False
    is_alone: bool = True


@dataclass(frozen=True)
class ModelDescription:
    """What a model is.

    Attributes:
        target: Its name, as it was typed.
        layers: Its recurrent layers in the order in which they are called, forward before backward.
        wiring: What each module reads, in words.
        further: Parameters that are of none of these layers, of an output layer for instance.
        dtype: The dtype in which it runs.
        shapes: The shape of every parameter by its name.
        vocabulary: The number of tokens; 0 where it takes a sequence of numbers.
        padding: The token that stands for padding.
    """

    target: str
    layers: tuple[LayerOfModel, ...]
    wiring: tuple[str, ...]
    further: tuple[str, ...]
    dtype: str
    shapes: dict[str, tuple[int, ...]] = field(default_factory=dict)
    vocabulary: int = 0
    padding: int = 0


@dataclass(frozen=True)
class PaddedRows:
    """Rows of several lengths.

    Attributes:
        sequence: (T, B, n), or tokens (T, B); past the end of a row zeros, or the token that stands for padding.
        lengths: The lengths of the rows, falling; the first is T.
    """

    sequence: PlainArray
    lengths: tuple[int, ...]


@dataclass(frozen=True)
class ModelWeights:
    """Weights of a model, and a sequence to run it on.

    Attributes:
        dtype: The dtype in which it runs.
        weights: Arrays by the model's names.
        sequence: (T, B, n), or tokens (T, B); None for the arguments that the model was seen to take.
        watched: The module whose inputs and outputs are wanted, by the model's name; None where none is.
        rows: Rows of several lengths to run it on, too; None where these are not wanted.
        names: All of the model's names in its order: made again, it may number its layers on.
    """

    dtype: str
    weights: dict[str, PlainArray]
    sequence: PlainArray | None
    watched: str | None = None
    rows: PaddedRows | None = None
    names: tuple[str, ...] = ()


@dataclass(frozen=True)
class LayerNumbers:
    """What a recurrent layer read and gave inside a model.

    Attributes:
        inputs: (T, B, n).
        states: The states (B, d) that it began with, in its own order; none where it was given none.
        outputs: The hidden states that it gave, (T, B, d).
    """

    inputs: PlainArray
    states: tuple[PlainArray, ...]
    outputs: PlainArray


@dataclass(frozen=True)
class PaddedOutputs:
    """What a model gave first for rows of several lengths.

    Attributes:
        argument: By which argument it was told the lengths, or which steps count; empty where it takes none.
        time_first: For the rows as (T, B, n); None where it does not take them.
        rows_first: For the same as (B, T, n), with the first two axes of what came exchanged.
        is_read_from_name: Whether nothing but the name of a mask says where it is true.
    """

    argument: str
    time_first: PlainArray | None
    rows_first: PlainArray | None
    is_read_from_name: bool = False

    def in_order(self, order: Literal["time first", "rows first"]) -> PlainArray | None:
        """Return what it gave in one order of the axes.

        Args:
            order: The order in which the rows were given.
        """
        return self.time_first if order == "time first" else self.rows_first


@dataclass(frozen=True)
class ModelOutputs:
    """What a model gave first for a sequence, or what one of its layers read and gave.

    Attributes:
        time_first: For the sequence as (T, B, n); None where it does not take it.
        rows_first: For the same as (B, T, n), with the first two axes of what came exchanged.
        layer: Of the module that was watched; None where none was, or its numbers could not be read.
        reason: Why they could not be read; empty if they could.
        padded: What it gave for rows of several lengths; None where these were not wanted.
    """

    time_first: PlainArray | None = None
    rows_first: PlainArray | None = None
    layer: LayerNumbers | None = None
    reason: str = ""
    padded: PaddedOutputs | None = None

    @property
    def arrays(self) -> tuple[PlainArray, ...]:
        """All outputs of the model itself that there are."""
        both = (self.time_first, self.rows_first)
        padded = () if self.padded is None else (self.padded.time_first, self.padded.rows_first)
        return tuple(array for array in (*both, *padded) if array is not None)
