"""When and of what state of the sources a page was written."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class PageOrigin:
    """What the records do not say of a page.

    Attributes:
        date: The day on which it was written, as ``2026-11-29``; empty where it is not known.
        commit: The commit of the folder in which it was written, and whether that has changes; empty where there is
            none.
    """

    date: str = ""
    commit: str = ""
