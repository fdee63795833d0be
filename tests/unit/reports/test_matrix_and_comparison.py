"""The matrix of implementations and checks, the families side by side, and how places and terms are written."""

from __future__ import annotations

import pytest

from rnn_harness.benchmarks.decay.initialisation import INITIALISATIONS
from rnn_harness.cases.case import Case
from rnn_harness.records.measurement import CurveBand, CurvePoint, DecayMeasurement, Measurement, SpeedMeasurement
from rnn_harness.records.record import Record
from rnn_harness.records.verdict import Outcome
from rnn_harness.reports.page.check_matrix import check_matrix
from rnn_harness.reports.page.defined_terms import with_definitions
from rnn_harness.reports.page.glossary import GLOSSARY, shown_initialisation
from rnn_harness.reports.page.places import places_text
from rnn_harness.reports.page.plots import seed_band
from rnn_harness.reports.page.side_by_side import compare_families, comparison_chart


def record(check: str, outcome: Outcome, **more: object) -> Record:
    """Make a record of a kernel in float32."""
    base = {"entry": "E-1", "spec": "lstm.column", "check": check, "witness": "kernel", "kernel": "nn.LSTM/native"}
    return Record.model_validate({**base, "dtype": "float32", "device": "cpu", "outcome": outcome, **more})


def test_a_mark_is_the_gravest_outcome_and_holds_the_failing_case() -> None:
    case = Case(spec="lstm.column", n=1, d=2, T=3, B=1, dtype="float32", seed=7)
    rows = [
        record("forward.equation", Outcome.AGREES, error_over_bound=0.25),
        record("forward.outputs", Outcome.REFUTED, case=case, reason="off by 1", program="assert 1 == 2"),
        record("backward.bound", Outcome.NOT_RUN, reason="no backward"),
    ]
    matrix = check_matrix(rows, [])
    assert matrix.groups == ("forward", "backward")
    (row,) = matrix.rows
    assert (row.name, row.kind, row.outcome) == ("nn.LSTM/native", "kernel", "refuted")
    forward, backward = row.cells
    assert (forward.outcome, forward.agrees, forward.count, forward.error_over_bound) == ("refuted", 1, 2, 0.25)
    (failure,) = forward.details
    assert failure.check == "forward.outputs of E-1"
    assert failure.case == "n = 1, d = 2, T = 3, B = 1, float32, seed 7"
    assert failure.program == "assert 1 == 2"
    assert backward.outcome == "not run"
    assert backward.details[0].reason == "no backward"


def test_a_group_without_records_has_no_mark_and_references_have_no_row() -> None:
    of_reference = record("forward.equation", Outcome.AGREES, kernel="", witness="reference")
    matrix = check_matrix([of_reference, record("scale.sizes", Outcome.AGREES)], [])
    assert matrix.groups == ("scale",)
    other = record("backward.bound", Outcome.AGREES, kernel="nn.GRUCell")
    first, _ = check_matrix([record("scale.sizes", Outcome.AGREES), other], []).rows
    assert [cell.outcome for cell in first.cells] == [None, "agrees"]


def decay(subject: str, d: int, horizon: float, parameters: int) -> DecayMeasurement:
    """Make a measurement at torch's initialisation."""
    return DecayMeasurement(
        subject=subject,
        spec="lstm.column",
        initialisation="torch",
        sizes={"n": 16, "d": d, "T": 200},
        rate=0.5,
        lyapunov_exponent=-0.7,
        float32_horizon=horizon,
        parameters=parameters,
    )


def speed(spec: str, d: int, seconds: float) -> SpeedMeasurement:
    """Make a time of forward and backward at 64 inputs."""
    sizes = {"n": 64, "d": d, "B": 1, "T": 9}
    return SpeedMeasurement(
        subject="torch",
        spec=spec,
        phase="both",
        agrees=True,
        sizes=sizes,
        median=seconds,
        ci_low=seconds,
        ci_high=seconds,
    )


def test_families_are_compared_at_equal_size_and_at_an_equal_number_of_parameters() -> None:
    rows: list[Measurement] = [
        decay("RNN", 128, 27, 18),
        decay("RNN, d = 264", 264, 28, 74),
        decay("LSTM", 128, 30, 74),
    ]
    rows += [speed("rnn.tanh", 64, 0.001), speed("rnn.tanh", 100, 0.002), speed("lstm.column", 64, 0.003)]
    counts, times, horizons = compare_families(rows)
    assert [(value.family, value.value) for value in counts.equal_size] == [("RNN", 18), ("LSTM", 74)]
    assert [(value.family, value.value) for value in counts.equal_count] == [("RNN", 74), ("LSTM", 74)]
    assert [value.value for value in times.equal_size] == [1.0, 3.0]
    assert [value.value for value in times.equal_count] == [2.0, 3.0]
    assert [value.text for value in horizons.equal_count] == ["28 steps (d = 264)", "30 steps (d = 128)"]
    chart = comparison_chart([counts, times, horizons])
    assert chart.svg.count('class="bar"') == 12
    assert chart.svg.count("not measured") == 6, "the GRU, of three quantities under two conditions"
    assert times.conditions == "n = 64, B = 1, T = 9"
    assert compare_families([]) == []


def test_a_band_goes_from_the_lowest_seed_to_the_highest() -> None:
    row = decay("RNN", 8, 20, 1).model_copy(
        update={"norm_bands": (CurveBand(1, -0.4, -0.2),), "log10_norms": (CurvePoint(1, -0.3),)}
    )
    assert seed_band(row, [0, 1], [0.0, -0.3]) == ([0.0, -0.4], [0.0, -0.2])


def test_places_are_written_by_title() -> None:
    text = places_text(["003:187", "003:203", "000:4", "F-1"])
    assert text == "Sequence Models, DSE 3151 (003): lines 187, 203; GRU (Gated Recurrent Unit) (000): line 4; F-1"


@pytest.mark.parametrize("name", [initialisation.name for initialisation in INITIALISATIONS])
def test_every_initialisation_is_defined_where_it_stands(name: str) -> None:
    shown = shown_initialisation(name)
    assert f'title="{GLOSSARY[shown][:20]}' in with_definitions(shown).replace("&#39;", "'")


def test_a_word_that_is_no_initialisation_stays_a_word_and_text_is_escaped() -> None:
    text = with_definitions("we keep <b>, but 9 steps (update bias +4); chrono: 1, chrono: 2")
    assert text.startswith("we keep &lt;b&gt;, but 9 steps (<abbr")
    assert text.count("<abbr") == 2
