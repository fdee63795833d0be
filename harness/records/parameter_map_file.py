"""What a file of a parameter map holds. Nothing heavy is imported here."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class MapPiece(_Strict):
    """`name` of the reference is block `block` of `of` of `parameter`; `side` and `flipped` as in `ParameterBlock`."""

    parameter: str
    name: str
    block: int = Field(ge=0)
    of: int = Field(ge=1)
    side: Literal["", "x", "h"] = ""
    flipped: bool = False


class MapFile(_Strict):
    """Everything of a match. `cell`: the features of its sketch; `called`: its convention; `forms`: by parameter."""

    cell: dict[str, Any]
    called: dict[str, Any]
    states: tuple[Literal["h", "c"], ...]
    pieces: tuple[MapPiece, ...]
    forms: dict[str, dict[str, Any]]
    recurrent_first: bool = False
