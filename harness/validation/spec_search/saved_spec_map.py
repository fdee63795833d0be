"""The parameter map of a cell of a spec, in a file: to be read, changed, and given back."""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationError

from rnn_harness.errors import UsageError
from rnn_harness.records.parameter_map_file import SlotPiece, SpecMapFile
from rnn_harness.specs import Spec
from rnn_harness.specs.dimensions import Dimension, Shape
from rnn_harness.specs.schema import SpecModel
from rnn_harness.validation.cells.calling_convention import CallingConvention
from rnn_harness.validation.cells.parameter_blocks import StorageForm
from rnn_harness.validation.identification.saved_map import read_map
from rnn_harness.validation.spec_search.search import SpecMatch
from rnn_harness.validation.spec_search.slot_map import SlotMap, SlotRole
from rnn_harness.validation.spec_search.slots import Slot
from rnn_harness.validation.spec_search.spec_pieces import SpecPiece


def to_spec_map_file(match: SpecMatch, convention: CallingConvention) -> SpecMapFile:
    """Write how a target equals a spec as a parameter map.

    Args:
        match: The spec, and which slot of the target's parameters is which piece of it.
        convention: How the target is called.
    """
    called = {"sequence": convention.sequence, "states": convention.states, "how": str(convention)}
    return SpecMapFile(
        spec=match.spec.model.model_dump(mode="json", exclude_defaults=True),
        called=called,
        states=match.states,
        slots=tuple(_slot_piece(slot, role) for slot, role in match.table.roles),
        forms={slot.parameter: vars(slot.form) for slot, _ in match.table.roles},
    )


def _slot_piece(slot: Slot, role: SlotRole) -> SlotPiece:
    piece = role.piece
    return SlotPiece(
        parameter=slot.parameter,
        block=slot.block,
        of=slot.of,
        shape=tuple(map(str, slot.shape)),
        start=str(slot.start),
        width=str(slot.width),
        axes=slot.axes,
        name=piece.parameter,
        name_shape=tuple(map(str, piece.shape)),
        name_start=str(piece.start),
        name_turned=piece.turned,
        flipped=role.flipped,
    )


def load_spec_map(path: Path) -> SpecMatch | None:
    """Read the map of a cell of a spec; None where the file holds a map of another kind, or none.

    Args:
        path: A file that ``--save-map`` wrote.

    Raises:
        UsageError: The file cannot be read, or what it says of the spec does not hold; the message says what.
    """
    data = read_map(path)
    if not isinstance(data, dict) or "slots" not in data:
        return None
    try:
        return from_spec_map_file(SpecMapFile.model_validate(data), path)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise UsageError(f"{path}: {where}: {first['msg']}; expected what --save-map writes") from None
    except KeyError as error:
        message = f"{path}: there is no form of the parameter {error}; expected what --save-map writes"
        raise UsageError(message) from None
    except (TypeError, ValueError) as error:
        raise UsageError(f"{path}: {error}; expected what --save-map writes") from None


def from_spec_map_file(file: SpecMapFile, path: Path) -> SpecMatch:
    """Read a parameter map as a spec with its slots.

    Args:
        file: The content of a map's file.
        path: The file, for messages.

    Raises:
        ValueError: A size cannot be read, or the spec is none.
        UsageError: The spec has no parameter of a name that the map gives.
    """
    spec = Spec(SpecModel.model_validate(file.spec), path, {})
    shapes = {variable.name: variable.shape for variable in spec.program().parameters}
    forms = {name: StorageForm(**(form | {"ones": tuple(form.get("ones", ()))})) for name, form in file.forms.items()}
    roles = []
    for entry in file.slots:
        if entry.name not in shapes:
            raise UsageError(f"{path}: {spec.id} has no parameter {entry.name!r}; it has {', '.join(shapes)}")
        slot = Slot(
            entry.parameter,
            forms[entry.parameter],
            entry.block,
            entry.of,
            _shape(entry.shape),
            Dimension.parse(entry.start),
            Dimension.parse(entry.width),
            entry.axes,
        )
        piece = SpecPiece(entry.name, _shape(entry.name_shape), entry.name_turned, Dimension.parse(entry.name_start))
        roles.append((slot, SlotRole(piece, entry.flipped)))
    return SpecMatch(spec, SlotMap(tuple(roles), tuple(shapes.items())), file.states)


def _shape(sizes: tuple[str, ...]) -> Shape:
    return tuple(Dimension.parse(size) for size in sizes)
