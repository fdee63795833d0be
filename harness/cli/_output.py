"""Where output goes: a terminal without our characters, a reader who has gone, a disk that is full."""

from __future__ import annotations

import codecs
import contextlib
import errno
import os
import sys
import tempfile
from collections.abc import Iterator

from rnn_harness.errors import ExitCode

_PLAIN = str.maketrans("✓✗–—…·±µ×‖→²", "vx--..+ux|>2", "")
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)


def prepared() -> None:
    """Characters that an encoding lacks are written as the nearest that it has, or as ``?``; no folder is left behind
    where the command is called.
    """
    # Hypothesis keeps what it reads out of modules in a folder: in the working directory, if nobody says where.
    os.environ.setdefault("HYPOTHESIS_STORAGE_DIRECTORY", os.path.join(tempfile.gettempdir(), _user("hypothesis")))
    codecs.register_error("rnn-harness", _nearest)
    for stream in (sys.stdout, sys.stderr):
        encoding = (getattr(stream, "encoding", None) or "").lower()
        if hasattr(stream, "reconfigure") and not encoding.startswith("utf"):
            stream.reconfigure(errors="rnn-harness")


def _user(name: str) -> str:
    """A name of the user's own: folders for temporary files are everybody's."""
    return f"rnn-harness-{name}-{os.getuid() if hasattr(os, 'getuid') else 'of-this-user'}"


def _nearest(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    lost = error.object[error.start : error.end]
    return "".join(one if one.isascii() else "?" for one in lost.translate(_PLAIN)), error.end


@contextlib.contextmanager
def told() -> Iterator[None]:
    """What a stream does not take ends the command: 141 where nobody reads any more, 2 where a disk is full."""
    try:
        try:
            yield
        finally:
            sys.stdout.flush()
    except OSError as error:
        if error.errno not in (errno.EPIPE, *_FULL):
            raise
        _silence()
        if error.errno == errno.EPIPE:
            raise SystemExit(ExitCode.CLOSED) from None
        with contextlib.suppress(OSError):
            print(f"rnn-harness: cannot write the output: {error.strerror}", file=sys.stderr)
        raise SystemExit(ExitCode.WRONG_USE) from None


def _silence() -> None:
    """Python itself writes what is left when it ends: to nowhere."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    with contextlib.suppress(OSError, ValueError):
        os.dup2(nowhere, sys.stdout.fileno())
