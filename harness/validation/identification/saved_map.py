"""A parameter map in a file: what was identified, to be looked at, changed, and given back.

Dimension legend: n input size, d hidden size.
"""

from __future__ import annotations

import json
from pathlib import Path

from pydantic import ValidationError

from rnn_harness.errors import UsageError
from rnn_harness.records.parameter_map_file import MapFile, MapPiece
from rnn_harness.validation.cells.calling_convention import CallingConvention
from rnn_harness.validation.cells.cell_model import CellModel
from rnn_harness.validation.cells.parameter_blocks import StorageForm
from rnn_harness.validation.identification.decode import ParameterAssignment
from rnn_harness.validation.identification.identify import Identification
from rnn_harness.validation.identification.parameter_layout import GateBlock, Layout


def to_map_file(match: Identification) -> MapFile:
    """A match as it is written."""
    table = match.assignment.table
    return MapFile(
        cell={key: value for key, value in vars(match.model).items() if key != "faults"},
        called=vars(match.convention),
        states=match.states,  # type: ignore[arg-type]
        pieces=tuple(MapPiece(**vars(piece)) for piece in table.pieces),
        forms={name: vars(form) for name, form in table.forms},
        recurrent_first=table.recurrent_first,
    )


def save_map(match: Identification, path: Path) -> None:
    """Write the map. Raises UsageError."""
    try:
        path.write_text(to_map_file(match).model_dump_json(indent=1) + "\n", encoding="utf-8")
    except OSError as error:
        raise UsageError(f"cannot write the map to {path}: {error.strerror}") from None


def load_map(path: Path) -> Identification:
    """Read a map. Raises UsageError with what is wrong in it."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot read the map {path}: {error}") from None
    except json.JSONDecodeError as error:
        raise UsageError(f"{path}:{error.lineno}: not JSON: {error.msg}; expected what --save-map writes") from None
    try:
        return from_map_file(MapFile.model_validate(data))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise UsageError(f"{path}: {where}: {first['msg']}; expected what --save-map writes") from None
    except (TypeError, ValueError) as error:
        raise UsageError(f"{path}: {error}; expected what --save-map writes") from None


def from_map_file(given: MapFile) -> Identification:
    """The match that a map describes. Raises TypeError for features that there are not."""
    called = {**given.called, "taken": tuple(given.called.get("taken", ()))}
    forms = tuple((name, StorageForm(**form)) for name, form in given.forms.items())
    gate_blocks, names = [], []
    for index, piece in enumerate(given.pieces):
        kind = "b" if dict(forms)[piece.parameter].vector else "x" if piece.name.startswith("W_x") else "h"
        gate_blocks.append(GateBlock(piece.parameter, kind, piece.block, piece.of, piece.side))
        names.append((index, (piece.name, piece.flipped)))
    layout = Layout(tuple(gate_blocks), forms, given.recurrent_first)
    assignment = ParameterAssignment(layout, tuple(names), len(names))
    return Identification(CellModel(**given.cell), assignment, given.states, CallingConvention(**called))
