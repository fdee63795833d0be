"""A gate that reads another gate's block of a stacked parameter leaves its own without use, and is found by that."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from rnn_harness.records.validation import Validation
from rnn_harness.specs import library
from rnn_harness.validation import ValidationRequest, collect_validation, run_validation
from rnn_harness.validation.identification.probe import Probe, probe_target
from rnn_harness.validation.identification.unused_blocks import has_unused_block
from rnn_harness.validation.loading.target import target_of
from rnn_harness.validation.spec_search.fault_search import FaultyMatch, match_without_a_parameter
from rnn_harness.validation.spec_search.search import TargetSearch


class Gated(nn.Module):
    """A GRU with the reset behind the product, its gates stacked."""

    update_block = 1

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.of_input = nn.Linear(input_size, 3 * hidden_size)
        self.of_state = nn.Linear(hidden_size, 3 * hidden_size)

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        reset, update, candidate = self.of_input(x).chunk(3, -1)
        recurrent = self.of_state(h).chunk(3, -1)
        reset = torch.sigmoid(reset + recurrent[0])
        update = torch.sigmoid(update + recurrent[self.update_block])
        return self.mixed(update, h, torch.tanh(candidate + reset * recurrent[2]))

    def mixed(self, update: Tensor, h: Tensor, candidate: Tensor) -> Tensor:
        return update * h + (1 - update) * candidate


class ReadsTheResetBlockTwice(Gated):
    update_block = 0


class OfItsOwn(ReadsTheResetBlockTwice):
    """No GRU with one mistake: nothing that is known says what it should be."""

    def mixed(self, update: Tensor, h: Tensor, candidate: Tensor) -> Tensor:
        return torch.cos(update * h) + update * torch.sin(candidate)


def _probe(cell: type[nn.Module]) -> Probe:
    return probe_target(target_of(cell.__name__, cell))


def _match(cell: type[nn.Module]) -> FaultyMatch | None:
    return match_without_a_parameter(TargetSearch(_probe(cell)), library().spec("gru.reset_after"), 20.0)


def test_a_block_that_nothing_reads_is_noticed() -> None:
    assert not has_unused_block(_probe(Gated))
    assert has_unused_block(_probe(ReadsTheResetBlockTwice))


def test_the_gate_that_reads_the_block_of_another_is_named() -> None:
    match = _match(ReadsTheResetBlockTwice)
    assert match is not None
    assert "W_hz stands where W_hr should" in match.diagnosis().sentence()


def test_a_cell_that_is_no_gru_with_one_mistake_is_not_said_to_be_one() -> None:
    assert _match(OfItsOwn) is None


def _validated(cell: type[nn.Module], spec: str) -> Validation:
    request = ValidationRequest(spec=spec, dtypes=("float64",), examples=0)
    return collect_validation(cell.__name__, run_validation(target_of(cell.__name__, cell), request))


@pytest.mark.deep("tests/unit/validation/test_unused_blocks.py::test_the_gate_that_reads_the_block_of_another_is_named")
@pytest.mark.parametrize("spec", ["auto", "gru.reset_after"])
def test_such_a_cell_is_refuted_whether_or_not_its_spec_is_asked_for(spec: str) -> None:
    validation = _validated(ReadsTheResetBlockTwice, spec)
    assert validation.outcome == "refuted"
    assert validation.diagnosis is not None
    # Nothing names the blocks: either gate may be the one that reads the other's.
    assert validation.diagnosis.part == "forward: T-001, T-002"


@pytest.mark.deep(
    "tests/unit/validation/test_unused_blocks.py::test_a_cell_that_is_no_gru_with_one_mistake_is_not_said_to_be_one"
)
def test_a_cell_of_its_own_with_an_unused_block_is_not_refuted() -> None:
    assert _validated(OfItsOwn, "auto").outcome == "consistent"
