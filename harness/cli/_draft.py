"""``rnn-harness specs draft``: the spec files that a document's displayed equations make."""

from __future__ import annotations

import re
from pathlib import Path

import typer

from rnn_harness.errors import UsageError
from rnn_harness.runtime.input_file import read_text_file

LONGEST = 2_000_000
"""Characters of a document; a longer one is hardly the text of a paper."""


def draft_specs(path: Path, output: Path | None) -> None:
    """Print the drafted spec files of a document, or write them into a folder; and say what is in none of them.

    Args:
        path: The document.
        output: The folder; None to print the files.

    Raises:
        UsageError: The document cannot be read, holds no displayed equation, or a file would be overwritten.
    """
    from rnn_harness.specs.draft import draft_document

    text = _read(path)
    name = re.sub(r"[^a-z0-9]+", "_", path.stem.lower()).strip("_") or "draft"
    draft = draft_document(text, name)
    if not draft.displayed:
        raise UsageError(
            f"{path} holds no displayed equation: expected $$...$$, \\[...\\], an align environment, or lines with '='"
        )
    if output is not None:
        _write(output, [(f"{name}_{number}.toml", spec.text) for number, spec in enumerate(draft.specs, 1)])
    for number, spec in enumerate(draft.specs, 1):
        lines = sorted(d.displayed.line for d in spec.group.definitions.values())
        state = "makes a step" if spec.is_complete else f"makes no step yet: {spec.problem}"
        if spec.is_complete and not spec.shapes["states"]:
            state = "can be computed, and carries nothing from one time to the next"
        place = f"{name}_{number}.toml" if output is not None else f"draft {number}"
        if output is None:
            typer.echo(f"# {place}\n{spec.text}")
        else:
            typer.echo(f"{output / place}: lines {', '.join(map(str, lines))}; {state}")
    complete = sum(spec.is_complete for spec in draft.specs)
    typer.echo(
        f"{path}: {len(draft.displayed)} displayed formulas, {len(draft.specs)} steps, {complete} of them complete",
        err=output is None,
    )
    for number, reason in draft.reasons.items():
        typer.echo(f"{path}:{draft.displayed[number].line}: {reason}", err=output is None)


def _read(path: Path) -> str:
    """Read a document. Raises UsageError."""
    text = read_text_file(path, "a document in Markdown, LaTeX or plain text")
    if len(text) > LONGEST:
        raise UsageError(f"{path} has {len(text)} characters; expected {LONGEST} at most, the text of a paper")
    return text


def _write(folder: Path, files: list[tuple[str, str]]) -> None:
    """Write files that are not there yet into a folder. Raises UsageError."""
    for name, _ in files:
        if (folder / name).exists():
            raise UsageError(f"{folder / name} is there already; name another folder with --output")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in files:
            (folder / name).write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"cannot write to {folder}: {error.strerror}") from None
