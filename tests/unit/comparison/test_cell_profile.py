"""``bench --cell``: what is known of any cell by itself, whether or not kernels of its spec are timed."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn
from typer.testing import CliRunner

from rnn_harness.cli._app import app
from rnn_harness.cli._bench_options import CellOptions
from rnn_harness.cli._bench_profiles import profile_cells
from rnn_harness.comparison.describe_cell import describe
from rnn_harness.comparison.profile_cell import cell_profile
from rnn_harness.errors import UsageError
from rnn_harness.records.cell_profile import CellProfile
from rnn_harness.reports.text.cell_profile import profile_text
from rnn_harness.validation import ValidationRequest, target_of
from tests.helpers import HELPERS

RUN = CliRunner()
CELLS = HELPERS / "user_cells.py"


class ForgetBiasInTheCandidate(nn.LSTMCell):
    """Sets the bias of the third quarter to one, which torch gives the candidate."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__(input_size, hidden_size)
        with torch.no_grad():
            for bias in (self.bias_ih, self.bias_hh):
                bias.zero_()
            self.bias_ih[2 * hidden_size : 3 * hidden_size] = 1

    def forward(self, x: Tensor, state: tuple[Tensor, Tensor] | None = None) -> tuple[Tensor, Tensor]:
        return super().forward(x, state)


def test_a_forget_bias_in_the_quarter_of_the_candidate_shows() -> None:
    target = target_of("Mine", ForgetBiasInTheCandidate)
    profile = cell_profile(describe(ValidationRequest("Mine"), target))
    assert profile.is_counted
    assert profile.formula == "4 d d + 4 d n + 8 d"
    assert profile.parameters == 4 * 64 * 64 * 2 + 8 * 64
    means = {weight.name.partition(",")[0]: (weight.mean, weight.deviation) for weight in profile.weights}
    assert means["b_g"] == (1.0, 0.0)
    assert means["b_f"] == (0.0, 0.0)
    assert profile.decay_by == "products"
    assert profile.decay == pytest.approx(profile.decay_by_equations, rel=1e-9)
    text = profile_text(profile)
    assert f"x {profile.decay:.3f} by its own vector-Jacobian products (by its equations: x " in text
    assert "b_g, the bias of the candidate" in text
    assert re.search(r"forward and backward  \d+\.\d\d ms, nn\.LSTM \d+\.\d\d ms: x \d", text)


@pytest.mark.usefixtures("in_process")
def test_no_cell_is_refused_and_those_of_a_timed_spec_are_timed_too() -> None:
    unknown = f"{HELPERS / 'consistent_cells.py'}:SineCell"
    profiled = profile_cells((f"{CELLS}:PackedGRU", f"{CELLS}:OneBiasResetAfter", unknown))
    assert profiled.timed == (f"{CELLS}:PackedGRU",)
    assert profiled.driven == (f"{CELLS}:PackedGRU", f"{CELLS}:OneBiasResetAfter", unknown)
    assert [profile.is_known for profile in profiled.profiles] == [True, True, False]
    text = profile_text(profiled.profiles[2])
    assert profiled.profiles[2].decay_by == "products"
    assert f"x {profiled.profiles[2].decay:.3f} by its own vector-Jacobian products, with the weights" in text
    assert "what it should compute is not known, so its numbers are not checked" in text


@pytest.mark.process
@pytest.mark.deep(
    "tests/unit/benchmarks/test_bench.py::test_a_job_that_raises_or_whose_worker_dies_is_told_and_the_others_are_done"
)
def test_a_cell_that_leaves_is_told_and_decides_nothing() -> None:
    result = RUN.invoke(app, ["bench", "parameters", "--quick", "--cell", f"{CELLS}:LeavingAtOnce"])
    assert result.exit_code == 3, result.output
    assert f"{CELLS}:LeavingAtOnce: its process ended with exit code 9 while it was profiled" in result.stdout
    assert "nothing is measured of it" in result.stdout


def test_a_cell_without_gradients_shows_those_of_its_equations_and_one_that_is_cut_shows_none() -> None:
    profile = CellProfile("x", "a cell", is_known=True, decay=0.5, decay_by="equations", decay_note="it has none")
    assert "gradient a step back  x 0.500 by its equations (it has none), with" in profile_text(profile)
    cut = replace(profile, decay=None, decay_by="products", decay_by_equations=0.5, decay_note="")
    assert "back  zero or not finite by its own vector-Jacobian products (by its equations: x 0.500)" in profile_text(
        cut
    )


@pytest.mark.usefixtures("in_process")
def test_a_cell_is_made_with_its_options_and_held_against_its_spec_first() -> None:
    options = CellOptions(("num_layers=1", "bidirectional=False"), "torch", spec="mgu", timeout=60.0)
    profiled = profile_cells(("torch.nn:RNN", "mgu"), options, ("mgu",))
    layer, itself = profiled.profiles
    assert "num_layers=1" not in layer.sentence
    assert layer.note.startswith("it does not equal mgu: rnn-harness validate torch.nn:RNN --spec mgu says where")
    assert itself.sentence.startswith("Minimal gated unit (Zhou 2016)")
    assert profiled.timed == ("torch.nn:RNN", "mgu")
    with pytest.raises(UsageError, match="unexpected keyword argument 'nosuch'"):
        profile_cells(("torch.nn:RNN",), CellOptions(("nosuch=1",)))
