"""Measurements that make a measured claim true, and others that make it false: for each way to measure a claim."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rnn_harness.records.measurement import (
    CurveBand,
    CurvePoint,
    DecayMeasurement,
    LearningMeasurement,
    Measurement,
    ParameterCount,
    SpeedMeasurement,
    TrainedLength,
)
from rnn_harness.specs.claims import Verdict

LAGS = (1, 2, 4, 8, 10, 16, 32, 64, 100, 200)


def decay(
    subject: str,
    initialisation: str,
    log10_rate: float,
    horizon: float | None = None,
    losses: Sequence[float | None] = (),
    root: bool = False,
    half_width: float = 0.5,
    seeds_apart: float = 0.0,
) -> DecayMeasurement:
    """A cell whose gradient falls by a factor per step, or with the root of the lag.

    The horizon's interval is twice `half_width` wide; at every lag the seeds lie as many powers of ten apart.
    """
    rate = 10**log10_rate
    curve = tuple(CurvePoint(lag, log10_rate * (10 * lag**0.5 if root else lag)) for lag in LAGS)
    return DecayMeasurement(
        subject=subject,
        spec="x",
        initialisation=initialisation,
        agrees=True,
        sizes={"n": 16, "d": 128, "T": 200},
        rate=rate,
        ci_low=rate * 0.99,
        ci_high=rate * 1.01,
        log10_norms=curve,
        norm_bands=tuple(CurveBand(lag, value - seeds_apart / 2, value + seeds_apart / 2) for lag, value in curve),
        float32_horizon=horizon,
        float32_horizon_low=None if horizon is None else horizon - half_width,
        float32_horizon_high=None if horizon is None else horizon + half_width,
        lyapunov_exponent=log10_rate,
        trainings=tuple(TrainedLength(100 * k, 10, 13.0, 0.7, loss) for k, loss in enumerate(losses, 1)),
    )


def decay_to_zero(subject: str, initialisation: str, log10_rate: float) -> DecayMeasurement:
    """A cell whose gradient is exactly zero from lag 64 on: it has no logarithm there, and is not recorded."""
    row = decay(subject, initialisation, log10_rate)
    curve = tuple(point for point in row.log10_norms if point.step < 64)
    bands = tuple(band for band in row.norm_bands if band.step < 64)
    return row.model_copy(update={"log10_norms": curve, "norm_bands": bands})


def learning(subject: str, task: str, solved: int, loss: float = 0.1, **more: object) -> LearningMeasurement:
    """Three seeds that end at one loss, after 100 steps of training."""
    base = {
        "subject": subject,
        "spec": "x",
        "task": task,
        "task_title": "t",
        "sizes": {"T": 50},
        "training_steps": 100,
        "median": loss,
        "samples": (loss,) * 3,
        "chance": 0.17,
        "seeds": 3,
        "seeds_solved": solved,
        "seconds": 1.0,
        "parameters": 1300,
        "loss_curve": (CurvePoint(50, 0.2), CurvePoint(100, loss)),
    }
    return LearningMeasurement.model_validate({**base, **more})


def count(subject: str, number: int) -> ParameterCount:
    """A confirmed number of parameters at n = 3, d = 4."""
    return ParameterCount(
        subject=subject,
        spec=subject,
        origin="spec",
        agrees=True,
        sizes={"n": 3, "d": 4, "k": 2},
        count=number,
        formula="f",
    )


def timed(spec: str, seconds: float, spread: float = 0.01, d: int = 64) -> SpeedMeasurement:
    """A time of forward and backward with its interval."""
    return SpeedMeasurement(
        subject="reference",
        spec=spec,
        phase="both",
        agrees=True,
        sizes={"n": d, "d": d, "B": 16, "T": 50},
        dtype="float32",
        median=seconds,
        ci_low=seconds * (1 - spread),
        ci_high=seconds * (1 + spread),
    )


def _starts(log10_rate: float) -> list[Measurement]:
    """RNN, GRU and LSTM at torch's initialisation."""
    return [decay(name, "torch", log10_rate) for name in ("RNN", "GRU", "LSTM")]


def _rnns(*horizons: float | None, half_width: float = 0.25) -> list[Measurement]:
    """Simple RNNs whose gradients end there, give or take that much."""
    rows = [decay("sigmoid RNN", "torch", -0.8, horizons[0], half_width=half_width)]
    more = enumerate(horizons[1:])
    return [*rows, *(decay("RNN", f"number {k}", -0.2, steps, half_width=half_width) for k, steps in more)]


_VANISHED = {"rate_before": 0.6}


@dataclass(frozen=True)
class Facts:
    """Measurements and the verdict that must follow from them."""

    verdict: Verdict
    measurements: Sequence[Measurement]


def _facts(**by_verdict: Sequence[Measurement]) -> list[Facts]:
    names: dict[str, Verdict] = {
        "true": "true",
        "conditions": "true under conditions",
        "depends": "depends",
        "false": "false",
    }
    return [Facts(names[name.rstrip("_0123456789")], rows) for name, rows in by_verdict.items()]


def _adding(rnn: int, gru: int, lstm: int) -> list[Measurement]:
    chrono = learning("LSTM, chrono", "adding", 3)
    return [*(learning(n, "adding", k) for n, k in (("RNN", rnn), ("GRU", gru), ("LSTM", lstm))), chrono]


def _ahead(both: int, one: int) -> list[Measurement]:
    return [learning("GRU, both directions", "ahead", both), learning("GRU", "ahead", one)]


def _carry(stateful: int, stateless: int) -> list[Measurement]:
    return [learning("GRU, stateful", "carry", stateful), learning("GRU, stateless", "carry", stateless)]


FACTS: dict[str, list[Facts]] = {
    "fewer parameters": _facts(
        true=[count("gru.keep.column", 96), count("lstm.column", 128)],
        false=[count("gru.keep.column", 128), count("lstm.column", 128)],
    ),
    "four blocks of parameters": _facts(true=[count("lstm.column", 128)], false=[count("lstm.column", 160)]),
    "parameters of the output gate": _facts(
        conditions=[count("lstm.noforget", 96)], false=[count("lstm.noforget", 64)]
    ),
    "twice the parameters": _facts(
        conditions=[count("lstm.bidirectional", 256), count("lstm.column", 128)],
        false=[count("lstm.bidirectional", 896), count("lstm.column", 128)],
        false_2=[count("lstm.bidirectional", 128), count("lstm.column", 128)],
    ),
    "rnn faster": _facts(
        true=[timed("rnn.tanh", 1.0), timed("lstm.column", 2.0)],
        depends=[timed("rnn.tanh", 1.0, 0.5), timed("lstm.column", 1.1, 0.5)],
        depends_2=[
            timed(s, t, d=d)
            for s, t, d in (
                ("rnn.tanh", 1.0, 8),
                ("lstm.column", 2.0, 8),
                ("rnn.tanh", 3.0, 9),
                ("lstm.column", 2.0, 9),
            )
        ],
        false=[timed("rnn.tanh", 2.0), timed("lstm.column", 1.0)],
    ),
    "gru faster": _facts(
        true=[timed("gru.reset_after", 1.0), timed("lstm.column", 2.0)],
        false=[timed("gru.reset_after", 2.0), timed("lstm.column", 1.0)],
    ),
    "long dependencies": _facts(
        true=_adding(0, 3, 3),
        conditions=_adding(0, 3, 1),
        depends=_adding(0, 3, 0),
        false=_adding(0, 0, 0),
        false_2=_adding(3, 3, 3),
    ),
    "gates keep": _facts(
        true=[
            decay("RNN", "torch", -0.3),
            *(decay(n, i, -0.01) for n in ("GRU", "LSTM") for i in ("torch", "keep", "chrono")),
        ],
        true_2=[
            decay_to_zero("RNN", "torch", -0.3),
            *(decay(n, i, -0.01) for n in ("GRU", "LSTM") for i in ("torch", "keep", "chrono")),
        ],
        conditions=[*_starts(-0.2), decay("GRU", "keep", -0.01), decay("LSTM", "chrono", -0.01)],
        depends=[*_starts(-0.2), decay("GRU", "keep", -0.07, seeds_apart=1.0), decay("LSTM", "chrono", -0.01)],
        depends_2=[*_starts(-0.0695), decay("GRU", "keep", -0.069), decay("LSTM", "chrono", -0.01)],
        depends_3=[*_starts(-0.01), decay("GRU", "keep", -0.01), decay("LSTM", "chrono", -0.01)],
        false=[*_starts(-0.2), decay("GRU", "keep", -0.3), decay("LSTM", "chrono", -0.01)],
        false_2=[*_starts(-0.2), decay("GRU", "keep", -0.2), decay("LSTM", "chrono", -0.2)],
    ),
    "rnn vanishes": _facts(
        true=[decay("RNN", "torch", -0.2), decay("sigmoid RNN", "torch", -0.8)],
        conditions=[decay("RNN", "torch", -0.2), decay("sigmoid RNN", "torch", -0.8), decay("RNN", "gain-3", 0.1)],
        depends=[decay("RNN", "torch", 0.001), decay("sigmoid RNN", "torch", -0.8)],
        false=[decay("RNN", "torch", 0.01), decay("sigmoid RNN", "torch", -0.8)],
    ),
    "nothing is learnt": _facts(
        true=[learning("RNN", "adding", 0, 0.18, **_VANISHED)],
        false=[learning("RNN", "adding", 0, 0.16, **_VANISHED)],
    ),
    "loss stands still": _facts(
        true=[learning("RNN", "adding", 0, 0.2, **_VANISHED)],
        true_2=[learning("RNN", "adding", 0, 0.19, samples=(0.17, 0.19, 0.195), **_VANISHED)],
        false=[learning("RNN", "adding", 0, 0.18, **_VANISHED)],
    ),
    "explodes": _facts(
        true=[decay("RNN", "gain-3", 0.1)],
        depends=[decay("RNN", "gain-3", 0.001)],
        false=[decay("RNN", "gain-3", -0.1)],
    ),
    "loss where it explodes": _facts(
        true=[decay("RNN", "gain-3", 0.1, losses=(None, None))],
        depends=[decay("RNN", "gain-3", 0.1, losses=(0.9, None))],
        depends_2=[decay("RNN", "gain-3", 0.1, losses=(None,)), decay("RNN", "gain-2", 0.1, losses=(3.0,))],
        false=[decay("RNN", "gain-3", 0.1, losses=(0.9, 3.0))],
    ),
    "eight or ten": _facts(
        true=_rnns(8.1, 10.2),
        conditions=_rnns(8.1, 28.0),
        conditions_2=_rnns(8.1, 10.4),
        depends=_rnns(8.1, 10.2, half_width=3.0),
        false=_rnns(5.0, 28.0),
        false_2=_rnns(900.0, None),
        false_3=_rnns(7.1, 10.8),
    ),
    "too small beyond ten": _facts(
        true=_rnns(5.0, 5.0),
        true_2=_rnns(10.5, 10.5),
        depends=_rnns(8.0, None),
        depends_2=_rnns(10.5, 10.5, half_width=1.0),
        false=_rnns(900.0, 900.0),
        false_2=_rnns(11.3, 11.3),
    ),
    "Bob and He": _facts(
        true=_rnns(2.0, 2.5),
        depends=_rnns(2.0, 28.0),
        depends_2=_rnns(2.9, 2.9),
        false=_rnns(8.0, 28.0),
        false_2=_rnns(3.5, 3.5),
    ),
    "first words lost": _facts(
        true=[decay("RNN", "torch", -0.3)],
        depends=[decay("RNN", "torch", -0.3), decay("RNN", "orthogonal", -0.01)],
        depends_2=[decay("RNN", "torch", -0.035, seeds_apart=2.0)],
        false=[decay("RNN", "torch", -0.01)],
    ),
    "geometric": _facts(
        true=[decay("RNN", "torch", -0.2), decay("LSTM without forget gate", "torch", -0.1)],
        conditions=[decay("RNN", "torch", -0.2), decay("LSTM without forget gate", "torch", 0.01)],
        depends=[decay("RNN", "torch", -0.001), decay("LSTM without forget gate", "torch", 0.01)],
        false=[decay("RNN", "torch", -0.2, root=True), decay("LSTM without forget gate", "torch", 0.01)],
        false_2=[decay("RNN", "torch", 0.2), decay("LSTM without forget gate", "torch", 0.01)],
    ),
    "gru keeps": _facts(
        true=[decay("GRU", "torch", -0.02), decay("GRU", "keep", -0.01)],
        conditions=[decay("GRU", "torch", -0.2), decay("GRU", "keep", -0.01)],
        depends=[decay("GRU", "torch", -0.2), decay("GRU", "keep", -0.07, seeds_apart=1.0)],
        depends_2=[decay("GRU", "torch", -0.0695), decay("GRU", "keep", -0.069)],
        false=[decay("GRU", "torch", -0.2), decay("GRU", "keep", -2.0)],
        false_2=[decay("GRU", "torch", -0.2), decay_to_zero("GRU", "keep", -0.01)],
    ),
    "gru keeps or removes": _facts(
        true=[decay("GRU", "torch", -0.2), decay("GRU", "keep", -0.01)],
        true_2=[decay_to_zero("GRU", "torch", -0.2), decay("GRU", "keep", -0.01)],
        depends=[decay("GRU", "torch", -0.2), decay("GRU", "keep", -0.07, seeds_apart=1.0)],
        false=[decay("GRU", "torch", -0.01), decay("GRU", "keep", -0.01)],
        false_2=[decay("GRU", "torch", -0.2), decay("GRU", "keep", -0.2)],
    ),
    "sees ahead": _facts(true=_ahead(3, 0), conditions=_ahead(1, 0), false=_ahead(3, 2), false_2=_ahead(0, 0)),
    "stateful learns": _facts(true=_carry(3, 0), conditions=_carry(2, 0), false=_carry(3, 2), false_2=_carry(0, 0)),
}
"""For each way to measure a claim: facts, and what must follow."""
