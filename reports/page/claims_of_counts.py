"""Claims that are decided by numbers of parameters and by times."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rnn_harness.records.measurement import Measurement, ParameterCount, SpeedMeasurement
from rnn_harness.reports.page.claim_verdict import ClaimVerdict, MeasuredClaim
from rnn_harness.specs.claims import Verdict

_GATES_OF_AN_LSTM = 4


def _counts(measurements: Sequence[Measurement]) -> Mapping[str, ParameterCount]:
    """Return the numbers of parameters that were confirmed, by what was counted."""
    return {row.subject: row for row in measurements if isinstance(row, ParameterCount) and row.agrees}


def fewer_parameters(measurements: Sequence[Measurement]) -> ClaimVerdict | None:
    """Decide whether a GRU has fewer parameters than an LSTM.

    Args:
        measurements: Those of parameters are asked.
    """
    counts = _counts(measurements)
    if not {"gru.keep.column", "lstm.column"} <= set(counts):
        return None
    gru, lstm = counts["gru.keep.column"].count, counts["lstm.column"].count
    return ClaimVerdict("true" if gru < lstm else "false", f"{gru} against {lstm} at n = 3, d = 4: {gru / lstm:.2f}")


def _affine_block(row: ParameterCount) -> int:
    """Return the number of parameters of W x + U h + b at a count's sizes."""
    n, d = row.sizes["n"], row.sizes["d"]
    return d * (n + d + 1)


def four_blocks(measurements: Sequence[Measurement]) -> ClaimVerdict | None:
    """Decide whether an LSTM has four input matrices, four recurrent ones and four biases, and nothing else.

    Args:
        measurements: Those of parameters are asked.
    """
    row = _counts(measurements).get("lstm.column")
    if row is None or not {"n", "d"} <= set(row.sizes):
        return None
    expected = _GATES_OF_AN_LSTM * _affine_block(row)
    numbers = f"{row.formula}: {row.count} parameters; four times d(n + d + 1) is {expected}"
    return ClaimVerdict("true" if row.count == expected else "false", numbers)


def output_gate_parameters(measurements: Sequence[Measurement]) -> ClaimVerdict | None:
    """Decide whether an output gate brings parameters of its own: the cell of 003:739 has three blocks with it.

    Args:
        measurements: Those of parameters are asked.
    """
    row = _counts(measurements).get("lstm.noforget")
    if row is None or not {"n", "d"} <= set(row.sizes):
        return None
    block = _affine_block(row)
    of_gate = row.count - 2 * block
    numbers = f"{row.count} parameters, {2 * block} of them in the input gate and the candidate: {of_gate} are new"
    return ClaimVerdict("true under conditions" if of_gate == block else "false", numbers)


def twice_the_parameters(measurements: Sequence[Measurement]) -> ClaimVerdict | None:
    """Decide whether two directions have twice the parameters of one; overfitting itself is not tried.

    Args:
        measurements: Those of parameters are asked.
    """
    counts = _counts(measurements)
    if not {"lstm.bidirectional", "lstm.column"} <= set(counts):
        return None
    ratio = counts["lstm.bidirectional"].count / counts["lstm.column"].count
    verdict: Verdict = "true under conditions" if ratio == 2 else "false"
    return ClaimVerdict(verdict, f"{ratio:g} times the parameters of one direction")


@dataclass(frozen=True)
class _Point:
    """Sizes and dtype at which cells were timed."""

    sizes: tuple[tuple[str, int], ...]
    dtype: str


def faster_than_lstm(family: str) -> MeasuredClaim:
    """Return the decision whether a family is faster than the LSTM, each by its fastest implementation.

    Args:
        family: The family's name; points of the grid where both were timed are compared.
    """

    def decide(measurements: Sequence[Measurement]) -> ClaimVerdict | None:
        fastest: dict[_Point, dict[str, SpeedMeasurement]] = {}
        for row in measurements:
            if not isinstance(row, SpeedMeasurement) or row.median is None:
                continue
            counts = row.device == "cpu" and row.phase == "both" and row.agrees
            if counts and row.sizes["n"] == row.sizes["d"]:
                by_family = fastest.setdefault(_Point(tuple(sorted(row.sizes.items())), row.dtype), {})
                family_of_row = row.spec.partition(".")[0]
                by_family[family_of_row] = min(by_family.get(family_of_row, row), row, key=_seconds)
        pairs = {
            point: (rows[family], rows["lstm"]) for point, rows in fastest.items() if {family, "lstm"} <= set(rows)
        }
        if not pairs:
            return None
        ratios = {point: _seconds(row) / _seconds(lstm) for point, (row, lstm) in pairs.items()}
        text = ", ".join(f"{ratio:.2f} at d = {dict(point.sizes)['d']}" for point, ratio in ratios.items())
        numbers = f"time over the LSTM's, fastest implementation of each: {text}"
        if all(_is_surely_less(row, lstm) for row, lstm in pairs.values()):
            return ClaimVerdict("true", numbers)
        slower = all(_is_surely_less(lstm, row) for row, lstm in pairs.values())
        return ClaimVerdict("false" if slower else "depends", numbers)

    return decide


def _seconds(row: SpeedMeasurement) -> float:
    return math.inf if row.median is None else row.median


def _is_surely_less(first: SpeedMeasurement, second: SpeedMeasurement) -> bool:
    """Whether the first time is less than the second, and their intervals do not meet."""
    return first.ci_high is not None and second.ci_low is not None and first.ci_high < second.ci_low
