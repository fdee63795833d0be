"""The command ``rnn-harness``."""

from __future__ import annotations

import sys

__all__ = ["main"]


def main() -> None:
    """Run the command and leave with its exit code; Ctrl-C while it is still being loaded ends it quietly, too.

    Raises:
        SystemExit: Always; its code is one of `ExitCode`.
    """
    try:
        from rnn_harness.cli._app import run_command

        run_command()
    except KeyboardInterrupt:
        print("rnn-harness: interrupted", file=sys.stderr)
        raise SystemExit(130) from None
