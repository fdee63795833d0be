"""A check that is run again agrees where numbers that came back do, in the process that waits."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from rnn_harness.cases.case import Case
from rnn_harness.kernels import Setting, choose_kernels
from rnn_harness.kernels.judge import blank_record
from rnn_harness.records.record import Record
from rnn_harness.records.verdict import Outcome
from rnn_harness.runtime.plain_array import PlainArray
from rnn_harness.validation import replay_isolated
from rnn_harness.validation.judging.own_specs import definition_of
from rnn_harness.validation.replay_isolated import ReplayedCheck
from rnn_harness.validation.replayed_numbers import hold_against_equations
from rnn_harness.validation.returned_numbers import NumbersReturned, ReturnedCase, numbers_of_cases
from rnn_harness.validation.trusted_spec import Contradiction

SETTING = Setting("float64", "cpu")
KERNEL = choose_kernels(("nn.LSTM",))[0]
CASE = Case(spec="lstm.column", T=3, seed=5)
CHECKS = ("precision.format", "backward.bound")


@pytest.fixture(scope="module")
def numbers() -> NumbersReturned:
    """What torch's LSTM gives on the case."""
    return numbers_of_cases(KERNEL, SETTING, (CASE,), None)


def _record(check: str, **fields: object) -> Record:
    blank = blank_record(KERNEL, SETTING, check, 0)
    refuted = {"outcome": Outcome.REFUTED, "case": CASE, "kernel": "cells.py:Cell"}
    return blank.model_copy(update={**refuted, **fields})


def _changed(numbers: NumbersReturned, change: Callable[[ReturnedCase], ReturnedCase]) -> NumbersReturned:
    return replace(numbers, cases=(change(numbers.cases[0]),))


def _moved(table: dict[str, PlainArray]) -> dict[str, PlainArray]:
    return {name: PlainArray.of(row.array() * (1 + 2.0**-40)) for name, row in table.items()}


def _wrong_outputs(numbers: NumbersReturned) -> NumbersReturned:
    def change(case: ReturnedCase) -> ReturnedCase:
        return replace(case, outputs=PlainArray.of(case.outputs.array() * (1 + 2.0**-40)))

    return _changed(numbers, change)


def _wrong_gradients(numbers: NumbersReturned) -> NumbersReturned:
    return _changed(numbers, lambda case: replace(case, gradients=_moved(case.gradients)))


@pytest.mark.parametrize("check", CHECKS)
def test_right_numbers_agree(check: str, numbers: NumbersReturned) -> None:
    hold_against_equations(_record(check), numbers)


@pytest.mark.parametrize(
    ("check", "change"),
    [("precision.format", _wrong_gradients), ("backward.bound", _wrong_outputs)],
    ids=["wrong gradients do not refute outputs", "wrong outputs do not refute gradients"],
)
def test_only_the_numbers_that_a_check_is_about_count(
    check: str, change: Callable[[NumbersReturned], NumbersReturned], numbers: NumbersReturned
) -> None:
    hold_against_equations(_record(check), change(numbers))


CHANGES: dict[str, tuple[str, Callable[[NumbersReturned], NumbersReturned | None], str]] = {
    "outputs are off by a little": ("precision.format", _wrong_outputs, "on numbers that came back the output"),
    "gradients are off by a little": ("backward.bound", _wrong_gradients, "on numbers that came back the gradient of"),
    "no numbers came back": ("precision.format", lambda _: None, "no numbers came back with it"),
    "no gradients came back": (
        "backward.bound",
        lambda numbers: _changed(numbers, lambda case: replace(case, gradients={})),
        "no gradients came back with it",
    ),
    "they are of another format": (
        "precision.format",
        lambda numbers: replace(numbers, dtype="float32"),
        "the numbers are of float32, and not of float64",
    ),
    "what came back is no array": (
        "precision.format",
        lambda numbers: _changed(numbers, lambda case: replace(case, outputs=PlainArray((3, 2, 4), "?"))),
        "what came back is no numbers of it",
    ),
    "a matrix is absent": (
        "precision.format",
        lambda numbers: replace(numbers, absent=("W_xi",)),
        "the spec cannot be without W_xi",
    ),
}


@pytest.mark.parametrize(("check", "change", "reason"), CHANGES.values(), ids=CHANGES)
def test_it_does_not_agree_where(
    check: str, change: Callable[[NumbersReturned], NumbersReturned | None], reason: str, numbers: NumbersReturned
) -> None:
    with pytest.raises(Contradiction, match=reason):
        hold_against_equations(_record(check), change(numbers))


def test_the_equations_are_those_of_the_record_where_it_has_some(numbers: NumbersReturned) -> None:
    definition = definition_of(KERNEL.specification)
    hold_against_equations(_record("precision.format", definition=definition), numbers)
    other = definition_of(choose_kernels(("nn.GRU",))[0].specification)
    with pytest.raises(Contradiction, match="not of the spec in the record"):
        hold_against_equations(_record("precision.format", definition=other), numbers)


@pytest.mark.parametrize(
    ("check", "with_numbers", "agrees", "is_own_word"),
    [
        ("precision.format", True, True, False),
        ("precision.format", False, None, False),
        ("behaviour.determinism", False, True, True),
    ],
)
def test_what_a_worker_says_is_held_against_its_numbers_or_told_as_its_word(
    check: str,
    with_numbers: bool,
    agrees: bool | None,
    is_own_word: bool,
    numbers: NumbersReturned,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    said = ReplayedCheck(7, True, "", numbers=numbers if with_numbers else None, is_own_word=not is_own_word)

    def work(*_: object, **__: object) -> Iterator[ReplayedCheck]:
        yield said

    monkeypatch.setattr(replay_isolated, "run_in_worker", work)
    (replayed,) = replay_isolated.replay_isolated([_record(check)])
    assert (replayed.agrees, replayed.is_own_word, replayed.number) == (agrees, is_own_word, 0)
    assert replayed.numbers is None
    assert bool(replayed.detail) == (agrees is None)


def test_what_a_kernel_of_this_package_says_is_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replay_isolated, "run_in_worker", lambda *_, **__: iter([ReplayedCheck(0, True, "")]))
    (replayed,) = replay_isolated.replay_isolated([_record("precision.format", kernel=KERNEL.id)])
    assert replayed.agrees
    assert not replayed.is_own_word
