"""Bounds of who computes all steps at once: right cells lie in them, wrong ones do not, other equations have none."""

from __future__ import annotations

import pytest
import torch

import rnn_harness
from rnn_harness.cases.case import Case
from rnn_harness.checks.check import Finding
from rnn_harness.errors import NotRun
from rnn_harness.evaluation.parallel_form import bounds_in_parallel, linear_recurrence
from rnn_harness.kernels import Kernel, choose_kernels
from rnn_harness.kernels.checks.parallel_steps import IN_PARALLEL
from rnn_harness.kernels.setting import Setting
from rnn_harness.specs import literature
from rnn_harness.validation import load_target
from rnn_harness.validation.judging.candidate_judge import judge_case
from rnn_harness.validation.judging.spec_file import kernel_by_names
from tests.helpers import HELPERS, parallel_cells, positive_cells

CELLS = HELPERS / "parallel_cells.py"
(_MIN_GRU,) = (spec for spec in literature() if spec.id == "mingru")


def _kernel(name: str) -> Kernel:
    return kernel_by_names(load_target(f"{CELLS}:{name}"), _MIN_GRU, ("float64", "float32"))


def finding(name: str, check: str, dtype: str = "float64") -> Finding:
    kernel = _kernel(name)
    case = Case.model_validate({"spec": kernel.spec, "dtype": dtype, "T": 3, "seed": 1})
    judged = judge_case(kernel, check, case)
    assert judged is not None
    return judged


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_a_cell_that_computes_its_steps_at_once_is_right_and_that_is_told(dtype: str) -> None:
    judged = finding("ParallelMinGRU", "scale.steps", dtype)
    assert judged.agrees, judged.detail
    assert IN_PARALLEL in judged.detail


def test_over_a_thousand_steps_it_is_right_in_float64_and_undecided_in_float32() -> None:
    assert finding("ParallelMinGRU", "precision.long").agrees
    with pytest.raises(NotRun, match="no bound is proved over so many steps"):
        finding("ParallelMinGRU", "precision.long", "float32")


@pytest.mark.parametrize("name", ["DecayRoundedToSingle", "ForgetsAfterAHundredSteps"])
def test_a_mistake_in_the_parallel_form_is_refuted(name: str) -> None:
    judged = finding(name, "scale.steps")
    assert not judged.agrees
    assert "output h" in judged.detail


def test_a_gradient_that_is_cut_is_refuted_though_the_outputs_are_right() -> None:
    judged = finding("DetachesEveryHundredSteps", "scale.steps")
    assert not judged.agrees
    assert "gradient" in judged.detail


@pytest.mark.parametrize(
    ("name", "check"),
    [
        ("StepOfGateGradientOffByABillionth", "backward.bound"),  # one step after another: nothing is parallel
        ("GateGradientOffByABillionth", "backward.quotient"),
    ],
)
def test_a_small_error_of_a_gradient_is_refuted_as_one_of_the_backward(name: str, check: str) -> None:
    validation = rnn_harness.validate(getattr(parallel_cells, name), examples=0, dtypes=("float64",))
    assert check in {record.check for record in validation.checks if str(record.outcome) == "refuted"}
    assert validation.diagnosis is not None
    assert validation.diagnosis.part.startswith("backward: ")


def test_a_gradient_that_is_nan_is_not_taken_for_rounding() -> None:
    judged = finding("BiasGradientIsNaN", "backward.bound")
    assert not judged.agrees


def test_a_cell_that_goes_step_by_step_is_right_without_that() -> None:
    judged = finding("MinGRU", "scale.steps")
    assert judged.agrees, judged.detail
    assert judged.detail == ""


@pytest.mark.parametrize("kernel", ["nn.RNNCell", "nn.GRUCell", "nn.LSTMCell"])
def test_a_recurrence_through_a_nonlinearity_has_no_parallel_form(kernel: str) -> None:
    chosen = choose_kernels((kernel,))[0]
    case = Case(spec=chosen.spec, n=2, d=3, B=2, T=4, dtype="float64", seed=1)
    evaluation = chosen.evaluation(Setting("float64", "cpu"), case)
    assert linear_recurrence(evaluation) is None
    assert bounds_in_parallel(evaluation) is None


def test_the_recurrence_has_the_factors_of_the_gate() -> None:
    kernel = _kernel("ParallelMinGRU")
    case = Case(spec=kernel.spec, n=2, d=3, B=2, T=4, dtype="float64", seed=1)
    evaluation = kernel.evaluation(Setting("float64", "cpu"), case)
    recurrence = linear_recurrence(evaluation)
    assert recurrence is not None
    values = {name: torch.from_numpy(value) for name, value in evaluation.arrays.parameters.items()}
    x = torch.from_numpy(evaluation.arrays.inputs)
    z = torch.sigmoid(x @ values["W_z"].T + values["b_z"].flatten())
    torch.testing.assert_close(torch.from_numpy(recurrence.factors["h"]), 1 - z)
    assert recurrence.read_from == {}


@pytest.mark.parametrize(
    ("name", "outcome"),
    [("PositiveMinGRU", "agrees"), ("WritesWhatItKeeps", "refuted"), ("HalvesTheGradientOfItsGate", "refuted")],
)
def test_gradients_through_sums_of_logarithms_are_inexact_and_not_wrong(name: str, outcome: str) -> None:
    """Torch's backward of logcumsumexp takes logarithms of output gradients, too: large ones lose bits in float32."""
    validation = rnn_harness.validate(
        getattr(positive_cells, name), spec="mingru.positive", dtypes=("float32",), examples=0, dim=4
    )
    refuted = [f"{record.check}: {record.reason}" for record in validation.checks if str(record.outcome) == "refuted"]
    assert validation.outcome == outcome, refuted


@pytest.mark.deep(
    "tests/unit/evaluation/test_parallel_form.py::test_gradients_through_sums_of_logarithms_are_inexact_and_not_wrong"
)
@pytest.mark.parametrize(
    ("name", "outcome"), [("PositiveMinLSTM", "agrees"), ("HalvesTheGradientOfItsForgetGate", "refuted")]
)
def test_gradients_of_gates_that_are_divided_in_logarithms_are_inexact_and_not_wrong(name: str, outcome: str) -> None:
    """Its gradients leave the bounds of going step by step in fixed cases of 6 units, in either format."""
    validation = rnn_harness.validate(
        getattr(positive_cells, name), spec="minlstm.positive", dtypes=("float64",), examples=0, dim=6
    )
    refuted = [f"{record.check}: {record.reason}" for record in validation.checks if str(record.outcome) == "refuted"]
    assert validation.outcome == outcome, refuted
