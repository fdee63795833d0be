"""The fused Triton kernels: sizes around the tile, every variant, what they refuse, what was launched."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch

from rnn_harness.arithmetic.assumptions import FUNCTION_ROUNDINGS, UNDERFLOW, UNIT_ROUNDOFF
from rnn_harness.kernels.drivers.fused import (
    FusedDriver,
    KernelRefusal,
    fused_sequence,
    largest_hidden_size,
    limits,
    recorded_launches,
    unavailable_reason,
)
from rnn_harness.kernels.drivers.fused.launch import compile_options, launch
from rnn_harness.kernels.drivers.fused.limits import HOPPER_SHARED
from rnn_harness.kernels.torch_reference import TorchReference
from rnn_harness.references import get_reference

pytestmark = pytest.mark.skipif(
    unavailable_reason("cpu") is not None,
    reason=f"not run: {unavailable_reason('cpu')}; with CUDA they are tested by tests/gpu",
)
device_functions = pytest.importorskip("rnn_harness.kernels.drivers.fused.device_functions")
rnn_kernels = pytest.importorskip("rnn_harness.kernels.drivers.fused.rnn_kernels")
apply_elementwise = pytest.importorskip("tests.helpers.elementwise_kernel").apply_elementwise
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
    with pytest.raises(KernelRefusal, match=r"hidden size 256 is too large in float32.*up to 32; torch.nn takes any"):
        fused_sequence(get_reference("gru", reset="after"), p, x, s)


def test_a_hidden_size_that_fits_in_another_arithmetic_is_sent_there() -> None:
    p, x, s = _tensors(100)
    with pytest.raises(
        KernelRefusal, match=r"100 is too large in float32.*it fits in tf32 and in bfloat16 and in float16"
    ):
        fused_sequence(get_reference("gru", reset="after"), p, x, s)


def test_on_a_device_with_less_shared_memory_smaller_sizes_fit() -> None:
    sizes = [largest_hidden_size("lstm", "bfloat16", shared) for shared in (HOPPER_SHARED, 100 * 1024, 48 * 1024, 1024)]
    assert sizes == [128, 64, 32, 16]


def test_a_precision_that_there_is_not_is_refused() -> None:
    p, x, s = _tensors()
    with pytest.raises(KernelRefusal, match="precision is 'fast', expected one of ieee, tf32x3, tf32"):
        fused_sequence(get_reference("gru", reset="after"), p, x, s, precision="fast")


def test_tf32_is_for_float32_alone() -> None:
    p, x, s = _tensors(dtype=torch.bfloat16)
    with pytest.raises(KernelRefusal, match="precision 'tf32' is for float32, not for bfloat16"):
        fused_sequence(get_reference("gru", reset="after"), p, x, s, precision="tf32")


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


@pytest.mark.parametrize("precision", ["ieee", "tf32x3", "tf32"])
def test_torch_s_own_products_take_tf32_where_the_kernel_does_and_the_setting_is_restored(precision: str) -> None:
    p, x, s = _tensors()
    before, flags = torch.backends.cuda.matmul.allow_tf32, []

    class Noting(torch.overrides.TorchFunctionMode):
        def __torch_function__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            flags.append(torch.backends.cuda.matmul.allow_tf32)
            return function(*args, **(kwargs or {}))

    with Noting():
        fused_sequence(get_reference("gru", reset="after"), p, x, s, precision=precision)
    assert (True in flags) is (precision == "tf32")
    assert torch.backends.cuda.matmul.allow_tf32 is before


def test_a_kernel_is_launched_with_the_device_of_its_tensors_current(monkeypatch: pytest.MonkeyPatch) -> None:
    current: list[Any] = []

    @contextlib.contextmanager
    def device_of(tensor: torch.Tensor) -> Iterator[None]:
        current.append(tensor.device)
        yield
        current.pop()

    class Recording:
        fn = test_whole_numbers_are_refused

        def __getitem__(self, grid: tuple[int, ...]) -> Any:
            return lambda *arguments, **options: launched.append((grid, list(current), options["num_stages"]))

    launched: list[Any] = []
    monkeypatch.setattr(torch.cuda, "device_of", device_of)
    launch(Recording(), (torch.ones(33, 4),), None, (1, 33, 4), "ieee")
    assert launched == [((3,), [torch.device("cpu")], 1)]
    assert not current


def test_offsets_beyond_2_to_the_31_reach_their_numbers() -> None:
    # Two steps of 2^27 rows of 16: the second step lies beyond 2^31 numbers. Files without contents take no memory.
    steps, batch, d = 2, 2**27 + 16, 16
    arrays = []
    with contextlib.ExitStack() as files:
        for _ in range(2):
            file = files.enter_context(tempfile.TemporaryFile())
            file.truncate(2 * steps * batch * d)
            arrays.append(torch.from_numpy(np.memmap(file, np.float16, shape=(steps, batch, d))))
        projected, hidden = arrays
        projected[1, :16] = 0.25
        weight, first = torch.zeros((1, d, d), dtype=torch.float16), torch.zeros((16, d), dtype=torch.float16)
        options = compile_options("float16", "ieee", d, lengths=False, interpreted=True)
        rnn_kernels.rnn_forward[(1,)](
            projected, weight, first, hidden, None, steps, batch, d, TANH=True, **options.constants
        )
        np.testing.assert_array_equal(hidden[1, :16].numpy(), np.float16(np.tanh(0.25)))
        assert not hidden[0, :16].any()


@pytest.mark.parametrize("function", [device_functions.sigmoid, device_functions.tanh], ids=["sigmoid", "tanh"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
def test_functions_are_as_exact_as_the_bound_assumes_at_every_size_of_argument(
    function: Any, dtype: torch.dtype
) -> None:
    sizes = np.concatenate([np.linspace(0, 30, 4096), np.linspace(0, 1, 4096), np.logspace(-30, 2.5, 4096)])
    x = torch.tensor(np.concatenate([sizes, -sizes])).to(dtype)
    y = torch.empty_like(x)
    apply_elementwise[(1,)](x, y, function, 1 << (len(x) - 1).bit_length(), len(x))
    wide = x.double().numpy().astype(np.longdouble)
    true = np.tanh(wide) if function is device_functions.tanh else 1 / (1 + np.exp(-wide))
    name = str(dtype).removeprefix("torch.")
    allowed = FUNCTION_ROUNDINGS * float(UNIT_ROUNDOFF[name]) * np.abs(true) + float(UNDERFLOW[name])
    assert (np.abs(y.double().numpy() - true) / allowed).max() < 0.5


def test_functions_of_what_is_not_finite_are_those_of_the_field() -> None:
    x = torch.tensor([float("nan"), float("inf"), float("-inf"), 1e4])
    y = torch.empty_like(x)
    apply_elementwise[(1,)](x, y, device_functions.sigmoid, len(x), len(x))
    assert torch.equal(y.nan_to_num(nan=7.0), torch.tensor([7.0, 1.0, 0.0, 1.0]))
    apply_elementwise[(1,)](x, y, device_functions.tanh, len(x), len(x))
    assert torch.equal(y.nan_to_num(nan=7.0), torch.tensor([7.0, 1.0, -1.0, 1.0]))


LENGTHS = np.array([3, 0, 1, 4, 2])


@pytest.mark.parametrize("variant", VARIANTS)
def test_rows_of_several_lengths_equal_the_reference_and_nothing_past_them_counts(variant: str) -> None:
    family, options = VARIANTS[variant]
    reference = get_reference(family, **options)
    p, x, states, d_outputs = _draw(reference, 4, 5, 2, 3)
    d_finals = {name: value[::-1].copy() for name, value in states.items()}
    cell = TorchReference(FusedDriver(reference), reference, "float64")
    allowed = MANY_ROUNDINGS * float(UNIT_ROUNDOFF["float64"])
    spoiled = np.where(np.arange(4)[:, None, None] < LENGTHS[:, None], x, np.nan)
    expected, computed = reference.forward(p, x, states, LENGTHS), cell.forward(p, spoiled, states, LENGTHS)
    right = reference.backward(expected, d_outputs, d_finals)
    gradients = cell.backward(computed, d_outputs, d_finals)
    pairs = [(computed.outputs, expected.outputs), (gradients.inputs, right.inputs)]
    pairs += [(computed.finals[name], value) for name, value in expected.finals.items()]
    pairs += [((gradients.states | gradients.parameters)[k], v) for k, v in (right.states | right.parameters).items()]
    for ours, theirs in pairs:
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=allowed)


def test_without_the_interpreter_cpu_tensors_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TRITON_INTERPRET")
    p, x, s = _tensors()
    with pytest.raises(KernelRefusal, match="set TRITON_INTERPRET=1"):
        fused_sequence(get_reference("gru", reset="after"), p, x, s)


@pytest.mark.parametrize(
    ("triton", "numpy", "runs"), [("3.6.0", "2.4.6", False), ("3.6.0", "2.3.5", True), ("3.7.0", "2.4.6", True)]
)
def test_the_interpreter_of_a_triton_that_fails_with_a_newer_numpy_is_not_run(
    triton: str, numpy: str, runs: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    versions = {"triton": triton, "numpy": numpy}
    monkeypatch.setattr("importlib.metadata.version", versions.__getitem__)
    limits._release.cache_clear()
    reason = unavailable_reason("cpu")
    limits._release.cache_clear()
    assert (reason is None) is runs
    assert runs or "the interpreter of Triton 3.6 fails with NumPy 2.4: pip install 'triton>=3.7'" in str(reason)


def test_a_second_derivative_is_an_error_and_not_a_wrong_number() -> None:
    p, x, s = _tensors()
    weight = torch.full((2, 1, 4), 0.5, requires_grad=True)
    outputs, _ = fused_sequence(get_reference("gru", reset="after"), p, x.requires_grad_(), s)
    (first,) = torch.autograd.grad((outputs * weight).sum(), x, create_graph=True)
    with pytest.raises(RuntimeError, match="once_differentiable"):
        first.sum().backward()
