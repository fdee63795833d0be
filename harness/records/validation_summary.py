"""A validation in a few lines of text: what it is, whether it is right, what is wrong, how precise it is."""

from __future__ import annotations

import io
import typing
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from rnn_harness.cases.case import Dtype
from rnn_harness.records.record import Record
from rnn_harness.records.validation import (
    CONFINED_CHECK,
    CONSISTENCY,
    FUNCTIONS_CHECK,
    IDENTIFICATION_CHECK,
    NUMBERS_CHECK,
    PART_CHECK,
    PROCESS_CHECK,
    TAKEN_CHECK,
    WIRING_CHECKS,
    IdentificationRecord,
    ModelRecord,
    Validation,
)
from rnn_harness.records.verdict import Outcome

if TYPE_CHECKING:
    from rich.console import Console

FORMATS = typing.get_args(Dtype)
"""Every format in which a target can be judged."""
MOST_REFUTED = 6
"""How many refuted records are listed; there may be hundreds of one mistake."""
MOST_LETTERS = 300
"""How much of a record's reason is shown."""
MOST_BITS = 99.0
_WIDTH = 100
_GROUPS = {
    "forward": ("forward.", "precision.format"),
    "gradients": ("backward.",),
    "many steps": ("precision.long",),
    "realistic sizes": ("scale.",),
    "re-evaluated": ("numbers.",),
    "metamorphic": ("metamorphic.",),
    "consistency": ("consistency.",),
    "behaviour": ("behaviour.", "process.", "weights.", "expected-failure."),
    "parts": ("model.",),
    "wiring": ("wiring.",),
}
_VERDICTS = {
    "agrees": "[bold green]✓ agrees[/]",
    "refuted": "[bold red]✗ refuted[/]",
    "consistent": "[bold yellow]~ consistent[/] with what holds for every recurrent cell; no equation is known for it",
    "undecided": "[bold yellow]? undecided[/]",
}
_VERDICTS_SO_FAR = {
    "agrees": "[bold yellow]– not finished[/]; agrees so far",
    "refuted": "[bold red]✗ refuted[/]; not finished",
    "consistent": "[bold yellow]– not finished[/]; consistent so far",
    "undecided": "[bold yellow]– not finished[/]; nothing is decided yet",
}
"""Where it was interrupted: what is refuted stays so."""


def summary_text(validation: Validation) -> str:
    """Write the summary as plain text, without colours, in lines of at most 100 letters where they can be broken.

    Args:
        validation: A validation that came to its end.
    """
    from rich.console import Console

    text = io.StringIO()
    print_summary(Console(file=text, width=_WIDTH, color_system=None, highlight=False), validation)
    return "\n".join(line.rstrip() for line in text.getvalue().splitlines())


def print_summary(console: Console, validation: Validation, finished: bool = True) -> None:
    """Print the summary.

    Args:
        console: Where to.
        validation: What is summarised.
        finished: Whether it came to its end; else its verdict is one so far.
    """
    from rich.markup import escape
    from rich.table import Table

    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="bold", no_wrap=True)
    grid.add_column()
    for label, text in _rows(validation, finished):
        grid.add_row(label, text)
    console.print(f"[bold]{escape(validation.target)}[/]")
    console.print(grid)
    refuted = [record for record in validation.checks if record.outcome is Outcome.REFUTED and not record.expected]
    if validation.diagnosis is not None:  # it says already what an identification is refuted with
        refuted = [record for record in refuted if record.check != IDENTIFICATION_CHECK]
    for record in refuted[:MOST_REFUTED]:
        where = f" in {record.dtype}" if record.dtype else ""
        is_cut = len(record.reason) > MOST_LETTERS
        reason = escape(f"{record.reason[:MOST_LETTERS]}{' ... (-v: every record)' if is_cut else ''}")
        console.print(f"  [red]✗[/] {escape(record.check)}{where}: {reason}", soft_wrap=True)
    if len(refuted) > MOST_REFUTED:
        console.print(f"  and {len(refuted) - MOST_REFUTED} more; -v lists every record", style="dim")


def _rows(validation: Validation, finished: bool) -> Iterator[tuple[str, str]]:
    """Yield the rows of the summary, each a label and its text with rich's markup."""
    from rich.markup import escape

    if validation.identification is not None:
        yield from ((label, escape(text)) for label, text in _identification_rows(validation.identification))
    if validation.model is not None:
        yield from ((label, escape(text)) for label, text in _model_rows(validation, validation.model))
    if finished:
        agreement = escape(_agreement(validation)) if validation.outcome == "agrees" else ""
        yield "verdict", _VERDICTS[validation.outcome] + agreement
    else:
        yield "verdict", _VERDICTS_SO_FAR[validation.outcome]
    if validation.outcome in ("consistent", "undecided"):
        yield from (("because", escape(reason)) for reason in _reasons_undecided(validation.checks))
    if validation.outcome == "consistent":
        yield "held", escape(", ".join(_properties(validation.checks, Outcome.AGREES)))
        yield from (("note", escape(note)) for note in _notes(validation.checks, CONSISTENCY))
    noted = (*_notes(validation.checks, TAKEN_CHECK), *_notes(validation.checks, CONFINED_CHECK))
    notes = (*noted, *_lost_precision(validation.checks))
    yield from (("note", escape(note)) for note in notes)
    if validation.diagnosis is not None:
        is_wrong = validation.outcome == "refuted"
        yield "nearest", escape(validation.diagnosis.spec)
        yield "at fault" if is_wrong else "differs in", escape(validation.diagnosis.part)
        yield "difference", escape(validation.diagnosis.difference)
    precision = "; ".join(_precision_by_dtype(validation.checks))
    if precision:
        yield "precision", escape(precision)
    accuracy = "; ".join(_function_accuracy_by_dtype(validation.checks))
    if accuracy:
        yield "functions", escape(accuracy)
    if formats := _formats(validation.checks):
        yield "formats", escape(formats)
    groups = "   ".join(_check_groups(validation.checks))
    if groups:
        yield "checks", groups
    expected = [record for record in validation.checks if record.expected]
    if expected:
        yield "expected", escape("; ".join(f"{record.check}: {record.expected}" for record in expected))
    if (example := validation.counterexample) is not None:
        sizes = ", ".join(f"{name} = {value}" for name, value in example.sizes.items())
        difference = f"{example.place} is {example.computed!r}, the equations give {example.expected!r}"
        numbers = f"{example.nonzero} non-zero number{'' if example.nonzero == 1 else 's'}"
        text = f"{sizes}, {numbers}: {difference} (--repro FILE writes a program)"
        yield "smallest", escape(text)


def _identification_rows(identification: IdentificationRecord) -> Iterator[tuple[str, str]]:
    """Yield what the target is, and what else it may be."""
    if identification.sentence:
        name = f"{identification.spec}: " if identification.spec not in ("", "candidate") else ""
        yield "is", f"{name}{identification.sentence}"
        for sentence in identification.candidates[1:]:
            yield "or", sentence
    else:
        yield "is", "unknown: it equals no cell that is known"


def _model_rows(validation: Validation, model: ModelRecord) -> Iterator[tuple[str, str]]:
    """Yield the recurrent parts of a model with their verdicts, and its wiring."""
    yield "is", f"a model with {len(model.parts)} recurrent part{'' if len(model.parts) == 1 else 's'}"
    for part in model.parts:
        by_records = {record.entry: record.outcome for record in validation.checks if record.check == PART_CHECK}
        outcome = by_records.get(part.name, Outcome.NOT_RUN)
        verdict = {Outcome.AGREES: "agrees", Outcome.REFUTED: "refuted"}.get(outcome, "undecided")
        yield "part", f"{part.name}: {part.title}: {verdict}"
    for index, sentence in enumerate(model.wiring):
        yield "" if index else "wiring", sentence


def _agreement(validation: Validation) -> str:
    """Say what the target agrees with, and how far."""
    if validation.model is not None:
        return ": its recurrent parts by themselves, and the wiring between them"
    is_shipped = validation.spec not in ("", "candidate")
    spec = f" with {validation.spec}" if is_shipped else " with the equations of what it is"
    return f"{spec}{validation.how_far}"


def _reasons_undecided(records: Sequence[Record]) -> Iterator[str]:
    """Yield each reason once why it could not be identified, its worker could not go on, or the harness failed.

    Where no check at all was run, the reason of each is one.
    """
    deciding = (NUMBERS_CHECK, PROCESS_CHECK, IDENTIFICATION_CHECK, PART_CHECK, WIRING_CHECKS)
    undecided = [record for record in records if record.outcome is Outcome.NOT_RUN]
    is_idle = all(record in undecided for record in records if record.check != IDENTIFICATION_CHECK)
    reasons = [
        f"{record.check}: {record.reason}" if record.harness_error else record.reason
        for record in undecided
        if record.check.startswith(deciding) or record.harness_error or is_idle
    ]
    yield from dict.fromkeys(reasons)


def _properties(records: Sequence[Record], outcome: Outcome) -> Iterator[str]:
    """Yield the names of the properties of recurrent cells that ended so, each once."""
    checks = (record.check for record in records if record.outcome is outcome and record.check.startswith(CONSISTENCY))
    yield from dict.fromkeys(check.removeprefix(CONSISTENCY).replace("-", " ") for check in checks)


def _notes(records: Sequence[Record], checks: str) -> Iterator[str]:
    """Yield what there is to add to checks that hold; `checks` is how their names begin."""
    reasons = (
        record.reason
        for record in records
        if record.outcome is Outcome.AGREES and record.check.startswith(checks) and record.reason
    )
    yield from dict.fromkeys(reasons)


def _lost_precision(records: Sequence[Record]) -> Iterator[str]:
    """Yield for every dtype what is less precise than rounding explains, though no proved bound refutes it."""
    for record in records:
        if record.probable is not None and record.probable.names_lost_precision:
            yield f"{record.dtype}: {record.probable.sentence}"


def _precision_by_dtype(records: Sequence[Record]) -> Iterator[str]:
    """Yield the effective precision of every dtype in bits, after a few steps and over a long sequence."""
    bits: dict[str, dict[str, float]] = {}
    for record in records:
        if record.check in ("precision.format", "precision.long") and record.bits is not None:
            bits.setdefault(record.dtype, {})[record.check] = min(record.bits, MOST_BITS)
    for dtype, bits_by_check in bits.items():
        short, long = bits_by_check.get("precision.format"), bits_by_check.get("precision.long")
        texts = [] if short is None else [f"{short:.1f} bits"]
        texts += [] if long is None else [f"{long:.1f} after many steps"]
        yield f"{dtype} {', '.join(texts)}"


def _function_accuracy_by_dtype(records: Sequence[Record]) -> Iterator[str]:
    """Yield how tanh and sigmoid are accurate, for every dtype in which they are not as accurate as their format."""
    for record in records:
        if record.check == FUNCTIONS_CHECK and record.outcome is Outcome.AGREES and record.reason:
            yield f"{record.dtype} {record.reason}"


def _formats(records: Sequence[Record]) -> str:
    """Say in which formats it was judged, in which it was not and why, and which were not tried."""
    refused = {record.dtype: record.reason for record in records if record.check == TAKEN_CHECK}
    judged = [name for name in FORMATS if name not in refused and any(record.dtype == name for record in records)]
    if not judged:
        return ""
    not_tried = [name for name in FORMATS if name not in refused and name not in judged]
    parts = [f"judged in {' and '.join(judged)}", *refused.values()]
    return "; ".join([*parts, *([f"not tried: {', '.join(not_tried)} (--dtype)"] if not_tried else [])])


def _check_groups(records: Sequence[Record]) -> Iterator[str]:
    """Yield how many checks of every group agree, of those that were decided."""
    for name, prefixes in _GROUPS.items():
        outcomes = Counter(record.outcome for record in records if record.check.startswith(prefixes) and record.dtype)
        if not outcomes:
            continue
        decided = outcomes[Outcome.AGREES] + outcomes[Outcome.REFUTED]
        mark = "[red]✗[/]" if outcomes[Outcome.REFUTED] else "[green]✓[/]" if decided else "–"
        undecided = outcomes[Outcome.NOT_RUN] + outcomes[Outcome.VACUOUS]
        not_run = f" [dim]({undecided} not run)[/]" if undecided else ""
        yield f"{name} {mark} {outcomes[Outcome.AGREES]}/{decided}{not_run}"
