"""The fused Triton kernels: sizes around the tile, every variant, what they refuse, what was launched."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from rnn_harness.arithmetic.assumptions import UNIT_ROUNDOFF
from rnn_harness.kernels.drivers.fused import (
    FusedDriver,
    KernelRefusal,
    fused_sequence,
    largest_hidden_size,
    recorded_launches,
    unavailable_reason,
)
from rnn_harness.kernels.torch_reference import TorchReference
from rnn_harness.references import get_reference

pytestmark = pytest.mark.skipif(
    unavailable_reason("cpu") is not None,
    reason=f"not run: {unavailable_reason('cpu')}; with CUDA they are tested by tests/gpu",
)
MANY_ROUNDINGS = 4000
"""Both sides are right implementations in float64: a few thousand roundings of numbers near 1 apart, at the worst."""
VARIANTS: dict[str, tuple[str, dict[str, Any]]] = {
    "tanh RNN": ("rnn", {"activation": "tanh"}),
    "sigmoid RNN without bias": ("rnn", {"activation": "sigmoid", "bias": False}),
    "GRU keep before": ("gru", {"update": "keep", "reset": "before"}),
    "GRU write before": ("gru", {"update": "write", "reset": "before"}),
    "GRU keep after": ("gru", {"update": "keep", "reset": "after"}),
    "GRU write after without bias": ("gru", {"update": "write", "reset": "after", "bias": False}),
    "sigmoid GRU": ("gru", {"update": "write", "candidate": "sigmoid"}),
    "LSTM": ("lstm", {}),
    "LSTM without bias": ("lstm", {"bias": False}),
    "sigmoid LSTM": ("lstm", {"candidate": "sigmoid", "output": "sigmoid"}),
    "LSTM without forget gate": ("lstm", {"forget": False}),
    "LSTM with full peepholes": ("lstm", {"peephole": "full"}),
    "LSTM without forget gate, with peepholes": ("lstm", {"forget": False, "peephole": "full"}),
}
SIZES = ((0, 2, 3, 4), (1, 1, 1, 1), (2, 5, 2, 3), (3, 17, 3, 16), (2, 2, 5, 17))
"""(T, B, n, d)."""


def _draw(reference: Any, steps: int, batch: int, n: int, d: int) -> tuple[Any, ...]:
    rng = np.random.default_rng(7)
    p = {name: rng.standard_normal(shape) / 2 for name, shape in reference.parameter_shapes(n, d).items()}
    states = {name: rng.standard_normal((batch, d)) / 2 for name in reference.state_names}
    return p, rng.standard_normal((steps, batch, n)), states, rng.standard_normal((steps, batch, d))


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("sizes", SIZES, ids=lambda s: "T={}, B={}, n={}, d={}".format(*s))
def test_a_fused_kernel_equals_the_reference(variant: str, sizes: tuple[int, int, int, int]) -> None:
    family, options = VARIANTS[variant]
    reference = get_reference(family, **options)
    p, x, states, d_outputs = _draw(reference, *sizes)
    d_finals = {name: value[::-1].copy() for name, value in states.items()}
    cell = TorchReference(FusedDriver(reference), reference, "float64")
    allowed = MANY_ROUNDINGS * float(UNIT_ROUNDOFF["float64"])
    expected, computed = reference.forward(p, x, states), cell.forward(p, x, states)
    np.testing.assert_allclose(computed.outputs, expected.outputs, rtol=0, atol=allowed)
    for name, value in expected.finals.items():
        np.testing.assert_allclose(computed.finals[name], value, rtol=0, atol=allowed)
    right = reference.backward(expected, d_outputs, d_finals)
    gradients = cell.backward(computed, d_outputs, d_finals)
    np.testing.assert_allclose(gradients.inputs, right.inputs, rtol=0, atol=allowed)
    for name, value in (right.states | right.parameters).items():
        np.testing.assert_allclose((gradients.states | gradients.parameters)[name], value, rtol=0, atol=allowed)


def _tensors(d: int = 4, dtype: torch.dtype = torch.float32) -> tuple[dict[str, Any], Any, dict[str, Any]]:
    reference = get_reference("gru", reset="after")
    p = {name: torch.ones(shape, dtype=dtype) for name, shape in reference.parameter_shapes(3, d).items()}
    return p, torch.ones(2, 1, 3, dtype=dtype), {"h": torch.ones(1, d, dtype=dtype)}


def test_one_sequence_is_one_launch_forward_and_one_backward() -> None:
    p, x, s = _tensors()
    with recorded_launches() as log:
        outputs, _ = fused_sequence(get_reference("gru", reset="after"), p, x.requires_grad_(), s)
        outputs.sum().backward()
    assert [(launch.kernel, launch.programs, launch.dtype) for launch in log] == [
        ("gru_forward", 1, "float32"),
        ("gru_backward", 1, "float32"),
    ]
    assert all(launch.interpreted for launch in log)


def test_a_hidden_size_that_does_not_fit_on_chip_is_refused_with_the_largest_that_does() -> None:
    p, x, s = _tensors(256)
    with pytest.raises(KernelRefusal, match=r"hidden size 256 is too large in float32.*up to 128"):
        fused_sequence(get_reference("gru", reset="after"), p, x, s)


@pytest.mark.parametrize(
    ("tiles", "dtype", "size"),
    [(1, "float32", 128), (3, "float32", 128), (4, "float32", 64), (7, "float32", 64), (4, "bfloat16", 128)],
)
def test_the_largest_hidden_size_is_what_shared_memory_holds(tiles: int, dtype: str, size: int) -> None:
    assert largest_hidden_size(tiles, dtype) == size


def test_a_precision_that_there_is_not_is_refused() -> None:
    p, x, s = _tensors()
    with pytest.raises(KernelRefusal, match="precision is 'fast', expected 'ieee' or 'tf32'"):
        fused_sequence(get_reference("gru", reset="after"), p, x, s, "fast")


def test_tf32_is_for_float32_alone() -> None:
    p, x, s = _tensors(dtype=torch.bfloat16)
    with pytest.raises(KernelRefusal, match="precision 'tf32' is for float32, not for bfloat16"):
        fused_sequence(get_reference("gru", reset="after"), p, x, s, "tf32")


def test_mixed_dtypes_are_refused_by_name() -> None:
    p, x, s = _tensors()
    with pytest.raises(KernelRefusal, match=r"W_hz has dtype torch\.float64, the inputs torch\.float32"):
        fused_sequence(get_reference("gru", reset="after"), p | {"W_hz": p["W_hz"].double()}, x, s)


def test_whole_numbers_are_refused() -> None:
    p, x, s = _tensors(dtype=torch.int64)
    with pytest.raises(KernelRefusal, match="dtype int64 is not taken, expected one of float64"):
        fused_sequence(get_reference("gru", reset="after"), p, x, s)


def test_diagonal_peepholes_are_refused_and_sent_elsewhere() -> None:
    reference = get_reference("lstm", peephole="diagonal")
    p = {name: torch.ones(shape) for name, shape in reference.parameter_shapes(3, 4).items()}
    with pytest.raises(KernelRefusal, match="full matrices here, not diagonal; use the plain torch kernel"):
        fused_sequence(reference, p, torch.ones(2, 1, 3), {"h": torch.ones(1, 4), "c": torch.ones(1, 4)})


def test_without_the_interpreter_cpu_tensors_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TRITON_INTERPRET")
    p, x, s = _tensors()
    with pytest.raises(KernelRefusal, match="set TRITON_INTERPRET=1"):
        fused_sequence(get_reference("gru", reset="after"), p, x, s)


def test_a_second_derivative_is_an_error_and_not_a_wrong_number() -> None:
    p, x, s = _tensors()
    weight = torch.full((2, 1, 4), 0.5, requires_grad=True)
    outputs, _ = fused_sequence(get_reference("gru", reset="after"), p, x.requires_grad_(), s)
    (first,) = torch.autograd.grad((outputs * weight).sum(), x, create_graph=True)
    with pytest.raises(RuntimeError, match="once_differentiable"):
        first.sum().backward()
