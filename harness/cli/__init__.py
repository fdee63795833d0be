"""The command ``rnn-harness``."""

from __future__ import annotations

from rnn_harness.cli._app import main

__all__ = ["main"]
