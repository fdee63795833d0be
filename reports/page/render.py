"""The page: one HTML file that needs no network, Markdown, and JSON."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rnn_harness.records.measurement import LearningMeasurement
from rnn_harness.reports.junit import write_junit
from rnn_harness.reports.page.badge import badge
from rnn_harness.reports.page.contents import Contents
from rnn_harness.reports.page.kill_matrix import COLUMNS
from rnn_harness.reports.page.learning_curves import describe_learning, learning_plot
from rnn_harness.reports.page.plots import PLOTTED, decay_plot, describe_decay
from rnn_harness.reports.page.speed_bars import describe_speed, speed_plot
from rnn_harness.reports.summary import WITNESSES, totals
from rnn_harness.runtime.atomic_file import write_whole

_SECTIONS = (
    ("decay", "Gradient decay", "decay"),
    ("speed", "Speed", "speed"),
    ("learning", "Learning", "learning"),
    ("parameters", "Parameters", "parameters"),
    ("kernels", "Kernels", "kernels"),
    ("cells", "Cells", "validations"),
    ("mutants", "Wrong references", "kills"),
    ("claims", "Claims", "claims"),
    ("contradictions", "Contradictions", "contradictions"),
    ("errata", "Errata", "errata"),
    ("equations", "Equations", "equations"),
)
"""Id, title, and what of the contents it needs."""


def _formula(latex: str, plain: bool) -> str:
    """A formula as MathML; as text where it is none, or cannot be read (a print that is wrong)."""
    from latex2mathml.converter import convert
    from markupsafe import escape

    if plain:
        return f"<pre>{escape(latex)}</pre>"
    try:
        return f'<div class="formula">{convert(latex)}</div>'
    except Exception:  # the prints of documents may hold anything
        return f"<code>{escape(latex)}</code>"


def html(made: Contents) -> str:
    """The page. Everything that comes from records or documents is escaped, but for formulas and plots made here."""
    from jinja2 import Environment, PackageLoader
    from markupsafe import Markup

    loader = PackageLoader("rnn_harness.reports.page", ".")
    frame = Environment(loader=loader, autoescape=True, trim_blocks=True, lstrip_blocks=True)
    frame.filters["shown"] = lambda one: Markup(_formula(one.printed, one.plain))
    frame.filters["read"] = lambda one: Markup(_formula(one.reading, one.plain))
    frame.filters["formula"] = lambda text: Markup(_formula(text, False))
    frame.filters["time"] = _time
    plotted = [one for one in made.decay if one.initialisation in PLOTTED.get(one.subject, ())]
    curves = [(title, describe_learning(title, rows), Markup(learning_plot(rows))) for title, rows in _curves(made)]
    sections = [(name, title, getattr(made, field)) for name, title, field in _SECTIONS]
    return frame.get_template("page.html.j2").render(
        page=made,
        sections=sections,
        witnesses=WITNESSES,
        starred=[f"*{name}" for name in WITNESSES],
        kill_columns=COLUMNS,
        plot=Markup(decay_plot(plotted)),
        decay_words=describe_decay(plotted),
        curves=curves,
        bars=[(place, describe_speed(place, rows), Markup(speed_plot(rows))) for place, rows in made.speed.items()],
    )


def _curves(made: Contents) -> list[tuple[str, list[LearningMeasurement]]]:
    return [(title, rows) for title, rows in made.learning.items() if rows[0].loss_curve]


def _time(seconds: float) -> str:
    unit, factor = next((row for row in (("s", 1.0), ("ms", 1000.0)) if seconds * row[1] >= 1), ("µs", 1_000_000.0))
    return f"{seconds * factor:.3g} {unit}"


def markdown(made: Contents) -> str:
    """The main table, the totals, and somebody's cells with their verdicts."""
    head = ("", "parameters", "equal size", "equal count", "per step", "float32 sees", "at best", "learnt")
    lines = ["# RNN, GRU or LSTM?", "", "| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    for row in made.families:
        cells = [str(value).replace("|", "\\|") or "–" for value in dataclasses.astuple(row)]
        lines.append("| " + " | ".join(cells) + " |")
    counts = ", ".join(f"{count} {name}" for name, count in made.totals.items())
    lines += ["", f"{len(made.equations)} equations; records: {counts}.", ""]
    if made.validations:
        lines += ["## Cells", "", *(_cell(one) for one in made.validations), ""]
    lines += [f"- {text}" for text in made.notes]
    return "\n".join(lines) + "\n"


def _cell(one: Any) -> str:
    """Somebody's cell with its verdict, and what is wrong with it."""
    told = f"{one.diagnosis.part}: {one.diagnosis.difference}" if one.diagnosis is not None else ""
    first = next((row.reason for row in one.checks if row.outcome == "refuted" and not row.expected), "")
    why = (told or first) if one.outcome == "refuted" else f"it is {one.spec}" if one.outcome == "agrees" else ""
    return f"- `{one.target}`: **{one.outcome}**" + (f"; {' '.join(why.split())}" if why else "")


def document(made: Contents) -> str:
    """The same as JSON."""

    def plain(value: Any) -> Any:
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            return {one.name: getattr(value, one.name) for one in dataclasses.fields(value)}
        return json.loads(value.model_dump_json())

    return json.dumps(made, default=plain, indent=1) + "\n"


def write(made: Contents, folder: Path, records: Sequence[Any] = ()) -> list[Path]:
    """report.html, .md, .json, .xml (JUnit, of `records` and of the cells) and badge.svg, each whole or not at all.

    Raises OSError.
    """
    folder.mkdir(parents=True, exist_ok=True)
    write_junit(folder / "report.xml", {"rnn-harness": records} | {one.target: one.checks for one in made.validations})
    written = [folder / "report.xml"]
    texts = {"report.html": html(made), "report.md": markdown(made), "report.json": document(made)}
    own = totals(one for cell in made.validations for one in cell.checks)
    others = {name: count - own.get(name, 0) for name, count in made.totals.items()}
    shown = badge(others, len(made.equations), [one.outcome for one in made.validations])
    for name, text in (texts | {"badge.svg": shown}).items():
        path = folder / name
        write_whole(path, text)
        written.append(path)
    return written
