"""A target is judged in the formats that are asked for; in those that it refuses it is not, and that is reported."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from rnn_harness.records.validation_summary import summary_text
from rnn_harness.records.verdict import Outcome
from rnn_harness.validation import Validation, ValidationRequest, collect_validation, run_validation, target_of
from rnn_harness.validation.consistency.unknown_cell import judge_unknown
from rnn_harness.validation.identification.probe import probe_target


class SummedProducts(nn.Module):
    """A simple RNN that rounds every product before it adds them up."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.w = nn.Parameter(torch.randn(hidden_size, input_size))
        self.u = nn.Parameter(torch.randn(hidden_size, hidden_size))

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        return torch.tanh((self.w * x[:, None]).sum(-1) + (self.u * h[:, None]).sum(-1))


class CutGradient(SummedProducts):
    """The same without a gradient through the state."""

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        return super().forward(x, h.detach())


class NoShortFormat(SummedProducts):
    """The same, which refuses bfloat16."""

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        if x.dtype == torch.bfloat16:
            raise TypeError("no kernel for bfloat16")
        return super().forward(x, h)


class NoDouble(SummedProducts):
    """The same, which refuses float64."""

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        if x.dtype == torch.float64:
            raise TypeError("no kernel for float64")
        return super().forward(x, h)


class UnknownWithoutDouble(NoDouble):
    """Another cell, which equals none that is known."""

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        return torch.sin(super().forward(x, h)) + 0.3 * h


def _validated(cell: type[nn.Module], *dtypes: str) -> Validation:
    request = ValidationRequest(dtypes=dtypes, examples=0)
    return collect_validation(cell.__name__, run_validation(target_of(cell.__name__, cell), request))


def test_a_right_cell_agrees_in_bfloat16_however_it_adds_up() -> None:
    validation = _validated(SummedProducts, "bfloat16")
    assert validation.outcome == "agrees", [record.reason for record in validation.checks]
    assert {record.dtype for record in validation.checks if record.check.startswith("backward.")} == {"bfloat16"}


def test_a_wrong_gradient_is_refuted_in_bfloat16() -> None:
    validation = _validated(CutGradient, "bfloat16")
    assert validation.outcome == "refuted"
    assert validation.diagnosis is not None
    assert "gradient" in validation.diagnosis.sentence()


def test_a_format_that_is_refused_is_named_and_refutes_nothing() -> None:
    validation = _validated(NoShortFormat, "float32", "bfloat16")
    assert validation.outcome == "agrees"
    summary = " ".join(summary_text(validation).split())
    assert "judged in float32; not judged in bfloat16" in summary
    assert "no kernel for bfloat16" in summary
    assert "not tried: float64, float16 (--dtype)" in summary


def test_what_takes_no_format_that_is_asked_for_is_told_with_one_that_it_takes() -> None:
    (record,) = [record for record in _validated(NoDouble, "float64").checks if "not judged in" in record.reason]
    assert record.reason == (
        "not judged in float64: it raised TypeError: no kernel for float64; it takes float32, so give --dtype float32 "
        "or leave --dtype out"
    )


def test_an_unknown_cell_is_judged_in_the_format_that_it_takes() -> None:
    target = target_of("UnknownWithoutDouble", UnknownWithoutDouble)
    answers = list(judge_unknown(target, probe_target(target), ValidationRequest(dtypes=("float64",))))
    assert {answer.record.dtype for answer in answers} == {"float32"}
    assert {answer.record.outcome for answer in answers} == {Outcome.AGREES, Outcome.NOT_RUN}
