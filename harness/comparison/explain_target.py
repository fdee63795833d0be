"""The equations of a target, by its own names where they can stand in an equation."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from rnn_harness.comparison.altered_spec_file import altered_spec_file
from rnn_harness.comparison.bounded_outputs import described_spec
from rnn_harness.comparison.cell_description import CellDescription
from rnn_harness.comparison.in_workers import describe_any_isolated
from rnn_harness.comparison.model_description import LayerOfModel, ModelDescription
from rnn_harness.errors import NotRun
from rnn_harness.records.explained_cell import CellSymbol, ExplainedCell, PrintedEquations
from rnn_harness.specs import Spec, SpecError, library, parse_spec
from rnn_harness.specs.dimensions import Shape
from rnn_harness.validation.judging.generated_spec import spec_text
from rnn_harness.validation.request import Limits, ValidationRequest

_OWN_NAME = re.compile(r"[A-Za-z](_[A-Za-z0-9]+)?")
"""Names of parameters that can stand in an equation as they are."""


def explain_target(request: ValidationRequest, limits: Limits | None = None) -> tuple[ExplainedCell, ...]:
    """Find out in a worker what a target computes, and write its equations.

    Args:
        request: Names the target.
        limits: How long it may take.

    Returns:
        One cell; of a model, one for each kind of its recurrent layers.

    Raises:
        UsageError: It cannot be loaded or driven.
        NotRun: It is no cell that is known, ended its process, raised an error, or gave no answer in time.
        HarnessError: The harness itself raised an error.
    """
    description = describe_any_isolated(request, limits or Limits(), is_measured=False)
    if isinstance(description, CellDescription):
        return (explained_cell(description),)
    return tuple(explained_cell(layer) for layer in kinds_of_layers(description))


def kinds_of_layers(model: ModelDescription) -> tuple[CellDescription, ...]:
    """Return the first of the layers of a model that compute the same, for each kind, by its name in the model.

    Args:
        model: The model, which was described.
    """
    kinds: dict[tuple[object, ...], list[LayerOfModel]] = {}
    for layer in model.layers:
        cell = layer.cell
        kinds.setdefault((cell.kind, cell.sentence, cell.spec, cell.model, cell.names), []).append(layer)
    rows = []
    for first, *others in kinds.values():
        titles = ", ".join(layer.title for layer in others)
        same = f"; {titles} compute{'' if len(others) > 1 else 's'} the same" if others else ""
        target = f"{first.title} of {model.target}"
        rows.append(replace(first.cell, target=target, sentence=f"{first.cell.sentence}{same}"))
    return tuple(rows)


def explained_cell(description: CellDescription) -> ExplainedCell:
    """Write the equations of a target that was described.

    Args:
        description: What it is.

    Raises:
        NotRun: It is no cell that is known.
    """
    if description.kind == "unknown":
        raise NotRun(f"{description.target} is no cell that is known: {description.sentence}")
    spec = described_spec(description)
    own_names: dict[str, str] = {}
    cell = description.family_cell
    if cell is None:
        file = altered_spec_file(spec)
    else:
        file = _titled(spec_text(cell.model, cell.names), description.target)
        file, own_names = _by_own_names(file, description)
        spec = parse_spec(file, Path("explained.toml"))
    symbols = _symbols(spec, description, {new: old for old, new in own_names.items()})
    equations = tuple(entry.text.strip() for entry in spec.equations if not entry.alternative)
    explained = ExplainedCell(
        description.target,
        description.sentence,
        _printed_by(description),
        equations,
        symbols,
        _commented(file, symbols),
    )
    explained = replace(explained, printed=_as_printed(description))
    return replace(explained, fault=description.sentence) if description.faults else explained


def _as_printed(description: CellDescription) -> PrintedEquations | None:
    """Return the equations of a document that are this cell, with where the target keeps what stands there."""
    spec = next((spec for spec in library().specs if spec.id == description.spec), None)
    if spec is None or spec.reference is None or not description.is_complete or description.family_cell is None:
        return None
    printed = [entry for entry in spec.equations if not entry.alternative and entry.document]
    symbols = []
    for parameter in spec.program().parameters:
        name, mark, _ = (spec.reference.parameters.get(parameter.name) or parameter.name).partition("^")
        places = description.places.get(name, ())
        if not places:
            return None  # the document has a weight that the target lacks
        turned = tuple(f"{place}, transposed" if mark else place for place in places)
        latex = parameter.latex or _latex(parameter.name)
        symbols.append(CellSymbol(parameter.name, latex, _shape(parameter.shape), turned))
    documents = ", ".join(dict.fromkeys(str(entry.document) for entry in printed))
    place = f"document {documents}" if documents[:1].isdigit() else documents
    return PrintedEquations(place, tuple((entry.printed or entry.text).strip() for entry in printed), tuple(symbols))


def _titled(file: str, target: str) -> str:
    """Give a generated spec file an id and a title of its own."""
    name = re.sub(r"[^A-Za-z0-9]+", "_", target.rpartition(":")[2]).strip("_").lower() or "cell"
    text = file.replace('id = "candidate"', f'id = "{name}"', 1)
    return text.replace(", as identified", ", as it was identified", 1)


def _by_own_names(file: str, description: CellDescription) -> tuple[str, dict[str, str]]:
    """Name the weights of a spec file as the target does, where every one of them has one short name of its own."""
    names: dict[str, str] = {}
    for name, places in description.places.items():
        own = places[0].rpartition(".")[2]
        if len(places) == 1 and _OWN_NAME.fullmatch(own):
            names[name] = own
    taken = {"h", "c", "x", *(f"{letter}" for letter in "rzgifo")}
    if set(names) != set(description.names) or len(set(names.values())) < len(names) or taken & set(names.values()):
        return file, {}
    renamed = file
    for number, name in enumerate(names):
        renamed = renamed.replace(_latex(name), f"\0{number}\1").replace(f"{name} = ", f"\0{number}\2 = ")
    for number, own in enumerate(names.values()):
        renamed = renamed.replace(f"\0{number}\1", _latex(own)).replace(f"\0{number}\2", own)
    try:
        parse_spec(renamed, Path("explained.toml")).program()
    except SpecError:  # a name that means something else in an equation
        return file, {}
    return renamed, names


def _latex(name: str) -> str:
    head, _, tail = name.partition("_")
    return f"{head}_{{{tail}}}" if tail else head


def _symbols(spec: Spec, description: CellDescription, canonical: dict[str, str]) -> tuple[CellSymbol, ...]:
    """List the weights of a spec with where the target keeps them."""
    rows = []
    for parameter in spec.program().parameters:
        places = description.places.get(canonical.get(parameter.name, parameter.name), ())
        if parameter.name in description.names or canonical or places:
            rows.append(
                CellSymbol(parameter.name, parameter.latex or _latex(parameter.name), _shape(parameter.shape), places)
            )
    return tuple(rows)


def _shape(shape: Shape) -> str:
    return " x ".join(str(axis) for axis in shape) or "number"


def _printed_by(description: CellDescription) -> str:
    """Say which shipped spec prints the cell, and where its document does; empty if none does."""
    known = next((spec for spec in library().specs if spec.id == description.spec), None)
    if known is None:
        return description.spec
    cited = next((entry for entry in known.equations if entry.document), None)
    place = f", document {cited.document} from line {cited.line}" if cited is not None else ""
    return f"{known.id}{place}"


def _commented(file: str, symbols: tuple[CellSymbol, ...]) -> str:
    """Put before a spec file where the target keeps its weights."""
    lines = [f"# {symbol.name}: {' + '.join(symbol.places)}" for symbol in symbols if symbol.places]
    return "\n".join([*lines, "", file]) if lines else file
