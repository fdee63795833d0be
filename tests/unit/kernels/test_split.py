"""The split Triton kernels in the interpreter: every variant, lengths, rows and columns of several programs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from rnn_harness.arithmetic.assumptions import UNIT_ROUNDOFF
from rnn_harness.kernels.drivers.fused import KernelRefusal, recorded_launches, unavailable_reason
from rnn_harness.kernels.drivers.split import LARGEST_SPLITS, SplitDriver, split_sequence
from rnn_harness.kernels.drivers.split import launch as launch_module
from rnn_harness.kernels.drivers.split.launch import SplitLaunch
from rnn_harness.kernels.drivers.split.layout import HOPPER_PROCESSORS, Layout, layout_for
from rnn_harness.kernels.torch_reference import TorchReference
from rnn_harness.references import get_reference
from tests.unit.kernels.test_fused import LENGTHS, MANY_ROUNDINGS, VARIANTS, _draw

pytestmark = pytest.mark.skipif(
    unavailable_reason("cpu") is not None,
    reason=f"not run: {unavailable_reason('cpu')}; with CUDA they are tested by tests/gpu",
)

MAIN_VARIANTS = ("tanh RNN", "GRU keep before", "GRU keep after", "LSTM", "LSTM with full peepholes")


def assert_equals_reference(variant: str, sizes: tuple[int, int, int, int], lengths: Any = None) -> None:
    family, options = VARIANTS[variant]
    reference = get_reference(family, **options)
    p, x, states, d_outputs = _draw(reference, *sizes)
    d_finals = {name: value[::-1].copy() for name, value in states.items()}
    cell = TorchReference(SplitDriver(reference), reference, "float64")
    expected, computed = reference.forward(p, x, states, lengths), cell.forward(p, x, states, lengths)
    right = reference.backward(expected, d_outputs, d_finals)
    gradients = cell.backward(computed, d_outputs, d_finals)
    pairs = [(computed.outputs, expected.outputs), (gradients.inputs, right.inputs)]
    pairs += [(computed.finals[name], value) for name, value in expected.finals.items()]
    pairs += [((gradients.states | gradients.parameters)[k], v) for k, v in (right.states | right.parameters).items()]
    allowed = MANY_ROUNDINGS * float(UNIT_ROUNDOFF["float64"])
    for ours, theirs in pairs:
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=allowed)


@pytest.mark.parametrize("variant", MAIN_VARIANTS)
def test_a_split_kernel_equals_the_reference_with_rows_of_several_lengths(variant: str) -> None:
    assert_equals_reference(variant, (2, 3, 2, 3), np.array([2, 0, 1]))


@pytest.mark.deep(
    "tests/unit/kernels/test_split.py::test_a_split_kernel_equals_the_reference_with_rows_of_several_lengths"
)
@pytest.mark.parametrize("variant", VARIANTS)
def test_any_variant_equals_the_reference_with_rows_of_several_lengths(variant: str) -> None:
    assert_equals_reference(variant, (4, 5, 2, 3), LENGTHS)


@pytest.mark.parametrize("variant", ["tanh RNN", "LSTM with full peepholes"])
@pytest.mark.parametrize("sizes", [(0, 2, 3, 4), (1, 1, 1, 1)], ids=["no step", "one of everything"])
def test_a_split_kernel_equals_the_reference_at_the_smallest_sizes(
    variant: str, sizes: tuple[int, int, int, int]
) -> None:
    assert_equals_reference(variant, sizes)


@pytest.mark.parametrize("variant", ["tanh RNN", "GRU keep before"])
def test_columns_and_rows_of_several_programs_make_one_sequence(variant: str) -> None:
    assert_equals_reference(variant, (2, 17, 3, 9))  # two programs of columns, two tiles of rows


@pytest.mark.deep("tests/unit/kernels/test_split.py::test_columns_and_rows_of_several_programs_make_one_sequence")
@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("sizes", [(3, 17, 3, 17), (2, 33, 5, 67)], ids=["d=17", "d=67"])
def test_a_split_kernel_equals_the_reference(variant: str, sizes: tuple[int, int, int, int]) -> None:
    assert_equals_reference(variant, sizes)


def _tensors(d: int, dtype: torch.dtype = torch.float32) -> tuple[dict[str, Any], Any, dict[str, Any]]:
    reference = get_reference("gru", reset="after")
    p = {name: torch.ones(shape, dtype=dtype) for name, shape in reference.parameter_shapes(3, d).items()}
    return p, torch.ones(1, 2, 3, dtype=dtype), {"h": torch.ones(2, d, dtype=dtype)}


def test_a_launch_is_logged_with_its_programs() -> None:
    p, x, s = _tensors(17)
    with recorded_launches() as log:
        split_sequence(get_reference("gru", reset="after"), p, x, s)
    assert [(launch.kernel, launch.programs, launch.precision) for launch in log] == [("split_gru_forward", 4, "ieee")]


def test_a_hidden_size_beyond_the_largest_is_refused_with_it() -> None:
    largest = LARGEST_SPLITS["gru", "float32"].d
    p, x, s = _tensors(largest + 1)
    with pytest.raises(KernelRefusal, match=rf"split gru: hidden size {largest + 1} is too large.*up to {largest}"):
        split_sequence(get_reference("gru", reset="after"), p, x, s)


def test_all_programs_of_the_largest_sizes_fit_on_the_device_at_the_same_time() -> None:
    for (kernel, arithmetic), largest in LARGEST_SPLITS.items():
        layout = layout_for(kernel, arithmetic, largest.d)
        assert -(-largest.d // layout.columns) <= HOPPER_PROCESSORS
        assert layout.parts * layout.part >= largest.d


def test_on_a_gpu_rows_that_do_not_fit_at_once_follow_in_further_launches(monkeypatch: pytest.MonkeyPatch) -> None:
    launches: list[tuple[tuple[int, int], tuple[Any, ...], dict[str, Any]]] = []

    class Recording:
        fn = _tensors

        def __getitem__(self, grid: tuple[int, int]) -> Any:
            return lambda *arguments, **options: launches.append((grid, arguments, options))

    monkeypatch.setattr(launch_module, "is_interpreted", lambda: False)
    tensors = (torch.ones(1),)
    call = SplitLaunch(Recording(), tensors, None, (5, 70, 1024), "ieee", {"tanh": True}, 1, is_backward=True)
    call.run(Layout(16, 8, 128), 132)
    # 70 rows are five tiles; 64 programs of columns let two tiles run at once on 132 processors.
    assert [grid for grid, _, _ in launches] == [(64, 2), (64, 2), (64, 1)]
    for number, (grid, arguments, options) in enumerate(launches):
        counter, *numbers = arguments[2:]
        assert torch.equal(counter, torch.zeros(grid[1], dtype=torch.int32))
        assert numbers == [0, 6, 5, 70, 1024, 2 * number]
        assert options["SYNC"]
        assert options["launch_cooperative_grid"]
        assert options["TANH"]


def test_a_sequence_with_more_meetings_than_are_counted_is_several_launches(monkeypatch: pytest.MonkeyPatch) -> None:
    steps: list[tuple[int, int]] = []

    class Recording:
        fn = _tensors

        def __getitem__(self, grid: tuple[int, int]) -> Any:
            return lambda *arguments, **options: steps.append(arguments[3:5])

    monkeypatch.setattr(launch_module, "is_interpreted", lambda: False)
    monkeypatch.setattr(launch_module, "MOST_ARRIVALS", 64 * 2 * 3)
    call = SplitLaunch(Recording(), (torch.ones(1),), None, (7, 16, 1024), "ieee", {}, 2, is_backward=True)
    call.run(Layout(16, 8, 128), 132)
    assert steps == [(0, 3), (3, 6), (6, 8)]
