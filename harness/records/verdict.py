"""How a check ended, and who speaks."""

from __future__ import annotations

import enum
from typing import Literal

Witness = Literal["text", "reference", "numeric", "symbolic", "torch", "kernel"]


class Outcome(enum.StrEnum):
    """How a check ended."""

    AGREES = "agrees"
    REFUTED = "refuted"
    NOT_RUN = "not run"
    VACUOUS = "vacuous"
