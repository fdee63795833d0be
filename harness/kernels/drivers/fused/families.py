"""Forward and backward of one sequence by the fused kernels; what is one product over all steps is left to torch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from torch import Tensor

    from rnn_harness.kernels.driver_protocol import Tensors
    from rnn_harness.references.gru import GRU
    from rnn_harness.references.lstm import LSTM
    from rnn_harness.references.rnn import RNN

_GRU_GATES = ("r", "z", "g")
_LSTM_GATES = ("i", "f", "o", "g")
"""The orders in which the kernels stack weights and gates."""


class SequenceKernels(Protocol):
    """The kernels of all families, in one way of dividing the work."""

    def run(
        self,
        name: str,
        tensors: tuple[Tensor, ...],
        lengths: Tensor | None,
        sizes: tuple[int, int, int],
        precision: str,
        **flags: bool,
    ) -> None:
        """Run a kernel over all steps of a sequence.

        Args:
            name: The kernel's name, as ``gru_forward``.
            tensors: Its tensors, in order.
            lengths: The steps of every row (B,); None where every row has T.
            sizes: (T, B, D).
            precision: Of float32 products, one of `limits.PRECISIONS`.
            flags: Compile-time flags of the variant, in lower case.
        """


@dataclass(frozen=True)
class FusedResult:
    """What a forward gives.

    Attributes:
        outputs: (T, B, d).
        finals: Final states (B, d) by name.
        saved: The tensors that the backward of the same family needs, by name.
    """

    outputs: Tensor
    finals: Tensors
    saved: Tensors


@dataclass(frozen=True)
class FusedGradients:
    """What a backward gives.

    Attributes:
        inputs: (T, B, n).
        states: For the initial states, (B, d) by name.
        parameters: By the reference's names.
    """

    inputs: Tensor
    states: Tensors
    parameters: Tensors


def _stacked(p: Tensors, prefix: str, gates: tuple[str, ...]) -> Tensor:
    """Stack the weights of the gates, (G, d, .), contiguous."""
    import torch

    return torch.stack([p[f"{prefix}{gate}"] for gate in gates]).contiguous()


def _projected_inputs(p: Tensors, x: Tensor, gates: tuple[str, ...]) -> Tensor:
    """Give what inputs and biases add to every gate at all steps, (T, B, G, d), by one product."""
    import torch

    weight = torch.cat([p[f"W_x{gate}"] for gate in gates])
    biases = [p.get(f"b_{gate}" if gate else "b") for gate in gates]
    projected = x.flatten(0, 1) @ weight.T
    if biases[0] is not None:
        projected = projected + torch.cat(biases)  # type: ignore[arg-type]
    return projected.reshape(*x.shape[:2], len(gates), len(weight) // len(gates))


def _weight_gradients(p: Tensors, x: Tensor, delta: Tensor, below: Tensor, gates: tuple[str, ...]) -> Tensors:
    """Give the gradients of weights and biases.

    `delta` (T, B, G, d): those of the pre-activations; `below` (T, B, d): what the recurrent weights multiply.
    """
    flat = delta.flatten(0, 1).flatten(1, 2)
    shape = (len(gates), delta.shape[3])
    into_x = (flat.T @ x.flatten(0, 1)).reshape(*shape, x.shape[2])
    into_h = (flat.T @ below.flatten(0, 1)).reshape(*shape, below.shape[2])
    weights = {f"W_x{gate}": into_x[i] for i, gate in enumerate(gates)}
    weights |= {f"W_h{gate}": into_h[i] for i, gate in enumerate(gates)}
    total = flat.sum(0).reshape(shape)
    biases = {gate: f"b_{gate}" if gate else "b" for gate in gates}
    return weights | {biases[gate]: total[i] for i, gate in enumerate(gates) if biases[gate] in p}


def _input_gradients(p: Tensors, delta: Tensor, gates: tuple[str, ...]) -> Tensor:
    """Give the gradients for the inputs, (T, B, n), from those of the pre-activations, (T, B, G, d)."""
    import torch

    return delta.flatten(2, 3) @ torch.cat([p[f"W_x{gate}"] for gate in gates])


def _previous_states(states: Tensor, first: Tensor) -> Tensor:
    """Give the state before every step, (T, B, d), from those after it and the initial one."""
    import torch

    return torch.cat([first.unsqueeze(0), states])[: len(states)]


def _last_outputs(hidden: Tensor, first: Tensor, lengths: Tensor | None) -> Tensor:
    """Give the state after every row's last step, (B, d): the initial one where there is no step."""
    import torch

    if len(hidden) == 0:
        return first
    if lengths is None:
        return hidden[-1]
    rows = torch.arange(len(lengths), device=hidden.device)
    last = hidden[(lengths.long() - 1).clamp(min=0), rows]
    return torch.where(lengths[:, None] > 0, last, first)


def rnn_forward(
    kernels: SequenceKernels,
    reference: RNN,
    p: Tensors,
    x: Tensor,
    states: Tensors,
    lengths: Tensor | None,
    precision: str,
) -> FusedResult:
    """Run the simple RNN in one launch.

    Args:
        kernels: Those that hold the weights on one processor, or split over many.
        reference: The variant.
        p: Parameters by the reference's names.
        x: Inputs (T, B, n).
        states: Initial states (B, d) by name.
        lengths: Steps of every row (B,), or None where every row has T; `x` holds zeros past them.
        precision: Of float32 products, one of `limits.PRECISIONS`.
    """
    import torch

    weight, first = _stacked(p, "W_h", ("",)), states["h"].contiguous()
    hidden = torch.empty((*x.shape[:2], first.shape[1]), dtype=x.dtype, device=x.device)
    sizes = (*x.shape[:2], first.shape[1])
    tanh = reference.activation == "tanh"
    kernels.run(
        "rnn_forward", (_projected_inputs(p, x, ("",)), weight, first, hidden), lengths, sizes, precision, tanh=tanh
    )
    finals = {"h": _last_outputs(hidden, first, lengths)}
    return FusedResult(hidden, finals, {"weight": weight, "first": first, "hidden": hidden})


def rnn_backward(
    kernels: SequenceKernels,
    reference: RNN,
    p: Tensors,
    x: Tensor,
    saved: Tensors,
    d_outputs: Tensor,
    d_finals: Tensors,
    lengths: Tensor | None,
    precision: str,
) -> FusedGradients:
    """Differentiate `rnn_forward` in one launch.

    Args:
        kernels: Those that hold the weights on one processor, or split over many.
        reference: The variant.
        p: Parameters by the reference's names.
        x: Inputs (T, B, n).
        saved: What the forward saved.
        d_outputs: Gradients for the outputs, (T, B, d).
        d_finals: Gradients for the final states, (B, d) by name.
        lengths: Steps of every row (B,), or None where every row has T.
        precision: Of float32 products, one of `limits.PRECISIONS`.
    """
    import torch

    hidden, first = saved["hidden"], saved["first"]
    delta, d_first = torch.empty_like(hidden), torch.zeros_like(first)
    tensors = (saved["weight"], hidden, d_outputs, d_finals["h"], delta, d_first)
    sizes = (*x.shape[:2], first.shape[1])
    kernels.run("rnn_backward", tensors, lengths, sizes, precision, tanh=reference.activation == "tanh")
    by_gate = delta.unsqueeze(2)
    parameters = _weight_gradients(p, x, by_gate, _previous_states(hidden, first), ("",))
    return FusedGradients(_input_gradients(p, by_gate, ("",)), {"h": d_first}, parameters)


def gru_forward(
    kernels: SequenceKernels,
    reference: GRU,
    p: Tensors,
    x: Tensor,
    states: Tensors,
    lengths: Tensor | None,
    precision: str,
) -> FusedResult:
    """Run the GRU in one launch.

    Args:
        kernels: Those that hold the weights on one processor, or split over many.
        reference: The variant.
        p: Parameters by the reference's names.
        x: Inputs (T, B, n).
        states: Initial states (B, d) by name.
        lengths: Steps of every row (B,), or None where every row has T; `x` holds zeros past them.
        precision: Of float32 products, one of `limits.PRECISIONS`.
    """
    import torch

    weight, first = _stacked(p, "W_h", _GRU_GATES), states["h"].contiguous()
    d = first.shape[1]
    hidden = torch.empty((*x.shape[:2], d), dtype=x.dtype, device=x.device)
    gates = hidden.new_empty((*x.shape[:2], 3, d))
    inner = torch.empty_like(hidden)
    bias = p.get("b_hg", first.new_zeros(d)).contiguous()
    tensors = (_projected_inputs(p, x, _GRU_GATES), weight, bias, first, hidden, gates, inner)
    kernels.run("gru_forward", tensors, lengths, (*x.shape[:2], d), precision, **_gru_flags(reference))
    saved = {"weight": weight, "first": first, "hidden": hidden, "gates": gates, "inner": inner}
    return FusedResult(hidden, {"h": _last_outputs(hidden, first, lengths)}, saved)


def _gru_flags(reference: GRU) -> dict[str, bool]:
    """Give the kernel's compile-time flags for a variant."""
    before = reference.reset == "before"
    return {"keep": reference.update == "keep", "before": before, "tanh": reference.candidate == "tanh"}


def gru_backward(
    kernels: SequenceKernels,
    reference: GRU,
    p: Tensors,
    x: Tensor,
    saved: Tensors,
    d_outputs: Tensor,
    d_finals: Tensors,
    lengths: Tensor | None,
    precision: str,
) -> FusedGradients:
    """Differentiate `gru_forward` in one launch.

    Args:
        kernels: Those that hold the weights on one processor, or split over many.
        reference: The variant.
        p: Parameters by the reference's names.
        x: Inputs (T, B, n).
        saved: What the forward saved.
        d_outputs: Gradients for the outputs, (T, B, d).
        d_finals: Gradients for the final states, (B, d) by name.
        lengths: Steps of every row (B,), or None where every row has T.
        precision: Of float32 products, one of `limits.PRECISIONS`.
    """
    import torch

    hidden, first, gates, inner = saved["hidden"], saved["first"], saved["gates"], saved["inner"]
    delta, d_inner, d_first = torch.empty_like(gates), torch.empty_like(hidden), torch.zeros_like(first)
    read = (saved["weight"], first, hidden, gates, inner, d_outputs, d_finals["h"])
    kernels.run(
        "gru_backward",
        (*read, delta, d_inner, d_first),
        lengths,
        (*x.shape[:2], first.shape[1]),
        precision,
        **_gru_flags(reference),
    )
    previous = _previous_states(hidden, first)
    parameters = _weight_gradients(p, x, delta, previous, _GRU_GATES)
    if reference.reset == "before":
        parameters["W_hg"] = delta[:, :, 2].flatten(0, 1).T @ inner.flatten(0, 1)
    else:
        flat = d_inner.flatten(0, 1)
        parameters["W_hg"] = flat.T @ previous.flatten(0, 1)
        if reference.bias:
            parameters["b_hg"] = flat.sum(0)
    return FusedGradients(_input_gradients(p, delta, _GRU_GATES), {"h": d_first}, parameters)


def _with_forget(p: Tensors, reference: LSTM) -> Tensors:
    """Fill the kernels' second slot, which a cell without a forget gate leaves unused."""
    if reference.forget:
        return p
    return p | {f"{name}f": p[f"{name}i"] for name in ("W_x", "W_h", "W_c", "b_") if f"{name}i" in p}


def lstm_forward(
    kernels: SequenceKernels,
    reference: LSTM,
    p: Tensors,
    x: Tensor,
    states: Tensors,
    lengths: Tensor | None,
    precision: str,
) -> FusedResult:
    """Run the LSTM in one launch.

    Args:
        kernels: Those that hold the weights on one processor, or split over many.
        reference: The variant.
        p: Parameters by the reference's names.
        x: Inputs (T, B, n).
        states: Initial states (B, d) by name.
        lengths: Steps of every row (B,), or None where every row has T; `x` holds zeros past them.
        precision: Of float32 products, one of `limits.PRECISIONS`.
    """
    import torch

    filled = _with_forget(p, reference)
    weight = _stacked(filled, "W_h", _LSTM_GATES)
    peephole = _stacked(filled, "W_c", _LSTM_GATES[:3]) if reference.peephole else weight
    h, c = states["h"].contiguous(), states["c"].contiguous()
    hidden = torch.empty((*x.shape[:2], h.shape[1]), dtype=x.dtype, device=x.device)
    cell, gates = torch.empty_like(hidden), hidden.new_empty((*x.shape[:2], 4, h.shape[1]))
    tensors = (_projected_inputs(filled, x, _LSTM_GATES), weight, peephole, h, c, hidden, cell, gates)
    kernels.run("lstm_forward", tensors, lengths, (*x.shape[:2], h.shape[1]), precision, **_lstm_flags(reference))
    saved = {"weight": weight, "peephole": peephole, "h": h, "c": c, "hidden": hidden, "cell": cell, "gates": gates}
    finals = {"h": _last_outputs(hidden, h, lengths), "c": cell[-1] if len(x) else c}  # cells are kept past a length
    return FusedResult(hidden, finals, saved)


def _lstm_flags(reference: LSTM) -> dict[str, bool]:
    """Give the kernel's compile-time flags for a variant."""
    candidate, output = reference.candidate == "tanh", reference.output == "tanh"
    peephole = reference.peephole == "full"
    return {"tanh": candidate, "tanh_out": output, "forget": reference.forget, "peephole": peephole}


def lstm_backward(
    kernels: SequenceKernels,
    reference: LSTM,
    p: Tensors,
    x: Tensor,
    saved: Tensors,
    d_outputs: Tensor,
    d_finals: Tensors,
    lengths: Tensor | None,
    precision: str,
) -> FusedGradients:
    """Differentiate `lstm_forward` in one launch.

    Args:
        kernels: Those that hold the weights on one processor, or split over many.
        reference: The variant.
        p: Parameters by the reference's names.
        x: Inputs (T, B, n).
        saved: What the forward saved.
        d_outputs: Gradients for the outputs, (T, B, d).
        d_finals: Gradients for the final states, (B, d) by name.
        lengths: Steps of every row (B,), or None where every row has T.
        precision: Of float32 products, one of `limits.PRECISIONS`.
    """
    import torch

    h, c, cell = saved["h"], saved["c"], saved["cell"]
    delta, d_h, d_c = torch.zeros_like(saved["gates"]), torch.zeros_like(h), torch.zeros_like(c)
    read = (saved["weight"], saved["peephole"], c, cell, saved["gates"], d_outputs, d_finals["h"], d_finals["c"])
    kernels.run(
        "lstm_backward",
        (*read, delta, d_h, d_c),
        lengths,
        (*x.shape[:2], h.shape[1]),
        precision,
        **_lstm_flags(reference),
    )
    filled = _with_forget(p, reference)
    parameters = _weight_gradients(filled, x, delta, _previous_states(saved["hidden"], h), _LSTM_GATES)
    if reference.peephole:
        for index, gate in enumerate(_LSTM_GATES[:3]):
            below = cell if gate == "o" else _previous_states(cell, c)
            parameters[f"W_c{gate}"] = delta[:, :, index].flatten(0, 1).T @ below.flatten(0, 1)
    inputs = _input_gradients(filled, delta, _LSTM_GATES)
    return FusedGradients(inputs, {"h": d_h, "c": d_c}, {name: parameters[name] for name in p})


FAMILIES: dict[str, tuple[Callable[..., FusedResult], Callable[..., FusedGradients]]] = {
    "rnn": (rnn_forward, rnn_backward),
    "gru": (gru_forward, gru_backward),
    "lstm": (lstm_forward, lstm_backward),
}
