"""What the page says first: counters, the answer in three sentences, and the finding of each section."""

from __future__ import annotations

import math
from collections import Counter as Counts
from collections.abc import Sequence
from dataclasses import dataclass

from rnn_harness.records.measurement import DecayMeasurement, LearningMeasurement, SpeedMeasurement
from rnn_harness.reports.page.contents import Contents
from rnn_harness.reports.page.family_rows import FamilyRow
from rnn_harness.reports.page.glossary import shown_initialisation
from rnn_harness.reports.page.interval_text import interval_text, intervals_meet, meeting, rate_text
from rnn_harness.reports.page.line_chart import number_text
from rnn_harness.reports.page.side_by_side import FASTEST, ComparedValue


@dataclass(frozen=True)
class Counter:
    """A number in the top band.

    Attributes:
        text: The number with what it counts.
        outcome: ``agrees``, ``refuted`` or ``not-run``: how it is marked.
        section: The section it leads to.
    """

    text: str
    outcome: str
    section: str


@dataclass(frozen=True)
class Answer:
    """A sentence of the answer.

    Attributes:
        question: What it answers, in a word.
        sentence: The sentence with its numbers.
        section: The section it leads to.
    """

    question: str
    sentence: str
    section: str


def counters(contents: Contents) -> list[Counter]:
    """Count what was checked, by what came of it; what was not checked has a counter that says so.

    Args:
        contents: The contents of the report.
    """
    kernels = ["refuted" if row.refuted else "agrees" if row.agrees else "not run" for row in contents.kernels]
    mutants = ["agrees" if row.killed else "refuted" for row in contents.kills]
    cells = [validation.outcome for validation in contents.validations]
    kinds: dict[str, tuple[Sequence[str], str]] = {
        "equations": ([str(row.outcome) for row in contents.equations], "verified"),
        "kernels": (kernels, "verified"),
        "mutants": (mutants, "killed"),
        "cells": (cells, "agree"),
    }
    checked = [_counter(noun, outcomes, verb, noun) for noun, (outcomes, verb) in kinds.items() if outcomes]
    missing = [noun for noun, (outcomes, _) in kinds.items() if not outcomes]
    if missing and contents.plan.is_quick:
        return [*checked, Counter(f"a quick page, without {', '.join(missing)}", "not-run", "again")]
    return [*checked, *(Counter(f"{noun}: not checked", "not-run", "again") for noun in missing)]


def _counter(noun: str, outcomes: Sequence[str], verb: str, section: str) -> Counter:
    """Count the outcomes of one kind of thing."""
    agreeing, refuted = outcomes.count("agrees"), outcomes.count("refuted")
    lost = {"killed": "survive"}.get(verb, "refuted")
    text = f"{agreeing} of {len(outcomes)} {noun} {verb}, {refuted} {lost}"
    return Counter(text, "refuted" if refuted else "agrees" if agreeing else "not-run", section)


def answers(contents: Contents) -> list[Answer]:
    """Answer the questions of the page as far as something was measured: size, speed, memory of the past.

    Args:
        contents: The contents of the report.
    """
    rows = contents.families
    horizons = _listed(rows, "horizon")
    if horizons:
        horizons = f"with torch's default initialisation the gradient horizon in float32 is {horizons}"
    longest = _listed(rows, "best")
    if longest:
        best = "with the best initialisation tried, of those whose factor per step is below 1 with 95 % confidence"
        longest = f"{best}, it is {longest}"
    parameters = _listed(rows, "parameters")
    if parameters:
        parameters = f"the number of parameters for n inputs and d units is {parameters}"
    sentences = (
        ("Size", parameters, "parameters"),
        ("Speed", _speed_answer(contents), "speed"),
        ("Memory", "; ".join(filter(None, (horizons, longest))), "decay"),
    )
    return [
        Answer(question, f"{sentence[:1].upper()}{sentence[1:]}.", section)
        for question, sentence, section in sentences
        if sentence
    ]


def _speed_answer(contents: Contents) -> str:
    """Say which family is fastest by how much, at equal size and with equally many parameters."""
    times = next((quantity for quantity in contents.comparison if quantity.title == FASTEST), None)
    if times is None:
        return ""
    both = (("with equal hidden size", times.equal_size), ("with equally many parameters", times.equal_count))
    parts = [f"{heading} {_fastest_family(values)}" for heading, values in both if len(values) > 1]
    conditions = f"; {times.conditions}" if times.conditions else ""
    return f"{'; '.join(parts)} (the fastest implementation of each{conditions})" if parts else ""


def _fastest_family(values: Sequence[ComparedValue]) -> str:
    """Say how many times as fast as the others the fastest is; as fast as those whose interval meets its own."""
    first, *slower = sorted(values, key=lambda value: value.value)
    texts = [_speed_against(first, value) for value in slower]
    return f"the {first.family} is {' and '.join(texts)}"


def _speed_against(first: ComparedValue, slower: ComparedValue) -> str:
    """Say how many times as fast as another a family is, with the interval of that ratio."""
    if slower.low <= first.high:
        return f"as fast as the {slower.family} within the intervals"
    interval = interval_text(slower.low / first.high, slower.high / first.low, 1)
    return f"{slower.value / first.value:.1f}{interval} times as fast as the {slower.family}"


def _listed(rows: Sequence[FamilyRow], name: str) -> str:
    """List what a field of the families' rows says, each with its family; empty where no row has it."""
    texts = [(row.name, str(vars(row)[name])) for row in rows if vars(row)[name]]
    return ", ".join(f"{text} for the {family}" for family, text in texts)


def findings(contents: Contents) -> dict[str, str]:
    """Say in one sentence what each section shows, by the section's id.

    Args:
        contents: The contents of the report.
    """
    return {
        "decay": _decay_finding(contents),
        "speed": _speed_finding(contents),
        "unrolled": _unrolled_finding(contents),
        "learning": _learning_finding(contents),
        "parameters": _parameter_finding(contents),
        "checks": _matrix_finding(contents),
        **{counter.section: f"{counter.text}." for counter in counters(contents)},
        "claims": _claims_finding(contents),
        "contradictions": f"The documents contradict each other in {len(contents.contradictions)} places.",
        "errata": f"{len(contents.errata)} errata are known in the documents.",
    }


def _decay_finding(contents: Contents) -> str:
    """Name the fastest decay, the slowest one whose interval lies below 1, and what their intervals overlap with."""
    sure = [row for row in contents.decay if row.surely_decays]
    if not sure:
        return ""
    fastest, slowest = min(sure, key=lambda row: row.rate), max(sure, key=lambda row: row.rate)
    return (
        f"The gradient fades fastest in {_decay_extreme(fastest, sure)}, and slowest, of those whose factor per step "
        f"is below 1 with 95 % confidence, in {_decay_extreme(slowest, sure)}."
    )


def _decay_extreme(extreme: DecayMeasurement, rows: Sequence[DecayMeasurement]) -> str:
    """Name the cell of an extreme rate, with its interval and the cells whose intervals overlap with it."""
    text = f"{_named(extreme)} ({rate_text(extreme)} per step)"
    overlapping = [_named(row) for row in rows if row is not extreme and intervals_meet(row, extreme)]
    return f"{text}, whose interval overlaps with {_shortened(overlapping)}" if overlapping else text


def _named(row: DecayMeasurement) -> str:
    return f"{row.subject}, {shown_initialisation(row.initialisation)}"


def _shortened(names: Sequence[str]) -> str:
    """List names, of more than three the first three and how many more there are."""
    listed = "; ".join(f"that of {name}" for name in names[:3])
    return f"{listed} and {len(names) - 3} more" if len(names) > 3 else listed


def _unrolled_finding(contents: Contents) -> str:
    """Say what is left of the gradient at the first word, for each cell after training."""
    rows = [row for row in contents.unrolled if row.stage == "after training"]
    if not rows:
        return ""
    listed = ", ".join(f"{row.subject} {number_text(row.log10_flow[-1][0])}" for row in rows)
    answers = ", ".join(f"{row.subject} {row.probability:.3f}" for row in rows)
    return (
        f"Over {len(rows[0].words)} words the cells, each after a single training, keep this much of the gradient for "
        f"their first state: {listed}. The probability that they give to the right answer: {answers}."
    )


def _speed_finding(contents: Contents) -> str:
    """Count which implementation is fastest how often beyond its interval, and where several are as fast."""
    winners: Counts[str] = Counts()
    tied: Counts[str] = Counts()
    for rows in contents.speed.values():
        times = sorted((row for row in rows if row.phase == "both" and row.median is not None), key=_median)
        if times:
            equals = meeting(times[0], times)
            names = sorted({times[0].subject, *(row.subject for row in equals)})
            (tied if equals else winners)[" and ".join(names)] += 1
    sizes = winners.total() + tied.total()
    if not sizes:
        return ""
    parts = [_listed_counts(winners)] if winners else []
    if tied:
        parts.append(f"as fast within their intervals: {_listed_counts(tied)}")
    return f"The fastest implementation of forward and backward, of {sizes} sizes: {'; '.join(parts)}."


def _median(row: SpeedMeasurement) -> float:
    return math.inf if row.median is None else row.median


def _listed_counts(counts: Counts[str]) -> str:
    return ", ".join(
        f"{name} at {count}" for name, count in sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    )


def _learning_finding(contents: Contents) -> str:
    """Count the tasks that each family solves with every seed, and those that it solves with one at least."""
    tasks = list(contents.learning.values())
    if not tasks:
        return ""
    listed = ", ".join(
        f"{row.name} {_solved(tasks, row.name, every_seed=True)} and {_solved(tasks, row.name, every_seed=False)}"
        for row in contents.families
    )
    return f"Tasks solved by every seed of a learner, and by at least one, of {len(tasks)}: {listed}."


def _solved(tasks: Sequence[Sequence[LearningMeasurement]], family: str, *, every_seed: bool) -> int:
    """Count the tasks that a learner of a family solves, with all of its seeds or with one at least."""
    return sum(
        any(_is_of(row.subject, family) and row.seeds_solved >= (row.seeds if every_seed else 1) for row in rows)
        for rows in tasks
    )


def _is_of(subject: str, family: str) -> bool:
    """Whether a learner is a family's cell, or a variant of it."""
    return subject == family or subject.startswith(f"{family}, ")


def _matrix_finding(contents: Contents) -> str:
    """Count the implementations by the gravest of their marks."""
    rows = contents.check_matrix.rows
    count = len({row.name for row in rows})
    checked = f"{count} implementation{'' if count == 1 else 's'} in {len(rows)} combinations of format and device"
    refuted = sorted({row.name for row in rows if row.outcome == "refuted"})
    if not refuted:
        return f"{checked}; no check refutes one."
    names = f"{', '.join(refuted[:5])}{' and others' if len(refuted) > 5 else ''}"
    return f"{checked}; checks refute {len(refuted)}: {names}."


def _claims_finding(contents: Contents) -> str:
    """Count the verdicts, the most frequent first."""
    counts = Counts(row.verdict for row in contents.claims).most_common()
    return f"Verdicts of {len(contents.claims)} claims: {', '.join(f'{count} {verdict}' for verdict, count in counts)}."


def _parameter_finding(contents: Contents) -> str:
    """Say how many closed forms agree with what was counted."""
    if not contents.parameters:
        return ""
    refuted = sum(row.agrees is False for row in contents.parameters)
    return f"{len(contents.parameters)} closed forms were compared with counted parameters; {refuted} are wrong."
