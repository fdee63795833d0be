"""The state of the sources in the folder that a command runs in."""

from __future__ import annotations

import subprocess

_SECONDS = 10.0


def commit_here() -> str:
    """Return the commit of the working tree around the current folder: ``cf6164d``, or ``cf6164d with changes``.

    Returns:
        Nothing where the folder belongs to none, or git is not installed.
    """
    try:
        commit = _git_output("rev-parse", "--short", "HEAD").strip()
        has_changes = bool(_git_output("status", "--porcelain", "--untracked-files=no").strip())
    except (OSError, subprocess.SubprocessError):
        return ""
    return f"{commit} with changes" if has_changes else commit


def _git_output(*arguments: str) -> str:
    """Return what git prints."""
    command = ("git", *arguments)
    return subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS, check=True).stdout
