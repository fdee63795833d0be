"""What a validation is asked for, within which limits, and who follows its progress; nothing heavy is imported here."""

from __future__ import annotations

import math
from collections.abc import Callable, Container
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from rnn_harness.options import Options
from rnn_harness.records.events import PhaseStarted
from rnn_harness.runtime.target_call import USUAL_TARGET_TIMEOUT

if TYPE_CHECKING:
    from rnn_harness.validation.returned_numbers import NumbersReturned
from rnn_harness.validation.judging.expected_failures import ExpectedFailure

DTYPES = ("float64", "float32")
"""The dtypes in which a target is judged unless others are asked for."""
_BY_PRECISION = ("float64", "float32", "bfloat16", "float16")


@dataclass(frozen=True)
class ValidationRequest:
    """What is to be identified or validated, and how; it can be pickled.

    Attributes:
        target: The target as it is typed; empty where the loaded target itself is handed over.
        options: What its constructor or its adapter needs besides the sizes.
        spec: The id of a spec, a spec file (``.toml``), or ``auto``: whatever it is identified as.
        seed: Where the random cases start.
        examples: How many cases Hypothesis draws, after the fixed ones.
        dtypes: The dtypes it is judged in.
        adapter: The adapter that drives it, instead of the first that accepts it.
        map: A file with its parameter map; without one, the map is identified.
        weights: A file of weights it is tried with, too.
        expected: Failures that are known, and must happen.
        memory: Gigabytes that its process may take; of no effect with a device of CUDA, which reserves far more.
        device: Where its code computes: ``cpu``, or another device of torch.
        typed_options: `options` as they were typed, for the records.
        is_confined: Whether its process has no network, and can write to no file.
        left_out: Names of checks that it is not asked.
        other_dtypes: Those in which another process judges it at the same time.
    """

    target: str = ""
    options: Options = field(default_factory=dict)
    spec: str = "auto"
    seed: int = 0
    examples: int = 5
    dtypes: tuple[str, ...] = DTYPES
    adapter: str | None = None
    map: Path | None = None
    weights: Path | None = None
    expected: tuple[ExpectedFailure, ...] = ()
    memory: float = 8.0
    device: str = "cpu"
    typed_options: tuple[str, ...] = ()
    is_confined: bool = False
    left_out: tuple[str, ...] = ()
    other_dtypes: tuple[str, ...] = ()

    def widest_dtype(self, taken: Container[str]) -> str:
        """Return the most precise of all dtypes that are asked for, in which most questions are asked.

        Args:
            taken: The dtypes that the target takes.

        Returns:
            Its name; empty if the target takes none of them.
        """
        asked = (*self.dtypes, *self.other_dtypes)
        return next((dtype for dtype in _BY_PRECISION if dtype in asked and dtype in taken), "")

    @property
    def memory_limit(self) -> float:
        """Gigabytes that its process may take; infinity where none can be set."""
        return math.inf if self.device.startswith("cuda") else self.memory


@dataclass(frozen=True)
class Limits:
    """The time that a target has.

    Attributes:
        case: Seconds for one case, or for the identification, without a message.
        total: Seconds for everything.
    """

    case: float = USUAL_TARGET_TIMEOUT
    total: float = 3600.0


def _ignore_phase(_phase: PhaseStarted) -> None:
    """Do nothing."""


def _ignore_case() -> None:
    """Do nothing."""


def _ignore_numbers(_numbers: NumbersReturned) -> None:
    """Do nothing."""


@dataclass(frozen=True)
class Listener:
    """Who follows the progress of a validation.

    Attributes:
        on_start: Called when a phase begins.
        on_case: Called before every case.
        on_numbers: Called with numbers that the target gave, which can be evaluated elsewhere.
    """

    on_start: Callable[[PhaseStarted], None] = _ignore_phase
    on_case: Callable[[], None] = _ignore_case
    on_numbers: Callable[[NumbersReturned], None] = _ignore_numbers
