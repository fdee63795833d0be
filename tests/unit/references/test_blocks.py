"""Long sequences are worked through in blocks, and large weights in halves: neither may change what is computed.

The arrays of the other tests are too small to be cut, so here the limits are.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from rnn_harness.array_types import Array, IndexArray
from rnn_harness.references import Gradients, Run, get_reference, layout, lstm

STEPS, BATCH, INPUTS, HIDDEN = 5, 3, 2, 3
CELLS: list[tuple[str, dict[str, Any]]] = [
    ("rnn", {}),
    ("gru", {"reset": "before"}),
    ("gru", {"reset": "before", "update": "write", "bias": False}),
    ("gru", {"reset": "after"}),
    ("gru", {"reset": "after", "update": "write", "bias": False}),
    ("lstm", {}),
    ("lstm", {"forget": False, "bias": False}),
    ("lstm", {"peephole": "full"}),
    ("lstm", {"peephole": "diagonal", "forget": False}),
]


def name_of(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{k} {v}" for k, v in value.items()) or "plain"
    return "padded" if isinstance(value, np.ndarray) else "full length" if value is None else str(value)


def both_ways(name: str, options: dict[str, Any], lengths: IndexArray | None) -> tuple[Run, Gradients]:
    rng = np.random.default_rng(0)
    cell = get_reference(name, **options)
    parameters = {k: rng.normal(size=s) for k, s in cell.parameter_shapes(INPUTS, HIDDEN).items()}
    states = {k: rng.normal(size=(BATCH, HIDDEN)) for k in cell.state_names}
    run = cell.forward(parameters, rng.normal(size=(STEPS, BATCH, INPUTS)), states, lengths)
    d_finals = {k: rng.normal(size=(BATCH, HIDDEN)) for k in cell.state_names}
    return run, cell.backward(run, rng.normal(size=run.outputs.shape), d_finals)


def everything(run: Run, gradients: Gradients) -> dict[str, Array]:
    return (
        {"outputs": run.outputs, "gradient of the inputs": gradients.inputs}
        | {f"trace {k}": v for k, v in run.trace.items()}
        | {f"final {k}": v for k, v in run.finals.items()}
        | {f"gradient of the first {k}": v for k, v in gradients.states.items()}
        | {f"gradient of {k}": v for k, v in gradients.parameters.items()}
    )


@pytest.mark.parametrize("lengths", [None, np.array([5, 2, 0])], ids=name_of)
@pytest.mark.parametrize("unpacked", [0, 10**6], ids=["steps side by side", "step by step"])
@pytest.mark.parametrize("steps", [1, 2, 3], ids=lambda steps: f"{steps} steps a block")
@pytest.mark.parametrize(("name", "options"), CELLS, ids=name_of)
def test_blocks_and_halves_change_nothing(
    name: str,
    options: dict[str, Any],
    steps: int,
    unpacked: int,
    lengths: IndexArray | None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    whole = everything(*both_ways(name, options, lengths))
    monkeypatch.setattr(layout, "ENTRIES_PER_BLOCK", 1)
    monkeypatch.setattr(layout, "COLUMNS_PER_BLOCK", steps * BATCH)
    monkeypatch.setattr(layout, "UNALIGNED_BYTES", 0)
    monkeypatch.setattr(layout, "UNPACKED_MULTIPLICATIONS", unpacked)
    monkeypatch.setattr(lstm, "SPLIT_BYTES", 0)
    assert len(layout.time_blocks(STEPS, HIDDEN, BATCH)) == -(-STEPS // steps)
    cut = everything(*both_ways(name, options, lengths))
    assert cut.keys() == whole.keys()
    for what, value in whole.items():
        # Sums of some dozen terms in another order: 2^8 roundings of the largest value.
        limit = 2.0**8 * np.spacing(max(1.0, float(np.abs(value).max(initial=0))))
        assert float(np.abs(cut[what] - value).max(initial=0)) <= limit, what


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.complex128])
def test_large_arrays_begin_with_a_cache_line(dtype: type) -> None:
    for shape in [(3, 50, 37), (1, 2**14), (2**12 + 1,)]:
        made = layout.empty_aligned(shape, np.dtype(dtype))
        assert made.shape == shape
        assert made.dtype == dtype
        assert made.flags.c_contiguous
        assert made.flags.writeable
        assert made.ctypes.data % 64 == 0


@pytest.mark.parametrize(("name", "options"), CELLS, ids=name_of)
def test_no_warning_escapes_where_sums_overflow(
    name: str, options: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(layout, "ENTRIES_PER_BLOCK", 1)
    monkeypatch.setattr(layout, "COLUMNS_PER_BLOCK", BATCH)
    monkeypatch.setattr(lstm, "SPLIT_BYTES", 0)
    cell = get_reference(name, **options)
    shapes = cell.parameter_shapes(INPUTS, HIDDEN)
    parameters = {k: np.full(s, 0 if k.startswith("b") else 0.75, np.float32) for k, s in shapes.items()}
    x = np.full((STEPS, BATCH, INPUTS), 3e38, np.float32)
    run = cell.forward(parameters, x)
    assert np.isfinite(run.outputs).all()
    gradients = cell.backward(run, np.ones_like(run.outputs))
    assert np.isfinite(gradients.states["h"]).all()
