"""The table of implementations as Markdown and on a terminal, and the defects as reports that can be sent."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rnn_harness.records.judged_target import ENDINGS
from rnn_harness.records.matrix import PROPERTIES, Matrix, MatrixRow, PropertyCell

MARKS = {"agrees": "✓", "refuted": "✗", "not run": "–"}
"""What a cell shows."""
LEGEND = "✓ every check that was decided agrees, ✗ a check is refuted, – nothing was decided."
BITS_MEANING = (
    "minus log2 of the largest error, relative to the largest value; a correctly rounded result has 53 to 54 in "
    "float64, 24 to 25 in float32"
)
"""What the numbers of the column ``precision`` are."""
_PLURALS = {"agrees": "agree"}
_LONGEST_TEXT = 300
_LONGEST_NAME = 60


def matrix_markdown(table: Matrix) -> str:
    """Write the table as Markdown; behind each refuted cell stands a footnote with the case.

    Args:
        table: The table of a run.
    """
    lines = [f"# {table.title}", "", summary_sentence(table), ""]
    headings = ["package", "implementation", "it computes", "verdict", *PROPERTIES.values()]
    lines += [f"| {' | '.join(headings)} |", "|" + "---|" * len(headings)]
    notes: list[str] = []
    for row in table.rows:
        lines.append(_markdown_row(row, notes))
    lines += ["", *(f"{number}. {note}" for number, note in enumerate(notes, 1))]
    lines += ["", f"{LEGEND} The numbers are bits: {BITS_MEANING}.", ""]
    if table.changes:
        lines += ["## Since the run before", "", *(f"- {_escaped(change)}" for change in table.changes), ""]
    versions = dict.fromkeys(row.versions for row in table.rows if row.versions)
    lines += ["## Versions", "", *(f"- {text}" for text in versions), ""]
    return "\n".join(lines)


def summary_sentence(table: Matrix) -> str:
    """Say how many implementations ended how, and when.

    Args:
        table: The table of a run.
    """
    packages = {row.package for row in table.rows}
    counts = ", ".join(
        f"{table.count(ending)} {_PLURALS.get(ending, ending)}" for ending in ENDINGS if table.count(ending)
    )
    day = table.date.partition("T")[0]
    noun = "package" if len(packages) == 1 else "packages"
    return f"{len(table.rows)} implementations of {len(packages)} {noun}, {day}: {counts}."


def _markdown_row(row: MatrixRow, notes: list[str]) -> str:
    """Write a row; what stands behind its cells is added to the notes."""
    verdict: str = row.ending
    if row.reason and row.ending != "refuted":
        notes.append(f"`{row.name}`: {_short(row.reason)}")
        verdict += f" [{len(notes)}]"
    elif row.ending == "refuted":
        notes.append(f"`{row.name}`: {_short(row.difference or row.reason)}")
        verdict += f" [{len(notes)}]"
    cells = {cell.property: cell for cell in row.cells}
    marks = []
    for name in PROPERTIES:
        cell = cells.get(name)
        text = _cell_text(cell)
        if cell is not None and cell.outcome == "refuted":
            notes.append(f"`{row.name}`: {cell.check} in {cell.dtype or 'any dtype'}: {_short(cell.reason)}")
            text += f" [{len(notes)}]"
        elif cell is not None and cell.note:
            if cell.note not in notes:
                notes.append(cell.note)
            text += f" [{notes.index(cell.note) + 1}]"
        marks.append(text)
    package = f"{row.package} {row.version}".strip()
    return f"| {' | '.join([_escaped(package), f'`{row.name}`', _escaped(row.computes), verdict, *marks])} |"


def _cell_text(cell: PropertyCell | None) -> str:
    """Return what a cell shows: a mark, and the precision in bits."""
    if cell is None:
        return MARKS["not run"]
    bits = ", ".join(f"{dtype} {value:.1f}" for dtype, value in cell.bits.items())
    return f"{MARKS[cell.outcome]} {bits}".rstrip()


def terminal_table(table: Matrix) -> Iterator[str]:
    """Yield the lines of the table for a terminal.

    Args:
        table: The table of a run.
    """
    width = min(max((len(row.name) for row in table.rows), default=0), _LONGEST_NAME)
    headings = "  ".join(PROPERTIES.values())
    yield f"{'implementation':<{width}}  {'verdict':<10}  {headings}  it computes, or what is wrong"
    for row in table.rows:
        cells = {cell.property: cell.outcome for cell in row.cells}
        marks = [MARKS[cells.get(name, "not run")].center(len(title)) for name, title in PROPERTIES.items()]
        text = row.difference or row.reason or row.computes
        yield f"{row.name[:width]:<{width}}  {row.ending:<10}  {'  '.join(marks)}  {_short(text)}".rstrip()
    yield from (f"changed: {change}" for change in table.changes)


def defects_markdown(table: Matrix) -> str:
    """Write every refuted implementation as a report that can be sent to who maintains it.

    Args:
        table: The table of a run.
    """
    defective = [row for row in table.rows if row.is_defective]
    lines = ["# Defects", "", f"{len(defective)} of {len(table.rows)} implementations are refuted.", ""]
    for row in defective:
        lines += _defect(row)
    return "\n".join(lines)


def _defect(row: MatrixRow) -> list[str]:
    """Write one report."""
    options = f" with {', '.join(row.init)}" if row.init else ""
    lines = [f"## {row.package} {row.version}: {row.target}{options}", ""]
    if row.review:
        lines += [row.review, ""]
    lines += [f"What was found: {_escaped(row.difference or row.reason)}.", ""]
    refuted = [cell for cell in row.cells if cell.outcome == "refuted"]
    lines += [
        f"- {PROPERTIES[cell.property]}: `{cell.check}` in {cell.dtype or 'any dtype'}: {_short(cell.reason)}"
        for cell in refuted
    ]
    command = " ".join([f"rnn-harness validate {row.target}", *(f"--init {pair}" for pair in row.init)])
    lines += ["", f"Again: `{command}` ({row.versions}).", ""]
    programs = dict.fromkeys(text for text in (row.program, *(cell.program for cell in refuted)) if text)
    for program in list(programs)[:1]:
        lines += ["A program that shows it:", "", "```python", program.rstrip(), "```", ""]
    return lines


def example_lines(table: Matrix, names: Sequence[str]) -> list[str]:
    """Return some rows of the table as Markdown, for a README, and how many there are of each ending.

    Args:
        table: The table of a run.
        names: The implementations, in the order of the lines.
    """
    headings = ["implementation", "it computes", "verdict", *PROPERTIES.values()]
    lines = [f"| {' | '.join(headings)} |", "|" + "---|" * len(headings)]
    rows = {row.name: row for row in table.rows}
    for name in names:
        row = rows[name]
        cells = {cell.property: cell for cell in row.cells}
        marks = [MARKS[cells[name].outcome] if name in cells else MARKS["not run"] for name in PROPERTIES]
        begin = [f"{row.package} {row.version} `{row.name}`", _escaped(row.computes), row.ending]
        lines.append(f"| {' | '.join([*begin, *marks])} |")
    return lines


def _short(text: str) -> str:
    """Return the beginning of a text, on one line."""
    line = " ".join(text.split())
    return f"{line[:_LONGEST_TEXT]} ..." if len(line) > _LONGEST_TEXT else line


def _escaped(text: str) -> str:
    """Return a text for a cell of a table."""
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")
