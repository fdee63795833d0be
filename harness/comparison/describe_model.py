"""What a model is: its recurrent layers, each described as a cell; and the model run with given weights."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from rnn_harness.arithmetic.torch_dtype import torch_dtype
from rnn_harness.comparison.cell_description import CellDescription, SequenceOrder
from rnn_harness.comparison.describe_cell import describe
from rnn_harness.comparison.model_description import LayerOfModel, ModelDescription, ModelOutputs, ModelWeights
from rnn_harness.comparison.padded_model import first_outputs, padded_outputs
from rnn_harness.comparison.tied_cell import load_compared
from rnn_harness.comparison.watched_layer import layer_numbers
from rnn_harness.errors import NotRun, UsageError, named_error
from rnn_harness.records.parameter_map_file import MapFile
from rnn_harness.runtime.plain_array import PlainArray
from rnn_harness.validation.identification.saved_map import from_map_file
from rnn_harness.validation.isolation import load_requested
from rnn_harness.validation.loading.copied_module import copied_module
from rnn_harness.validation.loading.target import Target
from rnn_harness.validation.models.check_lengths import padding_token
from rnn_harness.validation.models.describe_wiring import wiring_in_words
from rnn_harness.validation.models.judge_parts import judged_parts
from rnn_harness.validation.models.recurrent_part import RecurrentPart
from rnn_harness.validation.models.run_model import run_model
from rnn_harness.validation.models.understand import UnderstoodModel, model_of, understood_model
from rnn_harness.validation.request import ValidationRequest

if TYPE_CHECKING:
    from torch import Tensor, nn


def cell_or_model(
    request: ValidationRequest, target: Target | None = None, is_measured: bool = True
) -> CellDescription | ModelDescription:
    """Describe a target in this process as a cell, or as a model where it cannot be driven as one.

    Args:
        request: Names it.
        target: The target itself, where it is loaded already.
        is_measured: Whether the speed, the size and the first weights of a cell are wanted too.

    Raises:
        UsageError: It cannot be loaded or driven.
        NotRun: It is a model, one of whose recurrent layers is no cell that can be described.
    """
    loaded = target or load_compared(request)
    model = model_of(loaded)
    # What holds several layers may be driven as one layer, too; it is searched for in vain among the cells.
    if model is not None and sum(part.layers * part.directions for part in model.parts) > 1:
        return _described_model(request, model)
    try:
        cell = describe(request, loaded, is_measured)
    except UsageError as error:
        return _described_model(request, understood_model(loaded, error))
    is_model = cell.kind == "unknown" and model is not None and bool(model.parts)
    return _described_model(request, model) if is_model and model is not None else cell


def _described_model(request: ValidationRequest, model: UnderstoodModel) -> ModelDescription:
    """Describe a model. Raises NotRun where one of its recurrent layers is no cell that can be described."""
    numbered = model.with_numbers(0)
    parts = [(part, judged.target) for judged in judged_parts(model) for part in judged.parts]
    cells = {part.name: cell for part, cell in parts if not part.projection_size}
    described: dict[str, CellDescription] = {}
    layers: list[LayerOfModel] = []
    for part in numbered.called_parts:
        cell = cells.get(part.name)
        if cell is None:
            raise NotRun(f"{request.target}: {part.shown_name} ({part.title}) is no cell whose equations are known")
        if cell.name not in described:
            described[cell.name] = _described(request, cell)
        layers += _layers(part, described[cell.name], numbered.module)
    if not layers:
        raise NotRun(f"{request.target}: no call of a recurrent layer was seen")
    used = {name for layer in layers for name in layer.parameter_names.values()}
    further = tuple(name for name, _ in model.module.named_parameters() if name not in used)
    dtype = str(model.dtype).removeprefix("torch.")
    shapes = {name: tuple(value.shape) for name, value in model.module.named_parameters()}
    wiring, vocabulary = wiring_in_words(numbered), model.arguments.vocabulary
    padding = padding_token(model.module)
    return ModelDescription(request.target, tuple(layers), wiring, further, dtype, shapes, vocabulary, padding)


def _described(request: ValidationRequest, target: Target) -> CellDescription:
    """Describe one layer as a cell; in which order it reads is a matter of the model."""
    cell = describe(replace(request, target=target.name, options={}), target, is_measured=False)
    return replace(cell, reading="")


def _layers(part: RecurrentPart, cell: CellDescription, module: nn.Module) -> Iterator[LayerOfModel]:
    """Yield the layers of a part, one for each direction."""
    prefix = f"{part.name}." if part.name else ""
    known = {name for name, _ in module.named_parameters()}
    for layer in range(part.layers):
        n = part.input_size if not layer else part.directions * part.output_size
        for direction in range(part.directions):
            suffix = f"_l{layer}{'_reverse' if direction else ''}"
            names = {own: prefix + own.replace("_l0", suffix) for own in _own_names(cell)}
            if set(names.values()) - known:
                raise NotRun(f"{part.shown_name}: its parameters are not those of the cell that was described")
            number = f"layer {layer}{f' of {part.name}' if part.name else ''}" if part.layers > 1 else part.shown_name
            order: SequenceOrder = "" if not part.is_layer else "batch first" if part.batch_first else "time first"
            named = replace(cell, places=_places_in_model(cell, names), order=order)
            title = f"{number}{', reverse' if direction else ''}"
            is_alone = part.layers * part.directions == 1
            yield LayerOfModel(title, named, n, part.output_size, names, part.name, bool(direction), is_alone)


def _places_in_model(cell: CellDescription, names: dict[str, str]) -> dict[str, tuple[str, ...]]:
    """Return where the parameters stand, by the model's names in the place of the cell's."""

    def renamed(row: str) -> str:
        own = row.removeprefix("-").partition(",")[0]
        return row.replace(own, names.get(own, own), 1)

    return {name: tuple(renamed(row) for row in rows) for name, rows in cell.places.items()}


def _own_names(cell: CellDescription) -> tuple[str, ...]:
    """Return the names of a cell's own parameters; none where its map is not known, or that of a spec."""
    if cell.kind != "family" or not cell.map:
        return ()
    table = from_map_file(MapFile.model_validate_json(cell.map)).assignment.table
    return tuple(name for name, _ in table.forms)


def run_described_model(request: ValidationRequest, given: ModelWeights, target: Target | None = None) -> ModelOutputs:
    """Run a model in this process with weights that are given by its own names.

    Args:
        request: Names it.
        given: The weights and the sequence.
        target: The target itself, where it is loaded already.

    Raises:
        UsageError: It is no model.
        NotRun: Its parameters have other names than before.
    """
    import torch

    model = understood_model(target or load_requested(request), UsageError(f"{request.target} is no model"))
    dtype = torch_dtype(given.dtype)
    module = copied_module(model.module).to(dtype).eval()
    parameters = dict(module.named_parameters())
    if set(given.weights) - set(parameters) and len(given.names) == len(parameters):
        parameters = dict(zip(given.names, parameters.values(), strict=True))
    lacking = sorted(set(given.weights) - set(parameters))
    lacking += [
        name for name, value in given.weights.items() if name in parameters and value.shape != parameters[name].shape
    ]
    if lacking:
        raise NotRun(f"{request.target}: made again, it has no {', '.join(lacking[:3])}: its names change")
    with torch.no_grad():
        for name, value in given.weights.items():
            parameters[name].copy_(torch.tensor(value.array(given.dtype)))
    if given.watched is not None:
        return _watched_layer(model, module, given.watched)
    assert given.sequence is not None, "where no layer is watched, a sequence is given"

    def read(sequence: PlainArray) -> Tensor:
        numbers = torch.tensor(sequence.array(given.dtype))
        return numbers.long() if model.arguments.vocabulary else numbers

    rows = given.rows
    padded = None if rows is None else padded_outputs(model, module, rows, read(rows.sequence))
    return ModelOutputs(*first_outputs(model, module, read(given.sequence)), padded=padded)


def _watched_layer(model: UnderstoodModel, module: nn.Module, name: str) -> ModelOutputs:
    """Run a model on arguments that it takes, and read what one of its layers was given and gave."""
    part = next((part for part in model.parts if part.name == name), None)
    if part is None:
        return ModelOutputs(reason=f"{name} is no recurrent layer of it when it is made again")
    dtype = next(module.parameters()).dtype
    try:
        run = run_model(module, model.arguments.to(dtype), [name])
    except Exception as error:  # with other weights the model may take another way through its code
        return ModelOutputs(reason=f"the model raised {named_error(error)}")
    return layer_numbers(part, run)
