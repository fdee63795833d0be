"""What every check does, what decides it, and which mutants it must kill: for ``explain`` and the documentation."""

from __future__ import annotations

from rnn_harness.check_guide.check_description import GROUPS, CheckDescription
from rnn_harness.check_guide.describe_checks import describe_checks

__all__ = ["GROUPS", "CheckDescription", "describe_checks"]
