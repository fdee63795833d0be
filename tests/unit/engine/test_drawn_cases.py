"""The same seed draws the same cases, in whatever folder and beside whatever modules."""

from __future__ import annotations

import pytest

from rnn_harness.cases.case import Case
from rnn_harness.engine.runner import Runner, RunPlan
from rnn_harness.specs import library
from rnn_harness.subjects.subject import Subject

providers = pytest.importorskip("hypothesis.internal.conjecture.providers", reason="this Hypothesis reads no modules")


def _drawn(monkeypatch: pytest.MonkeyPatch) -> list[Case]:
    cases: list[Case] = []
    monkeypatch.setattr(Runner, "try_case", lambda _, case, guarded=True: cases.append(case))
    Runner(Subject.of(library().spec("rnn.tanh")), RunPlan(())).run(seed=0, examples=12)
    return cases


@pytest.mark.skipif(not hasattr(providers, "_get_local_constants"), reason="this Hypothesis reads no modules")
def test_constants_of_the_users_modules_are_not_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    before = _drawn(monkeypatch)
    constants = providers.Constants(integers=tuple(range(2, 40)), floats=(0.123, 2.5), bytes=(), strings=())
    monkeypatch.setattr(providers, "_get_local_constants", lambda: constants)
    monkeypatch.setattr(providers, "CONSTANTS_CACHE", {})
    assert _drawn(monkeypatch) == before
    assert len(before) > 12
