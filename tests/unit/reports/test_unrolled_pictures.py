"""Pictures of a cell gate by gate: every number is in the drawing or the CSV, and the drawing is well formed."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from rnn_harness.records.unrolled import TrainingStage, UnrolledMeasurement, UnrolledQuantity
from rnn_harness.reports.page.flow_chart import flow_chart
from rnn_harness.reports.page.gate_chart import gate_chart
from rnn_harness.reports.page.line_chart import number_text, power_text

STAGES: tuple[TrainingStage, ...] = ("before training", "after training")


def unrolled(subject: str, stage: TrainingStage) -> UnrolledMeasurement:
    """Make a cell of one gate over two words."""
    return UnrolledMeasurement(
        subject=subject,
        spec="gru.keep.column",
        stage=stage,
        sizes={"n": 3, "d": 2, "T": 2},
        words=("cut", "<mat>"),
        words_source="000:214",
        question="was there a cut?",
        answer="yes",
        probability=0.75,
        training_steps=0 if stage == "before training" else 9,
        quantities=(
            UnrolledQuantity(name="update gate", values=((0.25, 1.0), (0.5, 0.0))),
            UnrolledQuantity(name="hidden state", values=((-0.5, 0.125), (2.0, 0.0))),
        ),
        loss_gradients=(0.001, 0.5),
        log10_flow=((-1.0,), (-2.5, -0.5)),
    )


def test_gates_are_drawn_as_full_as_they_are_and_states_by_their_sign() -> None:
    chart = gate_chart([unrolled("GRU", stage) for stage in STAGES])
    root = ElementTree.fromstring(chart.svg)
    ElementTree.fromstring(chart.other_svg)
    cells = [part for part in root.iter() if part.get("class") == "heat"]
    drawn = [(part.get("style"), float(part.get("fill-opacity", "0"))) for part in cells]
    assert drawn[:4] == [("fill: var(--gru)", share) for share in (0.28, 1.0, 0.52, 0.04)]
    assert [style for style, _ in drawn[4:6]] == ["fill: var(--below)", "fill: var(--above)"]
    assert drawn[6][1] == 1.0, "a state beyond 1 is full"
    assert "after training" in chart.svg
    assert "before training" in chart.other_svg
    assert "<mat>" not in chart.svg


def test_every_number_of_a_picture_stands_in_its_csv() -> None:
    rows = gate_chart([unrolled("GRU", stage) for stage in STAGES]).csv.splitlines()
    assert len(rows) == 1 + 2 * (2 * 2 * 2 + 2)
    assert "GRU,after training,1,cut,update gate,2,1.0" in rows
    assert "GRU,after training,1,cut,gradient of the loss,,1.000000e-03" in rows


def test_the_flow_has_a_panel_for_each_cell_in_its_colour() -> None:
    chart = flow_chart([unrolled(name, stage) for name in ("RNN", "GRU") for stage in STAGES])
    root = ElementTree.fromstring(chart.svg)
    styles = [part.get("style") for part in root.iter() if part.get("class") == "heat"]
    assert styles == ["fill: var(--rnn)"] * 3 + ["fill: var(--gru)"] * 3
    assert "from the end to the start: 0.0032" in chart.svg
    assert "GRU,after training,2,0,3.162278e-03" in chart.csv.splitlines()


@pytest.mark.parametrize(
    ("exponent", "text"), [(-6.5, "10⁻⁶·⁵"), (-3.0, "10⁻³"), (0.0, "10⁰"), (-0.01, "10⁰"), (float("-inf"), "0")]
)
def test_a_power_of_ten_is_written_in_superscripts(exponent: float, text: str) -> None:
    assert power_text(exponent) == text


@pytest.mark.parametrize(
    ("exponent", "text"),
    [(-6.5, "3 × 10⁻⁷"), (-3.0, "0.001"), (-0.6, "0.25"), (0.0, "1"), (-12.0, "1 × 10⁻¹²"), (float("-inf"), "0")],
)
def test_a_number_in_a_picture_can_be_read(exponent: float, text: str) -> None:
    assert number_text(exponent) == text


def test_every_picture_has_the_scale_of_its_colours_and_says_how_many_units_there_are() -> None:
    flow, gates = (draw([unrolled("GRU", "after training")]) for draw in (flow_chart, gate_chart))
    for chart in (flow, gates):
        assert "2 units" in chart.svg
    assert flow.svg.count('class="scale-cell"') == 7
    assert "∂h_row / ∂h_column" in flow.svg
    assert [text in gates.svg for text in ("gates: 0", "candidate and states: -1")] == [True, True]
