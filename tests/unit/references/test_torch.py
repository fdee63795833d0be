"""Forward and gradients against torch.nn where torch computes the same cell."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from rnn_harness.array_types import Array
from rnn_harness.references import get_reference

STEPS, BATCH, INPUTS, HIDDEN = 6, 3, 4, 5
CELLS = {
    "rnn": (torch.nn.RNN, [""]),
    "gru": (torch.nn.GRU, ["r", "z", "g"]),
    "lstm": (torch.nn.LSTM, ["i", "f", "g", "o"]),
}


def mapped(kind: str, layer: Any, suffix: str) -> dict[str, Array]:
    """Torch's packed weights by gate; its two biases are added, but for the GRU's candidate."""
    gates = CELLS[kind][1]
    blocks = {
        name: getattr(layer, f"{name}_{suffix}").detach().numpy().reshape(len(gates), HIDDEN, -1)
        for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
    }
    rows: dict[str, Array] = {}
    for index, gate in enumerate(gates):
        end = gate and f"_{gate}"
        rows[f"W_x{gate}"] = blocks["weight_ih"][index]
        rows[f"W_h{gate}"] = blocks["weight_hh"][index]
        first, second = blocks["bias_ih"][index, :, 0], blocks["bias_hh"][index, :, 0]
        if kind == "gru" and gate == "g":
            rows |= {"b_g": first, "b_hg": second}
        else:
            rows[f"b{end}"] = first + second
    return rows


def near(a: Array, b: Array) -> None:
    """Within 2^12 roundings of the largest value: two float64 evaluations of at most a few hundred operations."""
    limit = 2.0**12 * np.spacing(max(1.0, float(np.abs(a).max(initial=0))))
    assert a.shape == b.shape
    assert float(np.abs(a - b).max(initial=0)) <= limit


@pytest.mark.parametrize(
    ("layers", "bidirectional"),
    [(1, False), (2, False), (1, True)],
    ids=["one layer", "two layers", "one layer in both directions"],
)
@pytest.mark.parametrize("kind", CELLS)
def test_reference_computes_what_torch_computes(kind: str, layers: int, bidirectional: bool) -> None:
    torch.manual_seed(0)
    layer = CELLS[kind][0](INPUTS, HIDDEN, num_layers=layers, bidirectional=bidirectional).double()
    options: dict[str, Any] = {"reset": "after"} if kind == "gru" else {}
    count = layers * (2 if bidirectional else 1)
    x = torch.randn(STEPS, BATCH, INPUTS, dtype=torch.float64, requires_grad=True)
    states = [
        torch.randn(count, BATCH, HIDDEN, dtype=torch.float64, requires_grad=True)
        for _ in range(2 if kind == "lstm" else 1)
    ]
    outputs, finals = layer(x, tuple(states) if kind == "lstm" else states[0])
    finals = list(finals) if kind == "lstm" else [finals]
    weights = [torch.randn_like(value) for value in (outputs, *finals)]
    sum((value * weight).sum() for value, weight in zip((outputs, *finals), weights, strict=True)).backward()
    if bidirectional:
        cell = get_reference("bidirectional", cell=kind, **options)
        prefixes, suffixes = ["forward.", "backward."], ["l0", "l0_reverse"]
    else:
        cell = get_reference("stacked", cell=kind, layers=layers, **options)
        prefixes, suffixes = [f"layer{i}." for i in range(layers)], [f"l{i}" for i in range(layers)]
    parameters = {p + k: v for p, s in zip(prefixes, suffixes, strict=True) for k, v in mapped(kind, layer, s).items()}
    names = ["h", "c"][: len(states)]
    own = {p + n: s[i].detach().numpy() for i, p in enumerate(prefixes) for n, s in zip(names, states, strict=True)}
    run = cell.forward(parameters, x.detach().numpy(), own)
    near(run.outputs, outputs.detach().numpy())
    d_finals = {p + n: w[i].numpy() for i, p in enumerate(prefixes) for n, w in zip(names, weights[1:], strict=True)}
    gradients = cell.backward(run, weights[0].numpy(), d_finals)
    assert x.grad is not None
    near(gradients.inputs, x.grad.numpy())
    for i, prefix in enumerate(prefixes):
        for name, state in zip(names, states, strict=True):
            assert state.grad is not None
            near(gradients.states[prefix + name], state.grad[i].numpy())
    for prefix, suffix in zip(prefixes, suffixes, strict=True):
        packed = getattr(layer, f"weight_hh_{suffix}").grad.numpy().reshape(-1, HIDDEN, HIDDEN)
        for index, gate in enumerate(CELLS[kind][1]):
            near(gradients.parameters[f"{prefix}W_h{gate}"], packed[index])
