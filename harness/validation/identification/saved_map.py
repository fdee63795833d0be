"""A parameter map in a file: an identification to be read, changed, and given back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from pydantic import ValidationError

from rnn_harness.errors import UsageError
from rnn_harness.options import OptionTable
from rnn_harness.records.parameter_map_file import MapFile, MapPiece
from rnn_harness.runtime.input_file import parse_json, read_text_file
from rnn_harness.subjects.parameter_role import ParameterKind, is_kind
from rnn_harness.validation.cells.calling_convention import CallingConvention
from rnn_harness.validation.cells.cell_model import BlockKind, CellModel
from rnn_harness.validation.cells.parameter_blocks import StorageForm
from rnn_harness.validation.identification.decode import BlockRole, ParameterAssignment
from rnn_harness.validation.identification.identification import Identification
from rnn_harness.validation.identification.parameter_layout import GateBlock, Layout


def to_map_file(identification: Identification) -> MapFile:
    """Write an identification as a parameter map.

    Args:
        identification: What a target is.
    """
    table = identification.assignment.table
    return MapFile(
        cell={key: value for key, value in vars(identification.model).items() if key != "faults"},
        called=_called(identification.convention),
        states=identification.states,  # type: ignore[arg-type]
        pieces=tuple(MapPiece(**vars(block)) for block in table.blocks),
        forms={name: vars(form) for name, form in table.forms},
        recurrent_first=table.recurrent_first,
    )


def _called(convention: CallingConvention) -> OptionTable:
    """What a map says about how its target is called; it is found out anew when the map is used."""
    return {"sequence": convention.sequence, "states": convention.states, "how": str(convention)}


def _convention(called: Mapping[str, object]) -> CallingConvention:
    """The convention of a map, as far as the map says it. Raises TypeError if it does not say it."""
    sequence, states = called.get("sequence"), called.get("states")
    if not isinstance(sequence, bool) or not isinstance(states, int):
        raise TypeError("'called' does not say whether it takes a sequence, and how many states")
    return CallingConvention(sequence, states)


def save_map(identification: Identification, path: Path) -> None:
    """Write the parameter map of an identification to a file.

    Args:
        identification: What a target is.
        path: The file.

    Raises:
        UsageError: The file cannot be written.
    """
    try:
        path.write_text(to_map_file(identification).model_dump_json(indent=1) + "\n", encoding="utf-8")
    except OSError as error:
        raise UsageError(f"cannot write the map to {path}: {error.strerror}") from None


def read_map(path: Path) -> object:
    """Read what the file of a map holds, before it is known what map it is.

    Args:
        path: The file.

    Raises:
        UsageError: The file cannot be read, or is not JSON.
    """
    try:
        return parse_json(read_text_file(path, "the map"))
    except UsageError:
        raise
    except json.JSONDecodeError as error:
        raise UsageError(f"{path}:{error.lineno}: not JSON: {error.msg}; expected what --save-map writes") from None
    except ValueError as error:
        raise UsageError(f"{path}: not JSON: {error}; expected what --save-map writes") from None


def load_map(path: Path) -> Identification:
    """Read a map.

    Args:
        path: A file that `save_map` wrote.

    Raises:
        UsageError: The file cannot be read, or does not hold a map; the message says what is wrong in it.
    """
    data = read_map(path)
    try:
        return from_map_file(MapFile.model_validate(data))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise UsageError(f"{path}: {where}: {first['msg']}; expected what --save-map writes") from None
    except KeyError as error:
        raise UsageError(
            f"{path}: there is no form of the parameter {error}; expected what --save-map writes"
        ) from None
    except (TypeError, ValueError) as error:
        raise UsageError(f"{path}: {error}; expected what --save-map writes") from None


def from_map_file(file: MapFile) -> Identification:
    """Read a parameter map as an identification.

    Args:
        file: The content of a map's file.

    Raises:
        TypeError: The map names features of a cell, a form or a convention that do not exist.
    """
    forms = {name: StorageForm(**(form | {"ones": tuple(form.get("ones", ()))})) for name, form in file.forms.items()}
    blocks, roles = [], []
    for index, piece in enumerate(file.pieces):
        matrix: BlockKind = "x" if is_kind(piece.name, ParameterKind.INPUT) else "h"
        kind: BlockKind = "b" if forms[piece.parameter].vector else matrix
        blocks.append(GateBlock(piece.parameter, kind, piece.block, piece.of, piece.side))
        roles.append((index, BlockRole(piece.name, piece.flipped)))
    layout = Layout(tuple(blocks), tuple(forms.items()), file.recurrent_first)
    assignment = ParameterAssignment(layout, tuple(roles), len(roles))
    return Identification(CellModel(**file.cell), assignment, file.states, _convention(file.called))
