"""What ``[tool.rnn-harness]`` of a user's pyproject.toml says, and what the options of pytest put in its place."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from rnn_harness.errors import UsageError
from rnn_harness.runtime.input_file import parse_toml, read_text_file

Profile = Literal["quick", "full"]


class SuiteSettings(BaseModel):
    """The settings of a suite.

    Attributes:
        cells: The cells that are judged besides those of `parametrize_with_cells`.
        spec: The spec that every one of them must have.
        init: ``key=value`` pairs for their constructors.
        profile: ``quick`` judges in float64 on the fixed cases alone, and not in forward mode; ``full`` in every dtype
            and on drawn cases too.
        report: The folder of the report.
        sarif: The file of findings in SARIF.
        github: Whether findings are printed as annotations of GitHub.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    cells: tuple[str, ...] = ()
    spec: str = "auto"
    init: tuple[str, ...] = ()
    profile: Profile = "full"
    report: str = ""
    sarif: str = ""
    github: bool = False

    @property
    def dtypes(self) -> tuple[str, ...]:
        """The dtypes in which cells are judged."""
        from rnn_harness.validation.request import DTYPES

        return DTYPES[:1] if self.profile == "quick" else DTYPES

    @property
    def left_out(self) -> tuple[str, ...]:
        """Checks that are left out: for forward mode torch may load its compiler, which takes seconds."""
        return ("behaviour.jvp",) if self.profile == "quick" else ()

    @property
    def examples(self) -> int:
        """How many cases are drawn, after the fixed ones."""
        return 0 if self.profile == "quick" else 5


class _Tool(BaseModel):
    """The table ``tool`` of a pyproject.toml."""

    settings: SuiteSettings = Field(default_factory=SuiteSettings, alias="rnn-harness")


def read_settings(folder: Path) -> SuiteSettings:
    """Read the settings of a project.

    Args:
        folder: The folder of its pyproject.toml; without one, or without the table, the settings are the usual ones.

    Raises:
        UsageError: The file cannot be read, is no TOML, or the table holds what it must not.
    """
    path = folder / "pyproject.toml"
    if not path.is_file():
        return SuiteSettings()
    try:
        tool = parse_toml(read_text_file(path, "settings")).get("tool", {})
    except ValueError as error:
        raise UsageError(f"{path}: no TOML: {error}") from None
    try:
        return _Tool.model_validate(tool).settings
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise UsageError(
            f"{path}: [tool.{place}]: {first['msg']}; expected {', '.join(SuiteSettings.model_fields)}"
        ) from None
