"""What ``bench`` ends with: what was measured, what gives wrong numbers, what changed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rnn_harness.cli._conclusion import Conclusion

if TYPE_CHECKING:
    from rnn_harness.records.cell_profile import CellProfile
    from rnn_harness.records.measurement import Measurement
    from rnn_harness.records.measurement_history import MeasurementChange


def bench_conclusion(measurements: Sequence[Measurement], profiles: Sequence[CellProfile] = ()) -> Conclusion:
    """Conclude from measurements.

    Args:
        measurements: All measurements of a run, which came to its end.
        profiles: What is known of the cells of ``--cell`` by themselves.
    """
    failed = [row for row in measurements if row.kind == "failed"]
    wrong = list(dict.fromkeys(row.subject for row in wrong_measurements(measurements)))
    unknown = [profile for profile in profiles if not profile.is_known]
    count = f"{len(measurements) - len(failed)} measurements"
    if wrong:
        return Conclusion(
            f"{count}; wrong numbers, and so no time, of {', '.join(wrong)}", "rnn-harness verify --kernels"
        )
    if failed:
        return Conclusion(f"{count}; {len(failed)} could not be made: {failed[0].subject}: {failed[0].reason}")
    if unknown:
        first = unknown[0]
        command = f"rnn-harness validate {first.target}  (what it is, and whether it is right)"
        measured = "what it computes is not known" if first.parameters else "nothing is measured"
        return Conclusion(f"{count}; {measured} of {first.target}: {first.sentence}", command)
    is_timed = any(row.kind == "speed" for row in measurements)
    verified = "; everything that is timed gives the right numbers at its sizes" if is_timed else ""
    return Conclusion(f"{count}{verified}", "rnn-harness bench --save NAME  (keeps them, for --compare NAME)")


def wrong_measurements(measurements: Sequence[Measurement]) -> list[Measurement]:
    """Return those whose subject gave wrong numbers; of a job that failed nothing is known.

    Args:
        measurements: All measurements of a run.
    """
    return [row for row in measurements if row.agrees is False and row.kind != "failed"]


def comparison_conclusion(changes: Sequence[MeasurementChange], name: str, limit: float | None) -> Conclusion:
    """Conclude from a comparison with older measurements.

    Args:
        changes: All changes; those within noise count as none.
        name: The name of the older measurements.
        limit: The loss above which the command fails, as a fraction; None where none does.
    """
    real = [change for change in changes if change.is_real]
    if not real:
        return Conclusion(f"no change beyond noise against {name} in {len(changes)} measurements")
    worst = max(real, key=lambda change: change.factor)
    allowed = "" if limit is None else f"; allowed is {1 + limit:.2f} times"
    verdict = f"{len(real)} of {len(changes)} changed against {name}; the largest factor is {worst.factor:.2f}"
    return Conclusion(f"{verdict}: {worst.title}{allowed}")
