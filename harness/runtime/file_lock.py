"""A file that one process at a time writes to."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from types import TracebackType

from rnn_harness.errors import UsageError


class FileLock:
    """A lock on a file, held until it is released or its process ends, however that ends.

    The lock is on a file of its own next to it: the file itself may be put in place anew while it is locked.

    Args:
        path: the file that is to be written; where no file can be made next to it, as for a device, nothing is locked.

    Raises:
        UsageError: another process holds the lock.
    """

    def __init__(self, path: Path) -> None:
        self._lock_path = path.with_name(f".{path.name}.lock")
        self._descriptor: int | None = None
        if path.exists() and not path.is_file():
            return
        while self._descriptor is None:
            try:
                descriptor = os.open(self._lock_path, os.O_RDWR | os.O_CREAT, 0o666)
            except OSError:
                return  # opening the file itself says what is wrong, if anything is
            try:
                _lock_at_once(descriptor)
            except OSError:
                os.close(descriptor)
                raise UsageError(
                    f"another run is writing to {path}: wait until it has ended, or give another file"
                ) from None
            if self._is_in_place(descriptor):
                self._descriptor = descriptor
            else:
                os.close(descriptor)  # who held it has removed it since it was opened

    def _is_in_place(self, descriptor: int) -> bool:
        """Say whether the file that was opened still has its name."""
        try:
            return os.path.samestat(os.fstat(descriptor), os.stat(self._lock_path))
        except FileNotFoundError:
            return False

    def release(self) -> None:
        """Let others have it."""
        if self._descriptor is not None:
            if sys.platform != "win32":  # there, an open file cannot be removed
                self._lock_path.unlink(missing_ok=True)
            os.close(self._descriptor)
            self._descriptor = None

    def __enter__(self) -> FileLock:
        return self

    def __exit__(
        self, error_type: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


def _lock_at_once(descriptor: int) -> None:
    """Lock an open file, or raise OSError where another process has done so."""
    if sys.platform == "win32":
        import msvcrt

        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
