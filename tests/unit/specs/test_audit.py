"""The audit finds what the documents print wrong, computes what is right, and finds nothing where nothing is wrong."""

from __future__ import annotations

import pytest

from rnn_harness.checks.equation import text
from rnn_harness.specs import (
    Entry,
    Example,
    PrintFinding,
    Program,
    Spec,
    audit_entry,
    count_parameters,
    library,
    program_layers,
)
from rnn_harness.specs.audit_program import ProgramError

PAIRS = [(spec, entry) for spec in library().specs for entry in spec.entries]


def found(name: str) -> list[PrintFinding]:
    spec, entry = library().entry(name)
    return list(audit_entry(spec, entry, library().specs))


@pytest.mark.parametrize(("spec", "entry"), PAIRS, ids=lambda value: getattr(value, "id", ""))
def test_findings_are_exactly_the_declared_errata(spec: Spec, entry: Entry) -> None:
    declared = {kind for erratum in entry.errata for kind in erratum.finding}
    assert {one.category for one in audit_entry(spec, entry, library().specs)} == declared


@pytest.mark.parametrize(
    ("name", "correction"),
    [
        ("E-003", "[0.48, 0.12, 0.07, 0.09]"),
        ("E-007", "[0.9, 0.3, 0.2, 0.8]"),
        ("E-008", "[0.07, 0.14, 0.16, 0.04]"),
        ("E-014", "[0.6, 0.6, 0.7, 0.1]"),
        ("E-322", "181"),
        ("E-306", "d×n"),
        ("E-306", "k×d"),
        ("E-002", "4×1"),
        ("E-002", "3×1"),
    ],
)
def test_right_numbers_and_shapes_are_computed(name: str, correction: str) -> None:
    assert correction in {one.correction for one in found(name)}


@pytest.mark.parametrize(("name", "count"), [("E-316", 1281), ("E-317", 1470), ("E-321", 240)])
def test_parameters_of_printed_programs_are_counted(name: str, count: int) -> None:
    _, entry = library().entry(name)
    assert isinstance(entry, Program)
    assert count_parameters(entry) == count


def test_both_meanings_of_the_star_are_noticed_with_the_place_of_the_other() -> None:
    (one,) = found("E-109")
    assert one.category == "ambiguous product"
    assert "001:280" in one.message


def test_a_time_index_from_the_future_is_noticed() -> None:
    assert "h at t+2 is not known yet at t" in {one.message for one in found("E-001")}


def test_reading_of_the_scrambled_sum_holds() -> None:
    _, entry = library().entry("E-008")
    assert isinstance(entry, Example)
    repaired = entry.model_copy(update={"printed": entry.reading})
    spec, _ = library().entry("E-008")
    assert list(audit_entry(spec, repaired, library().specs)) == []


def test_an_erratum_that_is_not_there_is_refuted() -> None:
    spec, entry = library().entry("E-348")
    healed = entry.model_copy(update={"printed": entry.reading})
    verdict = text(spec, healed, library().specs)
    assert not verdict.agrees
    assert "X-005 is declared, but the audit does not find it" in verdict.detail


def test_a_fault_that_no_erratum_declares_is_refuted() -> None:
    spec, entry = library().entry("E-349")
    damaged = entry.model_copy(update={"printed": entry.printed.replace("(1 - ", "1 - ")})
    verdict = text(spec, damaged, library().specs)
    assert not verdict.agrees
    assert "no erratum declares" in verdict.detail


@pytest.mark.parametrize("old", ["0.48", "0.07", "0.09"])
def test_a_changed_number_is_noticed_at_its_place(old: str) -> None:
    spec, entry = library().entry("E-003")
    right = entry.printed.replace("0.22", "0.12")
    damaged = entry.model_copy(update={"printed": right.replace(old, "0.99")})
    (one,) = audit_entry(spec, damaged, library().specs)
    assert one.category == "arithmetic"
    assert one.correction == "[0.48, 0.12, 0.07, 0.09]"


@pytest.mark.parametrize(("text", "message"), [("# nothing", "the program is empty"), ("Dense()", "has no argument")])
def test_a_program_without_layers_or_units_is_refused_in_words(text: str, message: str) -> None:
    with pytest.raises(ProgramError, match=message):
        program_layers(Program(id="P-1", line=1, printed=text))
