"""A candidate that exists for some sizes alone has a program that shows what is wrong, too."""

from __future__ import annotations

from pathlib import Path

import pytest

from rnn_harness.records.validation import CounterexampleProgram
from rnn_harness.validation.candidate_reference import candidate_as_reference
from rnn_harness.validation.judging.own_specs import load_spec_file
from rnn_harness.validation.judging.spec_file import spec_file_candidate
from rnn_harness.validation.loading.target import load_target
from rnn_harness.validation.reproduction.smallest import smallest_counterexample
from tests.helpers import named_states

_FIXED = '''
import torch

class Elman(torch.nn.Module):
    """A simple RNN of one size, with a sigmoid."""
    def __init__(self):
        super().__init__()
        self.W, self.U = torch.nn.Linear(4, 3), torch.nn.Linear(3, 3, bias=False)
    def forward(self, x, h):
        return torch.sigmoid(self.W(x) + self.U(h))
'''
_ELMAN = r"""
id = "elman"
title = "A simple RNN"
inputs = { x = "n" }
states = { h = "d" }
parameters = { W = "d n", U = "d d", b = "d" }
[[equations]]
id = "R-1"
printed = 'h_t = \tanh(W x_t + U h_{t-1} + b)'
"""


def _counterexample(target: str, spec: str) -> CounterexampleProgram:
    candidate = spec_file_candidate(load_target(target), load_spec_file(spec), ("float64",))
    assert candidate.kernel.fixed_sizes
    found = smallest_counterexample(candidate.kernel, target, {})
    assert found is not None
    return found


def _files(folder: Path, code: str, spec: str) -> tuple[str, str]:
    (folder / "mine.py").write_text(code)
    (folder / "mine.toml").write_text(spec)
    return str(folder / "mine.py"), str(folder / "mine.toml")


def test_states_that_are_joined_are_shown_apart_by_a_program_that_fails(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = Path(named_states.__file__).read_text()
    cells, spec = _files(tmp_path, source, named_states.SPEC)
    found = _counterexample(f"{cells}:WrongByKeyword", spec)
    with pytest.raises(AssertionError):
        exec(compile(found.program, "program", "exec"), {})
    printed = capsys.readouterr().out
    assert "'h', 'c', 's'" in found.program
    assert printed == f"found {found.computed} expected {found.expected}\n"


def test_a_class_of_one_size_is_shown_by_a_program_that_fails(tmp_path: Path) -> None:
    cells, spec = _files(tmp_path, _FIXED, _ELMAN)
    found = _counterexample(f"{cells}:Elman", spec)
    assert (found.sizes["n"], found.sizes["d"]) == (4, 3)
    with pytest.raises(AssertionError):
        exec(compile(found.program, "program", "exec"), {})


def test_a_candidate_is_a_reference_of_the_spec_that_it_is_held_against(tmp_path: Path) -> None:
    cells, spec = _files(tmp_path, _FIXED, _ELMAN)
    assert candidate_as_reference(f"{cells}:Elman", None, spec).parameter_shapes(4, 3) == {
        "W": (3, 4),
        "U": (3, 3),
        "b": (3,),
    }
