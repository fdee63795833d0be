"""What is said about the wiring of a model: that it holds, that it does not, or something worth knowing."""

from __future__ import annotations

from dataclasses import dataclass

from rnn_harness.records.verdict import Outcome


@dataclass(frozen=True)
class WiringStatement:
    """One statement about the wiring of a model.

    Attributes:
        check: The id of its record after ``wiring.``.
        outcome: ``agrees``; ``refuted``, where a number of the model contradicts what it declares; ``not run``.
        sentence: What is the case; of what agrees, words for the summary.
        part: The part of the model that it is about; empty for all of it.
    """

    check: str
    outcome: Outcome
    sentence: str
    part: str = ""


def agrees(check: str, sentence: str, part: str = "") -> WiringStatement:
    """State that something holds, or is worth knowing.

    Args:
        check: The name of the check that says so.
        sentence: What holds, as a sentence without a full stop.
        part: The part of the model that it is about; empty for the model as a whole.
    """
    return WiringStatement(check, Outcome.AGREES, sentence, part)


def refuted(check: str, sentence: str, part: str = "") -> WiringStatement:
    """State that a number contradicts what the model declares.

    Args:
        check: The name of the check that says so.
        sentence: What is wrong, with the number that shows it.
        part: The part of the model that it is about; empty for the model as a whole.
    """
    return WiringStatement(check, Outcome.REFUTED, sentence, part)


def not_run(check: str, sentence: str, part: str = "") -> WiringStatement:
    """State that something cannot be decided, and why.

    Args:
        check: The name of the check.
        sentence: The reason.
        part: The part of the model that it is about; empty for the model as a whole.
    """
    return WiringStatement(check, Outcome.NOT_RUN, sentence, part)


def listed(words: list[str]) -> str:
    """Join words: ``a``, ``a and b``, ``a, b and c``.

    Args:
        words: At least one word.
    """
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
