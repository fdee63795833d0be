"""Claims that are decided by how the gradient decays: every threshold is the claim's own number or is derived."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from rnn_harness.records.gradient_visibility import FAR_LAG, FLOAT32_LIMIT, NEAR_LAG
from rnn_harness.records.measurement import CurvePoint, DecayMeasurement, Measurement, TrainedLength
from rnn_harness.reports.page.claim_verdict import ClaimVerdict, verdict_of_all
from rnn_harness.reports.page.interval_text import rate_text
from rnn_harness.specs.claims import Verdict

TORCH = "torch"
"""The initialisation that torch gives a cell."""
_FEWEST_POINTS = 3
"""A line through two points explains anything."""
SIMPLE_RNNS = ("RNN", "sigmoid RNN")
"""What the documents call an RNN, where they do not say GRU or LSTM."""
FEWEST_STEPS, MOST_STEPS = 8, 10
"""The steps that backpropagation through time is said to reach (003:411), and beyond which all is lost (003:414)."""


class Decays:
    """The measurements of decay by cell and initialisation; those that are not right are left out.

    Args:
        measurements: Of any kinds.
    """

    def __init__(self, measurements: Sequence[Measurement]) -> None:
        decays = [row for row in measurements if isinstance(row, DecayMeasurement) and row.agrees is not False]
        self.rows = {(row.subject, row.initialisation): row for row in decays}

    def of(self, *names: tuple[str, str]) -> list[DecayMeasurement] | None:
        """Return the measurements of some cells; None where one is missing.

        Args:
            names: Each a cell and an initialisation.
        """
        rows = [self.rows[name] for name in names if name in self.rows]
        return rows if len(rows) == len(names) else None

    def of_simple_rnns(self) -> list[DecayMeasurement]:
        """Return those of simple RNNs at every initialisation, the one with the nearest horizon first."""
        rows = [row for row in self.rows.values() if row.subject in SIMPLE_RNNS]
        return sorted(rows, key=horizon)


def horizon(row: DecayMeasurement) -> float:
    """Return the lag at which the gradient falls below float32's epsilon; infinite where the curve does not cross it.

    Args:
        row: A measurement of decay.
    """
    return math.inf if row.float32_horizon is None else row.float32_horizon


def _ends_before(row: DecayMeasurement, lag: float) -> bool | None:
    """Whether float32 sees a gradient no further than that; None where the horizon's interval holds the lag."""
    if row.float32_horizon is None:
        return False
    low, high = row.float32_horizon_low, row.float32_horizon_high
    low, high = (row.float32_horizon if end is None else end for end in (low, high))
    return True if high < lag else False if low >= lag else None


def _ends_within(row: DecayMeasurement, first: int, last: int) -> bool | None:
    """Whether a horizon, in whole steps, lies from one lag to another; None where its interval does not say so."""
    too_soon, in_time = _ends_before(row, first - 0.5), _ends_before(row, last + 0.5)
    if too_soon or in_time is False:
        return False
    return True if in_time and too_soon is False else None


def _describe_horizon(row: DecayMeasurement) -> str:
    """Write a cell with its horizon and the interval of it."""
    name = f"{row.subject} ({row.initialisation})"
    if row.float32_horizon is None or row.float32_horizon_low is None or row.float32_horizon_high is None:
        return f"{row.float32_reach} of {name}"
    return f"{row.float32_horizon:.1f} [{row.float32_horizon_low:.1f}, {row.float32_horizon_high:.1f}] steps of {name}"


def _is_surely_slower(first: DecayMeasurement, second: DecayMeasurement) -> bool:
    """Whether the first one's gradient lasts longer per step than the second's, and their intervals do not meet."""
    return first.ci_low is not None and second.ci_high is not None and first.ci_low > second.ci_high


def gates_keep(measurements: Sequence[Measurement]) -> ClaimVerdict | None:
    """Decide whether the gates of GRU and LSTM address the vanishing gradient.

    True where they do at torch's initialisation already; true under conditions where biases that keep are needed.

    Args:
        measurements: Those of decay are asked.
    """
    rows = Decays(measurements).of(("RNN", TORCH), ("GRU", TORCH), ("LSTM", TORCH), ("GRU", "keep"), ("LSTM", "chrono"))
    if rows is None:
        return None
    rnn, gru, lstm, keep, chrono = rows
    numbers = (
        f"per step {rate_text(rnn)} (RNN), {rate_text(gru)} (GRU), {rate_text(lstm)} (LSTM) at torch's initialisation; "
        f"{rate_text(keep)} (GRU) and {rate_text(chrono)} (LSTM) with biases that keep"
    )
    if _reaches_far(gru) and _reaches_far(lstm) and _reaches_far(rnn) is False:
        return ClaimVerdict("true", numbers)
    keeps = all(
        _reaches_far(slow) and all(_is_surely_slower(slow, start) for start in (rnn, gru, lstm))
        for slow in (keep, chrono)
    )
    if keeps:
        return ClaimVerdict("true under conditions", numbers)
    return ClaimVerdict("false" if _reaches_far(keep) is False or _reaches_far(chrono) is False else "depends", numbers)


def _is_seen(row: DecayMeasurement, lag: int) -> bool | None:
    """Whether float32 sees the gradient at a lag, of every seed; None where it does of some, or was not measured."""
    norm = row.log10_norm(lag)
    if norm is None and row.sizes.get("T", 0) >= lag:
        return False  # a gradient that is exactly zero has no logarithm, and is not recorded
    band = next((band for band in row.norm_bands if band.step == lag), None)
    if norm is None:
        return None
    low, high = (norm, norm) if band is None else (band.low, band.high)
    return True if low >= FLOAT32_LIMIT else False if high < FLOAT32_LIMIT else None


def _reaches_far(row: DecayMeasurement) -> bool | None:
    """Whether float32 sees the gradient at the longest lag that counts."""
    return _is_seen(row, FAR_LAG)


def rnn_vanishes(measurements: Sequence[Measurement]) -> ClaimVerdict | None:
    """Decide whether the gradient of a simple RNN vanishes: at torch's initialisation, and at the others.

    Args:
        measurements: Those of decay are asked.
    """
    decays = Decays(measurements)
    start = decays.of(("RNN", TORCH), ("sigmoid RNN", TORCH))
    if start is None:
        return None
    numbers = "; ".join(f"{row.subject} ({row.initialisation}) {rate_text(row)}" for row in decays.of_simple_rnns())
    if not all(row.surely_decays for row in start):
        verdict: Verdict = "false" if any(row.surely_grows for row in start) else "depends"
        return ClaimVerdict(verdict, f"per step {numbers}")
    always = all(row.surely_decays for row in decays.of_simple_rnns())
    return ClaimVerdict("true" if always else "true under conditions", f"per step {numbers}")


def gradient_explodes(measurements: Sequence[Measurement]) -> ClaimVerdict | None:
    """Decide whether there are gradients that grow without end: those of an RNN with large recurrent weights.

    Args:
        measurements: Those of decay are asked.
    """
    rows = Decays(measurements).of(("RNN", "gain-3"))
    if rows is None:
        return None
    (row,) = rows
    verdict: Verdict = "true" if row.surely_grows else "false" if row.surely_decays else "depends"
    return ClaimVerdict(verdict, f"gain 3: {rate_text(row)} per step")


def loss_shows_explosion(measurements: Sequence[Measurement]) -> ClaimVerdict | None:
    """Decide whether the loss of a training becomes no number where the gradient explodes.

    Args:
        measurements: Those of decay whose gradient grows are asked, by their trainings; None where there are none.
    """
    exploding = [row for row in Decays(measurements).rows.values() if row.surely_grows and row.trainings]
    if not exploding:
        return None
    numbers = "; ".join(
        f"{row.subject} ({row.initialisation}), trained without clipping: {', '.join(map(_describe, row.trainings))}"
        for row in exploding
    )
    trainings = [training for row in exploding for training in row.trainings]
    return ClaimVerdict(verdict_of_all([training.last_loss is None for training in trainings]), numbers)


def _describe(training: TrainedLength) -> str:
    """Write the gradient and the losses of a training."""
    size = "overflows" if training.log10_gradient is None else f"is 10^{training.log10_gradient:.0f}"
    last = "no number" if training.last_loss is None else f"{training.last_loss:.2f}"
    return f"over {training.steps} steps the gradient {size} and the loss {training.first_loss:.2f}, then {last}"


def eight_to_ten_steps(measurements: Sequence[Measurement]) -> ClaimVerdict | None:
    """Decide whether backpropagation through time reaches 8 to 10 steps: which simple RNNs it does so for.

    Args:
        measurements: Those of decay are asked.
    """
    rows = Decays(measurements).of_simple_rnns()
    if not any(row.subject == "sigmoid RNN" for row in rows):
        return None
    answers = [_ends_within(row, FEWEST_STEPS, MOST_STEPS) for row in rows]
    verdict = verdict_of_all(answers)
    numbers = f"gradient horizons in float32: {'; '.join(_describe_horizon(row) for row in rows[:4])}"
    return ClaimVerdict("true under conditions" if any(answers) and verdict != "true" else verdict, numbers)


def too_small_beyond_ten(measurements: Sequence[Measurement]) -> ClaimVerdict | None:
    """Decide whether what lies more than ten steps back has too small a gradient, for all initialisations of RNNs.

    Args:
        measurements: Those of decay are asked.
    """
    rows = Decays(measurements).of_simple_rnns()
    if not rows:
        return None
    numbers = f"gradient horizons in float32: {_describe_horizon(rows[0])} to {_describe_horizon(rows[-1])}"
    return ClaimVerdict(verdict_of_all([_ends_before(row, MOST_STEPS + 1) for row in rows]), numbers)


def bob_is_out_of_reach(measurements: Sequence[Measurement]) -> ClaimVerdict | None:
    """Decide whether a gradient reaches from He back to Bob, in "Bob knows swimming. He told me": three words.

    Args:
        measurements: Those of decay are asked.
    """
    rows = Decays(measurements).of_simple_rnns()
    if not rows:
        return None
    words = ["Bob", "knows", "swimming.", "He"]
    lag = words.index("He") - words.index("Bob")
    numbers = f"{lag} words apart; gradient horizon in float32: {_describe_horizon(rows[0])}"
    return ClaimVerdict(verdict_of_all([_ends_before(row, lag) for row in rows]), numbers)


def first_words_lost(measurements: Sequence[Measurement]) -> ClaimVerdict | None:
    """Decide whether nothing of the first inputs is left at the end: whether the state depends on them at all.

    Args:
        measurements: Those of decay are asked; the longest lag recorded counts.
    """
    rows = [row for row in Decays(measurements).of_simple_rnns() if row.log10_norms]
    if not rows:
        return None
    ends = [(row, row.log10_norms[-1]) for row in rows]
    answers = [_is_seen(row, end.step) for row, end in ends]
    numbers = "; ".join(
        f"10^{end.value:.0f} after {end.step} steps of {row.subject} ({row.initialisation})" for row, end in ends
    )
    lost = [None if is_seen is None else not is_seen for is_seen in answers]
    return ClaimVerdict(verdict_of_all(lost), f"norm of d h_T / d h_0: {numbers}")


def geometric_decay(measurements: Sequence[Measurement]) -> ClaimVerdict | None:
    """Decide whether the gradient of a simple RNN decays by a constant factor per step.

    A straight line must explain log10 of its norm better than it would explain a curve that falls with the root of the
    lag, at the same lags.

    Args:
        measurements: Those of decay are asked.
    """
    rows = Decays(measurements).of(("RNN", TORCH), ("LSTM without forget gate", TORCH))
    if rows is None:
        return None
    rnn, lstm = rows
    points = [point for point in rnn.log10_norms if NEAR_LAG <= point.step <= FAR_LAG]
    if len(points) < _FEWEST_POINTS:
        return None
    r_squared = straightness(points)
    bent = straightness([CurvePoint(step, math.sqrt(step)) for step, _ in points])
    numbers = (
        f"a straight line explains {r_squared:.4f} of log norm over the lag (RNN, {rate_text(rnn)} per step), of a "
        f"curve in the root of the lag {bent:.4f}; {rate_text(lstm)} per step without a forget gate"
    )
    if r_squared <= bent or rnn.surely_grows:
        return ClaimVerdict("false", numbers)
    if not rnn.surely_decays:
        return ClaimVerdict("depends", numbers)
    return ClaimVerdict("true" if lstm.surely_decays else "true under conditions", numbers)


def straightness(points: Sequence[CurvePoint]) -> float:
    """Return the share of the variance of a curve's values that the best straight line explains.

    Args:
        points: At least three, of different values.
    """
    steps, values = zip(*points, strict=True)
    return float(np.corrcoef(steps, values)[0, 1] ** 2)


def gru_keeps(measurements: Sequence[Measurement]) -> ClaimVerdict | None:
    """Decide whether a GRU can keep information for long: whether its gradient reaches 100 steps.

    Args:
        measurements: Those of decay are asked.
    """
    rows = Decays(measurements).of(("GRU", TORCH), ("GRU", "keep"))
    if rows is None:
        return None
    start, keep = rows
    numbers = f"{rate_text(keep)} per step with an update gate that keeps, {rate_text(start)} at torch's initialisation"
    if _reaches_far(start) and _reaches_far(keep):
        return ClaimVerdict("true", numbers)
    if _reaches_far(keep) and _is_surely_slower(keep, start):
        return ClaimVerdict("true under conditions", numbers)
    return ClaimVerdict("false" if _reaches_far(keep) is False else "depends", numbers)


def gru_keeps_or_removes(measurements: Sequence[Measurement]) -> ClaimVerdict | None:
    """Decide whether a GRU can do both: with some weights its gradient reaches 100 steps, with others it does not.

    Args:
        measurements: Those of decay are asked.
    """
    rows = Decays(measurements).of(("GRU", TORCH), ("GRU", "keep"))
    if rows is None:
        return None
    start, keep = rows
    far = {_reaches_far(start), _reaches_far(keep)}
    numbers = f"{rate_text(keep)} per step with an update gate that keeps, {rate_text(start)} at torch's initialisation"
    if None in far:
        return ClaimVerdict("depends", numbers)
    return ClaimVerdict("true" if far == {True, False} else "false", numbers)
