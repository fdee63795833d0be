"""Cell models and shipped specs: which spec computes a model, and which model a spec is."""

from __future__ import annotations

import functools

from rnn_harness.errors import UsageError
from rnn_harness.families import FAMILIES
from rnn_harness.references import Reference, get_reference
from rnn_harness.references.gru import GRU
from rnn_harness.references.lstm import LSTM
from rnn_harness.references.rnn import RNN
from rnn_harness.specs import Spec, library
from rnn_harness.validation.cells.cell_model import CellModel


def shipped_spec(model: CellModel, bias: bool) -> str | None:
    """Find the shipped spec that computes a cell model.

    Args:
        model: The features of a cell without faults.
        bias: Whether the cell has biases.

    Returns:
        The id of the spec, or None where no shipped spec computes it.
    """
    reference = _reference_of(model, bias)
    return None if reference is None else _specs().get(reference)


def _reference_of(model: CellModel, bias: bool) -> Reference | None:
    """The reference that computes a model; None if there is none."""
    if model.gate != "sigmoid" or model.offset or model.clip or model.cell_clip or model.peephole_state == "old":
        return None
    if model.forget in ("coupled", "coupling"):
        return None
    if {model.candidate, model.output} - {"tanh", "sigmoid"}:
        return None
    if model.family == "rnn":
        return get_reference("rnn", activation=model.candidate, bias=bias)
    if model.family == "gru":
        return get_reference("gru", update=model.update, reset=model.reset, candidate=model.candidate, bias=bias)
    return get_reference(
        "lstm",
        candidate=model.candidate,
        output=model.output,
        peephole=model.peephole or None,
        forget=model.forget == "own",
        bias=bias,
    )


def cell_model_of(spec: Spec) -> CellModel:
    """Read the features of a shipped spec's cell.

    Args:
        spec: A spec of one cell.

    Raises:
        UsageError: The spec is one of layers, or its cell has an output layer.
    """
    link = spec.reference
    reference = None if link is None or link.output else get_reference(link.name, **link.options)
    if isinstance(reference, RNN):
        return CellModel("rnn", candidate=reference.activation)
    if isinstance(reference, GRU):
        return CellModel("gru", candidate=reference.candidate, update=reference.update, reset=reference.reset)
    if isinstance(reference, LSTM):
        return CellModel(
            "lstm",
            candidate=reference.candidate,
            output=reference.output,
            forget="own" if reference.forget else "none",
            peephole=reference.peephole or "",
        )
    raise UsageError(
        f"{spec.id} is no bare cell of one step: a candidate cannot be held against it; those that can be are "
        + ", ".join(sorted(_specs().values()))
    )


@functools.cache
def _specs() -> dict[Reference, str]:
    """The first shipped spec of each reference of one cell without an output layer."""
    specs: dict[Reference, str] = {}
    for spec in library().cells:
        link = spec.reference
        if link is not None and link.name in FAMILIES and not link.output:
            specs.setdefault(get_reference(link.name, **link.options), spec.id)
    return specs
