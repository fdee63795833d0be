"""The documents' variants as one torch.autograd.Function a sequence: what the backward needs is saved, nothing else.

The backward is written out from the derivatives (`rnn-harness specs show ID --backward` prints them); the gradients
of weights are one product over all steps. Dimension legend: T time steps, B batch rows, n input size, d hidden size.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rnn_harness.errors import Refused
from rnn_harness.kernels.drivers.eager import _function
from rnn_harness.kernels.packing import Table
from rnn_harness.kernels.torch_reference import Tensors
from rnn_harness.references import Reference

if TYPE_CHECKING:
    from torch import Tensor


def _slope(name: str, value: Tensor) -> Tensor:
    """The derivative of tanh or sigmoid where its value is `value`."""
    return 1 - value * value if name == "tanh" else value * (1 - value)


def _early(p: Tensors, x: Tensor, gates: str) -> dict[str, Tensor]:
    """What the inputs and biases add to every gate at all steps, (T, B, d) each."""
    found = {}
    for gate in gates or ("",):
        found[gate] = x @ p[f"W_x{gate}"].T
        bias = p.get(f"b_{gate}" if gate else "b")
        if bias is not None:
            found[gate] = found[gate] + bias
    return found


def _weights(p: Tensors, x: Tensor, delta: dict[str, Tensor], below: dict[str, Tensor]) -> Tensors:
    """Gradients of input weights, recurrent weights and biases from those of the pre-activations.

    `below`: what the recurrent weight of a gate multiplies, (T, B, d).
    """
    found = {}
    for gate, change in delta.items():
        flat = change.flatten(0, 1)
        found[f"W_x{gate}"] = flat.T @ x.flatten(0, 1)
        found[f"W_h{gate}"] = flat.T @ below[gate].flatten(0, 1)
        bias = f"b_{gate}" if gate else "b"
        if bias in p:
            found[bias] = flat.sum(0)
    return found


def _into_inputs(p: Tensors, delta: dict[str, Tensor]) -> Tensor:
    parts = [change @ p[f"W_x{gate}"] for gate, change in delta.items()]
    return functools.reduce(lambda a, b: a + b, parts)


def rnn_forward(like: Any, p: Tensors, x: Tensor, states: Tensors) -> tuple[Tensor, Tensors, Any]:
    """(outputs, finals, saved)."""
    apply, early = _function(like.activation), _early(p, x, "")[""]
    h = [states["h"]]
    for a in early:
        h.append(apply(a + h[-1] @ p["W_h"].T))
    whole = _stack(h)
    return whole[1:], {"h": h[-1]}, whole


def rnn_backward(like: Any, p: Tensors, x: Tensor, saved: Any, e: Tensor, last: Tensors) -> Any:
    """(d_inputs, d_states, d_parameters)."""
    h = saved
    dh, delta = last["h"], []
    slopes = _slope(like.activation, h[1:])
    for t in reversed(range(len(x))):
        delta.append(slopes[t] * (e[t] + dh))
        dh = delta[-1] @ p["W_h"]
    change = {"": _turned(delta, h[1:])}
    return _into_inputs(p, change), {"h": dh}, _weights(p, x, change, {"": h[:-1]})


def gru_forward(like: Any, p: Tensors, x: Tensor, states: Tensors) -> tuple[Tensor, Tensors, Any]:
    sigmoid, apply, early = _function("sigmoid"), _function(like.candidate), _early(p, x, "rzg")
    h, gates, inner = [states["h"]], [], []
    for t in range(len(x)):
        now = h[-1]
        r = sigmoid(early["r"][t] + now @ p["W_hr"].T)
        z = sigmoid(early["z"][t] + now @ p["W_hz"].T)
        if like.reset == "before":
            inner.append(r * now)
            g = apply(early["g"][t] + inner[-1] @ p["W_hg"].T)
        else:
            product = now @ p["W_hg"].T
            inner.append(product + p["b_hg"] if like.bias else product)
            g = apply(early["g"][t] + r * inner[-1])
        gates.append((r, z, g))
        h.append(z * now + (1 - z) * g if like.update == "keep" else z * g + (1 - z) * now)
    whole = _stack(h)
    return whole[1:], {"h": h[-1]}, (whole, gates, inner)


def gru_backward(like: Any, p: Tensors, x: Tensor, saved: Any, e: Tensor, last: Tensors) -> Any:
    h, gates, inner = saved
    dh = last["h"]
    rows: dict[str, list[Tensor]] = {"r": [], "z": [], "g": []}
    products: list[Tensor] = []
    for t in reversed(range(len(x))):
        r, z, g = gates[t]
        dh = e[t] + dh
        keep, write = (z, 1 - z) if like.update == "keep" else (1 - z, z)
        difference = h[t] - g if like.update == "keep" else g - h[t]
        a_z = dh * difference * _slope("sigmoid", z)
        a_g = dh * write * _slope(like.candidate, g)
        if like.reset == "before":
            into = a_g @ p["W_hg"]
            a_r = into * h[t] * _slope("sigmoid", r)
            through = into * r
        else:
            a_r = a_g * inner[t] * _slope("sigmoid", r)
            products.append(a_g * r)
            through = products[-1] @ p["W_hg"]
        dh = dh * keep + through + a_r @ p["W_hr"] + a_z @ p["W_hz"]
        for name, change in (("r", a_r), ("z", a_z), ("g", a_g)):
            rows[name].append(change)
    delta = {name: _turned(found, h[1:]) for name, found in rows.items()}
    before = like.reset == "before"
    below = {"r": h[:-1], "z": h[:-1], "g": _stack(inner, h[1:]) if before else h[:-1]}
    found = _weights(p, x, delta, below)
    if not before:
        flat = _turned(products, h[1:]).flatten(0, 1)
        found["W_hg"] = flat.T @ h[:-1].flatten(0, 1)
        if like.bias:
            found["b_hg"] = flat.sum(0)
    return _into_inputs(p, delta), {"h": dh}, found


def _peek(like: Any, p: Tensors, gate: str, c: Tensor) -> Tensor | float:
    if like.peephole is None:
        return 0.0
    weight = p[f"W_c{gate}"]
    return c * weight if like.peephole == "diagonal" else c @ weight.T


def _peek_back(like: Any, p: Tensors, gate: str, change: Tensor) -> Tensor | float:
    if like.peephole is None:
        return 0.0
    weight = p[f"W_c{gate}"]
    return change * weight if like.peephole == "diagonal" else change @ weight


def lstm_forward(like: Any, p: Tensors, x: Tensor, states: Tensors) -> tuple[Tensor, Tensors, Any]:
    sigmoid, candidate, output = _function("sigmoid"), _function(like.candidate), _function(like.output)
    early = _early(p, x, like.gates)
    h, c, gates = [states["h"]], [states["c"]], []
    for t in range(len(x)):
        a = {gate: early[gate][t] + h[-1] @ p[f"W_h{gate}"].T for gate in like.gates}
        i = sigmoid(a["i"] + _peek(like, p, "i", c[-1]))
        f = sigmoid(a["f"] + _peek(like, p, "f", c[-1])) if like.forget else None
        g = candidate(a["g"])
        c.append((c[-1] if f is None else f * c[-1]) + i * g)
        o = sigmoid(a["o"] + _peek(like, p, "o", c[-1]))
        q = output(c[-1])
        h.append(o * q)
        gates.append((i, f, o, g, q))
    whole = _stack(h)
    return whole[1:], {"h": h[-1], "c": c[-1]}, (whole, _stack(c), gates)


def lstm_backward(like: Any, p: Tensors, x: Tensor, saved: Any, e: Tensor, last: Tensors) -> Any:
    h, c, gates = saved
    dh, dc = last["h"], last["c"]
    rows: dict[str, list[Tensor]] = {gate: [] for gate in like.gates}
    for t in reversed(range(len(x))):
        i, f, o, g, q = gates[t]
        dh = e[t] + dh
        now = {"o": dh * q * _slope("sigmoid", o)}
        dc = dc + dh * o * _slope(like.output, q) + _peek_back(like, p, "o", now["o"])
        now["i"] = dc * g * _slope("sigmoid", i)
        now["g"] = dc * i * _slope(like.candidate, g)
        after = dc
        if f is not None:
            now["f"] = dc * c[t] * _slope("sigmoid", f)
            after = dc * f + _peek_back(like, p, "f", now["f"])
        dc = after + _peek_back(like, p, "i", now["i"])
        dh = functools.reduce(lambda a, b: a + b, [change @ p[f"W_h{gate}"] for gate, change in now.items()])
        for gate, change in now.items():
            rows[gate].append(change)
    delta = {gate: _turned(found, h[1:]) for gate, found in rows.items()}
    found = _weights(p, x, delta, dict.fromkeys(like.gates, h[:-1]))
    if like.peephole is not None:
        for gate in like.gates[:-1]:
            seen = c[1:] if gate == "o" else c[:-1]
            flat, below = delta[gate].flatten(0, 1), seen.flatten(0, 1)
            found[f"W_c{gate}"] = (flat * below).sum(0) if like.peephole == "diagonal" else flat.T @ below
    return _into_inputs(p, delta), {"h": dh, "c": dc}, found


def _stack(values: list[Tensor], like: Tensor | None = None) -> Tensor:
    import torch

    return torch.stack(values) if values or like is None else like.new_zeros(like.shape)


def _turned(values: list[Tensor], like: Tensor) -> Tensor:
    """Values gathered from the last step to the first, in the order of time; `like` gives the shape of none."""
    return _stack(values[::-1], like)


_FAMILIES: dict[str, tuple[Any, Any]] = {
    "rnn": (rnn_forward, rnn_backward),
    "gru": (gru_forward, gru_backward),
    "lstm": (lstm_forward, lstm_backward),
}


@functools.cache
def _class() -> Any:
    """The Function, made on first use: torch takes a second to import."""
    import torch
    from torch.autograd.function import once_differentiable

    class Sequence(torch.autograd.Function):
        """One sequence: forward saves the gates, backward is written out."""

        @staticmethod
        def forward(ctx: Any, like: Any, names: tuple[str, ...], x: Tensor, *values: Tensor) -> Any:
            given = dict(zip(names, values, strict=True))
            states = {name: given.pop(name) for name in like.state_names}
            run, _ = _FAMILIES[like.name]
            outputs, finals, saved = run(like, given, x, states)
            ctx.like, ctx.names, ctx.parameters, ctx.inputs, ctx.kept = like, names, given, x, saved
            return (outputs.clone(), *(finals[name].clone() for name in like.state_names))

        @staticmethod
        @once_differentiable
        def backward(ctx: Any, d_outputs: Tensor, *d_finals: Tensor) -> Any:
            like = ctx.like
            _, run = _FAMILIES[like.name]
            last = dict(zip(like.state_names, d_finals, strict=True))
            dx, states, found = run(like, ctx.parameters, ctx.inputs, ctx.kept, d_outputs, last)
            return (None, None, dx, *((states | found)[name] for name in ctx.names))

    return Sequence


@dataclass(frozen=True)
class FunctionDriver:
    """A reference's variant as one autograd Function."""

    like: Reference

    @property
    def table(self) -> Table:
        return Table.identity(tuple(self.like.parameter_shapes(1, 1)))

    def run(
        self, leaves: Tensors, inputs: Tensor, states: Tensors, lengths: NDArray[np.intp] | None
    ) -> tuple[Tensor, Tensors]:
        if lengths is not None:
            raise Refused("the Function takes no lengths")
        names = (*self.like.state_names, *leaves)
        found = _class().apply(self.like, names, inputs, *(states[k] for k in self.like.state_names), *leaves.values())
        return found[0], dict(zip(self.like.state_names, found[1:], strict=True))
