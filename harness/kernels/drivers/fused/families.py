"""Forward and backward of one sequence by the fused kernels; what is one product over all steps is left to torch.

Dimension legend: T time steps, B batch rows, n input size, d hidden size, G gates.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rnn_harness.kernels.drivers.fused.launch import launch

if TYPE_CHECKING:
    from torch import Tensor

    from rnn_harness.kernels.torch_reference import Tensors

Saved = dict[str, Any]


def _stacked(p: Tensors, letter: str, gates: tuple[str, ...]) -> Tensor:
    """(G, d, .), contiguous."""
    import torch

    return torch.stack([p[f"{letter}{gate}"] for gate in gates]).contiguous()


def _early(p: Tensors, x: Tensor, gates: tuple[str, ...]) -> Tensor:
    """Inputs and biases of every gate at all steps, (T, B, G, d), by one product."""
    import torch

    weight = torch.cat([p[f"W_x{gate}"] for gate in gates])
    biases = [p.get(f"b_{gate}" if gate else "b") for gate in gates]
    found = x.flatten(0, 1) @ weight.T
    if biases[0] is not None:
        found = found + torch.cat(biases)  # type: ignore[arg-type]
    return found.reshape(*x.shape[:2], len(gates), len(weight) // len(gates))


def _weights(p: Tensors, x: Tensor, delta: Tensor, below: Tensor, gates: tuple[str, ...]) -> Tensors:
    """Gradients of weights and biases. `delta` (T, B, G, d), `below` (T, B, d): what the recurrent weights multiply."""
    flat = delta.flatten(0, 1).flatten(1, 2)
    shape = (len(gates), delta.shape[3])
    into_x = (flat.T @ x.flatten(0, 1)).reshape(*shape, x.shape[2])
    into_h = (flat.T @ below.flatten(0, 1)).reshape(*shape, below.shape[2])
    found = {f"W_x{gate}": into_x[i] for i, gate in enumerate(gates)}
    found |= {f"W_h{gate}": into_h[i] for i, gate in enumerate(gates)}
    total = flat.sum(0).reshape(shape)
    named = {gate: f"b_{gate}" if gate else "b" for gate in gates}
    return found | {named[gate]: total[i] for i, gate in enumerate(gates) if named[gate] in p}


def _inputs(p: Tensors, delta: Tensor, gates: tuple[str, ...]) -> Tensor:
    import torch

    return delta.flatten(2, 3) @ torch.cat([p[f"W_x{gate}"] for gate in gates])


def _before(hidden: Tensor, first: Tensor) -> Tensor:
    """The state before every step."""
    import torch

    return torch.cat([first.unsqueeze(0), hidden])[: len(hidden)]


def rnn_forward(like: Any, p: Tensors, x: Tensor, s: Tensors, precision: str) -> tuple[Tensor, Tensors, Saved]:
    """(outputs, finals, saved)."""
    import torch

    from rnn_harness.kernels.drivers.fused.rnn_kernels import rnn_forward as kernel

    weight, first = _stacked(p, "W_h", ("",)), s["h"].contiguous()
    hidden = torch.empty((*x.shape[:2], first.shape[1]), dtype=x.dtype, device=x.device)
    sizes = (*x.shape[:2], first.shape[1])
    tanh = like.activation == "tanh"
    launch(kernel, (_early(p, x, ("",)), weight, first, hidden), sizes, precision, tanh=tanh)
    return hidden, {"h": hidden[-1] if len(x) else first}, {"weight": weight, "first": first, "hidden": hidden}


def rnn_backward(like: Any, p: Tensors, x: Tensor, saved: Saved, e: Tensor, last: Tensors, precision: str) -> Any:
    """(d_inputs, d_states, d_parameters)."""
    import torch

    from rnn_harness.kernels.drivers.fused.rnn_kernels import rnn_backward as kernel

    hidden, first = saved["hidden"], saved["first"]
    delta, d_first = torch.empty_like(hidden), torch.zeros_like(first)
    tensors = (saved["weight"], hidden, e, last["h"], delta, d_first)
    sizes = (*x.shape[:2], first.shape[1])
    launch(kernel, tensors, sizes, precision, tanh=like.activation == "tanh")
    wide = delta.unsqueeze(2)
    return _inputs(p, wide, ("",)), {"h": d_first}, _weights(p, x, wide, _before(hidden, first), ("",))


def gru_forward(like: Any, p: Tensors, x: Tensor, s: Tensors, precision: str) -> tuple[Tensor, Tensors, Saved]:
    import torch

    from rnn_harness.kernels.drivers.fused.gru_kernels import gru_forward as kernel

    weight, first = _stacked(p, "W_h", ("r", "z", "g")), s["h"].contiguous()
    d = first.shape[1]
    hidden = torch.empty((*x.shape[:2], d), dtype=x.dtype, device=x.device)
    gates = hidden.new_empty((*x.shape[:2], 3, d))
    inner = torch.empty_like(hidden)
    bias = p.get("b_hg", first.new_zeros(d)).contiguous()
    tensors = (_early(p, x, ("r", "z", "g")), weight, bias, first, hidden, gates, inner)
    launch(kernel, tensors, (*x.shape[:2], d), precision, **_gru_flags(like))
    saved = {"weight": weight, "first": first, "hidden": hidden, "gates": gates, "inner": inner}
    return hidden, {"h": hidden[-1] if len(x) else first}, saved


def _gru_flags(like: Any) -> dict[str, bool]:
    before = like.reset == "before"
    return {"keep": like.update == "keep", "before": before, "tanh": like.candidate == "tanh"}


def gru_backward(like: Any, p: Tensors, x: Tensor, saved: Saved, e: Tensor, last: Tensors, precision: str) -> Any:
    import torch

    from rnn_harness.kernels.drivers.fused.gru_kernels import gru_backward as kernel

    hidden, first, inner = saved["hidden"], saved["first"], saved["inner"]
    delta, d_inner, d_first = torch.empty_like(saved["gates"]), torch.empty_like(hidden), torch.zeros_like(first)
    tensors = (saved["weight"], first, hidden, saved["gates"], inner, e, last["h"], delta, d_inner, d_first)
    launch(kernel, tensors, (*x.shape[:2], first.shape[1]), precision, **_gru_flags(like))
    before, gates = _before(hidden, first), ("r", "z", "g")
    found = _weights(p, x, delta, before, gates)
    if like.reset == "before":
        found["W_hg"] = delta[:, :, 2].flatten(0, 1).T @ inner.flatten(0, 1)
    else:
        flat = d_inner.flatten(0, 1)
        found["W_hg"] = flat.T @ before.flatten(0, 1)
        if like.bias:
            found["b_hg"] = flat.sum(0)
    return _inputs(p, delta, gates), {"h": d_first}, found


def _with_forget(p: Tensors, like: Any) -> Tensors:
    """A cell without a forget gate gets the kernels' unused second slot."""
    if like.forget:
        return p
    return p | {f"{name}f": p[f"{name}i"] for name in ("W_x", "W_h", "W_c", "b_") if f"{name}i" in p}


def lstm_forward(like: Any, p: Tensors, x: Tensor, s: Tensors, precision: str) -> tuple[Tensor, Tensors, Saved]:
    import torch

    from rnn_harness.kernels.drivers.fused.lstm_kernels import lstm_forward as kernel

    full, order = _with_forget(p, like), ("i", "f", "o", "g")
    weight = _stacked(full, "W_h", order)
    peep = _stacked(full, "W_c", order[:3]) if like.peephole else weight
    h, c = s["h"].contiguous(), s["c"].contiguous()
    hidden = torch.empty((*x.shape[:2], h.shape[1]), dtype=x.dtype, device=x.device)
    cell, gates = torch.empty_like(hidden), hidden.new_empty((*x.shape[:2], 4, h.shape[1]))
    tensors = (_early(full, x, order), weight, peep, h, c, hidden, cell, gates)
    launch(kernel, tensors, (*x.shape[:2], h.shape[1]), precision, **_lstm_flags(like))
    saved = {"weight": weight, "peep": peep, "h": h, "c": c, "hidden": hidden, "cell": cell, "gates": gates}
    finals = {"h": hidden[-1], "c": cell[-1]} if len(x) else {"h": h, "c": c}
    return hidden, finals, saved


def _lstm_flags(like: Any) -> dict[str, bool]:
    candidate, output = like.candidate == "tanh", like.output == "tanh"
    return {"tanh": candidate, "tanh_out": output, "forget": like.forget, "peephole": like.peephole == "full"}


def lstm_backward(like: Any, p: Tensors, x: Tensor, saved: Saved, e: Tensor, last: Tensors, precision: str) -> Any:
    import torch

    from rnn_harness.kernels.drivers.fused.lstm_kernels import lstm_backward as kernel

    order = ("i", "f", "o", "g")
    h, c, cell = saved["h"], saved["c"], saved["cell"]
    delta, d_h, d_c = torch.zeros_like(saved["gates"]), torch.zeros_like(h), torch.zeros_like(c)
    tensors = (saved["weight"], saved["peep"], c, cell, saved["gates"], e, last["h"], last["c"], delta, d_h, d_c)
    launch(kernel, tensors, (*x.shape[:2], h.shape[1]), precision, **_lstm_flags(like))
    full = _with_forget(p, like)
    found = _weights(full, x, delta, _before(saved["hidden"], h), order)
    if like.peephole:
        for index, gate in enumerate(order[:3]):
            seen = cell if gate == "o" else _before(cell, c)
            found[f"W_c{gate}"] = delta[:, :, index].flatten(0, 1).T @ seen.flatten(0, 1)
    return _inputs(full, delta, order), {"h": d_h, "c": d_c}, {name: found[name] for name in p}


TILES = {"rnn": 1, "gru": 3, "lstm": 4}
"""Weight matrices a kernel holds on chip; full peepholes are three more."""
FAMILIES: dict[str, tuple[Any, Any]] = {
    "rnn": (rnn_forward, rnn_backward),
    "gru": (gru_forward, gru_backward),
    "lstm": (lstm_forward, lstm_backward),
}
