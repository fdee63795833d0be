"""Parameters that are named as a library names its own, in a cell that stacks its gates otherwise."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from rnn_harness.families import FAMILIES, gate_short_name
from rnn_harness.validation.identification.identification import Identification


@dataclass(frozen=True)
class _Library:
    """How a library names and stacks the weights of its layers.

    Attributes:
        prefix: What stands before the name of a family's class.
        names: The end of the name of the recurrent weights.
        gates: The letters of the gates by family, in the order in which they are stacked.
    """

    prefix: str
    names: re.Pattern[str]
    gates: Mapping[str, str]


_TORCH = _Library(
    "nn.",
    re.compile(r"(^|[./])weight_hh(_l0)?$"),
    MappingProxyType({name: "".join(family.torch_gates) for name, family in FAMILIES.items()}),
)
_KERAS = _Library(
    "keras.layers.", re.compile(r"(^|[./])recurrent_kernel$"), MappingProxyType({"gru": "zrg", "lstm": "ifgo"})
)


def note_on_names(identification: Identification) -> tuple[str, ...]:
    """Say that weights of a library's layer, which fit by name and shape, give another function in this cell.

    A cell may stack its gates as it likes: its verdict is none the worse for it.

    Args:
        identification: What the cell is.
    """
    model, assignment = identification.model, identification.assignment
    own = {kind: assignment.gate_order(kind) for kind in ("x", "h")}
    for library in (_TORCH, _KERAS):
        usual = library.gates.get(model.family, "")
        if len(usual) < 2 or not any(library.names.search(name) for name, _ in assignment.layout.forms):
            continue
        differs = ""
        if any(sorted(order) == sorted(usual) and order != usual for order in own.values()):
            differs = f"weights are stacked {', '.join(gate_short_name(letter) for letter in usual)}"
        elif library is _TORCH and model.family == "gru" and identification.spec != FAMILIES["gru"].spec:
            differs = f"weights are those of {FAMILIES['gru'].spec}"
        if differs:
            layer = f"{library.prefix}{FAMILIES[model.family].torch_class}"
            return (f"its parameters have the names of {layer}, whose {differs}: they give another function here",)
    return ()
