"""A suite: targets with their options, and the environments that hold their packages, as a TOML file says them."""

from __future__ import annotations

import difflib
import re
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from rnn_harness.errors import UsageError
from rnn_harness.runtime.input_file import parse_toml, read_text_file

HERE = "here"
"""The name of the environment that this program runs in; no suite declares it."""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_WRITTEN = (
    "a suite holds title, tables [environments.NAME] with requires, and tables [[targets]] with package and target; "
    "see `rnn-harness matrix published --plan`"
)


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class EnvironmentPlan(_Model):
    """A virtual environment that holds packages.

    Attributes:
        requires: What is installed, as pip takes it: ``torchrecurrent==0.2.5``.
        no_dependencies: Whether nothing is installed besides: `requires` then names all that is needed.
        system_site_packages: Whether the packages of the environment that this program runs in are visible too, behind
            those that are installed. The version of torch is then the one there. Otherwise this program and all that it
            needs are installed into the environment.
        constraints: A file of constraints for pip, beside the suite.
        variables: Environment variables of its processes.
    """

    requires: tuple[str, ...] = ()
    no_dependencies: bool = False
    system_site_packages: bool = True
    constraints: str = ""
    variables: dict[str, str] = Field(default_factory=dict)


class SuiteTarget(_Model):
    """An implementation that is judged.

    Attributes:
        package: The distribution that it comes from, whose version stands in the table.
        target: What ``validate`` takes; a file is looked for beside the suite.
        init: Options of its constructor, as ``key=value``.
        environment: The environment that holds it; without it, the one that this program runs in.
        adapter: The adapter that drives it, instead of the first that accepts it.
        spec: The spec that it must be.
        review: What a person who looked at a refutation says of it.
    """

    package: Annotated[str, Field(min_length=1)]
    target: Annotated[str, Field(min_length=1)]
    init: tuple[str, ...] = ()
    environment: str = HERE
    adapter: str = ""
    spec: str = "auto"
    review: str = ""

    @property
    def name(self) -> str:
        """The target with its options: what it is called in the table, and by ``--only``."""
        return " ".join((self.target, *self.init))

    @field_validator("init")
    @classmethod
    def _are_pairs(cls, pairs: tuple[str, ...]) -> tuple[str, ...]:
        """Refuse an option that is no pair."""
        for pair in pairs:
            key, equals, _ = pair.partition("=")
            if not equals or not key.isidentifier():
                raise ValueError(f"{pair!r} is no option of a constructor: expected 'key=value', as 'bias=false'")
        return pairs


class Suite(_Model):
    """Targets that are judged in one run.

    Attributes:
        title: What they are.
        dtypes: The dtypes in which they are judged.
        examples: Cases that are drawn for each after the fixed ones.
        seed: Where the random cases start.
        timeout: Seconds for one case.
        total: Seconds for one target.
        memory: Gigabytes for one target's process.
        environments: The environments, by name.
        targets: The targets, in the order of the table.
    """

    title: Annotated[str, Field(min_length=1)]
    dtypes: tuple[Literal["float64", "float32", "bfloat16", "float16"], ...] = ("float64", "float32")
    examples: Annotated[int, Field(ge=0, le=10_000)] = 0
    seed: Annotated[int, Field(ge=0)] = 0
    timeout: Annotated[float, Field(ge=0.1, le=1e7)] = 120.0
    total: Annotated[float, Field(ge=0.1, le=1e7)] = 900.0
    memory: Annotated[float, Field(ge=2, le=1e6)] = 8.0
    environments: dict[str, EnvironmentPlan] = Field(default_factory=dict)
    targets: Annotated[tuple[SuiteTarget, ...], Field(min_length=1)]

    def plan_of(self, name: str) -> EnvironmentPlan | None:
        """Return the plan of an environment; None for the one that this program runs in.

        Args:
            name: One that a target names.
        """
        return self.environments.get(name)


def shipped_suites() -> dict[str, Path]:
    """Return the files of the suites that come with this package, by name."""
    folder = Path(str(files("rnn_harness.matrix") / "suites"))
    return {path.stem: path for path in sorted(folder.glob("*.toml"))}


def suite_file(name: str) -> Path:
    """Find the file of a suite.

    Args:
        name: A file, or the name of a suite that comes with this package.

    Raises:
        UsageError: There is neither.
    """
    shipped = shipped_suites()
    if name in shipped:
        return shipped[name]
    if not name.endswith(".toml"):
        near = difflib.get_close_matches(name, shipped, n=1)
        hint = f"; did you mean {near[0]}?" if near else ""
        raise UsageError(
            f"there is no suite {name!r}{hint}; expected a file of your own (mine.toml) or one of {', '.join(shipped)}"
        )
    return Path(name)


def load_suite(path: Path) -> Suite:
    """Read a suite.

    Args:
        path: A TOML file; see `Suite` for its fields.

    Raises:
        UsageError: It cannot be read, or says what it may not: the message shows the value and what was expected.
    """
    try:
        data = parse_toml(read_text_file(path, "a suite"))
    except UsageError:
        raise
    except ValueError as error:
        raise UsageError(f"{path}: not valid TOML: {error}") from None
    try:
        suite = Suite.model_validate(data)
    except ValidationError as error:
        raise UsageError(f"{path}: {_mistakes(error)}; {_WRITTEN}") from None
    _ensure_consistent(path, suite)
    return suite


def _mistakes(error: ValidationError) -> str:
    """Say where a suite is wrong, and with which value; of more than four mistakes, the first four."""
    mistakes = [
        f"{'.'.join(map(str, mistake['loc']))} = {str(mistake['input'])[:80]!r}: {mistake['msg']}"
        if mistake["type"] != "missing"
        else f"{'.'.join(map(str, mistake['loc']))}: it is missing"
        for mistake in error.errors()
    ]
    return "; ".join(mistakes[:4]) + (f"; and {len(mistakes) - 4} more" if len(mistakes) > 4 else "")


def _ensure_consistent(path: Path, suite: Suite) -> None:
    """Check that environments are known and targets differ. Raises UsageError."""
    for name, plan in suite.environments.items():
        if name == HERE or _NAME.fullmatch(name) is None:
            raise UsageError(
                f"{path}: environments.{name}: {name!r} is no name of an environment; expected letters, digits and "
                f"'.', '_', '-', and not {HERE!r}, which is the environment that rnn-harness runs in"
            )
        if plan.constraints and not (path.parent / plan.constraints).is_file():
            where = path.parent / plan.constraints
            raise UsageError(f"{path}: environments.{name}.constraints: there is no file {where}")
    names: set[tuple[str, str]] = set()
    for number, target in enumerate(suite.targets):
        if target.environment != HERE and target.environment not in suite.environments:
            known = ", ".join((HERE, *suite.environments))
            raise UsageError(
                f"{path}: targets.{number}.environment = {target.environment!r}: there is none of that name; "
                f"there are {known}: declare it as [environments.{target.environment}]"
            )
        if (target.environment, target.name) in names:
            raise UsageError(f"{path}: targets.{number}: {target.name} stands there twice; leave one of them out")
        names.add((target.environment, target.name))
