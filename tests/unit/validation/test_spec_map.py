"""The parameter map of a cell of a spec file: written, given back, and what a map that does not fit is told."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from rnn_harness.cases.case import Case
from rnn_harness.errors import UsageError
from rnn_harness.records.record import Record
from rnn_harness.records.validation import IDENTIFICATION_CHECK
from rnn_harness.records.verdict import Outcome
from rnn_harness.specs import Spec, parse_spec
from rnn_harness.validation.identification.probe import probe_target
from rnn_harness.validation.judging.own_specs import definition_of
from rnn_harness.validation.judging.spec_file import spec_map_candidate
from rnn_harness.validation.loading.target import target_of
from rnn_harness.validation.replay import Replay
from rnn_harness.validation.spec_search.saved_spec_map import load_spec_map, to_spec_map_file
from rnn_harness.validation.spec_search.search import TargetSearch

TEXT = r"""
id = "own.unit"
title = "A unit of one's own"
inputs = { x = "n" }
states = { s = "d" }
parameters = { W = "d n", U = "d d", b = "d", alpha = "" }
constants = { beta = 1 }

[[equations]]
id = "own-1"
line = 1
printed = 'g_t = \sigma(W x_t + U s_{t-1} + b)'

[[equations]]
id = "own-2"
line = 2
printed = 's_t = \alpha g_t \odot s_{t-1} + \beta (1 - g_t) \odot s_{t-1}'
"""


class Unit(nn.Module):
    """The unit with one matrix on [x, s], and beta = 0.25."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.both = nn.Linear(input_size + hidden_size, hidden_size)
        self.scale = nn.Parameter(torch.tensor([0.7]))

    def gate(self, x: Tensor, h: Tensor) -> Tensor:
        return torch.sigmoid(self.both(torch.cat([x, h], 1)))

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        g = self.gate(x, h)
        return self.scale * g * h + 0.25 * (1 - g) * h


class WrongUnit(Unit):
    """The scale is left out."""

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        g = self.gate(x, h)
        return g * h + 0.25 * (1 - g) * h + 0 * self.scale


class OtherNames(nn.Module):
    """A cell whose parameters are called otherwise."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.inner, self.outer = nn.Linear(input_size, hidden_size), nn.Linear(hidden_size, hidden_size)

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        return torch.tanh(self.inner(x) + self.outer(h))


@pytest.fixture(name="path")
def saved(tmp_path: Path) -> Path:
    probe = probe_target(target_of("cell", Unit))
    match = TargetSearch(probe).match_spec(own_spec())
    assert match is not None
    path = tmp_path / "map.json"
    path.write_text(to_spec_map_file(match, probe.convention).model_dump_json(indent=1), encoding="utf-8")
    return path


def own_spec() -> Spec:
    return parse_spec(TEXT, Path("own.toml"))


def test_a_map_that_is_given_back_ties_the_cell_as_before(path: Path) -> None:
    match = load_spec_map(path)
    assert match is not None
    assert match.spec.model.constants == {"beta": "1/4"}
    candidate = spec_map_candidate(target_of("cell", Unit), match, "auto", ("float64",))
    assert candidate.match == match
    assert candidate.sentence == "A unit of one's own; beta = 0.25; scale = alpha, both.weight = W U, both.bias = b"


def test_a_wrong_cell_that_is_given_a_map_is_told_its_mistake(path: Path) -> None:
    match = load_spec_map(path)
    assert match is not None
    candidate = spec_map_candidate(target_of("cell", WrongUnit), match, "auto", ("float64",))
    assert candidate.match is None
    diagnosis = candidate.diagnosis()
    assert diagnosis is not None
    assert (diagnosis.part, "is not multiplied by alpha" in diagnosis.difference) == ("forward: own-2", True)


def test_a_map_of_another_cell_is_refused_with_the_names_at_fault(path: Path) -> None:
    match = load_spec_map(path)
    assert match is not None
    with pytest.raises(UsageError, match=r"has no parameter both\.bias, both\.weight, scale, which the map names"):
        spec_map_candidate(target_of("cell", OtherNames), match, "auto", ("float64",))
    with pytest.raises(UsageError, match=r"the map is one of own\.unit, and --spec asks for mgu"):
        spec_map_candidate(target_of("cell", Unit), match, "mgu", ("float64",))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"slots": 3}, "slots"),
        ({"forms": {}}, "there is no form of the parameter"),
        ({"spec": {"id": "x"}}, "title"),
    ],
    ids=["slots that are none", "a form is missing", "a spec that is none"],
)
def test_a_damaged_map_is_refused_with_its_path(path: Path, change: dict[str, object], words: str) -> None:
    path.write_text(json.dumps(json.loads(path.read_text(encoding="utf-8")) | change), encoding="utf-8")
    with pytest.raises(UsageError, match=words):
        load_spec_map(path)


CELL = """
import torch
from torch import nn


class Cell(nn.Module):
    def __init__(self, input_size, hidden_size):
        super().__init__()
        self.both = nn.Linear(input_size + hidden_size, hidden_size)
        self.scale = nn.Parameter(torch.tensor([0.7]))

    def forward(self, x, h):
        g = torch.sigmoid(self.both(torch.cat([x, h], 1)))
        return self.scale * GATED + 0.25 * (1 - g) * h
"""


@pytest.mark.parametrize(("gated", "agrees"), [("g * h", True), ("h", False)], ids=["mended", "still wrong"])
def test_a_record_is_replayed_against_the_spec_that_it_holds(tmp_path: Path, gated: str, agrees: bool) -> None:
    path = tmp_path / "cell.py"
    path.write_text(CELL.replace("GATED", gated), encoding="utf-8")
    record = Record(
        entry="own.unit",
        spec="own.unit",
        check="forward.equations",
        witness="kernel",
        outcome=Outcome.REFUTED,
        case=Case(spec="own.unit", n=2, d=3, T=2, B=2, seed=1),
        kernel=f"{path}:Cell",
        dtype="float64",
        definition=definition_of(own_spec()),
    )
    names = ("precision.format", IDENTIFICATION_CHECK)
    findings = [Replay().of(record.model_copy(update={"check": name})).finding for name in names]
    assert [finding.agrees for finding in findings] == [agrees, agrees]
