"""The figures this project promises for its checks, in units of one forward+backward of the reference (BPTT)."""

from __future__ import annotations

import functools
import subprocess
import sys
import time
from collections.abc import Callable
from statistics import median

import numpy as np
import pytest

from rnn_harness.benchmarks.speed.stopwatch import ratio_interval, time_interleaved
from rnn_harness.cases.case import Case
from rnn_harness.checks.backward import _along, complex_derivative, every_entry
from rnn_harness.counterexamples.shrink import find_and_shrink
from rnn_harness.evaluation.evaluation import Evaluation
from rnn_harness.mutants import MUTANTS, build
from rnn_harness.specs import library
from rnn_harness.subjects.subject import Subject

CELLS = ("rnn.sigma.unbiased", "gru.keep.column", "lstm.column")
SIZES = ((2, 3, 4, 5), (4, 8, 16, 16), (8, 32, 64, 32))


def evaluation(spec: str, size: tuple[int, int, int, int]) -> Evaluation:
    batch, n, d, steps = size
    judged = Evaluation.of(
        Subject.of(library().spec(spec)), Case(spec=spec, B=batch, n=n, d=d, T=steps, seed=3, scale=0.5)
    )
    assert judged.gradients is not None
    return judged


def bptt(judged: Evaluation) -> object:
    d = judged.arrays
    run = judged.subject.forward(d.parameters, d.inputs, d.states)
    return judged.subject.backward(run, d.d_outputs, d.d_finals)


@pytest.mark.parametrize("spec", CELLS)
def test_gradient_screen_and_its_floor(spec: str) -> None:
    print(f"\n{spec}: one complex-step direction / BPTT (goal <= 2.5), relative error (goal <= 1e-8)")
    for size in SIZES:
        judged = evaluation(spec, size)
        directions = judged.directions
        calls: dict[str, Callable[[], object]] = {
            "screen": functools.partial(complex_derivative, judged, directions),
            "bptt": functools.partial(bptt, judged),
        }
        samples = time_interleaved(calls, 11)
        finding = _along(judged, "all", directions)
        mass = sum(float(np.abs(judged.flat_gradients[k] * v).sum()) for k, v in directions.items())
        assert finding.error is not None
        print(f"  (B,n,d,T) = {size}: {ratio_interval(samples, 'screen', 'bptt')}, error {finding.error / mass:.1e}")


@pytest.mark.parametrize("spec", CELLS)
def test_every_entry_at_the_smallest_size(spec: str) -> None:
    judged = evaluation(spec, SIZES[0])
    count = sum(np.size(value) for value in judged.flat_values.values())
    samples = time_interleaved({"entries": lambda: list(every_entry(judged)), "bptt": lambda: bptt(judged)}, 7)
    print(f"\n{spec}: every one of {count} entries / BPTT (goal <= 10): {ratio_interval(samples, 'entries', 'bptt')}")
    assert all(finding.agrees for finding in every_entry(judged))


def test_derive_and_prove_in_a_fresh_process() -> None:
    code = (
        "import time; start = time.perf_counter()\n"
        "from rnn_harness.specs import library\n"
        "from rnn_harness.derivatives.proof import prove_backward\n"
        f"for name in {CELLS!r}:\n"
        "    assert all(prove_backward(library().spec(name).program(), size).is_proved for size in (1, 2))\n"
        "print(time.perf_counter() - start)"
    )
    times = [
        float(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout)
        for _ in range(3)
    ]
    print(f"\nderive and prove RNN, GRU, LSTM, cold: {median(times):.2f} s (goal <= 1)")
    assert len(times) == 3


def test_planted_bugs_are_found_and_shrunk() -> None:
    times, nonzero, unseen = [], [], []
    for mutant in MUTANTS:
        subject = build(mutant, library().spec(mutant.spec))
        with np.errstate(all="ignore"):
            try:
                find_and_shrink(subject, 0)
                start = time.perf_counter()
                program = find_and_shrink(subject, 0)
                spent = time.perf_counter() - start
            except (TypeError, ValueError):
                unseen.append(mutant.name)
                continue
        if program is None:
            unseen.append(mutant.name)
            continue
        times.append(spent)
        nonzero.append(program.nonzero)
    print(f"\nplanted bug found and shrunk: median {1000 * median(times):.1f} ms (goal <= 25)")
    print(f"slowest: {1000 * max(times):.0f} ms")
    print(f"numbers left that are not zero: median {median(nonzero):g}, most {max(nonzero)} (goal <= 5)")
    print(f"{len(times)} of {len(MUTANTS)}; seen by other checks only: {', '.join(unseen)}")
    assert len(times) > len(MUTANTS) // 2


def test_help_above_bare_python() -> None:
    def spent(*command: str) -> float:
        start = time.perf_counter()
        subprocess.run([sys.executable, *command], capture_output=True, check=True)
        return time.perf_counter() - start

    pairs = [(spent("-m", "rnn_harness", "--help"), spent("-c", "pass")) for _ in range(9)]
    above = median(a - b for a, b in pairs)
    print(f"\nrnn-harness --help above bare Python: {1000 * above:.0f} ms (goal <= 100)")
    assert above > 0
