"""Parameter maps: packing and unpacking are inverse, exact in every format, and fit torch's own shapes."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from rnn_harness.kernels import Kernel, all_kernels
from rnn_harness.kernels.drivers.torch_nn import LayerDriver
from rnn_harness.kernels.packing import Table, exact_parts
from rnn_harness.kernels.torch_packing import cell_table, layer_table
from rnn_harness.subjects.case_arrays import representable

N, D = 3, 4
SHIPPED = [kernel for kernel in all_kernels() if kernel.id.startswith("nn.")]


def _drawn(kernel: Kernel, dtype: str) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(3)
    shapes = kernel.subject(kernel.settings[0]).cell.parameter_shapes(N, D)
    return {k: representable(rng.standard_normal(s).astype(np.float32), dtype) for k, s in sorted(shapes.items())}


@pytest.mark.parametrize("kernel", all_kernels(), ids=lambda kernel: kernel.id)
@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float16"])
def test_packing_and_unpacking_gives_the_same_numbers_back_exactly(kernel: Kernel, dtype: str) -> None:
    table = kernel.subject(kernel.settings[0]).cell.driver.table  # type: ignore[attr-defined]
    parameters = _drawn(kernel, dtype)
    packed = table.pack(parameters)
    assert all(np.array_equal(representable(value, dtype), value) for value in packed.values())
    unpacked = table.unpack(packed, {name: value.shape for name, value in parameters.items()})
    assert {name: value.tolist() for name, value in unpacked.items()} == {k: v.tolist() for k, v in parameters.items()}


@pytest.mark.parametrize("kernel", SHIPPED, ids=lambda kernel: kernel.id)
def test_packed_parameters_have_the_names_and_shapes_of_torchs_module(kernel: Kernel) -> None:
    driver = kernel.subject(kernel.settings[0]).cell.driver  # type: ignore[attr-defined]
    name = kernel.id.split("/")[0].removeprefix("nn.")
    options = {"bias": driver.bias}
    if not name.endswith("Cell"):
        options |= {"num_layers": driver.layers, "bidirectional": driver.bidirectional}
    hidden = D
    if isinstance(driver, LayerDriver) and driver.projected:
        hidden, options["proj_size"] = 2 * D, D
    module = getattr(torch.nn, name)(N, hidden, **options)
    packed = driver.table.pack(_drawn(kernel, "float32"))
    assert {k: v.shape for k, v in packed.items()} == {k: tuple(v.shape) for k, v in module.named_parameters()}


def test_a_parameter_that_stands_twice_is_split_into_two_shares_that_differ() -> None:
    value = np.array([0.75, -3.0, 0.0, 1.0], dtype=np.float32)
    packed = Table.of({"bias_ih": "b", "bias_hh": "b"}).pack({"b": value})
    assert np.array_equal(packed["bias_ih"] + packed["bias_hh"], value)
    assert packed["bias_ih"].tolist() == [0.5, -2.0, 0.0, 1.0]
    assert packed["bias_hh"].tolist() == [0.25, -1.0, 0.0, 0.0]


def test_torchs_gru_keeps_the_two_biases_of_the_candidate_apart() -> None:
    rows = cell_table("gru").rows
    assert rows["bias_ih"] == ("b_r", "b_z", "b_g")
    assert rows["bias_hh"] == ("b_r", "b_z", "b_hg")


def test_torchs_lstm_stacks_input_forget_candidate_output() -> None:
    assert layer_table("lstm").rows["weight_hh_l0"] == ("W_hi", "W_hf", "W_hg", "W_ho")


def test_a_row_that_is_none_is_refused_with_its_text() -> None:
    with pytest.raises(ValueError, match="'W_x; -W_h' is no row"):
        Table.of({"weight": "W_x; -W_h"})


def test_parts_of_a_number_just_below_a_power_of_two_have_its_sign() -> None:
    for dtype in ("float32", "float64"):
        below = np.nextafter(np.array([1, -2, 2.0**-40], dtype), np.array(0, dtype), dtype=dtype)
        value = np.concatenate([below, np.array([0.75, -0.5, 0], dtype)])
        parts = exact_parts(value, 3)
        assert (parts[0][:3] == np.array([0.5, -1, 2.0**-41])).all()
        for part in parts:
            assert part.dtype == dtype
            assert (part * value >= 0).all()
            assert (abs(part) <= abs(value)).all()
        assert (sum(parts[1:], parts[0]) == value).all()
