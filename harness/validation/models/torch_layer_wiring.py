"""torch's layers with several layers, directions or a projection, held against the references joined by hand.

torch documents the wiring: layer l reads the outputs of layer l - 1, of both directions side by side; the reverse
direction reads the sequence from its end, and its outputs stand at the steps that they belong to; the states h_n and
c_n have one row for each layer and direction, the forward direction first.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from rnn_harness.array_types import Array
from rnn_harness.families import FAMILIES
from rnn_harness.kernels.torch_reference import to_numpy
from rnn_harness.references import Reference, get_reference
from rnn_harness.subjects.parameter_role import ParameterKind, ParameterRole
from rnn_harness.validation.models.part_calls import PartCall, is_packed, part_calls
from rnn_harness.validation.models.recurrent_part import RecurrentPart
from rnn_harness.validation.models.statement import WiringStatement, agrees, not_run, refuted
from rnn_harness.validation.models.under_test import ModelUnderTest

if TYPE_CHECKING:
    from torch import nn

CHECK = "torch-layers"


@dataclass(frozen=True)
class LayerResults:
    """What a stack of layers gives.

    Attributes:
        outputs: The outputs (T, B, directions d) of the last layer.
        finals: The final states, each (layers directions, B, d): hidden, and of an LSTM the cell state.
    """

    outputs: Array
    finals: tuple[Array, ...]


def check_torch_layers(model: ModelUnderTest) -> Iterator[WiringStatement]:
    """Compare each of torch's layers, at its sizes and with its parameters, with the references.

    Args:
        model: The model; of its parts, torch's layers with unpacked calls in its baseline run are compared, each in its
            first call.
    """
    for part in model.called_parts:
        if not part.is_layer or not part.family:  # a layer of another library, or of a user
            continue
        calls = [call for call in part_calls(model.baseline, part) if not is_packed(call.call)]
        if not calls:
            continue
        module = model.module.get_submodule(part.name)
        is_relu = vars(module).get("nonlinearity") == "relu"
        if is_relu or any("parametrizations" in name for name, _ in module.named_parameters()):
            yield not_run(CHECK, f"{part.shown_name}: no reference runs its weights as they are", part.name)
            continue
        expected = _expected(part, module, calls[0])
        scale = max(1.0, *(float(np.abs(value).max()) for value in (expected.outputs, *expected.finals)))
        computed = (to_numpy(calls[0].outputs), *(to_numpy(state) for state in calls[0].new_states))
        gaps = [
            float(np.abs(a.reshape(-1) - b.reshape(-1)).max())
            for a, b in zip(computed, (expected.outputs, *expected.finals), strict=False)
        ]
        if max(gaps) <= model.tolerance * scale:
            words = "layer by layer and direction by direction, " if part.layers * part.directions > 1 else ""
            yield agrees(CHECK, f"{part.shown_name} is what the equations give, {words}with its own weights", part.name)
        else:
            sentence = f"{part.shown_name} differs by {max(gaps):.3g} from the equations, wired as torch documents it"
            yield refuted(CHECK, sentence, part.name)


def _expected(part: RecurrentPart, module: nn.Module, call: PartCall) -> LayerResults:
    """Run the references over the inputs of a call, layer by layer and direction by direction."""
    parameters = {name: to_numpy(value).astype(np.float64) for name, value in module.named_parameters()}
    reference = _reference(part)
    rows, count = call.inputs.shape[1], part.layers * part.directions
    given = [to_numpy(state).astype(np.float64).reshape(count, rows, -1) for state in call.given_states]
    sequence = to_numpy(call.inputs).astype(np.float64)
    finals: list[Mapping[str, Array]] = []
    for layer in range(part.layers):
        outputs = []
        for direction in range(part.directions):
            index = layer * part.directions + direction
            suffix = f"_l{layer}{'_reverse' if direction else ''}"
            states = {name: state[index] for name, state in zip(reference.state_names, given, strict=False)} or None
            inputs = sequence[::-1] if direction else sequence
            cut = _reference_parameters(part, parameters, suffix)
            run = _run(reference, cut, parameters.get(f"weight_hr{suffix}"), inputs, states)
            outputs.append(run.outputs[::-1] if direction else run.outputs)
            finals.append(run.finals)
        sequence = np.concatenate(outputs, axis=2)
    return LayerResults(sequence, tuple(np.stack([final[name] for final in finals]) for name in reference.state_names))


@dataclass(frozen=True)
class _DirectionRun:
    """What one direction of one layer gives.

    Attributes:
        outputs: The hidden states (T, B, .), in the order in which it read the inputs.
        finals: The final states by name.
    """

    outputs: Array
    finals: Mapping[str, Array]


def _run(
    reference: Reference,
    parameters: Mapping[str, Array],
    projection: Array | None,
    inputs: Array,
    states: Mapping[str, Array] | None,
) -> _DirectionRun:
    """Run one direction of one layer; with a projection, step by step: h = W_hr (o * tanh(c)) is what is read next.

    A cell reads its hidden state through its recurrent weights alone, so a step may be run from a hidden state of
    zeros, with what those weights give for the projected one added to the inputs.
    """
    if projection is None:
        run = reference.forward(parameters, inputs, states)
        return _DirectionRun(run.outputs, run.finals)
    rows, size = inputs.shape[1], projection.shape[1]
    h = states["h"] if states else np.zeros((rows, len(projection)))
    c = states["c"] if states else np.zeros((rows, size))
    joined = {
        name.replace("W_h", "W_x") if name.startswith("W_h") else name: value
        for name, value in parameters.items()
        if not name.startswith("W_x")
    }
    joined |= {
        name: np.concatenate([value, joined[name]], axis=1)
        for name, value in parameters.items()
        if name.startswith("W_x")
    }
    zeros = np.zeros((size, size))
    joined |= {name: zeros for name in parameters if name.startswith("W_h")}
    outputs = []
    for x in inputs:
        step = np.concatenate([x, h], axis=1)[None]
        run = reference.forward(joined, step, {"h": np.zeros((rows, size)), "c": c})
        c = run.finals["c"]
        h = run.outputs[0] @ projection.T
        outputs.append(h)
    return _DirectionRun(np.stack(outputs), {"h": h, "c": c})


def _reference(part: RecurrentPart) -> Reference:
    """The reference of torch's cell."""
    return get_reference(part.family, **FAMILIES[part.family].reference_options)


def _reference_parameters(part: RecurrentPart, parameters: Mapping[str, Array], suffix: str) -> dict[str, Array]:
    """Cut the parameters of one layer and direction into the reference's; biases that torch adds twice become one."""
    gates = FAMILIES[part.family].torch_gates
    cut: dict[str, Array] = {}
    for name, stored in (("x", "weight_ih"), ("h", "weight_hh")):
        blocks = np.split(parameters[f"{stored}{suffix}"], len(gates))
        cut |= {f"W_{name}{gate}": block for gate, block in zip(gates, blocks, strict=True)}
    size = len(cut[f"W_h{gates[0]}"])
    zeros = np.zeros(size * len(gates))
    inputs = np.split(parameters.get(f"bias_ih{suffix}", zeros), len(gates))
    recurrent = np.split(parameters.get(f"bias_hh{suffix}", zeros), len(gates))
    for gate, first, second in zip(gates, inputs, recurrent, strict=True):
        name = ParameterRole(ParameterKind.BIAS, gate).name
        if part.family == "gru" and gate == "g":
            cut |= {name: first, "b_hg": second}
        else:
            cut[name] = first + second
    return cut
