"""How long sequences are cut into blocks, where arrays begin, and what is added up over a block."""

from __future__ import annotations

import numpy as np
import pytest

from rnn_harness.references import layout
from rnn_harness.references.layout import BlockGradients, by_row, empty_aligned, longest_block, time_blocks


@pytest.mark.parametrize(
    ("steps", "hidden", "batch", "size"),
    [
        (100_000, 1, 1, 16_384),  # as many entries as a block has
        (100_000, 64, 4, 128),  # the columns ask for more than the 64 that the entries give
        (100_000, 2, 64, 128),  # the entries for more than the 8 that the columns give
        (100_000, 1000, 1, 512),
        (100_000, 10_000, 3, 171),  # the columns are no multiple of the rows
        (100_000, 20_000, 600, 1),
        (100_000, 4, 0, 16_384),
        (100_000, 0, 4, 16_384),
    ],
)
def test_a_block_has_so_many_steps(steps: int, hidden: int, batch: int, size: int) -> None:
    spans = time_blocks(steps, hidden, batch)
    assert {span.stop - span.start for span in spans[:-1]} == {size}
    assert [span.start for span in spans] == list(range(0, steps, size))
    assert spans[-1].stop == steps
    assert longest_block(spans) == size


def test_blocks_of_short_and_of_no_sequences() -> None:
    assert time_blocks(0, 4, 2) == []
    assert time_blocks(3, 4, 2) == [slice(0, 3)]
    assert time_blocks(1000, 1000, 1) == [slice(0, 512), slice(512, 1000)]
    assert longest_block([]) == 0
    assert longest_block([slice(3, 5), slice(5, 6)]) == 2


def test_from_16_384_bytes_on_an_array_begins_with_a_cache_line() -> None:
    """A smaller one is NumPy's own; of a larger one its room is held, which has a cache line more."""
    assert empty_aligned((2**14 - 1,), np.dtype(np.uint8)).base is None
    for shape, dtype in (((2**14,), np.uint8), ((2**11,), np.float64), ((3, 5000), np.float32)):
        array = empty_aligned(shape, np.dtype(dtype))
        assert isinstance(array.base, np.ndarray)
        assert array.nbytes <= array.base.nbytes - 63
        assert array.ctypes.data % 64 == 0


def test_rows_are_contiguous() -> None:
    columns = np.arange(24.0).reshape(2, 3, 4)
    rows = by_row(columns)
    assert rows.flags.c_contiguous
    assert np.array_equal(rows, np.einsum("tdb->tbd", columns))


@pytest.mark.parametrize(
    ("hidden", "batch", "width", "is_flat"),
    [
        (10, 9, 1, True),  # fewer rows than entries of a gate
        (10, 10, 100, False),  # 10^6 multiplications in all: the most that is taken as it lies
        (10, 10, 101, True),
        (10, 11, 1, False),
    ],
)
def test_steps_are_put_side_by_side_where_that_is_faster(hidden: int, batch: int, width: int, is_flat: bool) -> None:
    """With 1,000 entries a step; what is added up is the same both times."""
    rng = np.random.default_rng(0)
    steps, entries = 2, 1000
    delta, rows = rng.normal(size=(steps, entries, batch)), rng.normal(size=(steps, batch, 3))
    weights, out = rng.normal(size=(entries - hidden, 3)), np.empty((steps, batch, 3))
    gradients = BlockGradients(delta, hidden, width, np.empty((entries, steps + 1, batch)))
    gates = slice(hidden, None)
    gradients.for_inputs(gates, weights, out)
    assert (gradients.flat is not None) is is_flat
    assert gradients.for_weights(gates, rows) == pytest.approx(np.einsum("tgb,tbk->gk", delta[:, gates], rows))
    assert gradients.for_biases() == pytest.approx(delta.sum(axis=(0, 2)))
    assert out == pytest.approx(np.einsum("tgb,gn->tbn", delta[:, gates], weights))


def test_limits_are_read_where_blocks_are_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layout, "ENTRIES_PER_BLOCK", 8)
    monkeypatch.setattr(layout, "COLUMNS_PER_BLOCK", 1)
    assert time_blocks(5, 2, 2) == [slice(0, 2), slice(2, 4), slice(4, 5)]
