"""Bytes through the pipe between a worker and the process that waits, as many as are there at once."""

from __future__ import annotations

import os
import sys
from multiprocessing.connection import Connection

CHUNK_BYTES = 2**16


def read_some(receiver: Connection) -> bytes:
    """Read what has come through a pipe, without waiting for more; nothing where its other end is closed.

    Windows' pipes have no descriptors that could be read, and keep the pieces that were written apart.

    Args:
        receiver: An end of a pipe from which `poll` says that it can be read.

    Raises:
        OSError: The pipe cannot be read any more.
    """
    if sys.platform == "win32":
        try:
            return receiver.recv_bytes()
        except EOFError:
            return b""
    return os.read(receiver.fileno(), CHUNK_BYTES)


def write_all(sender: Connection, data: bytes) -> None:
    """Write bytes into a pipe.

    Args:
        sender: The end of the pipe.
        data: All of them are written.

    Raises:
        OSError: Nobody reads the pipe.
    """
    for start in range(0, len(data), CHUNK_BYTES):
        piece = memoryview(data)[start : start + CHUNK_BYTES]
        if sys.platform == "win32":
            sender.send_bytes(piece)
        else:
            while piece:
                piece = piece[os.write(sender.fileno(), piece) :]
