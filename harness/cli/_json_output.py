"""The option ``--json FILE`` of every command that has a result for programs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from rnn_harness.cli._text_file import write_text_file
from rnn_harness.cli.arguments import ensure_writable

JsonName = Annotated[
    str | None,
    typer.Option("--json", metavar="FILE", help="Write the result as JSON; - prints it instead of the text."),
]


@dataclass(frozen=True)
class JsonOutput:
    """Where the result goes as JSON.

    Attributes:
        file: The file that it is written to; None where it is written to none.
        is_printed: Whether it is printed instead of the text.
    """

    file: Path | None = None
    is_printed: bool = False

    @classmethod
    def of(cls, typed: str | None) -> JsonOutput:
        """Read what was typed after ``--json``.

        Args:
            typed: A file, or ``-`` for the terminal; None where the option was not given.

        Raises:
            UsageError: The file cannot be written.
        """
        if typed == "-":
            return cls(is_printed=True)
        file = None if typed is None else Path(typed)
        ensure_writable(file)
        return cls(file)

    @property
    def is_wanted(self) -> bool:
        """Whether the result goes anywhere as JSON."""
        return self.is_printed or self.file is not None

    def write(self, document: str) -> None:
        """Print the result, or write it to the file; do neither where it is not wanted.

        Args:
            document: One JSON document; in ASCII, since a terminal may have no other characters.

        Raises:
            UsageError: The file cannot be written.
        """
        if self.is_printed:
            typer.echo(document)
        elif self.file is not None:
            write_text_file(self.file, f"{document}\n")
