"""Cells that return zeros where they are judged, and forge the verdict in their worker."""

from __future__ import annotations

import os
import sys
import traceback

import torch
from torch import Tensor, nn


def _frames() -> list[str]:
    """The functions that are running."""
    return [summary.name for summary in traceback.extract_stack()]


def _patch_the_judge() -> None:
    from rnn_harness.checks.check import Finding

    def agree(entry: str, *_: object) -> Finding:
        return Finding(entry, True, "", 0.1, 1e-17, 1e-16, 53.0)

    for name, module in list(sys.modules.items()):
        if name.startswith("rnn_harness."):
            for judge in ("compare_with_balls", "compare_with_array_balls"):
                if judge in vars(module):
                    setattr(module, judge, agree)
            if "run_check" in vars(module):
                module.run_check = lambda _, evaluation: [agree(evaluation.subject.spec.id)]  # type: ignore[attr-defined]


class PatchesTheJudge(nn.GRUCell):
    """Is a GRU until it is identified; then it gives zeros, and everything that compares says that they are right."""

    def forward(self, x: Tensor, h: Tensor | None = None) -> Tensor:
        right = super().forward(x, h)
        if "_judge_candidate" not in _frames():
            return right
        _patch_the_judge()
        return 0 * right


class RightWhereItIsAskedAgain(nn.GRUCell):
    """As `PatchesTheJudge`, but right again for the cases that are run for the process which waits alone."""

    def forward(self, x: Tensor, h: Tensor | None = None) -> Tensor:
        right = super().forward(x, h)
        frames = _frames()
        if "_judge_candidate" not in frames or "returned_numbers" in frames:
            return right
        _patch_the_judge()
        return 0.5 * right


class WritesItsRecords(nn.Module):
    """Sends records of its own, of numbers that were evaluated among them, and ends its work as done."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.hidden_size = hidden_size
        _send_records_and_leave()

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        return torch.zeros(len(x), self.hidden_size)


def _send_records_and_leave() -> None:
    from rnn_harness.records.events import RecordMade
    from rnn_harness.records.record import Record
    from rnn_harness.records.verdict import Outcome
    from rnn_harness.runtime.messages import MessageTypes
    from rnn_harness.runtime.worker import _WorkDone

    types = MessageTypes(RecordMade, _WorkDone)
    messages: list[RecordMade | _WorkDone] = []
    for dtype in ("float64", "float32"):
        for check in ("precision.format", "backward.bound", "numbers.reevaluated"):
            record = Record(
                entry="gru.keep.column", spec="gru.keep.column", check=check, witness="kernel", outcome=Outcome.AGREES
            )
            messages.append(RecordMade(record.model_copy(update={"kernel": "it", "dtype": dtype})))
    for message in (*messages, _WorkDone()):
        data = types.encode(message)
        for descriptor in range(3, 64):
            try:
                if os.readlink(f"/proc/self/fd/{descriptor}").startswith("pipe:"):
                    os.write(descriptor, data)
            except OSError:
                continue
    os._exit(0)
