"""``python -m rnn_harness``."""

from __future__ import annotations

from rnn_harness.cli import main

if __name__ == "__main__":
    main()
