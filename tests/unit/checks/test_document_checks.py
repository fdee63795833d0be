"""Checks of entries that are no equation can come out otherwise: each is given an entry that it must refute."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest

from rnn_harness.arithmetic import Values
from rnn_harness.array_types import Array
from rnn_harness.checks.check import EntryCheck
from rnn_harness.checks.document_examples import document_checks
from rnn_harness.checks.whiteboard import places_with_forgetting, places_without_forgetting
from rnn_harness.errors import NotRun
from rnn_harness.specs import Entry, Example, Shapes, library
from rnn_harness.subjects.subject import Subject


def _check(entry: Entry, name: str) -> EntryCheck:
    (check,) = (check for check in document_checks(entry, library(), 0) if check.name == name)
    return check


SHAPES = [entry for spec in library().specs for entry in spec.entries if isinstance(entry, Shapes)]
EXAMPLES = [entry for spec in library().specs for entry in spec.entries if isinstance(entry, Example)]


@pytest.mark.parametrize("entry", SHAPES, ids=lambda entry: entry.id)
def test_declared_symbols_have_the_shapes_of_the_references_arrays(entry: Shapes) -> None:
    finding = _check(entry, "shapes.typed").decide()
    assert finding.agrees, finding.detail


@pytest.mark.parametrize(
    ("symbol", "change", "detail"),
    [
        pytest.param(
            "b",
            lambda bias: bias[None],
            "b is (1, 5) in the arrays, the equations need (5,)",
            id="a bias that arrives as a row, which NumPy would broadcast without a word",
        ),
        pytest.param(
            "U",
            lambda matrix: matrix.T,
            "U is (3, 5) in the arrays, the equations need (5, 3)",
            id="a matrix that arrives turned, which the equations cannot be computed with",
        ),
    ],
)
def test_arrays_of_another_shape_are_refuted(
    symbol: str, change: Callable[[Array], Array], detail: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = Subject.values

    def with_another_shape(self: Subject, *arguments: Any) -> Values:
        values = right(self, *arguments)
        parameters = {**values.parameters, symbol: change(values.parameters[symbol])}
        return dataclasses.replace(values, parameters=parameters)

    _, entry = library().entries["E-306"]
    declared = entry.model_copy(update={"printed": rf"{symbol} \in \mathbb{{R}}^d"})
    assert _check(declared, "shapes.typed").decide().agrees
    monkeypatch.setattr(Subject, "values", with_another_shape)
    finding = _check(declared, "shapes.typed").decide()
    assert not finding.agrees
    assert finding.detail == detail


def test_shapes_of_no_symbol_are_not_run() -> None:
    _, entry = library().entries["E-306"]
    without = entry.model_copy(update={"printed": "all vectors are rows"})
    with pytest.raises(NotRun, match="no symbol is declared"):
        _check(without, "shapes.typed").decide()


def test_a_symbol_that_does_not_occur_is_refuted() -> None:
    _, entry = library().entries["E-306"]
    other = entry.model_copy(update={"printed": "\n".join((entry.printed, r"Q \in \mathbb{R}^d"))})
    assert not _check(other, "shapes.typed").decide().agrees


@pytest.mark.parametrize("entry", EXAMPLES, ids=lambda entry: entry.id)
def test_worked_numbers_are_as_their_errata_say(entry: Example) -> None:
    finding = _check(entry, "example.recomputed").decide()
    assert finding.agrees, finding.detail


def test_an_erratum_without_a_mistake_is_refuted() -> None:
    """X-010 is declared of E-003; printed rightly, nothing is found, and that is no agreement."""
    _, entry = library().entries["E-003"]
    assert "0.22" in entry.printed
    right = entry.model_copy(update={"printed": entry.printed.replace("0.22", "0.12")})
    assert not _check(right, "example.recomputed").decide().agrees


def test_a_mistake_without_an_erratum_is_refuted() -> None:
    _, entry = library().entries["E-112"]
    wrong = entry.model_copy(update={"printed": entry.printed.replace("0.01", "0.02"), "reading": None})
    assert not _check(wrong, "example.recomputed").decide().agrees


def test_numbers_without_an_equality_are_not_run() -> None:
    _, entry = library().entries["E-112"]
    bare = entry.model_copy(update={"printed": "[1, 2]", "reading": None})
    with pytest.raises(NotRun, match="no equality"):
        _check(bare, "example.recomputed").decide()


@pytest.mark.parametrize(
    ("expression", "without", "with_forgetting"),
    [("ac(bd+a) + ad", 6, 2), ("ab", 1, 1), ("ab + cd", 3, 2), ("a + b + c + d", 3, 1), ("(ab + cd)(ac + bd)", 7, 3)],
)
def test_places_of_a_board(expression: str, without: int, with_forgetting: int) -> None:
    assert places_without_forgetting(expression) == without
    assert places_with_forgetting(expression) == with_forgetting


def test_only_the_entry_that_speaks_of_a_board_is_asked_for_its_places() -> None:
    asked = [e.id for e in EXAMPLES if any(c.name == "example.places" for c in document_checks(e, library(), 0))]
    assert asked == ["E-322"]
