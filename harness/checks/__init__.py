"""All checks of a subject, cheapest first."""

from __future__ import annotations

from rnn_harness.checks import _backward, _forward, _relations
from rnn_harness.checks._check import Check, Finding

__all__ = ["Check", "Finding", "all_checks"]


def all_checks() -> tuple[Check, ...]:
    """Forward, backward, then the relations."""
    return (*_forward.CHECKS, *_backward.CHECKS, *_relations.CHECKS)
