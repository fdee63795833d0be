"""Files that are written whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def replaced_when_complete(path: Path) -> Iterator[Path]:
    """Lend a path next to `path` to write to; at the end, put that file in the place of `path` in one step.

    Args:
        path: the file; what it held stays there until the new one is complete, and if writing fails. A device or a
            pipe is lent itself: it is written to and never replaced; behind a link stands the file that it leads to.

    Raises:
        OSError: the disk does not take it.
    """
    if path.exists() and not path.is_file():
        yield path
        return
    whole = path.resolve() if path.is_symlink() else path
    partial = whole.with_name(whole.name + ".part")
    try:
        yield partial
        partial.replace(whole)
    except BaseException:  # also Ctrl-C: no half-written file may stay
        partial.unlink(missing_ok=True)
        raise


def write_whole(path: Path, text: str, durable: bool = False) -> None:
    """Write `text` to `path` as UTF-8, whole or not at all.

    Args:
        path: the file; its folder must exist.
        text: what it shall hold.
        durable: whether the text must have reached the disk before it takes the place.

    Raises:
        OSError: the disk does not take it.
    """
    with replaced_when_complete(path) as partial, partial.open("w", encoding="utf-8") as file:
        file.write(text)
        if durable:
            file.flush()
            os.fsync(file.fileno())
