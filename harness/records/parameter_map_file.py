"""What a file of a parameter map holds; nothing heavy is imported here."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Fields = dict[str, Any]
"""The fields of a dataclass of the identification, by name: they are checked when it is made of them again."""


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class MapPiece(_Strict):
    """One parameter of the reference, as a block of a parameter of the target.

    Attributes:
        parameter: The target's parameter.
        name: The reference's parameter.
        block: Which of the blocks of `parameter` it is, counted from 0.
        of: How many blocks `parameter` has.
        side: The columns that it takes where a parameter multiplies inputs and state together: ``x`` or ``h``.
        flipped: Whether the block itself is transposed.
    """

    parameter: str
    name: str
    block: int = Field(ge=0)
    of: int = Field(ge=1)
    side: Literal["", "x", "h"] = ""
    flipped: bool = False


class MapFile(_Strict):
    """A cell, and which of a target's parameters is which of the cell's.

    Attributes:
        cell: The features of the cell.
        called: How the target is called.
        states: The target's states by the reference's names, in its order.
        pieces: The blocks of its parameters.
        forms: How every parameter lies in memory, by its name.
        recurrent_first: Whether a parameter on inputs and state together has the state's columns first.
    """

    cell: Fields
    called: Fields
    states: tuple[Literal["h", "c"], ...]
    pieces: tuple[MapPiece, ...]
    forms: dict[str, Fields]
    recurrent_first: bool = False


class SlotPiece(_Strict):
    """A part of a target's parameter, and the part of a spec's parameter that it is. Sizes stand as in a spec file.

    Attributes:
        parameter: The target's parameter.
        block: Which block of its rows it is, counted from 0.
        of: How many blocks there are.
        shape: Its shape, results before operands.
        start: Where its columns begin.
        width: All columns of the target's parameter.
        axes: The number of axes of a single number.
        name: The spec's parameter.
        name_shape: The shape of the part of the spec's parameter, results before operands.
        name_start: Where that part begins along the operands.
        name_turned: Whether the spec has operands before results.
        flipped: Whether the target holds the part transposed.
    """

    parameter: str
    block: int = Field(ge=0)
    of: int = Field(ge=1)
    shape: tuple[str, ...]
    start: str
    width: str
    axes: int = Field(ge=0)
    name: str
    name_shape: tuple[str, ...]
    name_start: str
    name_turned: bool
    flipped: bool


class SpecMapFile(_Strict):
    """A spec, and which part of a target's parameters is which of the spec's.

    Attributes:
        spec: The content of the spec file, with the constants of the target.
        called: How the target is called.
        states: The target's states by the spec's names, in its order.
        slots: The parts of its parameters.
        forms: How every parameter lies in memory, by its name.
    """

    spec: Fields
    called: Fields
    states: tuple[str, ...]
    slots: tuple[SlotPiece, ...]
    forms: dict[str, Fields]
