"""The families of recurrent cells: the spec, torch's class, the gates with their names, the cells of the benchmark.

Data only: this module imports nothing of the package, so that everything else may import it, and torch only when a
class of it is asked for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from rnn_harness.attributes import member

GATE_NAMES: Mapping[str, str] = MappingProxyType(
    {
        "r": "reset gate",
        "z": "update gate",
        "g": "candidate",
        "i": "input gate",
        "f": "forget gate",
        "o": "output gate",
        "": "state",
    }
)
"""The name of a gate by its letter in a parameter's name. A simple RNN has no gate: its letter is empty."""


@dataclass(frozen=True)
class Family:
    """A family of cells, and the member of it that torch ships.

    Attributes:
        name: The name of its reference.
        title: How a sentence names it.
        spec: The spec of the cell that torch ships.
        torch_class: The class of ``torch.nn`` that runs it over a sequence; with ``Cell`` behind it, the one of a step.
        gates: The letters of gates and candidate, in the order of the references.
        torch_gates: The same letters in the order in which torch stacks them.
        states: The names of its states.
        reference_options: The options with which the reference computes what torch ships.
    """

    name: str
    title: str
    spec: str
    torch_class: str
    gates: tuple[str, ...]
    torch_gates: tuple[str, ...]
    states: tuple[str, ...] = ("h",)
    reference_options: Mapping[str, str] = field(default_factory=dict)


FAMILIES: Mapping[str, Family] = MappingProxyType(
    {
        family.name: family
        for family in (
            Family("rnn", "simple RNN", "rnn.tanh", "RNN", ("",), ("",)),
            Family(
                "gru",
                "GRU",
                "gru.reset_after",
                "GRU",
                ("r", "z", "g"),
                ("r", "z", "g"),
                reference_options={"reset": "after"},
            ),
            Family("lstm", "LSTM", "lstm.column", "LSTM", ("i", "f", "o", "g"), ("i", "f", "g", "o"), ("h", "c")),
        )
    }
)


def gate_short_name(letter: str) -> str:
    """Return the name of a gate without the word *gate*: ``reset``, ``candidate``.

    Args:
        letter: The gate's letter, a key of `GATE_NAMES`.
    """
    return GATE_NAMES[letter].removesuffix(" gate")


@dataclass(frozen=True)
class BenchmarkCell:
    """A cell whose gradient decay the benchmark measures.

    Attributes:
        title: How tables and plots name it.
        family: The family it belongs to.
        spec: The spec it computes.
        reference_options: The options of the family's reference that computes it.
        shipped: Whether torch ships it.
    """

    title: str
    family: str
    spec: str
    reference_options: Mapping[str, str | bool] = field(default_factory=dict)
    shipped: bool = False


BENCHMARK_CELLS: tuple[BenchmarkCell, ...] = (
    BenchmarkCell("RNN", "rnn", "rnn.tanh", shipped=True),
    BenchmarkCell("sigmoid RNN", "rnn", "rnn.sigma", {"activation": "sigmoid"}),
    BenchmarkCell("GRU", "gru", "gru.reset_after", {"reset": "after"}, shipped=True),
    BenchmarkCell("GRU, reset before", "gru", "gru.keep.column"),
    BenchmarkCell("LSTM", "lstm", "lstm.column", shipped=True),
    BenchmarkCell("LSTM without forget gate", "lstm", "lstm.noforget", {"forget": False}),
)


@dataclass(frozen=True)
class TorchModule:
    """The module of torch that computes a spec.

    Attributes:
        family: The family, and with it the class.
        bidirectional: Whether it runs in both directions.
    """

    family: str
    bidirectional: bool = False


TORCH_MODULES: Mapping[str, TorchModule] = MappingProxyType(
    {
        "rnn.tanh": TorchModule("rnn"),
        "gru.reset_after": TorchModule("gru"),
        "lstm.column": TorchModule("lstm"),
        "rnn.stacked": TorchModule("rnn"),
        "gru.stacked": TorchModule("gru"),
        "lstm.stacked": TorchModule("lstm"),
        "gru.bidirectional": TorchModule("gru", bidirectional=True),
        "lstm.bidirectional": TorchModule("lstm", bidirectional=True),
    }
)
"""torch's module by spec."""


@dataclass(frozen=True)
class KerasLayer:
    """The layer of Keras that computes a spec.

    Attributes:
        layer_class: The class in ``keras.layers``.
        options: The options that it takes for that.
    """

    layer_class: str
    options: Mapping[str, bool] = field(default_factory=dict)


KERAS_LAYERS: Mapping[str, KerasLayer] = MappingProxyType(
    {
        "rnn.tanh": KerasLayer("SimpleRNN"),
        "lstm.column": KerasLayer("LSTM"),
        "gru.keep.column": KerasLayer("GRU", {"reset_after": False}),
    }
)
"""Keras's layer by spec."""


def torch_class(name: str) -> Any:
    """Return the class of ``torch.nn`` of that name.

    Args:
        name: As `Family.torch_class` has it; with ``Cell`` behind it, the one of a step.
    """
    import torch

    return member(torch.nn, name)
