"""The result of a comparison as text."""

from __future__ import annotations

from collections.abc import Iterator

from rnn_harness.records.comparison import ComparedCell, Comparison, DecaySource

_VERDICTS = {"same": "the same function", "different": "not the same function", "undecided": "undecided"}


def comparison_text(comparison: Comparison) -> str:
    """Write a comparison for a terminal.

    Args:
        comparison: The result.
    """
    return "\n".join(_lines(comparison)) + "\n"


def _lines(comparison: Comparison) -> Iterator[str]:
    left_side, right_side = comparison.left, comparison.right
    yield f"{left_side.target} and {right_side.target}: {_VERDICTS[comparison.outcome]}"
    yield f"  {comparison.sentence}"
    yield f"  left   {left_side.target}: {left_side.sentence}"
    yield f"  right  {right_side.target}: {right_side.sentence}"
    if comparison.calls:
        yield f"  calls  {comparison.calls}"
    if comparison.proof:
        yield f"  proof  {comparison.proof}"
    for title, rows in (
        ("They agree where", comparison.conditions),
        ("No weights remove", comparison.obstacles),
        ("The weights of the right follow from those of the left", comparison.map),
    ):
        if rows:
            yield f"\n{title}:"
            yield from (f"  {row}" for row in rows)
    example = comparison.counterexample
    if example is not None:
        yield "\nWhere they differ:"
        if example.left_equation:
            yield f"  left   {example.left_equation}"
            yield f"  right  {example.right_equation}"
        yield f"  {example.gap}"
        numbers = example.numbers
        yield f"  for {numbers if not numbers.endswith('; ') else f'{numbers[:-2]}, and all numbers zero'}"
        if example.left_output:
            yield f"  they gave themselves: left {example.left_output}; right {example.right_output}"
    yield ""
    yield from _table(left_side, right_side)
    if comparison.rounding:
        yield f"\n{comparison.rounding}"
    if comparison.lengths:
        yield comparison.lengths
    for side in (left_side, right_side):
        if side.note:
            yield f"{side.target}: {side.note}"


def _table(left_side: ComparedCell, right_side: ComparedCell) -> Iterator[str]:
    """Write what was measured of both, side by side."""
    dtypes = dict.fromkeys(row.dtype for side in (left_side, right_side) for row in side.precision)
    rows = [
        ("parameters", *(str(side.parameters) if side.parameters else "-" for side in (left_side, right_side))),
        ("forward", *(_milliseconds(side.forward_seconds) for side in (left_side, right_side))),
        ("forward and backward", *(_milliseconds(side.backward_seconds) for side in (left_side, right_side))),
        *((f"precision in {dtype}", *(_bits(side, dtype) for side in (left_side, right_side))) for dtype in dtypes),
        (
            "gradient a step back",
            *(decay_in_words(side.decay, side.decay_by) for side in (left_side, right_side)),
        ),
    ]
    widths = [max(len(row[column]) for row in (*rows, ("", "left", "right"))) for column in range(3)]
    yield "  ".join(("".ljust(widths[0]), "left".ljust(widths[1]), "right"))
    for name, first, second in rows:
        yield "  ".join((name.ljust(widths[0]), first.ljust(widths[1]), second))
    sizes = dict.fromkeys(side.sizes for side in (left_side, right_side) if side.sizes)
    if sizes:
        yield f"({'; '.join(sizes)}; the gradient with the weights that each constructor draws)"
    for side in (left_side, right_side):
        if side.decay_by == "equations" and side.decay_note:
            yield f"(the gradient of {side.target} by its equations: {side.decay_note})"


def decay_in_words(factor: float | None, source: DecaySource) -> str:
    """Write by which factor a gradient shrinks at every step back.

    Args:
        factor: The factor; None where the gradient is zero or not finite, or nothing was computed.
        source: By what it was measured.
    """
    if factor is None:
        return "zero or not finite" if source else "-"
    return f"x {factor:.3f}"


def _milliseconds(seconds: float | None) -> str:
    return "-" if seconds is None else f"{seconds * 1000:.2f} ms"


def _bits(side: ComparedCell, dtype: str) -> str:
    """Write the correct bits of a cell in a dtype."""
    row = next((row for row in side.precision if row.dtype == dtype), None)
    if row is None:
        return "-"
    return f"{row.bits:.1f} bits{'' if row.is_within_bound else ', beyond its bound'}"
