"""A layer that offers its recurrence twice, as a forward and as a method for one step or another order of computing."""

from __future__ import annotations

import pytest
from torch import nn

from rnn_harness.errors import NotRun
from rnn_harness.validation import load_target
from rnn_harness.validation.cells.capabilities import TargetCapabilities
from rnn_harness.validation.consistency.consistency_property import Draw, Note, Violation
from rnn_harness.validation.consistency.driven_cell import DrivenCell, make_cell, numbered_states
from rnn_harness.validation.consistency.method_properties import METHOD_PROPERTIES
from rnn_harness.validation.identification.probe import probe_target
from rnn_harness.validation.loading.find_convention import find_convention
from tests.helpers import HELPERS, layers_with_steps

FILE = HELPERS / "layers_with_steps.py"


def driven(name: str, sizes: tuple[int, int] = (5, 3)) -> DrivenCell:
    """A layer of the file, called in the way that is found for its forward."""
    if name.startswith("Array"):
        target = load_target(f"{FILE}:{name}")
        convention = probe_target(target).convention
        return make_cell(target.make_module, target.capabilities, convention, sizes, "float64", ("state",))
    layer: type[nn.Module] = vars(layers_with_steps)[name]
    convention = find_convention(layer(*sizes).double(), *sizes)
    return make_cell(layer, TargetCapabilities(), convention, sizes, "float64", numbered_states(convention))


def decided(name: str) -> Violation | Note | None:
    return METHOD_PROPERTIES[0].decide(Draw(driven(name), 1))


@pytest.mark.parametrize("name", ["MinimalGRU", "GatedLayer", "OfOneDecay", "ArrayLayer"])
def test_a_method_that_gives_what_forward_gives_breaks_nothing(name: str) -> None:
    assert decided(name) is None


def test_a_scan_that_reads_its_first_state_otherwise_is_told_and_not_refuted() -> None:
    note = decided("LogarithmicGRU")
    assert isinstance(note, Note)
    assert "step gives what forward gives from forward's first state on" in note.sentence


@pytest.mark.parametrize(
    ("name", "sizes", "reason"),
    [
        ("BehindActivation", (5, 3), "the outputs of forward are a function of the states"),
        ("BehindSum", (4, 4), "the outputs of forward are a function of the states"),
        ("BehindNorm", (5, 3), "the outputs of forward are a function of the states"),
        ("BehindLayer", (5, 3), "forward computes with out.weight, out.bias and it does not"),
        ("ScaledBefore", (5, 3), "forward calls it, and computes something before it or behind it"),
        ("ProjectedBefore", (4, 4), "forward computes with x2h.weight, x2h.bias and it does not"),
        ("ProjectedBefore", (5, 3), "step: no way of calling it is known"),
    ],
)
def test_a_method_that_need_not_give_what_forward_gives_is_not_compared(
    name: str, sizes: tuple[int, int], reason: str
) -> None:
    with pytest.raises(NotRun, match=reason):
        METHOD_PROPERTIES[0].decide(Draw(driven(name, sizes), 1))


@pytest.mark.parametrize(
    ("name", "phrase"),
    [
        ("ExchangedInStep", "step, called step by step from the same state, does not give what forward gives"),
        ("BiasLeftOut", "from step 1 of 6 on the outputs are others"),
        ("PlainCandidateInStep", "from step 1 of 6 on the outputs are others"),
        ("HalfOfTheMemory", "forward_step, called step by step from the same state, does not give"),
        ("FirstPowerIsZero", "forward_parallel, called"),
        ("ArrayStepTransposed", "step, called step by step from the same state"),
    ],
)
def test_a_method_that_gives_something_else_is_refuted(name: str, phrase: str) -> None:
    violation = decided(name)
    assert isinstance(violation, Violation)
    assert violation.part == "forward: single steps"
    assert phrase in violation.sentence
