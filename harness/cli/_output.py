"""Where output goes: a terminal without our characters, a reader who has gone, a disk that is full."""

from __future__ import annotations

import codecs
import contextlib
import errno
import io
import os
import sys
import tempfile
from collections.abc import Iterator
from typing import TextIO

from rnn_harness.errors import ExitCode

_PLAIN = str.maketrans("✓✗–—…·±µ×‖→²", "vx--..+ux|>2", "")
_DISK_ERRORS = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)
_HANDLER = "rnn-harness"


def prepare_streams() -> None:
    """Make streams write characters that their encoding lacks as the nearest that it has, or as ``?``.

    The folder in which Hypothesis keeps what it reads out of modules is put among the temporary files: it would be left
    in the working directory.
    """
    os.environ.setdefault("HYPOTHESIS_STORAGE_DIRECTORY", os.path.join(tempfile.gettempdir(), _of_user("hypothesis")))
    codecs.register_error(_HANDLER, _nearest_characters)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper) and not stream.encoding.lower().startswith("utf"):
            stream.reconfigure(errors=_HANDLER)


class StrippedLines(io.TextIOBase):
    """A stream of text whose lines do not end with blanks, as tables leave them.

    Args:
        stream: Where the lines go; it gets them whole, and the last one at the latest when it is flushed.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._line = ""

    @property
    def encoding(self) -> str:  # type: ignore[override]
        """The encoding of the stream."""
        return self._stream.encoding

    def write(self, text: str) -> int:
        """Write the lines that are whole, and keep what follows the last of them.

        Args:
            text: Any number of lines.
        """
        *lines, self._line = f"{self._line}{text}".split("\n")
        self._stream.write("".join(f"{line.rstrip(' ')}\n" for line in lines))
        return len(text)

    def flush(self) -> None:
        """Write what is left, and flush the stream."""
        self._stream.write(self._line)
        self._line = ""
        self._stream.flush()


def _of_user(name: str) -> str:
    """Return a name with the user's id: folders for temporary files are shared by all users."""
    return f"rnn-harness-{name}-{os.getuid() if hasattr(os, 'getuid') else 'of-this-user'}"


def _nearest_characters(error: UnicodeError) -> tuple[str, int]:
    """Return ASCII for what could not be encoded, and where to go on; a handler of `codecs`."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    missing = error.object[error.start : error.end]
    return "".join(letter if letter.isascii() else "?" for letter in missing.translate(_PLAIN)), error.end


@contextlib.contextmanager
def output_errors() -> Iterator[None]:
    """End the command where a stream does not take its output.

    Raises:
        SystemExit: 141 where nobody reads any more, 2 where a disk is full.
    """
    try:
        try:
            yield
        finally:
            sys.stdout.flush()
    except OSError as error:
        if error.errno not in (errno.EPIPE, *_DISK_ERRORS):
            raise
        _silence_stdout()
        if error.errno == errno.EPIPE:
            raise SystemExit(ExitCode.CLOSED) from None
        with contextlib.suppress(OSError):
            print(f"rnn-harness: cannot write the output: {error.strerror}", file=sys.stderr)
        raise SystemExit(ExitCode.WRONG_USE) from None


def _silence_stdout() -> None:
    """Send to nowhere what Python itself still writes when it ends."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    with contextlib.suppress(OSError, ValueError):
        os.dup2(nowhere, sys.stdout.fileno())
