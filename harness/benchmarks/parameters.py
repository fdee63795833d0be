"""Measure how many parameters there are: closed forms compared with arrays, torch, Keras and the literature."""

from __future__ import annotations

from collections.abc import Iterator

from rnn_harness.benchmarks.closed_form import closed_form, count_parameters, specs_with_parameters
from rnn_harness.benchmarks.independent_counts import SIZES, compare_counts, stacked_model_counts
from rnn_harness.benchmarks.published_counts import PUBLISHED
from rnn_harness.records.measurement import ParameterCount
from rnn_harness.records.measurement_stamp import stamp
from rnn_harness.specs import Spec, library


def measure_parameters() -> Iterator[ParameterCount]:
    """Yield the counts of every cell's spec, of the documents' models, and of the literature."""
    yield from spec_counts()
    yield from model_counts()
    yield from literature_counts()


def spec_counts() -> Iterator[ParameterCount]:
    """Yield the closed form of every cell's spec, compared with the reference's arrays, torch and Keras."""
    yield from map(spec_count, specs_with_parameters())


def spec_count(spec: Spec) -> ParameterCount:
    """Return the closed form of a spec, compared with every count that there is.

    Args:
        spec: The spec, shipped or of a file.
    """
    verdicts = compare_counts(spec)
    against = ", ".join(verdicts) or "nothing: it has no reference"
    wrong = [name for name, agrees in verdicts.items() if not agrees]
    return stamp(
        ParameterCount(
            subject=spec.id,
            spec=spec.id,
            origin="spec",
            sizes=SIZES[0],
            count=count_parameters(spec, SIZES[0], 2 if spec.model.layers else 1),
            agrees=not wrong,
            reason=f"differs from {', '.join(wrong)}" if wrong else f"compared with {against}",
            formula=str(closed_form(spec)),
            compared_with=tuple(verdicts),
        )
    )


def model_counts() -> Iterator[ParameterCount]:
    """Yield the two Keras models of 003, as meant: two layers of 20 units over one number, and a dense layer of k."""
    for place, title, outputs in (("003:451-456", "Dense(1)", 1), ("003:462-467", "TimeDistributed(Dense(10))", 10)):
        total = count_parameters(library().spec("rnn.stacked"), {"n": 1, "d": 20, "k": outputs}, 2) + outputs * 21
        counts = dict(stacked_model_counts(outputs))
        wrong = [name for name, count in counts.items() if count != total]
        yield stamp(
            ParameterCount(
                subject=f"{place}, SimpleRNN(20) twice, {title}",
                spec="rnn.stacked",
                origin="model",
                sizes={"n": 1, "d": 20, "k": outputs, "layers": 2},
                count=total,
                agrees=not wrong,
                reason=f"differs from {', '.join(wrong)}" if wrong else f"compared with {', '.join(counts)}",
                formula="d (n + d + 1) + d (2 d + 1) + k (d + 1)",
                compared_with=tuple(counts),
            )
        )


def literature_counts() -> Iterator[ParameterCount]:
    """Yield what papers print, by their own formulas."""
    for published in PUBLISHED:
        agrees = published.computed == published.printed
        differs = f"differs from the paper, which prints {published.printed}"
        yield stamp(
            ParameterCount(
                subject=published.source,
                spec="",
                origin="paper",
                count=published.computed,
                agrees=agrees,
                reason="compared with the paper" if agrees else differs,
                formula=published.formula,
                compared_with=("the paper",),
            )
        )
