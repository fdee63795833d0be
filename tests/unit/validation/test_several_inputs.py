"""A cell with a mask beside its input is judged by the equations of a spec with both, which it has side by side."""

from __future__ import annotations

from pathlib import Path

import pytest

from rnn_harness.records.validation import Validation
from rnn_harness.validation import ValidationRequest, collect_validation, load_target, run_validation
from rnn_harness.validation.identification.probe import probe_target
from rnn_harness.validation.judging.own_specs import load_spec_file
from rnn_harness.validation.spec_search.search import TargetSearch
from tests.helpers import sized_cells

SPEC = """
id = "masked"
title = "GRU with a mask beside the input"
inputs = { x = "n", m = "n" }
states = { h = "d" }
parameters = { W_z = "d n", U_z = "d d", V_z = "d n", b_z = "d", W_r = "d n", U_r = "d d", V_r = "d n", b_r = "d", \
W_h = "d n", U_h = "d d", V_h = "d n", b_h = "d" }
[[equations]]
id = "M-1"
printed = 'z_t = \\sigma(W_z x_t + U_z h_{t-1} + V_z m_t + b_z)'
[[equations]]
id = "M-2"
printed = 'r_t = \\sigma(W_r x_t + U_r h_{t-1} + V_r m_t + b_r)'
[[equations]]
id = "M-3"
printed = '\\tilde{h}_t = \\tanh(W_h x_t + U_h (r_t \\odot h_{t-1}) + V_h m_t + b_h)'
[[equations]]
id = "M-4"
printed = 'h_t = (1 - z_t) \\odot h_{t-1} + z_t \\odot \\tilde{h}_t'
"""


def _file(folder: Path) -> Path:
    file = folder / "masked.toml"
    file.write_text(SPEC)
    return file


def test_the_right_one_is_the_spec_and_the_wrong_one_is_not(tmp_path: Path) -> None:
    spec = load_spec_file(str(_file(tmp_path)))
    cells = {name: probe_target(load_target(f"{sized_cells.__file__}:{name}")) for name in ("Masked", "MaskedOutside")}
    matches = {name: TargetSearch(probe).match_spec(spec) for name, probe in cells.items()}
    assert matches["Masked"] is not None
    assert "candidate.weight = W_h U_h V_h" in matches["Masked"].sentence()
    assert matches["MaskedOutside"] is None


def _validated(name: str, folder: Path) -> Validation:
    target = load_target(f"{sized_cells.__file__}:{name}")
    request = ValidationRequest(spec=str(_file(folder)), dtypes=("float64",), examples=0)
    return collect_validation(name, run_validation(target, request))


@pytest.mark.deep(
    "tests/unit/validation/test_several_inputs.py::test_the_right_one_is_the_spec_and_the_wrong_one_is_not"
)
def test_the_right_one_agrees_in_every_check(tmp_path: Path) -> None:
    validation = _validated("Masked", tmp_path)
    assert validation.outcome == "agrees"
    assert not [record.check for record in validation.checks if record.check.startswith("metamorphic")]


@pytest.mark.deep(
    "tests/unit/validation/test_several_inputs.py::test_the_right_one_is_the_spec_and_the_wrong_one_is_not"
)
def test_the_equation_of_the_wrong_one_is_named(tmp_path: Path) -> None:
    validation = _validated("MaskedOutside", tmp_path)
    assert validation.outcome == "refuted"
    assert validation.diagnosis is not None
    assert "M-3: 1 - r stands where r should" in validation.diagnosis.sentence()


def test_a_cell_of_gaps_that_keeps_what_it_saw_last_is_known() -> None:
    target = load_target(f"{sized_cells.__file__}:GapsWithLast")
    assert "states, of widths 3, 5, are judged side by side" in " ".join(target.capabilities.notes)
    validation = collect_validation("cell", run_validation(target, ValidationRequest(dtypes=("float64",), examples=0)))
    assert (validation.outcome, validation.spec) == ("agrees", "grud.centred")
