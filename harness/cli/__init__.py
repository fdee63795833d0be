"""The command ``rnn-harness``."""

from __future__ import annotations

import signal
import sys
from types import FrameType
from typing import NoReturn

__all__ = ["main"]


class _Interrupts:
    """Takes Ctrl-C, and remembers it: libraries that are being imported may swallow the exception."""

    def __init__(self) -> None:
        self.were_seen = False

    def __call__(self, _number: int, _frame: FrameType | None) -> None:
        self.were_seen = True
        raise KeyboardInterrupt


def _end_interrupted() -> NoReturn:
    """Leave as after Ctrl-C."""
    print("rnn-harness: interrupted", file=sys.stderr)
    raise SystemExit(130)


def main() -> None:
    """Run the command and leave with its exit code; Ctrl-C while it is still being loaded ends it quietly, too.

    Raises:
        SystemExit: Always; its code is one of `ExitCode`.
    """
    interrupts = _Interrupts()
    before = signal.signal(signal.SIGINT, interrupts)
    try:
        from rnn_harness.cli._app import run_command

        if interrupts.were_seen:
            _end_interrupted()
        run_command()
    except KeyboardInterrupt:
        _end_interrupted()
    finally:
        signal.signal(signal.SIGINT, before)
