"""All checks of a subject, cheapest first."""

from __future__ import annotations

import dataclasses
import functools

from rnn_harness.checks import backward as _backward
from rnn_harness.checks import forward as _forward
from rnn_harness.checks import metamorphic_checks as _metamorphic
from rnn_harness.checks.check import Check, Finding
from rnn_harness.checks.required_mutants import KILLS

__all__ = ["Check", "Finding", "all_checks"]


@functools.cache
def all_checks() -> tuple[Check, ...]:
    """Forward, backward, then the metamorphic properties; each with the mutants it must refute."""
    checks = (*_forward.CHECKS, *_backward.CHECKS, *_metamorphic.CHECKS)
    return tuple(dataclasses.replace(check, kills=KILLS[check.name]) for check in checks)
