"""``pytest --rnn-cell``: a right cell passes, a wrong one fails by name, in a user's suite."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from rnn_harness.records.record import Record
from rnn_harness.records.validation import Diagnosis, Validation
from rnn_harness.records.verdict import Outcome
from rnn_harness.testing.cell_check import GROUPS, CheckInDtype, candidate_checks
from rnn_harness.testing.cell_judge import CellJudge
from rnn_harness.testing.settings import SuiteSettings
from rnn_harness.validation import ValidationRequest, collect_validation, load_target, run_validation
from rnn_harness.validation.check_names import PROPERTY_CHECK_NAMES, USAGE_CHECK_NAMES
from rnn_harness.validation.consistency.identified_cell import PROPERTY_CHECKS
from rnn_harness.validation.judging.usage_checks import USAGE_CHECKS
from rnn_harness.validation.request import DTYPES
from tests.helpers import HELPERS
from tests.helpers.run_pytest import SuiteRun, run_pytest, run_pytest_process

pytestmark = pytest.mark.usefixtures("in_process", "in_float64")
CELLS = HELPERS / "user_cells.py"


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    """A folder with a user's own test."""
    (tmp_path / "test_mine.py").write_text("def test_mine():\n    pass\n", encoding="utf-8")
    return tmp_path


def _passes_next_to_the_suites_tests(run: SuiteRun) -> None:
    assert run.exit_code == 0, run.stdout[-1500:]
    assert "failed" not in run.stdout
    assert int(run.stdout.rpartition(" passed")[0].split()[-1]) > 20


def test_a_right_cell_passes_next_to_the_suites_own_tests(suite: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _passes_next_to_the_suites_tests(run_pytest(suite, monkeypatch, "--rnn-cell", f"{CELLS}:PackedGRU"))


@pytest.mark.process
@pytest.mark.deep("tests/cli/test_pytest_plugin.py::test_a_right_cell_passes_next_to_the_suites_own_tests")
def test_a_right_cell_passes_in_a_process_of_its_own(suite: Path) -> None:
    _passes_next_to_the_suites_tests(run_pytest_process(suite, "--rnn-cell", "torch.nn:RNNCell"))


def test_a_wrong_gradient_fails_by_the_name_of_the_check_and_the_report_is_of_what_was_judged(
    suite: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    targets = ("--rnn-cell", f"{CELLS}:PackedGRU", "--rnn-cell", f"{CELLS}:HalfTrainedGRU")
    run = run_pytest(suite, monkeypatch, *targets, "--rnn-report", "page")
    assert run.exit_code == 1
    # One failure for one cause, which its first line names; the program that shows it stands below.
    (failure,) = run.failures
    assert "rnn_cell[HalfTrainedGRU-backward.screen-float64]" in failure
    assert "HalfTrainedGRU equals gru.reset_after" in run.stdout
    assert "backward.screen refuted" in run.stdout
    assert "assert abs(found - expected)" in run.stdout
    assert "report.html" in run.stdout
    report = json.loads((suite / "page" / "report.json").read_text(encoding="utf-8"))
    assert [(entry["target"].rpartition(":")[2], entry["outcome"]) for entry in report["validations"]] == [
        ("PackedGRU", "agrees"),
        ("HalfTrainedGRU", "refuted"),
    ]
    assert report["totals"]["agrees"] > 25
    assert "HalfTrainedGRU" in (suite / "page" / "report.html").read_text(encoding="utf-8")


def test_without_the_option_nothing_is_added(suite: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = run_pytest(suite, monkeypatch)
    assert run.exit_code == 0
    assert "1 passed" in run.stdout


def test_settings_of_the_project_name_cells_a_profile_and_where_findings_go(
    suite: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (suite / "wrong.py").write_text(
        "from tests.helpers.user_cells import HalfTrainedGRU\n\n\nclass Mine(HalfTrainedGRU):\n    pass\n", "utf-8"
    )
    table = '[tool.rnn-harness]\ncells = ["wrong.py:Mine"]\nprofile = "quick"\nsarif = "found.sarif"\ngithub = true\n'
    (suite / "pyproject.toml").write_text(table, encoding="utf-8")
    run = run_pytest(suite, monkeypatch)
    assert run.exit_code == 1
    assert all("float32" not in line for line in run.failures)
    assert "::error file=wrong.py,line=4,title=backward" in run.stdout
    log = json.loads((suite / "found.sarif").read_text(encoding="utf-8"))
    (result,) = log["runs"][0]["results"]
    assert result["level"] == "error"
    place = result["locations"][0]["physicalLocation"]
    assert place == {"artifactLocation": {"uri": "wrong.py"}, "region": {"startLine": 4}}
    selected = run_pytest(suite, monkeypatch, "-m", "rnn_precision", "--collect-only")
    assert "test_mine" not in selected.stdout
    assert "rnn_cell[Mine-precision.long-float64]" in selected.stdout
    assert "backward" not in selected.stdout


def test_a_setting_that_is_none_is_told(suite: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (suite / "pyproject.toml").write_text('[tool.rnn-harness]\nprofil = "quick"\n', encoding="utf-8")
    run = run_pytest(suite, monkeypatch)
    assert run.exit_code == 4
    assert "[tool.rnn-harness.profil]" in run.stdout + run.stderr


def test_the_checks_that_are_listed_without_torch_are_those_of_a_candidate() -> None:
    assert tuple(check.name for check in USAGE_CHECKS) == USAGE_CHECK_NAMES
    assert {check.dtypes for check in USAGE_CHECKS} == {DTYPES}
    assert PROPERTY_CHECKS == PROPERTY_CHECK_NAMES
    program = (
        "import sys; from rnn_harness.testing.cell_check import candidate_checks; "
        "assert len(list(candidate_checks(('float64',)))) > 50; sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_the_quick_profile_leaves_out_forward_mode_and_asks_the_rest_in_float64() -> None:
    quick, full = SuiteSettings(profile="quick"), SuiteSettings()
    asked = [{str(check) for check in candidate_checks(s.dtypes, s.left_out)} for s in (quick, full)]
    missing = {name for name in asked[1] - asked[0] if not name.endswith("float32")}
    assert missing == {"behaviour.jvp-float64"}
    request = ValidationRequest("torch.nn:RNNCell", dtypes=quick.dtypes, examples=0, left_out=quick.left_out)
    judged = {
        record.check
        for record in collect_validation("RNNCell", run_validation(load_target(request.target), request)).checks
    }
    assert "behaviour.jvp" not in judged
    assert {"backward.bound", "behaviour.vmap"} <= judged


def test_every_check_is_of_a_group_that_has_a_marker() -> None:
    assert {check.group for check in candidate_checks(DTYPES)} <= set(GROUPS)
    assert all(" " not in str(check) for check in candidate_checks(DTYPES))


@pytest.mark.parametrize(
    ("check", "reason"),
    [
        ("behaviour.gradgrad", "second derivative of parameters.W_xg is off by 0.318, allowed 2.88e-11"),
        ("behaviour.jvp", "torch.func.jvp gives 0.1, a complex step 0.2"),
        ("backward.bound", "gradient b_z[0] is off"),
        ("consistency.final-state-gradients", "the gradient of the final state is wrong"),
    ],
    ids=["second derivatives", "forward mode", "a bound", "a property"],
)
def test_derivatives_of_every_kind_are_explained_by_a_wrong_backward(check: str, reason: str) -> None:
    diagnosis = Diagnosis(spec="gru.reset_after", part="backward: hidden state", difference="it is cut")
    rows = [("forward.bound", Outcome.AGREES, ""), ("backward.shares", Outcome.REFUTED, "gradient b_z is off")]
    records = tuple(
        Record(
            spec="gru.reset_after", entry="", check=name, witness="torch", outcome=outcome, reason=why, dtype="float64"
        )
        for name, outcome, why in (*rows, (check, Outcome.REFUTED, reason))
    )
    judge = CellJudge("m:Cell", "auto", {})
    judge.validation = Validation(
        target="m:Cell",
        outcome="refuted",
        spec="gru.reset_after",
        identification=None,
        diagnosis=diagnosis,
        checks=records,
        counterexample=None,
        environment="",
    )
    judge.__dict__["_records"] = {CheckInDtype(record.check, record.dtype): record for record in records}
    assert judge.cause_of(CheckInDtype(check, "float64")) == CheckInDtype("backward.shares", "float64")
