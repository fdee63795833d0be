"""What an outcome depends on, as one digest: a result of an earlier run is used again only where nothing changed."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from rnn_harness.records.provenance import versions

_PACKAGE = __name__.partition(".")[0]
_FOLDERS = (_PACKAGE, f"{_PACKAGE}.specs", f"{_PACKAGE}.references")
_SHOWS_ONLY = ("cli", "reports")
"""Folders that show what was decided, and decide nothing."""
_SUFFIXES = (".py", ".toml")


def digest_of(*parts: object) -> str:
    """Return a digest of what an outcome depends on; this package and the versions of all libraries are part of it.

    Args:
        *parts: What else it depends on: ids, seeds, numbers of cases, the contents of files; anything that JSON has.

    Returns:
        32 hexadecimal digits; equal parts have equal digests in every process, on every machine.
    """
    text = json.dumps([versions(), source_digest(), *parts], ensure_ascii=True)
    return hashlib.sha256(text.encode("ascii")).hexdigest()[:32]


@cache
def source_digest() -> str:
    """Return a digest of this package's code and data, but for what only shows results.

    A version alone would not do: in a checkout, the code changes and its version stays.
    """
    digest = hashlib.sha256()
    for name in _FOLDERS:
        module_spec = importlib.util.find_spec(name)
        for folder in module_spec.submodule_search_locations or () if module_spec is not None else ():
            for path in _source_files(Path(folder)):
                digest.update(f"{name}/{path.relative_to(folder).as_posix()}\0".encode())
                digest.update(path.read_bytes())
                digest.update(b"\0")
    return digest.hexdigest()[:32]


def _source_files(folder: Path) -> Iterator[Path]:
    """Yield the files of a package, in an order that is the same on every file system.

    Folders of the other packages may lie inside it or beside it, as it was installed; they are not part of it.
    """
    apart = {name.removeprefix(f"{_PACKAGE}.") for name in _FOLDERS[1:]} if (folder / "cli").is_dir() else set()
    for place, folders, files in os.walk(folder, followlinks=True):
        is_top = Path(place) == folder
        folders[:] = sorted(
            name for name in folders if name != "__pycache__" and not (is_top and name in {*_SHOWS_ONLY, *apart})
        )
        yield from (Path(place) / name for name in sorted(files) if name.endswith(_SUFFIXES))
