"""A planted bug is found, shrunk to a few plain numbers, confirmed, and shown by a program that runs."""

from __future__ import annotations

import dataclasses
import importlib
import inspect
import subprocess
import sys
import types
from pathlib import Path

import numpy as np
import pytest

from rnn_harness.cases.case import Case
from rnn_harness.counterexamples.fast_difference import first_difference
from rnn_harness.counterexamples.program import confirmed_counterexample
from rnn_harness.counterexamples.shrink import find, find_and_shrink, shrink
from rnn_harness.specs import library
from rnn_harness.subjects.case_arrays import draw_arrays
from rnn_harness.subjects.subject import Subject

# spec, module, class, right text, wrong text
PLANTED = {
    "transposed recurrent matrix": (
        "gru.keep.column",
        "gru",
        "GRU",
        'np.matmul(p["W_hg"], m,',
        'np.matmul(p["W_hg"].T, m,',
    ),
    "sign in the mixture": (
        "gru.keep.column",
        "gru",
        "GRU",
        "            complement *= g\n",
        "            complement += 2 * z\n            complement *= g\n",
    ),
    "gradient off by one percent": (
        "gru.keep.column",
        "gru",
        "GRU",
        "np.matmul(to_m, dg, out=q)",
        "np.matmul(to_m, 1.01 * dg, out=q)",
    ),
    "no forget gate": (
        "lstm.column",
        "lstm",
        "LSTM",
        "new += np.multiply(f, old, out=carried) if self.forget else old",
        "new += old",
    ),
    "lost slope in the backward": (
        "lstm.column",
        "lstm",
        "LSTM",
        "np.multiply(dh, into, out=through)",
        "dh * gates[step, 0]",
    ),
    "peephole one step early": (
        "lstm.peephole",
        "lstm",
        "LSTM",
        'o -= self._peek(p["W_co"], new)',
        'o -= self._peek(p["W_co"], old)',
    ),
    "initial state ignored": ("rnn.sigma", "rnn", "RNN", 'h[0] = accepted.states["h"]', "h[0] = 0"),
}


def source(name: str) -> str:
    """The patched module, as source."""
    _, module, _, right, wrong = PLANTED[name]
    text = inspect.getsource(importlib.import_module(f"rnn_harness.references.{module}"))
    assert text.count(right) == 1
    return text.replace(right, wrong)


def planted(name: str) -> Subject:
    """The subject that computes wrongly."""
    spec = library().spec(PLANTED[name][0])
    module = types.ModuleType(f"planted_{abs(hash(name))}")
    sys.modules[module.__name__] = module
    exec(compile(source(name), name, "exec"), module.__dict__)
    assert spec.reference is not None
    return Subject.of(spec, getattr(module, PLANTED[name][2])(**spec.reference.options))


@pytest.mark.parametrize("name", PLANTED)
def test_planted_bug_shrinks_to_at_most_five_numbers(name: str) -> None:
    shrunk = find_and_shrink(planted(name), seed=3)
    assert shrunk is not None
    assert 1 <= shrunk.nonzero <= 5
    assert shrunk.arrays.inputs.shape[1] == 1, "one batch row is enough"


@pytest.mark.parametrize("name", PLANTED)
def test_printed_program_reproduces_the_planted_bug(name: str, tmp_path: Path) -> None:
    subject = planted(name)
    shrunk = find_and_shrink(subject, seed=3)
    assert shrunk is not None
    spec = subject.spec
    assert spec.reference is not None
    options = ", ".join(f"{key}={value!r}" for key, value in spec.reference.options.items())
    (tmp_path / "mine.py").write_text(source(name), encoding="utf-8")
    candidate = f"from mine import {PLANTED[name][2]}\ncell = {PLANTED[name][2]}({options})"
    shown = confirmed_counterexample(subject, shrunk, candidate)
    assert shown is not None
    assert shown.error_over_bound > 1
    assert len(shown.program.splitlines()) <= 20
    (tmp_path / "show.py").write_text(shown.program, encoding="utf-8")
    done = subprocess.run([sys.executable, "show.py"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert "AssertionError" in done.stderr
    found = float(done.stdout.split()[1])
    assert found == shown.computed


def test_printed_program_of_a_right_reference_passes(tmp_path: Path) -> None:
    subject = planted("sign in the mixture")
    shrunk = find_and_shrink(subject, seed=3)
    assert shrunk is not None
    shown = confirmed_counterexample(subject, shrunk)
    assert shown is not None
    (tmp_path / "show.py").write_text(shown.program, encoding="utf-8")
    done = subprocess.run([sys.executable, "show.py"], cwd=tmp_path, capture_output=True, check=False)
    assert done.returncode == 0, "the program imports the right reference, which agrees with the equations"


@pytest.mark.parametrize("spec", [one.id for one in library().cells if one.reference is not None])
def test_nothing_is_found_in_the_right_reference_of(spec: str) -> None:
    assert find(Subject.of(library().spec(spec)), seed=1, tries=16) is None


def test_a_difference_that_is_only_rounding_is_no_counterexample() -> None:
    subject = planted("no forget gate")
    drawn = draw_arrays(Case(spec=subject.spec.id), subject)
    first = first_difference(subject, drawn)
    assert first is not None
    shrunk = shrink(subject, drawn, first)
    right = Subject.of(subject.spec)
    run = right.forward(shrunk.arrays.parameters, shrunk.arrays.inputs, shrunk.arrays.states)
    computed = float(run.outputs[shrunk.difference.index])
    same = dataclasses.replace(shrunk, difference=dataclasses.replace(shrunk.difference, computed=computed, size=0.0))
    assert confirmed_counterexample(right, same) is None


def test_the_same_seed_shrinks_to_the_same_numbers() -> None:
    subject = planted("no forget gate")
    one, two = find_and_shrink(subject, seed=5), find_and_shrink(subject, seed=5)
    assert one is not None
    assert two is not None
    for name, value in one.arrays.parameters.items():
        assert np.array_equal(value, two.arrays.parameters[name])
    assert one.difference == two.difference
