"""How long properties may take: what lies beyond it is not tried, and the record says so."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from rnn_harness.errors import NotRun


@dataclass(frozen=True)
class Budget:
    """Time of this process's cores, so that what is reached does not depend on how busy the machine is.

    Attributes:
        seconds: The time from now on.
    """

    seconds: float
    _start: float = field(default_factory=time.process_time)

    @property
    def remaining(self) -> float:
        """The seconds that are left."""
        return self.seconds - (time.process_time() - self._start)

    def require(self, seconds: float, purpose: str) -> None:
        """Refuse what takes longer than what is left.

        Args:
            seconds: How long it takes.
            purpose: What it is, for the reason.

        Raises:
            NotRun: It does; the reason names the purpose.
        """
        if seconds > self.remaining:
            raise NotRun(f"not reached within the {self.seconds:g} s that all large trials may take: {purpose}")
