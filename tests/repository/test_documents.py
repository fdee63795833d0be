"""What README and change log promise is what is there."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from rnn_harness.checks.metamorphic import PROPERTIES
from rnn_harness.mutants import MUTANTS
from rnn_harness.specs import equivalences, library, load_spec

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
CHANGES = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_numbers_in_the_documents_are_counted() -> None:
    assert f"{len(MUTANTS)} wrong references" in README
    assert f"{len(MUTANTS)} wrong references" in CHANGES
    assert f"{len(PROPERTIES)} metamorphic properties" in CHANGES
    assert f"{len(equivalences())} equivalences" in CHANGES
    numbered = [name for name in library().entries if re.fullmatch(r"E-\d{3}", name)]
    assert f"{len(numbered)} numbered entries" in README


def test_spec_file_of_the_readme_is_one(tmp_path: Path) -> None:
    (text,) = re.findall(r"```toml\n(.*?)```", README, re.DOTALL)
    path = tmp_path / "mine.toml"
    path.write_text(text, encoding="utf-8")
    assert [one.target.name for one in load_spec(path).program().assignments] == ["h"]


def test_python_of_the_readme_runs() -> None:
    (code,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("path", re.findall(r"\]\(([\w./]+)\)", README))
def test_linked_file_exists(path: str) -> None:
    assert (ROOT / path).exists()
