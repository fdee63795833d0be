"""Every claim of the documents with its verdict: from records, from measurements, from sources; never from thin air."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

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


def judged(claims: Sequence[Any], records: Sequence[Any], measured: Sequence[Any]) -> list[ClaimRow]:
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


def _decided(one: Any, found: Evidence, measured: Sequence[Any]) -> tuple[str, str]:
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


def _rates(measured: Sequence[Any]) -> Mapping[tuple[str, str], Any]:
    return {(one.subject, one.what): one for one in measured if one.kind == "decay" and one.agrees is not False}


def _needs(rates: Mapping[tuple[str, str], Any], *names: tuple[str, str]) -> list[Any] | None:
    found = [rates[name] for name in names if name in rates]
    return found if len(found) == len(names) else None


def _counts(measured: Sequence[Any]) -> dict[str, float]:
    return {one.subject: one.middle for one in measured if one.kind == "parameters" and one.agrees}


def _fewer(measured: Sequence[Any]) -> ClaimVerdict:
    counts = _counts(measured)
    if not {"gru.keep.column", "lstm.column"} <= set(counts):
        return None
    gru, lstm = counts["gru.keep.column"], counts["lstm.column"]
    holds = gru < lstm
    return holds, "true" if holds else "false", f"{gru:.0f} against {lstm:.0f} at n = 3, d = 4: {gru / lstm:.2f}"


def _parameters(measured: Sequence[Any]) -> ClaimVerdict:
    rows = [one for one in measured if one.kind == "parameters" and one.what == "count"]
    if not rows:
        return None
    wrong = [one.subject for one in rows if not one.agrees]
    form = next((one.text for one in rows if one.subject == "lstm.column"), "")
    return not wrong, "false" if wrong else "true", f"{len(rows)} closed forms held; the LSTM's is {form}"


def _twice(measured: Sequence[Any]) -> ClaimVerdict:
    counts = _counts(measured)
    if not {"lstm.bidirectional", "lstm.column"} <= set(counts):
        return None
    ratio = counts["lstm.bidirectional"] / counts["lstm.column"]
    return ratio == 2, "true under conditions", f"{ratio:g} times the parameters of one direction"


def _faster(family: str) -> Callable[[Sequence[Any]], ClaimVerdict]:
    """Whether the fastest implementation of a family beats the LSTM's fastest, wherever both were measured."""

    def told(measured: Sequence[Any]) -> ClaimVerdict:
        best: dict[tuple[Any, ...], dict[str, float]] = {}
        for one in measured:
            right = one.kind == "speed" and one.device == "cpu" and one.what == "both" and one.agrees
            if right and one.sizes["n"] == one.sizes["d"]:
                place = best.setdefault((*sorted(one.sizes.items()), one.dtype), {})
                name = one.spec.partition(".")[0]
                place[name] = min(place.get(name, float("inf")), one.middle)
        ratios = {place: row[family] / row["lstm"] for place, row in best.items() if {family, "lstm"} <= set(row)}
        if not ratios:
            return None
        text = ", ".join(f"{ratio:.2f} at d = {dict(place[:-1])['d']}" for place, ratio in ratios.items())
        faster = [ratio < 1 for ratio in ratios.values()]
        verdict = "true" if all(faster) else "depends" if any(faster) else "false"
        return all(faster), verdict, f"time over the LSTM's, fastest implementation of each: {text}"

    return told


def _learnt(measured: Sequence[Any], task: str) -> dict[str, Any]:
    return {one.subject: one for one in measured if one.kind == "learning" and one.what == task}


def _long(measured: Sequence[Any]) -> ClaimVerdict:
    rows = _learnt(measured, "adding")
    if not {"RNN", "GRU", "LSTM"} <= set(rows):
        return None
    text = ", ".join(f"{name} {rows[name].middle:.4f}" for name in rows)
    steps = rows["RNN"].sizes["T"]
    gated = max(rows[name].extra["seeds solved"] for name in rows if name != "RNN")
    holds = rows["RNN"].extra["seeds solved"] == 0 and gated > 0
    verdict = "true under conditions" if holds else "depends"
    return holds, verdict, f"adding over {steps} steps, loss (chance {rows['RNN'].extra['chance']:.4f}): {text}"


def _gates(measured: Sequence[Any]) -> ClaimVerdict:
    rows = _needs(_rates(measured), ("RNN", "torch"), ("GRU", "torch"), ("LSTM", "torch"), ("LSTM", "chrono"))
    if rows is None:
        return None
    rnn, gru, lstm, chrono = (one.middle for one in rows)
    text = (
        f"per step {rnn:.3f} (RNN), {gru:.3f} (GRU), {lstm:.3f} (LSTM) at torch's initialisation; {chrono:.3f} chrono"
    )
    holds = chrono > max(rnn, gru, lstm)
    return holds, "true under conditions" if holds else "false", text + "; only with gates that keep"


def _vanishes(measured: Sequence[Any]) -> ClaimVerdict:
    rows = _needs(_rates(measured), ("RNN", "torch"), ("sigmoid RNN", "torch"))
    if rows is None:
        return None
    holds = all(one.high < 1 for one in rows)
    text = "; ".join(f"{one.subject} {one.middle:.3f} per step" for one in rows)
    return holds, "true under conditions" if holds else "false", f"{text}, at torch's initialisation"


def _short(measured: Sequence[Any]) -> ClaimVerdict:
    rows = [one for one in measured if one.kind == "learning" and one.extra.get("rate before", 1.0) < 0.75]
    if not rows:
        return None
    solved = [one for one in rows if one.extra["seeds solved"] > 0]
    named = ", ".join(f"{one.subject} on {one.what} from {one.extra['rate before']:.3f} per step" for one in solved[:3])
    return bool(solved), "false" if solved else "depends", f"solved all the same: {named}" if solved else "none solved"


def _explodes(measured: Sequence[Any]) -> ClaimVerdict:
    rows = _needs(_rates(measured), ("RNN", "gain-3"))
    if rows is None:
        return None
    return rows[0].low > 1, "true" if rows[0].low > 1 else "false", f"gain 3: {rows[0].middle:.3f} per step"


def _horizons(measured: Sequence[Any]) -> list[tuple[str, float]]:
    rows = [(f"{s} ({w})", one.extra.get("float32 horizon", float("inf"))) for (s, w), one in _rates(measured).items()]
    return sorted(rows, key=lambda row: row[1])


def _eight(measured: Sequence[Any]) -> ClaimVerdict:
    rows = _horizons(measured)
    own = dict(rows).get("sigmoid RNN (torch)")
    if own is None:
        return None
    holds = 6 <= own <= 12
    far = ", ".join(f"{name} {steps:.0f}" for name, steps in rows[1:4])
    return holds, "true under conditions" if holds else "false", f"float32 sees {own:.0f} steps of it; {far}"


def _depends(measured: Sequence[Any]) -> ClaimVerdict:
    rows = _horizons(measured)
    if len(rows) < 3:
        return None
    (near, few), (far, many) = rows[0], rows[-1]
    last = "no end" if many == float("inf") else f"{many:.0f} steps"
    return many > 100, "depends", f"float32 sees {few:.0f} steps ({near}) to {last} ({far})"


def _geometric(measured: Sequence[Any]) -> ClaimVerdict:
    rows = _needs(_rates(measured), ("RNN", "torch"), ("LSTM without forget gate", "torch"))
    if rows is None:
        return None
    lags = [lag for lag in (8, 10, 16, 32, 64, 100) if f"log10 at {lag}" in rows[0].extra]
    norms = [rows[0].extra[f"log10 at {lag}"] for lag in lags]
    straight = float(np.corrcoef(lags, norms)[0, 1] ** 2)
    other = rows[1].middle
    text = f"log-linear with R^2 = {straight:.4f} (RNN); {other:.3f} per step without a forget gate, no decay"
    return straight > 0.98, "true under conditions", text


def _keeps(measured: Sequence[Any]) -> ClaimVerdict:
    rows = _needs(_rates(measured), ("GRU", "torch"), ("GRU", "keep"))
    if rows is None:
        return None
    text = f"{rows[1].middle:.3f} per step with an update gate that keeps, {rows[0].middle:.3f} at initialisation"
    return rows[1].middle > 0.9, "true under conditions", text


def _pair(task: str, good: str, bad: str) -> Callable[[Sequence[Any]], ClaimVerdict]:
    """What ends in `good` solves a task that what ends in `bad` cannot."""

    def told(measured: Sequence[Any]) -> ClaimVerdict:
        rows = _learnt(measured, task)
        ones = [one for name, one in rows.items() if name.endswith(good)]
        others = [one for name, one in rows.items() if (name.endswith(bad) if bad else not name.endswith(good))]
        if not ones or not others:
            return None
        holds = all(one.extra["seeds solved"] for one in ones) and not any(o.extra["seeds solved"] for o in others)
        text = ", ".join(f"{one.subject} {one.middle:.4f}" for one in (*ones, *others))
        chance = ones[0].extra["chance"]
        return holds, "true" if holds else "depends", f"{ones[0].text}, loss (chance {chance:.3f}): {text}"

    return told


MEASURED: dict[str, Callable[[Sequence[Any]], ClaimVerdict]] = {
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
