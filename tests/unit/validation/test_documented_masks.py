"""What a documentation says of a mask is read where it is plain, and held against what the mask does."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from rnn_harness.records.verdict import Outcome
from rnn_harness.validation import load_target
from rnn_harness.validation.cells.capabilities import CellSizes, TargetCapabilities
from rnn_harness.validation.cells.documented_mask import documented_mask, kept_state_in_texts
from rnn_harness.validation.consistency.consistency_property import Draw, Note, Violation
from rnn_harness.validation.consistency.context_properties import CONTEXT_PROPERTIES
from rnn_harness.validation.consistency.driven_cell import make_cell
from rnn_harness.validation.consistency.length_properties import LENGTH_PROPERTIES
from rnn_harness.validation.loading.context_search import context_step
from rnn_harness.validation.loading.find_convention import find_convention
from rnn_harness.validation.loading.joined_inputs import joined_inputs
from rnn_harness.validation.models.check_masks import check_masks
from rnn_harness.validation.models.understand import understand
from tests.helpers import HELPERS
from tests.helpers.consistent_cells import WithMask


def documenting(text: str) -> nn.Module:
    """A module with a documentation."""
    module: nn.Module = type("Documented", (nn.Module,), {"__doc__": text})()
    return module


@pytest.mark.parametrize(
    ("text", "counting"),
    [
        ("mask: (B, S) bool, True for real tokens and False for padding.", 1),
        ("mask (B, 1, S) with 1 = measured and 0 = missing", 1),
        ("mask: True where the token is padding", 0),
        ("mask: padding positions are True", 0),
        ("mask: ones at positions that are not padded", 1),
        ("mask: True = unobserved", 0),
        ("mask: 1 at invalid steps", 0),
        ("mask: valid steps have 1, the others 0", 1),
    ],
)
def test_a_plain_sentence_says_which_value_counts(text: str, counting: int) -> None:
    documented = documented_mask(documenting(text), "mask")
    assert documented is not None
    assert documented.counting == counting


@pytest.mark.parametrize(
    "text",
    [
        "mask: (B, S), the positions of the source",
        "mask: True is not allowed to be attended",
        "mask: True for padding. The mask is True for valid steps.",
        "mask: bool, default True. Padding is left out.",
        "x: valid where it is 1. mask: (B, S)",
        "mask: one of several ways to leave out padding",
    ],
)
def test_nothing_is_read_that_is_not_said(text: str) -> None:
    assert documented_mask(documenting(text), "mask") is None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Where the mask is 0 the step is skipped: the state is carried over.", "0 the step is skipped"),
        ("mask (B, T). The hidden state is kept at padded steps.", "hidden state is kept at padded"),
        ("mask: 1 keeps the state, 0 resets it at the start of an episode", ""),
        ("mask: 1 keeps the state and 0 lets it go", ""),
        ("mask: the state is not carried over where it is 0", ""),
        ("The state is kept where lengths are 0.", ""),
    ],
)
def test_that_a_state_stays_where_a_mask_is_0_is_read_where_it_is_said(text: str, words: str) -> None:
    assert kept_state_in_texts([text], "mask") == words


def test_a_mask_of_keys_is_named_as_in_torch() -> None:
    documented = documented_mask(documenting("Attention."), "key_padding_mask")
    assert documented is not None
    assert documented.counting == 0


class Attending(nn.Module):
    """A step that attends to positions.

    src_mask: (B, S) bool, True for real positions and False for padding.
    """

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.query, self.cell = nn.Linear(hidden_size, 8), nn.GRUCell(input_size + 8, hidden_size)

    def forward(self, x: Tensor, h: Tensor, memory: Tensor, src_mask: Tensor) -> Tensor:
        scores = torch.einsum("bk,bsk->bs", self.query(h), memory).masked_fill(self.left_out(src_mask), -1e9)
        new: Tensor = self.cell(torch.cat([x, torch.einsum("bs,bsk->bk", scores.softmax(1), memory)], 1), h)
        return new

    def left_out(self, mask: Tensor) -> Tensor:
        return ~mask


class AttendingToPadding(Attending):
    __doc__ = Attending.__doc__

    def left_out(self, mask: Tensor) -> Tensor:
        return mask


class AttendingUnsaid(AttendingToPadding):
    """A step that attends to positions; nothing is said of src_mask."""


def decided_on_context(module: nn.Module) -> Violation | Note | None:
    joined = context_step(module, CellSizes(5, 3))
    assert joined is not None
    wrapped = joined.wrap(module).double().eval()
    convention = find_convention(wrapped, *joined.sizes)
    cell = make_cell(lambda _n, _d: wrapped, TargetCapabilities(), convention, joined.sizes, "float64", ("h",))
    return CONTEXT_PROPERTIES[0].decide(Draw(cell, 1))


def test_a_mask_that_leaves_out_what_is_said_to_count_is_refuted() -> None:
    assert decided_on_context(Attending(5, 3)) is None
    violation = decided_on_context(AttendingToPadding(5, 3))
    assert isinstance(violation, Violation)
    assert "src_mask is turned around: a position at which it is True is left out" in violation.sentence


def test_a_mask_of_which_nothing_is_said_is_told_and_not_refuted() -> None:
    note = decided_on_context(AttendingUnsaid(5, 3))
    assert isinstance(note, Note)
    assert "a position at which src_mask is True is left out; nothing is said" in note.sentence


class Imputing(nn.Module):
    """A step on values with gaps.

    observed is 1 where a value was measured and 0 where it is missing.
    """

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.x2h, self.h2h = nn.Linear(2 * input_size, hidden_size), nn.Linear(hidden_size, hidden_size)
        self.fill = nn.Parameter(torch.zeros(input_size))

    def forward(self, x: Tensor, observed: Tensor, h: Tensor) -> Tensor:
        kept = self.kept(observed)
        imputed = kept * x + (1 - kept) * self.fill
        return torch.sin(self.x2h(torch.cat([imputed, observed], -1)) + self.h2h(h))

    def kept(self, observed: Tensor) -> Tensor:
        return observed


class ImputesWhatIsMeasured(Imputing):
    __doc__ = Imputing.__doc__

    def kept(self, observed: Tensor) -> Tensor:
        return 1 - observed


class ImputesUnsaid(ImputesWhatIsMeasured):
    """A step on values with gaps; nothing is said of observed."""


def decided_on_values(module: nn.Module) -> Violation | Note | None:
    joined = joined_inputs(module, CellSizes(5, 3))
    assert joined is not None
    wrapped = joined.wrap(module).double().eval()
    convention = find_convention(wrapped, *joined.sizes)
    cell = make_cell(lambda _n, _d: wrapped, TargetCapabilities(), convention, joined.sizes, "float64", ("h",))
    return CONTEXT_PROPERTIES[1].decide(Draw(cell, 1))


def test_an_imputation_in_the_place_of_what_was_measured_is_refuted() -> None:
    assert decided_on_values(Imputing(5, 3)) is None
    violation = decided_on_values(ImputesWhatIsMeasured(5, 3))
    assert isinstance(violation, Violation)
    assert "observed is turned around: x reaches the state of its step where observed is 0" in violation.sentence
    assert isinstance(decided_on_values(ImputesUnsaid(5, 3)), Note)


@pytest.mark.parametrize(
    ("name", "outcome"),
    [("Series", Outcome.AGREES), ("SeriesTurnedAround", Outcome.REFUTED), ("RawSeries", Outcome.NOT_RUN)],
)
def test_a_model_of_series_with_gaps_is_held_to_what_it_says_of_its_mask(name: str, outcome: Outcome) -> None:
    model = understand(load_target(f"{HELPERS / 'series_with_gaps.py'}:{name}"))
    (statement,) = check_masks(model.with_numbers(0))
    assert statement.outcome is outcome


class ZeroesItsStateWhereTheMaskIsZero(WithMask):
    """Where mask is 0 the step is skipped: the state is carried over as it is."""

    def forward(self, x: Tensor, h: Tensor, mask: Tensor | None = None) -> tuple[Tensor, Tensor]:
        states = []
        for step, xt in enumerate(x.unbind(1)):
            h = self.step(xt, h) * (1 if mask is None else mask[:, step, None])
            states.append(h)
        return self.given_back(states), h


def test_a_state_that_does_not_stay_as_it_is_said_to_is_refuted() -> None:
    module = ZeroesItsStateWhereTheMaskIsZero(5, 3).double().eval()
    convention = find_convention(module, 5, 3)
    cell = make_cell(lambda _n, _d: module, TargetCapabilities(), convention, CellSizes(5, 3), "float64", ("h",))
    violation = LENGTH_PROPERTIES[0].decide(Draw(cell, 1))
    assert isinstance(violation, Violation)
    assert violation.sentence.endswith('its documentation says "0 the step is skipped"')
