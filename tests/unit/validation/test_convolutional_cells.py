"""Convolutional cells are driven: told by their equations at one point of space, and held to the laws with space."""

from __future__ import annotations

import pytest
import torch

from rnn_harness.validation import Target, ValidationRequest, collect_validation, load_target, run_validation
from rnn_harness.validation.cells.capabilities import CellSizes
from rnn_harness.validation.loading.construct import constructions
from rnn_harness.validation.loading.pointwise_cells import at_one_point
from rnn_harness.validation.loading.spatial_states import spatial_states
from tests.helpers import HELPERS
from tests.helpers.convolutional_cells import ConvGRUCell, ConvLSTMLayer


def _target(name: str) -> Target:
    return load_target(f"{HELPERS / 'convolutional_cells.py'}:{name}")


def _verdict(name: str) -> tuple[str, str, str]:
    target = _target(name)
    verdict = collect_validation(name, run_validation(target, ValidationRequest(dtypes=("float64",), examples=0)))
    return verdict.outcome, verdict.spec, verdict.diagnosis.sentence() if verdict.diagnosis else ""


def test_a_cell_at_one_point_is_the_cell_itself() -> None:
    cell = ConvGRUCell(2, 3, kernel_size=5)
    point = at_one_point(cell)
    assert point is not None
    x, h = torch.randn(4, 2, 1, 1), torch.randn(4, 3, 1, 1)
    torch.testing.assert_close(point(x, h), cell(x, h))
    assert {tuple(value.shape) for value in point.parameters()} == {(6, 5), (6,), (3, 5), (3,)}


def test_a_convolution_with_a_stride_is_another_at_one_point() -> None:
    assert at_one_point(torch.nn.Sequential(torch.nn.Conv2d(2, 3, 3, stride=2, padding=1))) is None


@pytest.mark.parametrize("cell", [ConvGRUCell(2, 3), ConvLSTMLayer(2, 3)])
def test_the_numbers_of_a_state_are_laid_in_a_row(cell: torch.nn.Module) -> None:
    spatial = spatial_states(cell, CellSizes(2, 3))
    assert spatial is not None
    assert spatial.sizes == (24, 36)
    state = torch.randn(5, 36)
    torch.testing.assert_close(spatial.in_a_row(spatial.in_space((state,)))[0], state)


def test_a_module_without_convolutions_has_no_space() -> None:
    assert spatial_states(torch.nn.GRUCell(2, 3), CellSizes(2, 3)) is None


@pytest.mark.deep("tests/unit/validation/test_convolutional_cells.py::test_a_cell_at_one_point_is_the_cell_itself")
@pytest.mark.parametrize(
    ("name", "spec"), [("ConvGRUCell", "gru.write.concatenated"), ("ConvLSTMLayer", "lstm.column")]
)
def test_right_convolutional_cells_agree(name: str, spec: str) -> None:
    assert _verdict(name) == ("agrees", spec, "")


@pytest.mark.deep("tests/unit/validation/test_convolutional_cells.py::test_a_cell_at_one_point_is_the_cell_itself")
@pytest.mark.parametrize(
    ("name", "words"),
    [("UpdateForReset", "the update gate is used in the place of the reset gate"), ("MixesRowsInSpace", "row")],
)
def test_wrong_convolutional_cells_are_refuted(name: str, words: str) -> None:
    outcome, _, sentence = _verdict(name)
    assert outcome == "refuted"
    assert words in sentence


class _OfOne:
    def __init__(self, input_dim: int, hidden_dim: int, kernel_size: int) -> None:
        self.padding = kernel_size // 2


class _OfTwo:
    def __init__(self, input_dim: int, hidden_dim: int, kernel_size: tuple[int, int]) -> None:
        self.padding = kernel_size[0] // 2


@pytest.mark.parametrize("cell", [_OfOne, _OfTwo])
def test_a_kernel_that_nobody_gives_has_one_number_or_two(cell: type) -> None:
    _, made = next(constructions("cell", cell, CellSizes(5, 3), {}, {}))
    assert made.padding == 1
