"""Every check that a record can name is described, in sentences, with a bound and the mutants it must kill."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from rnn_harness.check_guide import GROUPS, describe_checks
from rnn_harness.checks.required_mutants import KILLS
from tests.repository.source_tree import ROOT

DESCRIPTIONS = describe_checks()
_CHECK_ID = re.compile(rf"({'|'.join(GROUPS)})\.[a-z][a-z0-9-]*[a-z0-9]")
_NO_CHECKS = {"forward.hidden_state", "backward.hidden_state"}


def constants_of(folder: Path) -> set[str]:
    """Every string constant of the sources of a folder."""
    return {
        node.value
        for path in folder.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }


def wiring_ids() -> set[str]:
    """The ids with which statements about the wiring of a model are made."""
    ids: set[str] = set()
    for path in (ROOT / "harness" / "validation" / "models").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            match node:
                case ast.Assign(targets=[ast.Name(id="CHECK")], value=ast.Constant(value=str(name))):
                    ids.add(name)
                case ast.Call(func=ast.Name(id="agrees" | "refuted" | "not_run"), args=[ast.Constant(str(name)), *_]):
                    ids.add(name)
    return ids


def test_every_check_id_of_the_sources_has_a_description() -> None:
    ids = {text for text in constants_of(ROOT / "harness") if _CHECK_ID.fullmatch(text)} - _NO_CHECKS
    assert len(ids) > 60
    assert ids - set(DESCRIPTIONS) == set()


def test_every_check_of_a_models_wiring_has_a_description() -> None:
    ids = {f"wiring.{name}" for name in wiring_ids()}
    assert len(ids) > 10
    assert ids == {name for name in DESCRIPTIONS if name.startswith("wiring.")}


@pytest.mark.parametrize("name", DESCRIPTIONS)
def test_a_description_is_a_sentence_with_a_bound_in_a_known_group(name: str) -> None:
    description = DESCRIPTIONS[name]
    assert description.summary[:1].isupper(), description.summary
    assert description.summary.endswith("."), description.summary
    assert len(description.summary.split()) >= 4
    assert description.bound
    assert description.group in GROUPS


def test_the_mutants_of_a_description_are_those_that_the_check_must_kill() -> None:
    assert {name: description.kills for name, description in DESCRIPTIONS.items() if description.kills} == KILLS
