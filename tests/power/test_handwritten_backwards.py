"""Cells with backwards of their own, in many habits: right ones agree with every gradient, wrong ones are refuted."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest

from rnn_harness.validation import Validation, ValidationRequest, collect_validation, load_target, run_validation

FOLDER = Path(__file__).parents[1] / "helpers" / "handwritten"
MODULES = tuple(path.stem for path in sorted(FOLDER.glob("*.py")) if path.stem != "__init__")


def module_of(name: str) -> object:
    return importlib.import_module(f"tests.helpers.handwritten.{name}")


RIGHT = [(module, name) for module in MODULES for name in vars(module_of(module))["RIGHT"]]
WRONG = [(module, name, part) for module in MODULES for name, part in vars(module_of(module))["WRONG"].items()]


def validate_target(module: str, name: str) -> Validation:
    target = load_target(f"{FOLDER / module}.py:{name}")
    return collect_validation(name, run_validation(target, ValidationRequest(examples=0, dtypes=("float64",))))


@pytest.mark.parametrize(("module", "name"), RIGHT, ids=[f"{module}-{name}" for module, name in RIGHT])
def test_a_right_cell_agrees_with_its_own_gradients(module: str, name: str) -> None:
    validation = validate_target(module, name)
    assert validation.outcome == "agrees", [r.reason for r in validation.checks if str(r.outcome) == "refuted"]
    (bound,) = [record for record in validation.checks if record.check == "backward.bound"]
    assert str(bound.outcome) == "agrees", bound.reason


@pytest.mark.parametrize(("module", "name", "part"), WRONG, ids=[f"{module}-{name}" for module, name, _ in WRONG])
def test_a_wrong_backward_is_refuted_and_its_part_is_named(module: str, name: str, part: str) -> None:
    validation = validate_target(module, name)
    assert validation.outcome == "refuted"
    assert validation.diagnosis is not None
    assert part in f"{validation.diagnosis.part}, {validation.diagnosis.difference}"


def test_there_are_fifteen_of_each() -> None:
    assert len(RIGHT) >= 15
    assert len(WRONG) >= 15
