"""A cell on another device: its code sees that device alone, what is judged lies on the CPU; one that lacks is told."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from rnn_harness.cases.case import Case
from rnn_harness.cli.arguments import known_device
from rnn_harness.errors import UsageError
from rnn_harness.validation import (
    Target,
    ValidationRequest,
    candidate_kernel,
    collect_validation,
    identify,
    judge_case,
    load_target,
    run_validation,
)
from rnn_harness.validation.loading.device import available_device, moved_module, on_device
from rnn_harness.validation.loading.parameter_exchange import leaves_in_place, with_leaves
from tests.helpers import HELPERS

WRONG = f"{HELPERS / 'outputs_beside_states.py'}:OldStateBesideNewOutput"
ELSEWHERE = "meta"
"""A device of torch that every machine has: its tensors have shapes and no numbers."""


class SeesWhereItRuns(nn.Module):
    """Notes the devices of all that it is given."""

    def __init__(self) -> None:
        super().__init__()
        self.weight, self.devices = nn.Parameter(torch.ones(3, 3)), list[str]()
        self.register_buffer("scale", torch.ones(3))
        self.back = True

    def forward(self, x: Tensor, states: tuple[Tensor, Tensor], gain: Tensor | None = None) -> Tensor:
        given = (x, *states, self.weight, self.get_buffer("scale"), *([] if gain is None else [gain]))
        self.devices += [str(tensor.device) for tensor in given]
        return torch.zeros(2, 3)


def test_all_that_a_moved_module_computes_with_is_on_its_device() -> None:
    module = moved_module(SeesWhereItRuns(), ELSEWHERE)
    assert isinstance(module, SeesWhereItRuns)
    x, leaves = torch.ones(2, 3), {"weight": torch.ones(3, 3)}
    with pytest.raises(RuntimeError, match="all that goes in is on meta, and a tensor on cpu comes out"):
        with_leaves(module, leaves)(x, (x, x), gain=x)
    assert module.devices == [ELSEWHERE] * 6


def test_parameters_that_are_exchanged_for_a_backward_lie_on_the_device() -> None:
    module = moved_module(SeesWhereItRuns(), ELSEWHERE)
    assert isinstance(module, SeesWhereItRuns)
    with leaves_in_place(module, {"weight": torch.ones(3, 3)}):
        assert str(module.weight.device) == ELSEWHERE


def _moved(text: str) -> Target:
    target = load_target(text)
    return replace(target, make_module=lambda n, d: moved_module(target.make_module(n, d), "cpu"))


def test_the_gradients_of_a_moved_layer_come_back() -> None:
    target = _moved("torch.nn:GRU")
    kernel = candidate_kernel(target, identify(target)[0])
    judged = judge_case(kernel, "backward.bound", Case(spec=kernel.spec, dtype="float64", T=2, seed=1))
    assert judged is not None
    assert judged.agrees


@pytest.mark.deep("tests/unit/validation/test_device.py::test_the_gradients_of_a_moved_layer_come_back")
@pytest.mark.parametrize(("text", "outcome"), [("torch.nn:GRU", "agrees"), (WRONG, "refuted")])
def test_a_moved_cell_is_judged_as_one_that_is_not(text: str, outcome: str) -> None:
    moved = _moved(text)
    request = ValidationRequest(dtypes=("float64",), examples=0)
    assert collect_validation(text, run_validation(moved, request)).outcome == outcome


def test_a_device_that_is_not_there_is_told_with_those_that_are() -> None:
    with pytest.raises(UsageError, match=r"--device cuda:77: there is no such device here \(torch .*\); there is cpu"):
        available_device("cuda:77")


def test_a_cell_of_another_library_is_not_moved(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rnn_harness.validation.loading.device.available_device", lambda device: device)
    target = load_target(f"{HELPERS / 'wrong_numpy.py'}:CharRNN")
    with pytest.raises(UsageError, match="which places its arrays itself; torch modules alone are moved"):
        on_device(target, "cuda")


@pytest.mark.parametrize("name", ["gpu", "cuda:", "cuda:a", "tpu:0", ""])
def test_a_name_of_no_device_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match="expected cpu, cuda, cuda:0"):
        known_device(name)


@pytest.mark.parametrize("name", ["cpu", "cuda", "cuda:0", "mps", "CUDA:1"])
def test_the_names_of_devices_are_those_of_torch(name: str) -> None:
    assert known_device(name) == name.lower()
