"""Checks of arguments that several commands take. Nothing heavy is imported here."""

from __future__ import annotations

import difflib
import math
import os
import re
import typing
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from rnn_harness.errors import UsageError

if TYPE_CHECKING:
    from rnn_harness.specs import Spec


def refuse_empty_names(noun: str, names: Iterable[str]) -> None:
    """Check that no name is empty: as a part of every name it would mean all.

    Args:
        noun: What the names are names of.
        names: What the user typed, one name an argument.

    Raises:
        UsageError: A name is empty.
    """
    if any(not name.strip() for name in names):
        raise UsageError(f"'' is no {noun}: leave it out to mean all of them")


def known_spec(name: str) -> Spec:
    """Return the shipped spec of an id, one of the documents or of the literature.

    Args:
        name: The id in full.

    Raises:
        UsageError: There is none; the ids that look like it are listed.
    """
    from rnn_harness.specs import library, literature

    specs = {spec.id: spec for spec in (*library().specs, *literature())}
    if name not in specs:
        nearest = [near for near in library().nearest(name) if near in specs]
        nearest = nearest or difflib.get_close_matches(name, specs, n=3)
        hint = f"; did you mean {', '.join(nearest)}?" if nearest else ""
        raise UsageError(f"there is no spec {name!r}{hint} (rnn-harness specs lists all)")
    return specs[name]


def known_dtypes(names: Sequence[str] | None) -> tuple[str, ...]:
    """Return the names of dtypes, each once.

    Args:
        names: What was typed; None or nothing where no dtype was.

    Raises:
        UsageError: One is no dtype in which a target can be judged.
    """
    from rnn_harness.cases.case import Dtype

    known = typing.get_args(Dtype)
    unknown = [name for name in names or () if name not in known]
    if unknown:
        raise UsageError(f"there is no dtype {', '.join(map(repr, unknown))}; there are {', '.join(known)}")
    return tuple(dict.fromkeys(names or ()))


def known_device(name: str) -> str:
    """Return the name of a device as torch writes it; whether it is there is asked where torch is loaded.

    Args:
        name: What was typed.

    Raises:
        UsageError: It is no name of a device on which a target can compute.
    """
    plain = name.strip().lower()
    if not re.fullmatch(r"cpu|mps|cuda(:\d+)?", plain):
        raise UsageError(f"there is no device {name!r}; expected cpu, cuda, cuda:0 (or another number) or mps")
    return plain


def refuse_taken_ids(specs: Sequence[Spec]) -> None:
    """Check that the ids of specs from files, and of their equations, are new.

    Args:
        specs: The specs from files; no two of them may share an id either.

    Raises:
        SpecError: An id is taken.
    """
    from rnn_harness.specs import SpecError, library

    taken = {spec.id for spec in library().specs}
    for spec in specs:
        if spec.id in taken:
            raise SpecError(spec.path, None, f"spec id {spec.id} is taken; give yours another")
        taken.add(spec.id)
        for entry in spec.entries:
            if entry.id in library().entries:
                raise SpecError(spec.path, spec.lines.get(entry.id), f"equation id {entry.id} is taken")


def finite_number(value: float) -> float:
    """Return a number that a limit can be; the callback of an option.

    Args:
        value: What was given; only NaN is refused here, the range is the option's.

    Raises:
        typer.BadParameter: It is none.
    """
    if math.isnan(value):
        raise typer.BadParameter(f"{value} is no number.")
    return value


def ensure_writable(*paths: Path | None) -> None:
    """Check that files can be written, before the work whose result they take.

    Args:
        paths: Files that a command is going to write, new or there already; None where none was named.

    Raises:
        UsageError: One cannot.
    """
    for path in paths:
        if path is None:
            continue
        folder = path.parent
        if path.is_dir():
            raise UsageError(f"cannot write {path}: it is a folder; name a file in it")
        if not folder.is_dir():
            raise UsageError(f"cannot write {path}: there is no folder {folder}; make it first")
        if not os.access(path if path.exists() else folder, os.W_OK):
            raise UsageError(f"cannot write {path}: it may not be written there")


def ensure_readable(noun: str, path: Path | None) -> None:
    """Check that a file to be read is there.

    Args:
        noun: What the file holds, for the message.
        path: The file; None where none was named.

    Raises:
        UsageError: It is not.
    """
    if path is not None and not path.is_file():
        from rnn_harness.runtime.input_file import unreadable_file

        raise unreadable_file(path, noun, FileNotFoundError())


def ensure_target_file(target: str) -> None:
    """Check that the file of a target is there, before a worker imports all that it needs to load it.

    Args:
        target: The target as it was typed; what names no file is left to the worker.

    Raises:
        UsageError: It is not.
    """
    place = target.rpartition(":")[0] or target
    if place.endswith((".py", ".onnx")) and not Path(place).exists():
        noun = "an ONNX model" if place.endswith(".onnx") else "a cell (package.module:Name or path/file.py:Name)"
        ensure_readable(noun, Path(place))


def ensure_resumable(resume: bool, records: Path | None) -> None:
    """Check that ``--resume`` is given with the file that it goes on with.

    Args:
        resume: Whether ``--resume`` was given.
        records: The file of ``--records``; None where none was named.

    Raises:
        UsageError: There is no file.
    """
    if resume and records is None:
        raise UsageError("--resume goes on with a file of records: name it with --records FILE")
