"""What ``validate`` ends with: the verdict, its cause, and the command that goes on from there."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from typing import TYPE_CHECKING

from rnn_harness.cli._conclusion import Conclusion

_OWN_EQUATIONS = "equations of your own; rnn-harness specs check FILE.toml"
_MOST_SUGGESTED = 3
_DECIDING = ("process.", "identification.", "model.", "numbers.")
"""How the names of checks begin without which nothing is decided."""

if TYPE_CHECKING:
    from rnn_harness.records.record import Record
    from rnn_harness.records.validation import Validation
    from rnn_harness.validation import ValidationRequest


def validation_conclusion(validation: Validation, request: ValidationRequest, writes_program: bool) -> Conclusion:
    """Conclude from a validation.

    Args:
        validation: The result.
        request: What was asked for: its options stand in the next command, too.
        writes_program: Whether the counterexample has been written as a program.
    """
    target = validation.target
    command = _command(request)
    if validation.outcome == "agrees":
        is_named = validation.spec not in ("", "candidate")
        agreement = f"agrees with {validation.spec}" if is_named else "agrees with the equations of what it is"
        return Conclusion(
            f"{target} {agreement}{validation.how_far}",
            f"{command} --junit FILE  (for CI; pytest --rnn-cell {target} too)",
        )
    if validation.outcome == "refuted":
        return Conclusion(
            f"{target} is refuted: {_cause(validation)}", _after_refutation(validation, command, writes_program)
        )
    if validation.outcome == "consistent":
        if request.spec != "auto":
            return _conclusion_of_untied(target, request.spec)
        verdict = f"{target} is consistent with every recurrent cell; no equation is known for it"
        return Conclusion(verdict, _spec_command(command, target))
    not_run = [record for record in validation.checks if str(record.outcome) == "not run" and record.reason]
    deciding = [record for record in not_run if record.harness_error or record.check.startswith(_DECIDING)]
    reason = next((record.reason for record in (*deciding, *not_run)), "no check could be run")
    verdict = f"{target} is undecided: {reason}"
    if request.spec == "auto" and any(record.check.startswith("identification.") for record in deciding):
        return Conclusion(verdict, _spec_command(command, target))
    return Conclusion(verdict, f"{command} -v  (lists every record with its reason)")


def _spec_command(command: str, target: str) -> str:
    """Return the command that holds a cell against equations: those that it is called after, or a file's."""
    from rnn_harness.specs import specs_called

    called = [spec.id for spec in specs_called(target.rpartition(":")[2])][:_MOST_SUGGESTED]
    if not called:
        return f"{command} --spec FILE.toml  ({_OWN_EQUATIONS})"
    others = f"; or {', '.join(called[1:])}" if called[1:] else ""
    return f"{command} --spec {called[0]}  (if that is what its name means{others}; or a file with its equations)"


def _conclusion_of_untied(target: str, spec: str) -> Conclusion:
    """Conclude that a cell equals the wanted spec in no way that is known, and breaks nothing that holds for any."""
    verdict = f"{target} is consistent with every recurrent cell, but equals {spec} in no layout of its parameters"
    shown = "check" if spec.endswith(".toml") else "show"
    return Conclusion(verdict, f"rnn-harness specs {shown} {shlex.quote(spec)}  (the names of the spec's parameters)")


def _command(request: ValidationRequest) -> str:
    """Return the command that validates the same again, without the files that it writes."""
    words = ["rnn-harness", "validate", request.target, *(f"--init={option}" for option in request.typed_options)]
    words += [] if request.adapter is None else [f"--adapter={request.adapter}"]
    words += [] if request.spec == "auto" else [f"--spec={request.spec}"]
    return shlex.join(words)


def _cause(validation: Validation) -> str:
    """Say what is at fault: by the diagnosis, or else by the first check that is refuted."""
    if validation.diagnosis is not None:
        part, difference = validation.diagnosis.part, validation.diagnosis.difference
        place, _, name = part.rpartition(": ")
        if name and difference.startswith(name):
            return f"{place}: {difference}"
        return f"{part}: {difference}" if difference else part
    first = _first_refuted(validation.checks)
    return f"{first.check}: {first.reason}" if first is not None else "see the records"


def _after_refutation(validation: Validation, command: str, writes_program: bool) -> str:
    """Return the command that shows the counterexample, or else explains the check that refutes.

    What the identification finds, as a NaN, is said already: of that check there is nothing to explain.
    """
    if validation.counterexample is not None and not writes_program:
        return f"{command} --repro wrong.py  (a program that shows it)"
    first = _first_refuted(validation.checks)
    if first is None or first.check.startswith(_DECIDING):
        return f"{command} -v  (lists every record with its reason)"
    return f"rnn-harness explain {first.check}  (what it does, and what an error is measured against)"


def _first_refuted(records: Sequence[Record]) -> Record | None:
    """Return the first record that refutes, and was not expected to."""
    return next((record for record in records if str(record.outcome) == "refuted" and not record.expected), None)
