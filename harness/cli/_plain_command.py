"""The help of a command without what only a programmer of command lines reads: types of values, and their ranges."""

from __future__ import annotations

import re
from typing import Any

from typer.core import TyperCommand

_TYPE = re.compile(r" <[^<>]*>(\.\.\.)?$")
"""The type that typer puts behind the name of an argument: ``ID <list[str]>``."""
_NOTES = re.compile(r"  \\?\[([^\[\]]*)\]$")
"""What typer puts behind a help, with a backslash in its older versions: ``[default: 5; 0<=x<=10000]``."""
_DEFAULT_IN_WORDS = re.compile(r"default: \((.*)\)")
_RANGE = re.compile(r"(\S+<=?)?x([<>]=?\S+)?")


class PlainCommand(TyperCommand):
    """A command whose help names values in capitals; a value outside of its range is told when it is typed."""

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """Name the arguments as the help does: one that is needed stands without brackets.

        Args:
            ctx: The command line, as typer knows it.
        """
        return [piece.strip("{}") for piece in super().collect_usage_pieces(ctx)]

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write the arguments, then the options.

        Args:
            ctx: The command line, as typer knows it.
            formatter: What lays the help out.
        """
        rows: dict[str, list[tuple[str, str]]] = {"argument": [], "option": []}
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx)
            if record is not None:
                rows[parameter.param_type_name].append((_TYPE.sub("", record[0]), plain_help(record[1])))
        for title, kind in (("Arguments", "argument"), ("Options", "option")):
            if rows[kind]:
                with formatter.section(title):
                    formatter.write_dl(rows[kind])


def plain_help(text: str) -> str:
    """Leave out the range of a value from the help of an option, and what says that an argument is needed.

    Args:
        text: The help as typer makes it.
    """
    match = _NOTES.search(text)
    if match is None:
        return text
    notes = [
        _DEFAULT_IN_WORDS.sub(r"default: \1", note)
        for note in match[1].split("; ")
        if note != "required" and not _RANGE.fullmatch(note)
    ]
    return text[: match.start()] + (f"  [{'; '.join(notes)}]" if notes else "")
