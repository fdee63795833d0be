"""A target's parameters are cut into the slots of a spec: in every way that fits, and without looking at all others."""

from __future__ import annotations

import itertools
import math
from collections import Counter

import numpy as np
import pytest

from rnn_harness.specs import library, literature
from rnn_harness.validation import load_target
from rnn_harness.validation.identification.probe import Probe, Response, probe_target
from rnn_harness.validation.judging import library_match
from rnn_harness.validation.spec_search import slots
from rnn_harness.validation.spec_search.search import TargetSearch
from rnn_harness.validation.spec_search.slots import Slot, spec_layouts
from rnn_harness.validation.spec_search.spec_pieces import spec_pieces
from tests.helpers import far_cells

SIZES = {"n": 5, "d": 3}
EVERYTHING = {
    **{f"of_input_{number}": (5, 3) for number in range(5)},
    **{f"of_state_{number}": (3, 3) for number in range(8)},
    **{f"bias_{number}": (3,) for number in range(4)},
}
CUTS = {
    "stacked": {"of_input": (12, 5), "of_state": (12, 3), "bias": (12,), "inner": (12,)},
    "joined": {"gates": (12, 8), "bias": (12,)},
    "apart": {**{f"w{i}": (3, 5) for i in range(4)}, **{f"u{i}": (3, 3) for i in range(4)}, "b": (12,)},
}


@pytest.mark.parametrize("shapes", CUTS.values(), ids=list(CUTS))
def test_the_layouts_are_those_choices_of_readings_that_have_as_many_slots_as_the_spec_has_pieces(
    shapes: dict[str, tuple[int, ...]],
) -> None:
    pieces = spec_pieces(library().spec("lstm.column").program())
    wanted = Counter(piece.size(SIZES) for piece in pieces)
    readings = [list(slots._readings(name, shape, pieces, SIZES)) for name, shape in shapes.items()]

    def fits(layout: tuple[Slot, ...]) -> bool:
        counts = Counter(tuple(axis.size(SIZES) for axis in slot.shape) for slot in layout)
        most = {shape: wanted[shape] * (slots.MOST_SUMMED if len(shape) == 1 else 1) for shape in counts}
        has_all = all(counts[shape] >= count for shape, count in wanted.items() if len(shape) == 2)
        return has_all and all(counts[shape] <= most[shape] for shape in counts)

    choices = (tuple(itertools.chain(*chosen)) for chosen in itertools.product(*readings))
    expected = list(dict.fromkeys(layout for layout in choices if fits(layout)))
    found = [layout for layout in spec_layouts(shapes, pieces, SIZES) if not any(s.form.interleaved for s in layout)]
    assert expected
    assert found == expected[: slots.MOST_LAYOUTS]


def test_too_many_matrices_are_seen_from_the_first_parameters(monkeypatch: pytest.MonkeyPatch) -> None:
    pieces = spec_pieces(library().spec("lstm.column").program())
    choices = math.prod(len(list(slots._readings(n, shape, pieces, SIZES))) for n, shape in EVERYTHING.items())
    looked_at = 0
    too_many = slots._too_many

    def counted(counts: Counter[tuple[int, ...]], wanted: Counter[tuple[int, ...]]) -> bool:
        nonlocal looked_at
        looked_at += 1
        return too_many(counts, wanted)

    monkeypatch.setattr(slots, "_too_many", counted)
    assert spec_layouts(EVERYTHING, pieces, SIZES) == []
    assert choices > slots.MOST_CHOICES
    assert looked_at < slots.MOST_CHOICES / 8


def test_two_layouts_that_cut_a_slot_alike_have_its_run_in_common(monkeypatch: pytest.MonkeyPatch) -> None:
    probe = probe_target(load_target(f"{far_cells.__file__}:ChaosFree"))
    program = next(spec for spec in literature() if spec.id == "cfn").program()
    search = TargetSearch(probe)
    first, second, *_ = spec_layouts(search.shapes(program), spec_pieces(program), SIZES)
    alike = [(i, j) for i, a in enumerate(first) for j, b in enumerate(second) if a == b]
    runs: list[int] = []
    respond = Probe.respond

    def counted(probe: Probe, parameters: dict[str, np.ndarray], steps: int) -> Response:
        runs.append(steps)
        return respond(probe, parameters, steps)

    monkeypatch.setattr(Probe, "respond", counted)
    assert first != second
    for i, j in alike:
        one = search.runs(first, SIZES).masked(frozenset({i}), 1)
        assert search.runs(second, SIZES).masked(frozenset({j}), 1) is one
    assert len(runs) == len(alike) > 0


def test_all_searches_of_the_library_end_at_one_time(monkeypatch: pytest.MonkeyPatch) -> None:
    deadlines: list[float] = []

    def nothing(search: TargetSearch, _specs: object) -> None:
        deadlines.append(search.deadline)

    monkeypatch.setattr(library_match, "first_match", nothing)
    monkeypatch.setattr(library_match, "first_complement", nothing)
    assert library_match.library_match(probe_target(load_target(f"{far_cells.__file__}:ChaosFree"))) is None
    assert len(deadlines) == 4
    assert len(set(deadlines)) == 1
    assert math.isfinite(deadlines[0])
