"""A suite says what is wrong with it: the value, what was expected, what to write."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from rnn_harness.errors import UsageError
from rnn_harness.matrix.suite import load_suite, shipped_suites, suite_file

HEAD = 'title = "Mine"\n'
TARGET = '[[targets]]\npackage = "torch"\ntarget = "torch.nn:GRUCell"\n'


def written(folder: Path, text: str) -> Path:
    path = folder / "mine.toml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (HEAD, "targets: it is missing; a suite holds title"),
        (HEAD + "targets = 3\n", "targets = '3'"),
        (TARGET, "title: it is missing"),
        ("title = ", "not valid TOML"),
        (HEAD + TARGET + "sizes = 3\n", "targets.0.sizes = '3': Extra inputs are not permitted"),
        (HEAD + TARGET + 'init = ["bias"]\n', "'bias' is no option of a constructor: expected 'key=value'"),
        (HEAD + TARGET + 'environment = "old"\n', "there are here: declare it as [environments.old]"),
        (HEAD + TARGET + TARGET, "torch.nn:GRUCell stands there twice"),
        (HEAD + TARGET + "[environments.here]\n", "'here' is no name of an environment"),
        (HEAD + TARGET + '[environments."a/b"]\n', "'a/b' is no name of an environment"),
        (
            HEAD + TARGET + '[environments.a]\nconstraints = "pins.txt"\n',
            "environments.a.constraints: there is no file",
        ),
        ('dtypes = ["float8"]\n' + HEAD + TARGET, "dtypes.0 = 'float8': Input should be 'float64'"),
        ("examples = -1\n" + HEAD + TARGET, "examples = '-1'"),
    ],
    ids=lambda value: value if " " in value and "\n" not in value else "",
)
def test_a_wrong_suite_is_refused_with_its_value_and_what_was_expected(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(UsageError, match=re.escape(message)):
        load_suite(written(tmp_path, text))


def test_a_name_that_is_no_suite_lists_those_that_ship() -> None:
    with pytest.raises(UsageError, match=r"did you mean published\?; expected a file of your own \(mine\.toml\)"):
        suite_file("publishd")


def test_every_shipped_suite_can_be_read_and_one_holds_forty_implementations_of_twelve_packages() -> None:
    suites = {name: load_suite(path) for name, path in shipped_suites().items()}
    published = suites["published"]
    assert len(published.targets) >= 40
    assert len({target.package for target in published.targets}) >= 12


def test_every_package_of_the_shipped_suite_is_pinned() -> None:
    published = load_suite(shipped_suites()["published"])
    requirements = [pin for plan in published.environments.values() for pin in plan.requires]
    assert [pin for pin in requirements if re.fullmatch(r"[\w.-]+==[\w.]+", pin) is None] == []
    asked_for = {target.environment for target in published.targets}
    assert set(published.environments) <= asked_for
