"""A spec file that cannot be used says which file, which line, and what was expected; loading runs nothing of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from rnn_harness.specs import SpecError, load_spec

GOOD = """id = "mine"
title = "A trial"
inputs = { x = "n" }
states = { h = "d" }
parameters = { W = "d n", U = "d d" }

[[equations]]
id = "F-001"
line = 1
printed = 'h_t = \\tanh(W x_t + U h_{t-1})'
"""


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "mine.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_good_file_loads_and_makes_a_step(tmp_path: Path) -> None:
    made = load_spec(write(tmp_path, GOOD))
    assert [one.target.name for one in made.program().assignments] == ["h"]
    assert made.lines == {"F-001": 8}


@pytest.mark.parametrize(
    ("old", "new", "line", "message"),
    [
        ('title = "A trial"', "", None, "title is missing"),
        ('title = "A trial"', 'titel = "A trial"', None, "title is missing|unknown key 'titel'; did you mean 'title'"),
        ('title = "A trial"', 'title = "A trial"\nextra = 1', 3, "unknown key 'extra'"),
        ('"d n"', '"d-n"', 5, "'d-n' is not a size"),
        ('"d n"', '"d n k"', 5, "expected a scalar, a vector or a matrix"),
        ("line = 1", "line = 0", 9, "greater than or equal to 1"),
        ("line = 1", 'line = "one"', 9, "line"),
        ("[[equations]]", "[[equations]", 7, "not valid TOML"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_damage_is_told_with_its_line(tmp_path: Path, old: str, new: str, line: int | None, message: str) -> None:
    path = write(tmp_path, GOOD.replace(old, new, 1))
    with pytest.raises(SpecError, match=message) as caught:
        load_spec(path)
    assert caught.value.path == path
    if line is not None:
        assert caught.value.line == line
        assert str(caught.value).startswith(f"{path}:{line}: ")


def test_missing_file_directory_and_binary_file_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="there is no such file"):
        load_spec(tmp_path / "none.toml")
    with pytest.raises(SpecError, match="cannot be read"):
        load_spec(tmp_path)
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SpecError, match="cannot be read"):
        load_spec(tmp_path / "binary.toml")


def test_an_id_given_twice_is_refused(tmp_path: Path) -> None:
    twice = GOOD + GOOD[GOOD.index("[[equations]]") :]
    with pytest.raises(SpecError, match="id F-001 is given 2 times"):
        load_spec(write(tmp_path, twice))


def test_an_equation_that_cannot_be_read_names_the_line_of_the_file(tmp_path: Path) -> None:
    made = load_spec(write(tmp_path, GOOD.replace("h_{t-1})'", "h_{t-1}))'")))
    with pytest.raises(SpecError, match=r"F-001: column 31: '\)' closes nothing") as caught:
        made.program()
    assert caught.value.line == 8


def test_used_equation_that_does_not_exist_is_named(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="uses E-999: no such equation"):
        load_spec(write(tmp_path, GOOD.replace('id = "mine"', 'id = "mine"\nuses = ["E-999"]')))


def test_loading_executes_nothing_of_the_file(tmp_path: Path) -> None:
    mark = tmp_path / "ran"
    text = GOOD.replace("h_t =", f'__import__("pathlib").Path("{mark}").touch() =')
    made = load_spec(write(tmp_path, text))
    with pytest.raises(SpecError):
        made.program()
    assert not mark.exists()
