"""How far the gradient of a layer of torch reaches: the factor per step, as `decay` measures it."""

from __future__ import annotations

from typing import Any

from rnn_harness.array_types import Array
from rnn_harness.benchmarks.decay.decay import decay_curve
from rnn_harness.benchmarks.decay.jacobian_product import cell_steps
from rnn_harness.families import FAMILIES
from rnn_harness.records.gradient_visibility import FAR_LAG, NEAR_LAG
from rnn_harness.references import Reference, get_reference


def gradient_rate(layer: Any, family: str, input_size: int) -> float:
    """Return the factor per step of the gradient's norm between the lags of a rate, on inputs N(0, 1).

    Args:
        layer: torch's layer, of one direction.
        family: The name of the cell's family, such as ``gru``.
        input_size: Its input size n.
    """
    cell: Reference = get_reference(family, **FAMILIES[family].reference_options)
    curve = decay_curve(cell_steps(cell, _reference_parameters(layer, family)), input_size, FAR_LAG + NEAR_LAG, 0)
    return float(10 ** ((curve.norms[FAR_LAG] - curve.norms[NEAR_LAG]) / (FAR_LAG - NEAR_LAG)))


def _reference_parameters(layer: Any, family: str) -> dict[str, Array]:
    """Return the first layer's parameters by the names of the reference, with torch's two biases added up."""
    d = layer.hidden_size
    weights = {name: parameter.detach().double().numpy() for name, parameter in layer.named_parameters()}
    parameters: dict[str, Array] = {}
    for k, gate in enumerate(FAMILIES[family].torch_gates):
        rows = slice(k * d, (k + 1) * d)
        parameters[f"W_x{gate}"] = weights["weight_ih_l0"][rows]
        parameters[f"W_h{gate}"] = weights["weight_hh_l0"][rows]
        recurrent_bias = weights["bias_hh_l0"][rows]
        # The candidate's recurrent bias is inside the reset gate, so it stays apart.
        is_apart = family == "gru" and gate == "g"
        bias = f"b_{gate}" if gate else "b"
        parameters[bias] = weights["bias_ih_l0"][rows] + (0 if is_apart else recurrent_bias)
        if is_apart:
            parameters["b_hg"] = recurrent_bias
    return parameters
