"""Every claim of the documents with its verdict: from records, from measurements, from sources; never from thin air."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from rnn_harness.records.measurement import (
    DecayMeasurement,
    LearningMeasurement,
    Measurement,
    ParameterCount,
    SpeedMeasurement,
)

NOT_RUN, NOT_TESTABLE, AGAINST = "not run", "not testable", "evidence refuted"


@dataclass(frozen=True)
class ClaimRow:
    """`verdict`: true, true under conditions, false, depends, not testable, not run, or that its evidence is refuted.

    `told`: conditions, counterexample or source. `evidence`: what it rests on, with numbers where it was measured.
    """

    id: str
    at: tuple[str, ...]
    says: str
    verdict: str
    told: str
    evidence: str
    command: str = ""


def judged(claims: Sequence[Any], records: Sequence[Any], measured: Sequence[Measurement]) -> list[ClaimRow]:
    """Every claim, decided by what there is."""
    found = Evidence(records)
    rows = []
    for one in claims:
        verdict, evidence = _decided(one, found, measured)
        rows.append(ClaimRow(one.id, tuple(one.at), one.says, verdict, one.when, evidence, _command(one)))
    return rows


def _command(one: Any) -> str:
    """What decides a claim again; empty where nothing is computed."""
    if one.by == "checks":
        return " ".join(("rnn-harness verify", *dict.fromkeys(name.partition("/")[0] for name in one.evidence)))
    return "rnn-harness bench parameters decay speed learning" if one.by == "measured" else ""


def _decided(one: Any, found: Evidence, measured: Sequence[Measurement]) -> tuple[str, str]:
    if one.by == "not testable":
        return NOT_TESTABLE, ""
    if one.by in ("literature", "definition"):
        return one.verdict, "a source" if one.by == "literature" else "what the specs define"
    if one.by == "measured":
        told = MEASURED[one.evidence[0]](measured)
        if told is None:
            return NOT_RUN, f"not measured: {one.evidence[0]}"
        holds, verdict, text = told
        if one.verdict is None:
            return verdict, text
        return (one.verdict if holds else AGAINST), text
    outcomes = {name: found.outcome(name) for name in one.evidence}
    text = ", ".join(f"{name} {outcome}" for name, outcome in outcomes.items())
    if "refuted" in outcomes.values():
        return AGAINST, text
    return (one.verdict if set(outcomes.values()) == {"agrees"} else NOT_RUN), text


class Evidence:
    """What records say about a check of a spec, or about an entry."""

    def __init__(self, records: Sequence[Any]) -> None:
        self.by: dict[str, set[str]] = {}
        for one in records:
            if not one.kernel:
                for name in (f"{one.spec}/{one.check}", one.entry):
                    self.by.setdefault(name, set()).add(str(one.outcome))

    def outcome(self, name: str) -> str:
        """refuted before agrees; ``not run`` where nothing decided it."""
        said = self.by.get(name, set())
        return "refuted" if "refuted" in said else "agrees" if "agrees" in said else "not run"


ClaimVerdict = tuple[bool, str, str] | None
"""(whether it is as the claim says, the verdict, the numbers), or None where it was not measured."""


def _rates(measured: Sequence[Measurement]) -> Mapping[tuple[str, str], DecayMeasurement]:
    decays = (row for row in measured if isinstance(row, DecayMeasurement) and row.agrees is not False)
    return {(row.subject, row.initialisation): row for row in decays}


def _needs(rates: Mapping[tuple[str, str], DecayMeasurement], *names: tuple[str, str]) -> list[DecayMeasurement] | None:
    found = [rates[name] for name in names if name in rates]
    return found if len(found) == len(names) else None


def _counts(measured: Sequence[Measurement]) -> dict[str, int]:
    return {row.subject: row.count for row in measured if isinstance(row, ParameterCount) and row.agrees}


def _fewer(measured: Sequence[Measurement]) -> ClaimVerdict:
    counts = _counts(measured)
    if not {"gru.keep.column", "lstm.column"} <= set(counts):
        return None
    gru, lstm = counts["gru.keep.column"], counts["lstm.column"]
    holds = gru < lstm
    return holds, "true" if holds else "false", f"{gru} against {lstm} at n = 3, d = 4: {gru / lstm:.2f}"


def _parameters(measured: Sequence[Measurement]) -> ClaimVerdict:
    rows = [row for row in measured if isinstance(row, ParameterCount) and row.origin == "spec"]
    if not rows:
        return None
    wrong = [one.subject for one in rows if not one.agrees]
    form = next((one.formula for one in rows if one.subject == "lstm.column"), "")
    return not wrong, "false" if wrong else "true", f"{len(rows)} closed forms held; the LSTM's is {form}"


def _twice(measured: Sequence[Measurement]) -> ClaimVerdict:
    counts = _counts(measured)
    if not {"lstm.bidirectional", "lstm.column"} <= set(counts):
        return None
    ratio = counts["lstm.bidirectional"] / counts["lstm.column"]
    return ratio == 2, "true under conditions", f"{ratio:g} times the parameters of one direction"


def _faster(family: str) -> Callable[[Sequence[Measurement]], ClaimVerdict]:
    """Whether the fastest implementation of a family beats the LSTM's fastest, wherever both were measured."""

    def told(measured: Sequence[Measurement]) -> ClaimVerdict:
        best: dict[tuple[Any, ...], dict[str, float]] = {}
        for one in measured:
            if not isinstance(one, SpeedMeasurement) or one.median is None:
                continue
            right = one.device == "cpu" and one.phase == "both" and one.agrees
            if right and one.sizes["n"] == one.sizes["d"]:
                place = best.setdefault((*sorted(one.sizes.items()), one.dtype), {})
                name = one.spec.partition(".")[0]
                place[name] = min(place.get(name, float("inf")), one.median)
        ratios = {place: row[family] / row["lstm"] for place, row in best.items() if {family, "lstm"} <= set(row)}
        if not ratios:
            return None
        text = ", ".join(f"{ratio:.2f} at d = {dict(place[:-1])['d']}" for place, ratio in ratios.items())
        faster = [ratio < 1 for ratio in ratios.values()]
        verdict = "true" if all(faster) else "depends" if any(faster) else "false"
        return all(faster), verdict, f"time over the LSTM's, fastest implementation of each: {text}"

    return told


def _learnt(measured: Sequence[Measurement], task: str) -> dict[str, LearningMeasurement]:
    return {row.subject: row for row in measured if isinstance(row, LearningMeasurement) and row.task == task}


def _long(measured: Sequence[Measurement]) -> ClaimVerdict:
    rows = _learnt(measured, "adding")
    if not {"RNN", "GRU", "LSTM"} <= set(rows):
        return None
    text = ", ".join(f"{name} {rows[name].median:.4f}" for name in rows)
    steps = rows["RNN"].sizes["T"]
    gated = max(rows[name].seeds_solved for name in rows if name != "RNN")
    holds = rows["RNN"].seeds_solved == 0 and gated > 0
    verdict = "true under conditions" if holds else "depends"
    return holds, verdict, f"adding over {steps} steps, loss (chance {rows['RNN'].chance:.4f}): {text}"


def _gates(measured: Sequence[Measurement]) -> ClaimVerdict:
    rows = _needs(_rates(measured), ("RNN", "torch"), ("GRU", "torch"), ("LSTM", "torch"), ("LSTM", "chrono"))
    if rows is None:
        return None
    rnn, gru, lstm, chrono = (row.rate for row in rows)
    text = (
        f"per step {rnn:.3f} (RNN), {gru:.3f} (GRU), {lstm:.3f} (LSTM) at torch's initialisation; {chrono:.3f} chrono"
    )
    holds = chrono > max(rnn, gru, lstm)
    return holds, "true under conditions" if holds else "false", text + "; only with gates that keep"


def _vanishes(measured: Sequence[Measurement]) -> ClaimVerdict:
    rows = _needs(_rates(measured), ("RNN", "torch"), ("sigmoid RNN", "torch"))
    if rows is None:
        return None
    holds = all(row.ci_high is not None and row.ci_high < 1 for row in rows)
    text = "; ".join(f"{one.subject} {one.rate:.3f} per step" for one in rows)
    return holds, "true under conditions" if holds else "false", f"{text}, at torch's initialisation"


def _short(measured: Sequence[Measurement]) -> ClaimVerdict:
    rows = [
        row
        for row in measured
        if isinstance(row, LearningMeasurement) and row.rate_before is not None and row.rate_before < 0.75
    ]
    if not rows:
        return None
    solved = [one for one in rows if one.seeds_solved > 0]
    named = ", ".join(f"{one.subject} on {one.task} from {one.rate_before:.3f} per step" for one in solved[:3])
    return bool(solved), "false" if solved else "depends", f"solved all the same: {named}" if solved else "none solved"


def _explodes(measured: Sequence[Measurement]) -> ClaimVerdict:
    rows = _needs(_rates(measured), ("RNN", "gain-3"))
    if rows is None:
        return None
    explodes = rows[0].ci_low is not None and rows[0].ci_low > 1
    return explodes, "true" if explodes else "false", f"gain 3: {rows[0].rate:.3f} per step"


def _horizons(measured: Sequence[Measurement]) -> list[tuple[str, float]]:
    horizons = [
        (f"{row.subject} ({row.initialisation})", float("inf") if row.float32_horizon is None else row.float32_horizon)
        for row in _rates(measured).values()
    ]
    return sorted(horizons, key=lambda pair: pair[1])


def _eight(measured: Sequence[Measurement]) -> ClaimVerdict:
    rows = _horizons(measured)
    own = dict(rows).get("sigmoid RNN (torch)")
    if own is None:
        return None
    holds = 6 <= own <= 12
    far = ", ".join(f"{name} {steps:.0f}" for name, steps in rows[1:4])
    return holds, "true under conditions" if holds else "false", f"float32 sees {own:.0f} steps of it; {far}"


def _depends(measured: Sequence[Measurement]) -> ClaimVerdict:
    rows = _horizons(measured)
    if len(rows) < 3:
        return None
    (near, few), (far, many) = rows[0], rows[-1]
    last = "no end" if many == float("inf") else f"{many:.0f} steps"
    return many > 100, "depends", f"float32 sees {few:.0f} steps ({near}) to {last} ({far})"


def _geometric(measured: Sequence[Measurement]) -> ClaimVerdict:
    rows = _needs(_rates(measured), ("RNN", "torch"), ("LSTM without forget gate", "torch"))
    if rows is None:
        return None
    points = [point for point in rows[0].log10_norms if point.step in (8, 10, 16, 32, 64, 100)]
    if len(points) < 2:
        return None
    lags, norms = zip(*points, strict=True)
    straight = float(np.corrcoef(lags, norms)[0, 1] ** 2)
    other = rows[1].rate
    text = f"log-linear with R^2 = {straight:.4f} (RNN); {other:.3f} per step without a forget gate, no decay"
    return straight > 0.98, "true under conditions", text


def _keeps(measured: Sequence[Measurement]) -> ClaimVerdict:
    rows = _needs(_rates(measured), ("GRU", "torch"), ("GRU", "keep"))
    if rows is None:
        return None
    text = f"{rows[1].rate:.3f} per step with an update gate that keeps, {rows[0].rate:.3f} at initialisation"
    return rows[1].rate > 0.9, "true under conditions", text


def _pair(task: str, good: str, bad: str) -> Callable[[Sequence[Measurement]], ClaimVerdict]:
    """What ends in `good` solves a task that what ends in `bad` cannot."""

    def told(measured: Sequence[Measurement]) -> ClaimVerdict:
        rows = _learnt(measured, task)
        ones = [one for name, one in rows.items() if name.endswith(good)]
        others = [one for name, one in rows.items() if (name.endswith(bad) if bad else not name.endswith(good))]
        if not ones or not others:
            return None
        holds = all(one.seeds_solved for one in ones) and not any(o.seeds_solved for o in others)
        text = ", ".join(f"{one.subject} {one.median:.4f}" for one in (*ones, *others))
        chance = ones[0].chance
        return holds, "true" if holds else "depends", f"{ones[0].task_title}, loss (chance {chance:.3f}): {text}"

    return told


MEASURED: dict[str, Callable[[Sequence[Measurement]], ClaimVerdict]] = {
    "fewer parameters": _fewer,
    "parameters": _parameters,
    "twice the parameters": _twice,
    "rnn faster": _faster("rnn"),
    "gru faster": _faster("gru"),
    "long dependencies": _long,
    "gates keep": _gates,
    "rnn vanishes": _vanishes,
    "short range learnt": _short,
    "explodes": _explodes,
    "eight or ten": _eight,
    "depends on initialisation": _depends,
    "geometric": _geometric,
    "gru keeps": _keeps,
    "sees ahead": _pair("ahead", "both directions", ""),
    "stateful learns": _pair("carry", "stateful", "stateless"),
}
"""How claims are measured, by the name that their evidence gives."""
