"""The command ``rnn-harness``."""

from __future__ import annotations

import signal
import sys
from types import FrameType

__all__ = ["main"]


def main() -> None:
    """Run the command and leave with its exit code; Ctrl-C while it is still being loaded ends it quietly, too.

    Raises:
        SystemExit: Always; its code is one of `ExitCode`.
    """
    pressed: list[int] = []

    def interrupt(number: int, _frame: FrameType | None) -> None:
        pressed.append(number)
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGINT, interrupt)
    try:
        from rnn_harness.cli._app import run_command

        if pressed:  # libraries that are being imported may swallow it
            raise KeyboardInterrupt
        run_command()
    except KeyboardInterrupt:
        print("rnn-harness: interrupted", file=sys.stderr)
        raise SystemExit(130) from None
    finally:
        signal.signal(signal.SIGINT, before)
