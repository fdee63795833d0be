"""What a parameter of a reference is, read off its name: ``layer0.W_xi`` is an input weight of the input gate.

The references name their parameters ``W_x<gate>``, ``W_h<gate>``, ``W_c<gate>`` and ``b_<gate>`` (a simple RNN has no
letter: ``W_x``, ``W_h``, ``b``), ``b_hg`` for the candidate's bias inside the reset gate, ``W_y`` and ``b_y`` in the
output layer, with ``layer<number>.``, ``forward.`` or ``backward.`` before them.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum
from typing import Literal

from rnn_harness.array_types import Array
from rnn_harness.families import GATE_NAMES

Axis = Literal["hidden", "below", "input", "output", "merged"]
Direction = Literal["", "forward", "backward"]


class ParameterKind(Enum):
    """What a parameter multiplies, or that it is added."""

    INPUT = "input weights"
    RECURRENT = "recurrent weights"
    PEEPHOLE = "peephole"
    BIAS = "bias"
    RECURRENT_BIAS = "recurrent bias"
    OUTPUT = "output weights"
    OUTPUT_BIAS = "output bias"


_LETTERS = {ParameterKind.INPUT: "x", ParameterKind.RECURRENT: "h", ParameterKind.PEEPHOLE: "c"}
_FIXED_NAMES = {"b_hg": ParameterKind.RECURRENT_BIAS, "W_y": ParameterKind.OUTPUT, "b_y": ParameterKind.OUTPUT_BIAS}
OUTPUT_LAYER = ("W_y", "b_y")
"""The parameters of the output layer."""
_NAME = re.compile(
    r"(?:layer(?P<layer>\d+)\.|(?P<direction>forward|backward)\.)?"
    r"(?:(?P<fixed>b_hg|W_y|b_y)|W_(?:(?P<weight>[xh])(?P<gate>[a-z]?)|c(?P<peephole>[ifo]))|b(?:_(?P<bias>[a-z]))?)"
)


@dataclass(frozen=True)
class ParameterRole:
    """What one parameter of a reference is.

    Attributes:
        kind: What it multiplies, or that it is added.
        gate: The letter of its gate, empty in a simple RNN and in the output layer.
        layer: The number of its layer in a stack, from 0; None outside of stacks.
        direction: Its direction in a bidirectional cell, else empty.
    """

    kind: ParameterKind
    gate: str = ""
    layer: int | None = None
    direction: Direction = ""

    @property
    def prefix(self) -> str:
        """What stands before the name: ``layer0.``, ``forward.``, or nothing."""
        if self.layer is not None:
            return f"layer{self.layer}."
        return f"{self.direction}." if self.direction else ""

    @property
    def name(self) -> str:
        """The reference's name of the parameter."""
        if self.kind in _LETTERS:
            return f"{self.prefix}W_{_LETTERS[self.kind]}{self.gate}"
        fixed = next((name for name, kind in _FIXED_NAMES.items() if kind is self.kind), None)
        return self.prefix + (fixed or (f"b_{self.gate}" if self.gate else "b"))

    @property
    def is_bias(self) -> bool:
        """Whether it is a bias of the cell; the output layer's bias is none."""
        return self.kind in (ParameterKind.BIAS, ParameterKind.RECURRENT_BIAS)

    @property
    def in_output_layer(self) -> bool:
        """Whether it belongs to the output layer."""
        return self.kind in (ParameterKind.OUTPUT, ParameterKind.OUTPUT_BIAS)

    @property
    def feeds_candidate(self) -> bool:
        """Whether it feeds the candidate, or the only activation of a simple RNN, by its input, state or bias."""
        return self.gate in ("", "g") and self.kind is not ParameterKind.PEEPHOLE and not self.in_output_layer

    @property
    def axes(self) -> tuple[Axis, ...]:
        """What its axes are. A diagonal peephole has the first axis alone."""
        if self.in_output_layer:
            return ("output", "merged") if self.kind is ParameterKind.OUTPUT else ("output",)
        if self.is_bias:
            return ("hidden",)
        if self.kind is ParameterKind.INPUT:
            return ("hidden", "below" if self.layer else "input")
        return ("hidden", "hidden")

    @property
    def bias(self) -> ParameterRole:
        """The bias that is added next to it."""
        return replace(self, kind=ParameterKind.BIAS)

    def in_words(self) -> str:
        """Say what it is: ``the recurrent weights of the reset gate``."""
        if self.kind is ParameterKind.RECURRENT_BIAS:
            return f"the {self.kind.value} of the {GATE_NAMES['g']}"
        if self.in_output_layer:
            return f"the {self.kind.value}"
        return f"the {self.kind.value} of the {GATE_NAMES.get(self.gate, f'gate {self.gate}')}"


@functools.cache
def find_role(name: str) -> ParameterRole | None:
    """Read a parameter's name, or return None where no reference has such a parameter.

    Args:
        name: A name such as ``W_xi``, ``layer0.W_h`` or ``forward.b_hg``. A gate may have any letter, since a spec
            without a reference names its gates as its document does.
    """
    match = _NAME.fullmatch(name)
    if match is None:
        return None
    layer = int(match["layer"]) if match["layer"] else None
    direction: Direction = "forward" if match["direction"] == "forward" else "backward" if match["direction"] else ""
    if match["fixed"]:
        kind = _FIXED_NAMES[match["fixed"]]
        return ParameterRole(kind, "g" if kind is ParameterKind.RECURRENT_BIAS else "", layer, direction)
    if match["weight"]:
        kind = ParameterKind.INPUT if match["weight"] == "x" else ParameterKind.RECURRENT
        return ParameterRole(kind, match["gate"], layer, direction)
    if match["peephole"]:
        return ParameterRole(ParameterKind.PEEPHOLE, match["peephole"], layer, direction)
    return ParameterRole(ParameterKind.BIAS, match["bias"] or "", layer, direction)


def parameter_role(name: str) -> ParameterRole:
    """Read the name of a reference's parameter.

    Args:
        name: A name such as ``W_xi``, ``layer0.W_h`` or ``forward.b_hg``.

    Raises:
        ValueError: No reference has a parameter of that name.
    """
    role = find_role(name)
    if role is None:
        raise ValueError(f"{name!r} is no parameter of a reference; expected a name such as W_xi, W_h or layer0.b_f")
    return role


def is_kind(name: str, *kinds: ParameterKind) -> bool:
    """Say whether a name is that of a reference's parameter of one of these kinds.

    Args:
        name: the name of a parameter, with or without the prefix of a layer or direction; an unknown name gives False.
        kinds: the kinds that count.
    """
    role = find_role(name)
    return role is not None and role.kind in kinds


def parameter_axes(name: str) -> tuple[Axis, ...]:
    """Say what the axes of a parameter are; of one that no reference has, that the first is as long as the state.

    Args:
        name: The parameter's name. A diagonal peephole has the first of the two axes alone.
    """
    role = find_role(name)
    return ("hidden",) if role is None else role.axes


def hidden_size(parameters: Mapping[str, Array]) -> int:
    """Read the hidden size off the parameters of a cell: the rows of its first input or recurrent weight.

    Args:
        parameters: Arrays by the reference's names, W_x<gate> (d, n) and W_h<gate> (d, d) among them.

    Raises:
        ValueError: There is no input weight and no recurrent weight.
    """
    for name, value in parameters.items():
        if is_kind(name, ParameterKind.INPUT, ParameterKind.RECURRENT):
            return len(value)
    raise ValueError(f"no input or recurrent weight among {', '.join(parameters) or 'no parameters'}")
