"""Cells with backwards of their own, in many habits: right ones agree with every gradient, wrong ones are refuted."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest
from _pytest.mark import ParameterSet

from rnn_harness.validation import Validation, ValidationRequest, collect_validation, load_target, run_validation

FOLDER = Path(__file__).parents[1] / "helpers" / "handwritten"
MODULES = tuple(path.stem for path in sorted(FOLDER.glob("*.py")) if path.stem != "__init__")


def module_of(name: str) -> object:
    return importlib.import_module(f"tests.helpers.handwritten.{name}")


RIGHT: list[tuple[str, ...]] = [(module, name) for module in MODULES for name in vars(module_of(module))["RIGHT"]]
WRONG: list[tuple[str, ...]] = [
    (module, name, part) for module in MODULES for name, part in vars(module_of(module))["WRONG"].items()
]


IN_DEFAULT = 1
"""Cells of every module, right and wrong each, that the default run tries; the deep run tries all."""


RIGHT_IN_DEEP = ("vectors_and_columns", "objects_of_many_habits")
"""Modules of which the default run tries a wrong cell, and no right one: a right one takes seconds in each."""


def cells(rows: list[tuple[str, ...]], *, deep: bool, without_modules: tuple[str, ...] = ()) -> list[ParameterSet]:
    """Return the cells of the default run, or the ones that it leaves out, with readable ids."""
    places: dict[str, int] = {}
    chosen = []
    for row in rows:
        places[row[0]] = places.get(row[0], 0) + 1
        if (places[row[0]] > IN_DEFAULT or row[0] in without_modules) is deep:
            chosen.append(pytest.param(*row, id=f"{row[0]}-{row[1]}"))
    return chosen


def validate_target(module: str, name: str) -> Validation:
    target = load_target(f"{FOLDER / module}.py:{name}")
    return collect_validation(name, run_validation(target, ValidationRequest(examples=0, dtypes=("float64",))))


def check_right(module: str, name: str) -> None:
    validation = validate_target(module, name)
    assert validation.outcome == "agrees", [r.reason for r in validation.checks if str(r.outcome) == "refuted"]
    (bound,) = [record for record in validation.checks if record.check == "backward.bound"]
    assert str(bound.outcome) == "agrees", bound.reason


def check_wrong(module: str, name: str, part: str) -> None:
    validation = validate_target(module, name)
    assert validation.outcome == "refuted"
    assert validation.diagnosis is not None
    assert part in f"{validation.diagnosis.part}, {validation.diagnosis.difference}"


@pytest.mark.usefixtures("in_float64")
@pytest.mark.parametrize(("module", "name"), cells(RIGHT, deep=False, without_modules=RIGHT_IN_DEEP))
def test_a_right_cell_agrees_with_its_own_gradients(module: str, name: str) -> None:
    check_right(module, name)


@pytest.mark.deep("tests/power/test_handwritten_backwards.py::test_a_right_cell_agrees_with_its_own_gradients")
@pytest.mark.parametrize(("module", "name"), cells(RIGHT, deep=True, without_modules=RIGHT_IN_DEEP))
def test_every_right_cell_agrees_with_its_own_gradients(module: str, name: str) -> None:
    check_right(module, name)


@pytest.mark.usefixtures("in_float64")
@pytest.mark.parametrize(("module", "name", "part"), cells(WRONG, deep=False))
def test_a_wrong_backward_is_refuted_and_its_part_is_named(module: str, name: str, part: str) -> None:
    check_wrong(module, name, part)


@pytest.mark.deep("tests/power/test_handwritten_backwards.py::test_a_wrong_backward_is_refuted_and_its_part_is_named")
@pytest.mark.parametrize(("module", "name", "part"), cells(WRONG, deep=True))
def test_every_wrong_backward_is_refuted_and_its_part_is_named(module: str, name: str, part: str) -> None:
    check_wrong(module, name, part)


def test_there_are_fifteen_of_each() -> None:
    assert len(RIGHT) >= 15
    assert len(WRONG) >= 15
