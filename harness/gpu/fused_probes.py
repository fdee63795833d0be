"""Probes of the Triton kernels: their functions, their products, their offsets."""

from __future__ import annotations

import numpy as np

from rnn_harness.arithmetic.assumptions import SCREEN_SINGLE, SMALLEST_ERROR_SHOWN, UNIT_ROUNDOFF
from rnn_harness.kernels.drivers.fused import fused_sequence
from rnn_harness.kernels.drivers.split import split_sequence
from rnn_harness.references import get_reference

RIGHT = "right"
"""With this begins the answer of `cooperative_launch` where the kernels can be used."""
BEYOND = {"T": 4300, "B": 1024, "d": 128}
"""Sizes whose gates are more than 2^31 numbers."""
LAST_STEPS = 200


def function_accuracy(device: str) -> str:
    """Say how far sigmoid and tanh are off, through an RNN of one step whose pre-activations are its inputs.

    Args:
        device: ``cuda``, or ``cpu`` in the interpreter.
    """
    import torch

    found = []
    for activation in ("sigmoid", "tanh"):
        reference = get_reference("rnn", activation=activation, bias=False)
        x = torch.linspace(-30, 30, 1 << 12, device=device).reshape(1, -1, 1)
        one, zero = torch.ones(1, 1, device=device), torch.zeros(1, 1, device=device)
        state = {"h": torch.zeros(x.shape[1], 1, device=device)}
        y, _ = fused_sequence(reference, {"W_x": one, "W_h": zero}, x, state)
        wide = x.double().cpu().numpy().astype(np.longdouble)
        true = np.tanh(wide) if activation == "tanh" else 1 / (1 + np.exp(-wide))
        with np.errstate(all="ignore"):
            error = np.nanmax(np.abs((y.double().cpu().numpy() - true) / true))
        found.append(f"{activation}: {float(error) / float(UNIT_ROUNDOFF['float32']):.1f} u")
    return "; ".join(found)


def split_products(device: str) -> str:
    """Say how far the recurrent products are off, in each precision, through a step whose states are all alike.

    Args:
        device: ``cuda``, or ``cpu`` in the interpreter.
    """
    import torch

    d = 32
    reference = get_reference("rnn", activation="tanh", bias=False)
    torch.manual_seed(0)
    weight, state = torch.rand(d, d, device=device) / d / 8, torch.rand(16, d, device=device)
    exact = torch.tanh(state.double() @ weight.double().T)
    found = []
    for precision in ("ieee", "tf32x3", "tf32"):
        parameters = {"W_x": torch.zeros(d, 1, device=device), "W_h": weight}
        x = torch.zeros(1, 16, 1, device=device)
        y, _ = fused_sequence(reference, parameters, x, {"h": state}, precision=precision)
        error = float(((y[0].double() - exact) / exact).abs().max())
        found.append(f"{precision}: 2^{np.log2(max(error, SMALLEST_ERROR_SHOWN)):.1f}")
    return "; ".join(found)


def cooperative_launch(device: str) -> str:
    """Run an LSTM split over several processors, forward and backward, and compare it with the one on one processor.

    Args:
        device: ``cuda``, or ``cpu`` in the interpreter, where nothing meets.
    """
    import torch

    steps, batch, d = (100, 20, 64) if device == "cuda" else (2, 3, 17)
    reference = get_reference("lstm")
    torch.manual_seed(0)
    shapes = reference.parameter_shapes(8, d)
    weights = {name: (torch.randn(shape) / d**0.5).to(device).requires_grad_() for name, shape in shapes.items()}
    x = torch.randn(steps, batch, 8).to(device)
    states = {name: torch.zeros(batch, d, device=device) for name in ("h", "c")}
    found = []
    for sequence in (fused_sequence, split_sequence):
        outputs, _ = sequence(reference, weights, x, states, precision="tf32x3")
        gradients = torch.autograd.grad(outputs.square().sum(), list(weights.values()))
        found.append([outputs.detach(), *gradients])
    gap = max(float((a - b).norm() / a.norm()) for a, b in zip(*found, strict=True))
    return f"{RIGHT if gap < SCREEN_SINGLE else 'wrong'}: off by {gap:.1e} of what one processor gives"


def offsets_beyond_32_bits(device: str) -> str:
    """Compare the last step of a sequence whose gates are beyond 2^31 numbers with a run over the last steps alone.

    Args:
        device: ``cuda``; on ``cpu`` it would take hours.
    """
    import torch

    if device == "cpu":
        return "not tried in the interpreter"
    steps, batch, d = BEYOND["T"], BEYOND["B"], BEYOND["d"]
    reference = get_reference("lstm")
    torch.manual_seed(0)
    narrow = torch.bfloat16
    shapes = reference.parameter_shapes(8, d)
    parameters = {name: torch.randn(shape, device=device, dtype=narrow) / 32 for name, shape in shapes.items()}
    x = torch.randn(steps, batch, 8, device=device, dtype=narrow)
    zeros = {name: torch.zeros(batch, d, device=device, dtype=narrow) for name in ("h", "c")}
    with torch.no_grad():
        whole, _ = fused_sequence(reference, parameters, x, zeros)
        last, _ = fused_sequence(reference, parameters, x[-LAST_STEPS:].contiguous(), zeros)
    return f"the last step differs by {float((whole[-1] - last[-1]).float().abs().max()):.2g} from a run over the last"
