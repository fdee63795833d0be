"""A cell in float64 that casts some of its numbers to float32 on the way is refuted, forward and backward."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from rnn_harness.array_types import Array, IndexArray
from rnn_harness.cases.fixed_cases import fixed_cases
from rnn_harness.checks import all_checks
from rnn_harness.engine.runner import run_check
from rnn_harness.evaluation.evaluation import Evaluation
from rnn_harness.references import Gradients, Reference, Run
from rnn_harness.specs import library
from rnn_harness.subjects.subject import Subject

CHECKS = {check.name: check for check in all_checks()}


class CastingCell:
    """The reference of a spec, whose parameters, inputs, states or cotangents pass through float32."""

    def __init__(self, right: Reference, what: str) -> None:
        self.right, self.what = right, what

    def __getattr__(self, name: str) -> Any:
        return getattr(self.right, name)

    def _table(self, what: str, table: Mapping[str, Array]) -> dict[str, Array]:
        return {name: self._cast(what, value) for name, value in table.items()}

    def _cast(self, what: str, value: Array) -> Array:
        return value.astype(np.float32).astype(value.dtype) if what == self.what else value

    def forward(
        self,
        parameters: Mapping[str, Array],
        inputs: Array,
        states: Mapping[str, Array] | None = None,
        lengths: IndexArray | None = None,
    ) -> Run:
        initial = None if states is None else self._table("states", states)
        table = self._table("parameters", parameters)
        return self.right.forward(table, self._cast("inputs", inputs), initial, lengths)

    def backward(self, run: Run, d_outputs: Array, d_finals: Mapping[str, Array] | None = None) -> Gradients:
        finals = None if d_finals is None else self._table("cotangents", d_finals)
        return self.right.backward(run, self._cast("cotangents", d_outputs), finals)


@pytest.mark.parametrize("spec", ["rnn.tanh", "gru.keep.column", "lstm.column"])
@pytest.mark.parametrize("what", ["parameters", "inputs", "states", "cotangents"])
def test_numbers_cast_to_float32_are_refuted_in_float64(spec: str, what: str) -> None:
    loaded = library().spec(spec)
    right = Subject.of(loaded)
    cell: Any = CastingCell(right.cell, what)
    forward = [] if what == "cotangents" else ["forward.sequence"]
    for case in [case for case in fixed_cases(spec) if case.dtype == "float64"][:3]:
        for name in (*forward, "backward.bound"):
            (wrong,) = run_check(CHECKS[name], Evaluation.of(Subject.of(loaded, cell), case))
            assert not wrong.agrees, (name, case)
            (agreeing,) = run_check(CHECKS[name], Evaluation.of(right, case))
            assert agreeing.agrees, (name, case)
