"""Parameters of a model that reach no output are told, and decide nothing."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from rnn_harness.records.verdict import Outcome
from rnn_harness.validation import target_of
from rnn_harness.validation.models.judge_model import wiring_statements
from rnn_harness.validation.models.understand import UnderstoodModel, understand


class AttentionOverSteps(nn.Module):
    axis = 1

    def __init__(self) -> None:
        super().__init__()
        self.gru = nn.GRU(4, 6, batch_first=True)
        self.score = nn.Linear(6, 1, bias=False)
        self.out = nn.Linear(6, 3)

    def forward(self, x: Tensor) -> Tensor:
        outputs, _ = self.gru(x)
        weights = torch.softmax(self.score(outputs), dim=self.axis)
        return self.out((weights * outputs).sum(1))


class AttentionOverOnePlace(AttentionOverSteps):
    axis = -1


class WithAHeadForLater(AttentionOverSteps):
    def __init__(self) -> None:
        super().__init__()
        self.later = nn.Linear(6, 2)


@pytest.mark.parametrize(
    ("model_class", "silent"),
    [
        (AttentionOverSteps, ""),
        (AttentionOverOnePlace, "score.weight has no influence on any output"),
        (WithAHeadForLater, "later.weight and later.bias have no influence on any output"),
    ],
)
def test_parameters_without_influence_are_told(model_class: type[nn.Module], silent: str) -> None:
    model = understand(target_of("model", model_class))
    assert isinstance(model, UnderstoodModel)
    statements = wiring_statements(model)
    assert not [statement for statement in statements if statement.outcome is Outcome.REFUTED]
    sentences = [statement.sentence for statement in statements if statement.check == "parameters"]
    assert len(sentences) == bool(silent)
    assert all(sentence.startswith(silent) for sentence in sentences)
