"""A cell that equals the wanted spec in no way is refuted where no equations could make it right, and only there."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from rnn_harness.cli._validation_conclusion import validation_conclusion
from rnn_harness.records.validation import IDENTIFICATION_CHECK, Validation
from rnn_harness.records.verdict import Outcome
from rnn_harness.validation import ValidationRequest, collect_validation, run_validation
from rnn_harness.validation.loading.target import target_of


class MixedRows(nn.Module):
    """An IndRNN that reads the mean of the states over the batch."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.inner, self.scale = nn.Linear(input_size, hidden_size), nn.Parameter(torch.randn(hidden_size))

    def read(self, h: Tensor) -> Tensor:
        return h.mean(0)

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        return torch.relu(self.inner(x) + self.scale * self.read(h))


class ScaledByTheBatch(MixedRows):
    """An IndRNN whose inputs are divided by their size in the whole batch: it runs on one row after the other, too."""

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        a = self.inner(x)
        return torch.relu(a / a.square().mean().sqrt() + self.scale * h)


class Another(MixedRows):
    """A cell of its own, which mixes nothing."""

    def read(self, h: Tensor) -> Tensor:
        return torch.sin(h) / (1 + h * h)


class Gated(nn.Module):
    """A UGRNN."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.both = nn.Linear(input_size + hidden_size, 2 * hidden_size)

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        g, c = self.both(torch.cat([x, h], 1)).chunk(2, 1)
        g = torch.sigmoid(g)
        return g * h + (1 - g) * torch.tanh(c)


REQUEST = ValidationRequest(spec="indrnn.relu", dtypes=("float64",), examples=0)


def _validated(cell: type[nn.Module]) -> Validation:
    return collect_validation(cell.__name__, run_validation(target_of(cell.__name__, cell), REQUEST))


@pytest.mark.parametrize("cell", [MixedRows, ScaledByTheBatch], ids=lambda cell: cell.__name__)
def test_a_cell_that_mixes_rows_is_refuted_though_nothing_ties_it_to_the_spec(cell: type[nn.Module]) -> None:
    validation = _validated(cell)
    assert validation.outcome == "refuted"
    assert validation.diagnosis is not None
    assert "first row of the batch" in validation.diagnosis.sentence()


@pytest.mark.deep(
    "tests/unit/validation/test_untied_specs.py::"
    "test_a_cell_that_mixes_rows_is_refuted_though_nothing_ties_it_to_the_spec"
)
def test_a_cell_that_is_another_known_one_is_called_so() -> None:
    validation = collect_validation("gated", run_validation(target_of("gated", Gated), REQUEST))
    (identification,) = (record for record in validation.checks if record.check == IDENTIFICATION_CHECK)
    assert identification.reason.endswith("It equals ugrnn: --spec ugrnn holds it against that")
    assert validation.outcome == "consistent"


@pytest.mark.deep(
    "tests/unit/validation/test_untied_specs.py::"
    "test_a_cell_that_mixes_rows_is_refuted_though_nothing_ties_it_to_the_spec"
)
def test_another_cell_is_judged_without_equations_and_it_is_told_that_it_does_not_fit() -> None:
    validation = _validated(Another)
    assert validation.outcome == "consistent"
    assert validation.diagnosis is None
    (identification,) = (record for record in validation.checks if record.check == IDENTIFICATION_CHECK)
    assert identification.outcome is Outcome.NOT_RUN
    assert "in no layout of its parameters that is known" in identification.reason
    assert any(record.outcome is Outcome.AGREES for record in validation.checks)
    conclusion = validation_conclusion(validation, REQUEST, writes_program=False)
    assert conclusion.verdict.endswith("but equals indrnn.relu in no layout of its parameters")
    assert conclusion.next_command.startswith("rnn-harness specs show indrnn.relu  ")
