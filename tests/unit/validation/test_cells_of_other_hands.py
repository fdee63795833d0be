"""What cells of other hands were taken for falsely: another cell, one of other sizes, one that uses its biases."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from rnn_harness.errors import Refused
from rnn_harness.records.validation import Validation
from rnn_harness.references import get_reference
from rnn_harness.specs import library, literature
from rnn_harness.validation import (
    ValidationRequest,
    collect_validation,
    identify,
    run_validation,
)
from rnn_harness.validation.cells.capabilities import TargetCapabilities
from rnn_harness.validation.identification.probe import probe_target
from rnn_harness.validation.judging.library_match import library_match, wanted_spec_of_joined_states
from rnn_harness.validation.judging.spec_file import library_candidate, spec_file_candidate
from rnn_harness.validation.loading.joined_states import joined_states
from rnn_harness.validation.loading.target import Target, target_of
from rnn_harness.validation.spec_search.fault_search import faulty_match
from rnn_harness.validation.spec_search.search import TargetSearch


class UpdateGate(nn.Module):
    """A UGRNN: a JANET whose constant is zero, or so small that it does not show in float32."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.x, self.h = nn.Linear(input_size, 2 * hidden_size), nn.Linear(hidden_size, 2 * hidden_size, bias=False)

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        g, c = (self.x(x) + self.h(h)).chunk(2, 1)
        g = torch.sigmoid(g)
        return g * h + (1 - g) * torch.tanh(c)


class ProjectsOtherInputs(nn.Module):
    """A MUT1 whose inputs go through a matrix only where they are not as wide as its states."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.z, self.r = nn.Linear(input_size, hidden_size), nn.Linear(input_size, hidden_size)
        self.u_r = nn.Linear(hidden_size, hidden_size, bias=False)
        self.u_h = nn.Linear(hidden_size, hidden_size)
        is_square = input_size == hidden_size
        self.w_h: nn.Module = nn.Identity() if is_square else nn.Linear(input_size, hidden_size, bias=False)

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        z, r = torch.sigmoid(self.z(x)), torch.sigmoid(self.r(x) + self.u_r(h))
        return (1 - z) * h + z * torch.tanh(self.u_h(r * h) + torch.tanh(self.w_h(x)))


class HiddenAndCellSideBySide(nn.Module):
    """An LSTM with a forget bias whose one state is [h, c]."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.gates = nn.Linear(hidden_size + input_size, 4 * hidden_size)

    def output(self, o: Tensor, new: Tensor, old: Tensor) -> Tensor:
        return torch.sigmoid(o) * torch.tanh(new)

    def forward(self, x: Tensor, state: Tensor) -> Tensor:
        h, old = state.chunk(2, 1)
        i, j, f, o = self.gates(torch.cat([h, x], 1)).chunk(4, 1)
        new = torch.sigmoid(f + 1.0) * old + torch.sigmoid(i) * torch.tanh(j)
        return torch.cat([self.output(o, new, old), new], 1)


class OldCellSideBySide(HiddenAndCellSideBySide):
    """Wrong: its hidden state is made from the old cell state."""

    def output(self, o: Tensor, new: Tensor, old: Tensor) -> Tensor:
        return torch.sigmoid(o) * torch.tanh(old)


def of_one_state(cell: type[nn.Module]) -> Target:
    """A cell that is driven as one of a single state, which joins those that it has."""
    joined = joined_states(cell(5, 3), 3)
    assert joined is not None
    return Target("cell", lambda n, d: joined.wrap(cell(5, 3)), TargetCapabilities(fixed_sizes=joined.sizes))


class InnerBiasUnused(nn.Module):
    """A GRU that multiplies by the matrix of its candidate alone, though that has a bias."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.x = nn.Linear(input_size, 3 * hidden_size)
        self.h_r, self.h_z, self.h_n = (nn.Linear(hidden_size, hidden_size) for _ in range(3))

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        r, z, n = self.x(x).chunk(3, 1)
        r, z = torch.sigmoid(r + self.h_r(h)), torch.sigmoid(z + self.h_z(h))
        n = torch.tanh(n + r * nn.functional.linear(h, self.h_n.weight))
        return (1 - z) * n + z * h


class GateOfTheInput(nn.Module):
    """A cell of its own: a GRU whose update gate reads the input alone, and has no weights for the state."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.z, self.r, self.n = (nn.Linear(input_size, hidden_size) for _ in range(3))
        self.h_r, self.h_n = (nn.Linear(hidden_size, hidden_size, bias=False) for _ in range(2))

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        z, r = torch.sigmoid(self.z(x)), torch.sigmoid(self.r(x) + self.h_r(h))
        return (1 - z) * h + z * torch.tanh(self.n(x) + self.h_n(r * h))


class GateForgetsTheState(GateOfTheInput):
    """Wrong: it has weights for the state in its update gate, and does not use them."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__(input_size, hidden_size)
        self.h_z = nn.Linear(hidden_size, hidden_size, bias=False)


class LimitedArgument(nn.Module):
    """A simple RNN with a limit in front of tanh, from a search for an overflow."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.x, self.h = nn.Linear(input_size, hidden_size), nn.Linear(hidden_size, hidden_size, bias=False)

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        return torch.tanh((self.x(x) + self.h(h)).clamp(-1.0, 1.0))


def _validation(cell: type[nn.Module], spec: str = "auto") -> Validation:
    request = ValidationRequest(spec=spec, dtypes=("float64",), examples=0)
    return collect_validation("cell", run_validation(target_of("cell", cell), request))


def test_a_cell_is_not_taken_for_another_one_with_a_constant_that_is_nearly_zero() -> None:
    target = target_of("cell", UpdateGate)
    probe = probe_target(target)
    assert identify(target, probe) == ()
    match = library_match(probe)
    assert match is not None
    assert match.spec.id == "ugrnn"


def test_a_search_that_finds_nothing_leaves_the_tolerance_as_it_was() -> None:
    spec = next(spec for spec in literature() if spec.id == "mgu")
    candidate = spec_file_candidate(target_of("cell", UpdateGate), spec, ("float64",))
    assert candidate.match is None
    assert candidate.probe.tolerance == probe_target(target_of("cell", UpdateGate)).tolerance


def test_a_cell_that_has_other_parameters_where_its_sizes_are_equal_is_judged_elsewhere() -> None:
    validation = _validation(ProjectsOtherInputs)
    assert validation.outcome == "agrees"


def test_a_driver_refuses_sizes_at_which_its_target_lacks_a_parameter() -> None:
    target = target_of("cell", ProjectsOtherInputs)
    candidate = library_candidate(target, probe_target(target), ("float64",))
    assert candidate is not None
    driver = candidate.kernel.build(get_reference("rnn"))  # it is driven by its own map, whatever the reference is
    leaves = {name: torch.zeros(3, 3) for name in probe_target(target).parameters}
    with pytest.raises(Refused, match="it is another cell there"):
        driver.run(leaves, torch.zeros(1, 2, 3), {"h": torch.zeros(2, 3)}, None)


def test_states_side_by_side_are_those_of_a_document_too() -> None:
    match = library_match(probe_target(of_one_state(HiddenAndCellSideBySide)))
    assert match is not None
    assert match.spec.id == "lstm.column"
    assert match.spec.model.constants == {"kappa": "1"}


def test_a_mistake_in_a_cell_with_states_side_by_side_is_named_by_the_spec_that_is_asked_for() -> None:
    probe = probe_target(of_one_state(OldCellSideBySide))
    spec = wanted_spec_of_joined_states(probe, "lstm.column")
    assert spec is not None
    found = faulty_match(TargetSearch(probe), spec)
    assert found is not None
    assert found.diagnosis().difference.startswith("E-328: c[t-1] stands where c should")


def test_a_bias_of_the_candidate_that_is_not_used_is_forgotten() -> None:
    (match,) = identify(target_of("cell", InnerBiasUnused))
    assert match.forgotten == ("h_n.bias",)


def test_a_cell_without_the_weights_of_a_known_one_is_not_that_one() -> None:
    assert identify(target_of("cell", GateOfTheInput)) == ()


@pytest.mark.deep(
    "tests/unit/validation/test_cells_of_other_hands.py::test_a_cell_without_the_weights_of_a_known_one_is_not_that_one"
)
@pytest.mark.parametrize(
    ("cell", "outcome"), [(GateOfTheInput, "consistent"), (GateForgetsTheState, "refuted")], ids=["right", "wrong"]
)
def test_weights_are_forgotten_only_where_there_are_some(cell: type[nn.Module], outcome: str) -> None:
    assert _validation(cell).outcome == outcome


def test_a_limit_in_front_of_a_function_is_named() -> None:
    spec = library().spec("rnn.tanh")
    found = faulty_match(TargetSearch(probe_target(target_of("cell", LimitedArgument))), spec)
    assert found is not None
    assert "what tanh is applied to is limited to [-1, 1]" in found.diagnosis().difference


def test_a_forget_bias_is_known_where_both_states_of_the_size_that_is_asked_for_lie_side_by_side() -> None:
    (match,) = identify(target_of("cell", HiddenAndCellSideBySide))
    assert "1 is added to the forget gate" in match.sentence()
    assert match.convention.states == 2
