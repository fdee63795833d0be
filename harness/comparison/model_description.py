"""What a worker says of a model that is compared: its recurrent layers one by one, as plain data."""

from __future__ import annotations

from dataclasses import dataclass

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
    """

    title: str
    cell: CellDescription
    input_size: int
    hidden_size: int
    parameter_names: dict[str, str]


@dataclass(frozen=True)
class ModelDescription:
    """What a model is.

    Attributes:
        target: Its name, as it was typed.
        layers: Its recurrent layers in the order in which they are called, forward before backward.
        wiring: What each module reads, in words.
        further: Parameters that are of none of these layers, of an output layer for instance.
        dtype: The dtype in which it runs.
    """

    target: str
    layers: tuple[LayerOfModel, ...]
    wiring: tuple[str, ...]
    further: tuple[str, ...]
    dtype: str


@dataclass(frozen=True)
class ModelWeights:
    """Weights of a model, and a sequence to run it on.

    Attributes:
        dtype: The dtype in which it runs.
        weights: Arrays by the model's names.
        sequence: (T, B, n).
    """

    dtype: str
    weights: dict[str, PlainArray]
    sequence: PlainArray


@dataclass(frozen=True)
class ModelOutputs:
    """What a model gave first for a sequence.

    Attributes:
        time_first: For the sequence as (T, B, n); None where it does not take it.
        rows_first: For the same as (B, T, n), with the first two axes of what came exchanged.
    """

    time_first: PlainArray | None
    rows_first: PlainArray | None
