"""Charts of the page: colours by family, dashes by initialisation, labels apart, the same text for the same numbers."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest

from rnn_harness.records.measurement import CurvePoint, DecayMeasurement
from rnn_harness.reports.page.line_chart import Line, line_chart, plain_axis, power_axis, table_of_lines
from rnn_harness.reports.page.palette import dashes_of, family_colour, family_of
from rnn_harness.reports.page.plots import HORIZON, decay_chart

AXIS = power_axis("norm", -14.0, 1.0)


def decay(subject: str, initialisation: str) -> DecayMeasurement:
    """Make a measurement of decay."""
    return DecayMeasurement(
        subject=subject,
        spec="lstm.column",
        initialisation=initialisation,
        agrees=True,
        rate=0.5,
        ci_low=0.45,
        ci_high=0.55,
        log10_norms=(CurvePoint(1, -0.3), CurvePoint(10, -3.0), CurvePoint(100, -30.0)),
        lyapunov_exponent=-0.7,
        half_life=1.0,
        float32_horizon=23.0,
    )


@pytest.mark.parametrize(
    ("name", "family"),
    [
        ("nn.LSTM/onednn", "lstm"),
        ("LSTM without forget gate", "lstm"),
        ("gru.keep.column", "gru"),
        ("sigmoid RNN", "rnn"),
    ],
)
def test_every_name_of_a_family_has_its_colour(name: str, family: str) -> None:
    assert family_of(name) == family
    assert family_colour(name) == f"var(--{family})"


def test_initialisations_of_a_family_have_different_dashes() -> None:
    assert len({dashes_of(name) for name in ("torch", "forget-1", "forget-5", "chrono")}) == 4


def test_a_chart_is_well_formed_and_the_same_for_the_same_numbers() -> None:
    rows = [decay("RNN", "torch"), decay("LSTM without forget gate", "torch"), decay("LSTM", "chrono")]
    chart = decay_chart(rows)
    ElementTree.fromstring(chart.svg)
    ElementTree.fromstring(chart.other_svg)
    assert decay_chart(rows) == chart
    assert [entry.name for entry in chart.legend][-1] == HORIZON
    assert chart.csv.splitlines()[:3] == [
        "line,lag,value",
        '"RNN, torch\'s default",0,1',
        '"RNN, torch\'s default",1,0.501187',
    ]
    assert chart.svg.count('class="hollow"') > 0


def test_an_axis_of_powers_is_written_in_powers_of_ten() -> None:
    assert AXIS.text(-14) == "10⁻¹⁴"
    assert AXIS.text(0.0) == "10⁰"
    assert "10⁻¹²" in line_chart([Line("a", "red", "", ((0, 0), (1, -20)))], AXIS, "x")


def test_labels_of_lines_that_end_together_are_apart() -> None:
    lines = [Line(f"line {number}", "red", "", ((0, 0), (9, -14 + number / 100))) for number in range(8)]
    heights = [float(y) for y in re.findall(r'class="label" x="[\d.]+" y="([\d.]+)"', line_chart(lines, AXIS, "x"))]
    assert len(heights) == 8
    apart = [later - earlier for earlier, later in zip(sorted(heights), sorted(heights)[1:], strict=False)]
    assert min(apart) >= 13
    assert max(heights) <= 420


def test_the_last_line_to_leave_the_drawing_has_the_highest_label_so_that_no_leader_crosses() -> None:
    ends = {"first": 2, "last": 8, "between": 5}
    lines = [Line(name, "red", "", ((0, 0), (x, -14.0), (9, -14.0 - 9 / x))) for name, x in ends.items()]
    drawn = line_chart(lines, AXIS, "x")
    heights = {name: float(y) for y, name in re.findall(r'class="label" x="[\d.]+" y="([\d.]+)">(\w+)', drawn)}
    assert sorted(heights, key=lambda name: heights[name]) == ["last", "between", "first"]


def test_a_name_is_escaped() -> None:
    text = line_chart([Line("<b>", "red", "", ((0, 0), (1, -1)))], AXIS, "<i>")
    assert "<b>" not in text
    assert "<i>" not in text


def test_the_csv_of_exponents_holds_plain_numbers() -> None:
    lines = [Line("a", "red", "", ((0, 0.0), (2, -2.0)))]
    assert table_of_lines(lines, "lag", in_powers=True) == "line,lag,value\na,0,1\na,2,0.01\n"


@pytest.mark.parametrize("highest", [0.3, 1.0, 7.0, 123.0])
def test_an_axis_from_zero_holds_its_largest_number(highest: float) -> None:
    axis = plain_axis("ms", highest)
    assert axis.highest >= highest
    assert 4 <= len(axis.ticks) <= 7
