"""Torch steps that are given an encoder's outputs or a mask over positions beside their input and states."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from rnn_harness.validation.cells.capabilities import CellSizes, TargetCapabilities
from rnn_harness.validation.consistency.consistency_property import Draw, Note, Violation
from rnn_harness.validation.consistency.driven_cell import DrivenCell, make_cell
from rnn_harness.validation.consistency.unknown_cell import PROPERTIES
from rnn_harness.validation.loading.context_inputs import ContextStep
from rnn_harness.validation.loading.context_search import context_step
from rnn_harness.validation.loading.find_convention import find_convention
from rnn_harness.validation.loading.target import target_of


class Captioner(nn.Module):
    """An LSTM that attends to the regions of an image, whose features are wider than its state."""

    def __init__(self, input_size: int, hidden_size: int, feature_size: int = 8) -> None:
        super().__init__()
        self.of_features, self.of_state = nn.Linear(feature_size, 4), nn.Linear(hidden_size, 4)
        self.score = nn.Linear(4, 1)
        self.cell = nn.LSTMCell(input_size + feature_size, hidden_size)

    def forward(self, x: Tensor, h: Tensor, c: Tensor, features: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        scores = self.score(torch.tanh(self.of_features(features) + self.of_state(h)[:, None])).squeeze(2)
        weights = scores.softmax(self.axis)
        h, c = self.cell(torch.cat([x, (features * weights[..., None]).sum(1)], 1), (h, c))
        return h, c, weights

    axis = 1


class OverRows(Captioner):
    """One whose weights sum to one over the rows of the batch."""

    axis = 0


class Decoder(nn.Module):
    """A GRU over tokens that attends to an encoder's outputs, steps first, but for those that are padding."""

    def __init__(self, embedding_size: int, hidden_size: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(7, embedding_size)
        self.gru = nn.GRU(embedding_size + hidden_size, hidden_size)

    def forward(self, token: Tensor, hidden: Tensor, encoder_outputs: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        scores = self.masked((encoder_outputs * hidden).sum(2).T, mask)
        attended = torch.einsum("bs,sbe->be", scores.softmax(1), encoder_outputs)
        outputs, hidden = self.gru(torch.cat([self.embedding(token), attended[None]], 2), hidden)
        return outputs[0], hidden

    def masked(self, scores: Tensor, mask: Tensor) -> Tensor:
        return scores.masked_fill(~mask, float("-inf"))


class MaskedByZeros(Decoder):
    """One whose masked scores are zero, and so still count."""

    def masked(self, scores: Tensor, mask: Tensor) -> Tensor:
        return scores * mask


class Reshaped(Decoder):
    """One that takes the encoder's outputs, steps first, as if rows came first."""

    def forward(self, token: Tensor, hidden: Tensor, encoder_outputs: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        steps, rows, width = encoder_outputs.shape
        as_rows = encoder_outputs.reshape(rows, steps, width).transpose(0, 1)
        return super().forward(token, hidden, as_rows, mask)


def found_step(module: nn.Module) -> ContextStep:
    joined = context_step(module, CellSizes(5, 3))
    assert joined is not None
    return joined


def driven(module: nn.Module) -> DrivenCell:
    joined = found_step(module)
    wrapped = joined.wrap(module).double().eval()
    convention = find_convention(wrapped, *joined.sizes)
    return make_cell(lambda _n, _d: wrapped, TargetCapabilities(), convention, joined.sizes, "float64", ("h", "c"))


def violation(name: str, module: nn.Module) -> Violation | Note | None:
    (prop,) = (prop for prop in PROPERTIES if prop.name == name)
    return prop.decide(Draw(driven(module), 1))


def test_features_and_a_token_are_found_beside_the_states() -> None:
    captioner, decoder = found_step(Captioner(5, 3)), found_step(Decoder(5, 3))
    assert [(context.name, context.axes, context.width) for context in captioner.contexts] == [("features", "BSe", 8)]
    assert (captioner.x_axes, captioner.states, captioner.state_axes) == ("Bn", ("h", "c"), "Bd")
    assert [(context.name, context.axes) for context in decoder.contexts] == [
        ("encoder_outputs", "SBe"),
        ("mask", "BS"),
    ]
    assert (decoder.x_axes, decoder.states, decoder.state_axes) == ("1B", ("hidden",), "1Bd")


def test_a_step_that_mixes_rows_is_still_driven_with_rows_and_refuted() -> None:
    assert isinstance(violation("rows-apart", OverRows(5, 3)), Violation)
    assert violation("rows-apart", Captioner(5, 3)) is None


def test_what_mixes_rows_over_several_positions_is_not_taken_for_a_step_of_one_position() -> None:
    assert [context.axes for context in found_step(Reshaped(5, 3)).contexts] == ["SBe", "BS"]


def test_a_gradient_that_is_zero_by_its_formula_breaks_no_sum() -> None:
    assert violation("gradients-add-up", Captioner(5, 3)) is None


@pytest.mark.parametrize(("decoder", "is_wrong"), [(Decoder, False), (MaskedByZeros, True)])
def test_what_a_mask_leaves_out_must_reach_nothing(decoder: type[Decoder], is_wrong: bool) -> None:
    assert isinstance(violation("context-mask", decoder(5, 3)), Violation) == is_wrong


def test_a_target_with_contexts_is_driven_and_says_so() -> None:
    target = target_of("Captioner", Captioner)
    assert target.capabilities.notes == ("its inputs x, features are judged side by side as one, of any numbers",)


def test_a_cell_with_no_context_is_left_as_it_is() -> None:
    assert context_step(nn.GRUCell(5, 3), CellSizes(5, 3)) is None
