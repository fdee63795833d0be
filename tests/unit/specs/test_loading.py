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


SECOND = """
[[equations]]
id = "F-002"
line = 2
printed = 'y_t = U h_t'
[[equations.errata]]
id = "X-1"
finding = "shape"
text = "wrong"

[reference]
name = "rnn"
"""


@pytest.mark.parametrize(
    ("old", "new", "line", "message"),
    [
        ("line = 2", "line = 0", 14, "equations.2.line: .*greater than or equal to 1"),
        ("printed = 'y_t = U h_t'", "", 12, "equations.2.printed is missing"),
        ("printed = 'y_t", "printd = 'y_t", None, "equations.2.printed is missing|unknown key 'printd'"),
        ('text = "wrong"', 'text = "wrong"\nkind = 1', 20, "unknown key 'kind'; known here: finding, id, text"),
        ('text = "wrong"', 'txt = "wrong"\ntext = "wrong"', 19, "unknown key 'txt'; did you mean 'text'"),
        ('name = "rnn"', 'name = "rnn"\noption = 1', 23, "unknown key 'option'; did you mean 'options'"),
        ('name = "rnn"', "name = 3", 22, "reference.name: .*valid string"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_damage_is_told_at_the_line_of_its_own_entry(
    tmp_path: Path, old: str, new: str, line: int | None, message: str
) -> None:
    path = write(tmp_path, GOOD + SECOND.replace(old, new, 1))
    with pytest.raises(SpecError, match=message) as caught:
        load_spec(path)
    if line is not None:
        assert caught.value.line == line, str(caught.value)


def test_a_file_may_use_shipped_equations(tmp_path: Path) -> None:
    text = GOOD.replace('id = "mine"', 'id = "mine"\nuses = ["E-302"]\ntime = "i"\nfunctions = { O = "softmax" }')
    text = text.replace("_t", "_i").replace("{t-1}", "{i-1}").replace('U = "d d"', 'U = "d d", V = "k d", c = "k"')
    made = load_spec(write(tmp_path, text.replace("h_", "s_").replace("h =", "s =")))
    assert [one.target.name for one in made.program().assignments] == ["s", "y"]


def test_used_equation_that_does_not_exist_names_those_that_do(tmp_path: Path) -> None:
    path = write(tmp_path, GOOD.replace('id = "mine"', 'id = "mine"\nuses = ["E-30"]'))
    with pytest.raises(SpecError, match="uses E-30: no such equation; there is E-3"):
        load_spec(path)


def test_an_equation_of_no_document_needs_no_line(tmp_path: Path) -> None:
    path = write(tmp_path, GOOD.replace("line = 1\n", ""))
    assert load_spec(path).equations[0].line == 0


def test_an_equation_of_a_document_needs_the_line_on_which_it_stands(tmp_path: Path) -> None:
    path = write(tmp_path, 'document = "my paper"\n' + GOOD.replace("line = 1\n", ""))
    with pytest.raises(SpecError, match="F-001: line is missing: expected the line of my paper"):
        load_spec(path)


def test_a_spec_without_lines_is_read_again_from_its_json(tmp_path: Path) -> None:
    model = load_spec(write(tmp_path, GOOD.replace("line = 1\n", ""))).model
    assert type(model).model_validate_json(model.model_dump_json()) == model
