"""Forward and backward of the documents' variants over a sequence, in plain torch, the backward written out.

What the backward needs is saved, nothing else; the gradients of weights are one product over all steps.
(`rnn-harness specs show ID --backward` prints the derivatives.)
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rnn_harness.kernels.driver_protocol import Tensors
from rnn_harness.kernels.drivers.eager import activation_function
from rnn_harness.references.gru import GRU
from rnn_harness.references.lstm import LSTM
from rnn_harness.references.rnn import RNN

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class SequenceResult:
    """What a forward gives.

    Attributes:
        outputs: (T, B, d).
        finals: Final states (B, d) by name.
        saved: What the backward of the same family needs.
    """

    outputs: Tensor
    finals: Tensors
    saved: Any


@dataclass(frozen=True)
class SequenceGradients:
    """What a backward gives.

    Attributes:
        inputs: (T, B, n).
        states: For the initial states, (B, d) by name.
        parameters: By the reference's names.
    """

    inputs: Tensor
    states: Tensors
    parameters: Tensors


def _slope(name: str, value: Tensor) -> Tensor:
    """Give the derivative of tanh or sigmoid where its value is `value`."""
    return 1 - value * value if name == "tanh" else value * (1 - value)


def _projected_inputs(p: Tensors, x: Tensor, gates: str) -> dict[str, Tensor]:
    """Give what the inputs and biases add to every gate at all steps, (T, B, d) each."""
    projected = {}
    for gate in gates or ("",):
        projected[gate] = x @ p[f"W_x{gate}"].T
        bias = p.get(f"b_{gate}" if gate else "b")
        if bias is not None:
            projected[gate] = projected[gate] + bias
    return projected


def _weight_gradients(p: Tensors, x: Tensor, delta: dict[str, Tensor], below: dict[str, Tensor]) -> Tensors:
    """Give the gradients of input weights, recurrent weights and biases.

    `delta`: the gradients of the pre-activations, (T, B, d) by gate; `below`: what the recurrent weight of a gate
    multiplies, (T, B, d).
    """
    gradients = {}
    for gate, change in delta.items():
        flat = change.flatten(0, 1)
        gradients[f"W_x{gate}"] = flat.T @ x.flatten(0, 1)
        gradients[f"W_h{gate}"] = flat.T @ below[gate].flatten(0, 1)
        bias = f"b_{gate}" if gate else "b"
        if bias in p:
            gradients[bias] = flat.sum(0)
    return gradients


def _input_gradients(p: Tensors, delta: dict[str, Tensor]) -> Tensor:
    """Give the gradients for the inputs, (T, B, n)."""
    return _sum([change @ p[f"W_x{gate}"] for gate, change in delta.items()])


def _sum(terms: list[Tensor]) -> Tensor:
    """Add tensors from the first to the last."""
    return functools.reduce(lambda a, b: a + b, terms)


def rnn_forward(reference: RNN, p: Tensors, x: Tensor, states: Tensors) -> SequenceResult:
    """Run the simple RNN; it saves the hidden states (T + 1, B, d), the initial one first.

    Args:
        reference: The variant.
        p: Parameters by the reference's names.
        x: Inputs (T, B, n).
        states: Initial states (B, d) by name.
    """
    activation, projected = activation_function(reference.activation), _projected_inputs(p, x, "")[""]
    h = [states["h"]]
    for a in projected:
        h.append(activation(a + h[-1] @ p["W_h"].T))
    hidden = _stack(h)
    return SequenceResult(hidden[1:], {"h": h[-1]}, hidden)


def rnn_backward(
    reference: RNN, p: Tensors, x: Tensor, saved: Tensor, d_outputs: Tensor, d_finals: Tensors
) -> SequenceGradients:
    """Differentiate `rnn_forward`.

    Args:
        reference: The variant.
        p: Parameters by the reference's names.
        x: Inputs (T, B, n).
        saved: What the forward saved.
        d_outputs: Gradients for the outputs, (T, B, d).
        d_finals: Gradients for the final states, (B, d) by name.
    """
    h = saved
    dh, delta = d_finals["h"], []
    slopes = _slope(reference.activation, h[1:])
    for t in reversed(range(len(x))):
        delta.append(slopes[t] * (d_outputs[t] + dh))
        dh = delta[-1] @ p["W_h"]
    change = {"": _in_time_order(delta, h[1:])}
    return SequenceGradients(_input_gradients(p, change), {"h": dh}, _weight_gradients(p, x, change, {"": h[:-1]}))


@dataclass(frozen=True)
class SavedGRU:
    """What the GRU's backward needs.

    Attributes:
        hidden: (T + 1, B, d), the initial state first.
        gates: r, z and g at every step, (B, d) each.
        inner: At every step r * h before the product, or W h + b after it, (B, d).
    """

    hidden: Tensor
    gates: list[tuple[Tensor, Tensor, Tensor]]
    inner: list[Tensor]


def gru_forward(reference: GRU, p: Tensors, x: Tensor, states: Tensors) -> SequenceResult:
    """Run the GRU; it saves a `SavedGRU`.

    Args:
        reference: The variant.
        p: Parameters by the reference's names.
        x: Inputs (T, B, n).
        states: Initial states (B, d) by name.
    """
    sigmoid, candidate = activation_function("sigmoid"), activation_function(reference.candidate)
    projected = _projected_inputs(p, x, "rzg")
    h, gates, inner = [states["h"]], [], []
    for t in range(len(x)):
        now = h[-1]
        r = sigmoid(projected["r"][t] + now @ p["W_hr"].T)
        z = sigmoid(projected["z"][t] + now @ p["W_hz"].T)
        if reference.reset == "before":
            inner.append(r * now)
            g = candidate(projected["g"][t] + inner[-1] @ p["W_hg"].T)
        else:
            product = now @ p["W_hg"].T
            inner.append(product + p["b_hg"] if reference.bias else product)
            g = candidate(projected["g"][t] + r * inner[-1])
        gates.append((r, z, g))
        h.append(z * now + (1 - z) * g if reference.update == "keep" else z * g + (1 - z) * now)
    hidden = _stack(h)
    return SequenceResult(hidden[1:], {"h": h[-1]}, SavedGRU(hidden, gates, inner))


def gru_backward(
    reference: GRU, p: Tensors, x: Tensor, saved: SavedGRU, d_outputs: Tensor, d_finals: Tensors
) -> SequenceGradients:
    """Differentiate `gru_forward`.

    Args:
        reference: The variant.
        p: Parameters by the reference's names.
        x: Inputs (T, B, n).
        saved: What the forward saved.
        d_outputs: Gradients for the outputs, (T, B, d).
        d_finals: Gradients for the final states, (B, d) by name.
    """
    h, gates, inner = saved.hidden, saved.gates, saved.inner
    dh = d_finals["h"]
    changes: dict[str, list[Tensor]] = {"r": [], "z": [], "g": []}
    products: list[Tensor] = []
    for t in reversed(range(len(x))):
        r, z, g = gates[t]
        dh = d_outputs[t] + dh
        keep, write = (z, 1 - z) if reference.update == "keep" else (1 - z, z)
        difference = h[t] - g if reference.update == "keep" else g - h[t]
        a_z = dh * difference * _slope("sigmoid", z)
        a_g = dh * write * _slope(reference.candidate, g)
        if reference.reset == "before":
            into = a_g @ p["W_hg"]
            a_r = into * h[t] * _slope("sigmoid", r)
            through = into * r
        else:
            a_r = a_g * inner[t] * _slope("sigmoid", r)
            products.append(a_g * r)
            through = products[-1] @ p["W_hg"]
        dh = dh * keep + through + a_r @ p["W_hr"] + a_z @ p["W_hz"]
        for name, change in (("r", a_r), ("z", a_z), ("g", a_g)):
            changes[name].append(change)
    delta = {name: _in_time_order(values, h[1:]) for name, values in changes.items()}
    before = reference.reset == "before"
    below = {"r": h[:-1], "z": h[:-1], "g": _stack(inner, h[1:]) if before else h[:-1]}
    parameters = _weight_gradients(p, x, delta, below)
    if not before:
        flat = _in_time_order(products, h[1:]).flatten(0, 1)
        parameters["W_hg"] = flat.T @ h[:-1].flatten(0, 1)
        if reference.bias:
            parameters["b_hg"] = flat.sum(0)
    return SequenceGradients(_input_gradients(p, delta), {"h": dh}, parameters)


def _peephole(reference: LSTM, p: Tensors, gate: str, c: Tensor) -> Tensor | float:
    """Give what the cell state adds to a gate, (B, d)."""
    if reference.peephole is None:
        return 0.0
    weight = p[f"W_c{gate}"]
    return c * weight if reference.peephole == "diagonal" else c @ weight.T


def _peephole_backward(reference: LSTM, p: Tensors, gate: str, change: Tensor) -> Tensor | float:
    """Give what a gate's gradient adds to that of the cell state it reads, (B, d)."""
    if reference.peephole is None:
        return 0.0
    weight = p[f"W_c{gate}"]
    return change * weight if reference.peephole == "diagonal" else change @ weight


@dataclass(frozen=True)
class SavedLSTM:
    """What the LSTM's backward needs.

    Attributes:
        hidden: (T + 1, B, d), the initial state first.
        cell: (T + 1, B, d), the initial state first.
        gates: i, f (None without a forget gate), o, g and the output function of c at every step, (B, d) each.
    """

    hidden: Tensor
    cell: Tensor
    gates: list[tuple[Tensor, Tensor | None, Tensor, Tensor, Tensor]]


def lstm_forward(reference: LSTM, p: Tensors, x: Tensor, states: Tensors) -> SequenceResult:
    """Run the LSTM; it saves a `SavedLSTM`.

    Args:
        reference: The variant.
        p: Parameters by the reference's names.
        x: Inputs (T, B, n).
        states: Initial states (B, d) by name.
    """
    sigmoid = activation_function("sigmoid")
    candidate, output = activation_function(reference.candidate), activation_function(reference.output)
    projected = _projected_inputs(p, x, reference.gates)
    h, c, gates = [states["h"]], [states["c"]], []
    for t in range(len(x)):
        a = {gate: projected[gate][t] + h[-1] @ p[f"W_h{gate}"].T for gate in reference.gates}
        i = sigmoid(a["i"] + _peephole(reference, p, "i", c[-1]))
        f = sigmoid(a["f"] + _peephole(reference, p, "f", c[-1])) if reference.forget else None
        g = candidate(a["g"])
        c.append((c[-1] if f is None else f * c[-1]) + i * g)
        o = sigmoid(a["o"] + _peephole(reference, p, "o", c[-1]))
        q = output(c[-1])
        h.append(o * q)
        gates.append((i, f, o, g, q))
    hidden = _stack(h)
    return SequenceResult(hidden[1:], {"h": h[-1], "c": c[-1]}, SavedLSTM(hidden, _stack(c), gates))


def lstm_backward(
    reference: LSTM, p: Tensors, x: Tensor, saved: SavedLSTM, d_outputs: Tensor, d_finals: Tensors
) -> SequenceGradients:
    """Differentiate `lstm_forward`.

    Args:
        reference: The variant.
        p: Parameters by the reference's names.
        x: Inputs (T, B, n).
        saved: What the forward saved.
        d_outputs: Gradients for the outputs, (T, B, d).
        d_finals: Gradients for the final states, (B, d) by name.
    """
    h, c, gates = saved.hidden, saved.cell, saved.gates
    dh, dc = d_finals["h"], d_finals["c"]
    changes: dict[str, list[Tensor]] = {gate: [] for gate in reference.gates}
    for t in reversed(range(len(x))):
        i, f, o, g, q = gates[t]
        dh = d_outputs[t] + dh
        now = {"o": dh * q * _slope("sigmoid", o)}
        dc = dc + dh * o * _slope(reference.output, q) + _peephole_backward(reference, p, "o", now["o"])
        now["i"] = dc * g * _slope("sigmoid", i)
        now["g"] = dc * i * _slope(reference.candidate, g)
        after = dc
        if f is not None:
            now["f"] = dc * c[t] * _slope("sigmoid", f)
            after = dc * f + _peephole_backward(reference, p, "f", now["f"])
        dc = after + _peephole_backward(reference, p, "i", now["i"])
        dh = _sum([change @ p[f"W_h{gate}"] for gate, change in now.items()])
        for gate, change in now.items():
            changes[gate].append(change)
    delta = {gate: _in_time_order(values, h[1:]) for gate, values in changes.items()}
    parameters = _weight_gradients(p, x, delta, dict.fromkeys(reference.gates, h[:-1]))
    if reference.peephole is not None:
        for gate in reference.gates[:-1]:
            cell = c[1:] if gate == "o" else c[:-1]
            flat, below = delta[gate].flatten(0, 1), cell.flatten(0, 1)
            parameters[f"W_c{gate}"] = (flat * below).sum(0) if reference.peephole == "diagonal" else flat.T @ below
    return SequenceGradients(_input_gradients(p, delta), {"h": dh, "c": dc}, parameters)


def _stack(values: list[Tensor], shape_of: Tensor | None = None) -> Tensor:
    """Stack tensors; where there are none, give zeros of the shape of `shape_of`."""
    import torch

    return torch.stack(values) if values or shape_of is None else shape_of.new_zeros(shape_of.shape)


def _in_time_order(values: list[Tensor], shape_of: Tensor) -> Tensor:
    """Stack values that were gathered from the last step to the first, in the order of time."""
    return _stack(values[::-1], shape_of)


SEQUENCE_FAMILIES: dict[str, tuple[Callable[..., SequenceResult], Callable[..., SequenceGradients]]] = {
    "rnn": (rnn_forward, rnn_backward),
    "gru": (gru_forward, gru_backward),
    "lstm": (lstm_forward, lstm_backward),
}
"""Forward and backward by family."""
