"""A validation on a terminal: its summary, and every record if that is wanted."""

from __future__ import annotations

from rich.console import Console

from rnn_harness.records.validation import Validation
from rnn_harness.records.validation_summary import print_summary
from rnn_harness.reports.text.kernels import print_records


def print_validation(console: Console, validation: Validation, verbose: bool, finished: bool = True) -> None:
    """Print what was decided about a target.

    Args:
        console: Where to.
        validation: The result.
        verbose: Whether every record is listed, too.
        finished: Whether the validation came to its end.
    """
    print_summary(console, validation, finished)
    if verbose:
        print_records(console, validation.checks)
