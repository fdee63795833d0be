"""Arguments that are 1 where a row's state must be forgotten."""

from __future__ import annotations

RESET_NAMES = frozenset(
    [
        "start",
        "starts",
        "is_start",
        "reset",
        "resets",
        "done",
        "dones",
        "is_first",
        "episode_start",
        "episode_starts",
        "session_start",
        "new_session",
    ]
)
"""Their names, in lower case."""
