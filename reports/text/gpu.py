"""The summary of a run on a GPU machine, as Markdown, from its rows alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from rnn_harness.records.gpu_evidence import MachineFact, MachineRow, ProbeResult, RunStart, StageEnd
from rnn_harness.records.measurement import SpeedMeasurement
from rnn_harness.records.record import Record
from rnn_harness.records.verdict import Outcome

MOST_REFUTED = 30
"""Refutations that are listed one by one."""
_LONGEST_REASON = 160


def gpu_summary(
    rows: Sequence[MachineRow],
    records: Sequence[Record],
    times: Sequence[SpeedMeasurement],
) -> str:
    """Return what a run found: the machine, the probes, what is refuted, and the times of a step.

    Args:
        rows: Facts, probes and stages.
        records: Verdicts on kernels.
        times: Times of whole sequences; those of kernels that were not judged at that size are marked.
    """
    facts = {row.subject: row.value for row in rows if isinstance(row, MachineFact)}
    title = f"# GPU run: {facts.get('device', facts.get('nvidia-smi', 'no device was described'))}"
    lines = [title, ""]
    lines += [f"- {row.subject}: {row.value}" for row in rows if isinstance(row, MachineFact)]
    lines += ["", "## Stages", ""]
    lines += _stages(rows)
    lines += ["", "## Probes", "", "| asked | predicted | found |", "|---|---|---|"]
    lines += [f"| {row.probe} | {row.prediction} | {row.result} |" for row in rows if isinstance(row, ProbeResult)]
    lines += ["", *_verdicts("Sizes", [r for r in records if _is_size(r)])]
    lines += ["", *_verdicts("Kernels", [r for r in records if not _is_size(r)])]
    lines += ["", *_times(times)]
    return "\n".join(lines) + "\n"


def _stages(rows: Iterable[MachineRow]) -> list[str]:
    """Return how every stage ended, and where the run went on after it had been stopped."""
    lines: list[str] = []
    starts = 0
    for row in rows:
        if isinstance(row, RunStart):
            starts += 1
            lines += [f"- gone on at {row.started}"] if starts > 1 else []
        elif isinstance(row, StageEnd):
            lines.append(f"- {row.stage}: {row.ending}, {row.seconds:g} s")
    return lines


def _is_size(record: Record) -> bool:
    """Whether a record is of one size of a kernel, as ``scale.n64-d64-B16-T2``."""
    return record.check.startswith("scale.n")


def _verdicts(title: str, records: Sequence[Record]) -> list[str]:
    """Return how many there are of each outcome, then what is refuted."""
    counts = Counter(str(record.outcome) for record in records)
    settings = {(record.kernel, record.dtype) for record in records if record.outcome is not Outcome.NOT_RUN}
    counted = ", ".join(f"{number} {outcome}" for outcome, number in sorted(counts.items())) or "nothing was decided"
    lines = [f"## {title}: {counted}; {len(settings)} kernels and formats", ""]
    refuted = [record for record in records if record.outcome is Outcome.REFUTED]
    lines += [
        f"- {record.kernel}, {record.dtype}, {record.check}: {record.reason[:_LONGEST_REASON]}"
        for record in refuted[:MOST_REFUTED]
    ]
    if len(refuted) > MOST_REFUTED:
        lines.append(f"- and {len(refuted) - MOST_REFUTED} more")
    return lines


def _times(times: Iterable[SpeedMeasurement]) -> list[str]:
    """Return a table of the times of a step; a kernel that gave wrong numbers has none."""
    lines = ["## Microseconds a step", "", "| d, B, T | kernel | format | forward | forward and backward | numbers |"]
    lines.append("|---|---|---|---|---|---|")
    by_subject: dict[tuple[tuple[int, int, int], str, str], dict[str, SpeedMeasurement]] = {}
    for time in times:
        point = (time.sizes["d"], time.sizes["B"], time.sizes["T"])
        by_subject.setdefault((point, time.subject, time.dtype), {})[time.phase] = time
    points = list(dict.fromkeys(point for point, _, _ in by_subject))
    # What cuDNN lacks is timed later than what it has, at the same sizes: here it stands beside it.
    in_order = sorted(by_subject.items(), key=lambda row: points.index(row[0][0]))
    for ((d, rows, steps), subject, dtype), phases in in_order:
        forward, both = (_step_time(phases.get(phase), steps) for phase in ("forward", "both"))
        judged = {time.agrees for time in phases.values()}
        numbers = "wrong" if False in judged else "right" if judged == {True} else "not judged at this size"
        lines.append(f"| {d}, {rows}, {steps} | {subject} | {dtype} | {forward} | {both} | {numbers} |")
    return lines


def _step_time(time: SpeedMeasurement | None, steps: int) -> str:
    """Return the microseconds a step, or why there are none."""
    if time is None:
        return "–"
    if time.agrees is False:
        return "not shown"
    if time.median is None:
        return time.reason[:60] or "–"
    return f"{time.median / steps * 1e6:.2f}"
