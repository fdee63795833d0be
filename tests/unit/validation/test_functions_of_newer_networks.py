"""Functions of newer networks in the place of tanh or relu, and mistakes of memories and decays, are named."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from rnn_harness.arithmetic.torch_arithmetic import TorchArithmetic
from rnn_harness.specs import Spec, literature
from rnn_harness.specs.dimensions import Dimension
from rnn_harness.specs.expression import Apply, Function, Node, Role, Variable
from rnn_harness.specs.program import Program
from rnn_harness.validation.identification.probe import probe_target
from rnn_harness.validation.loading.target import target_of
from rnn_harness.validation.spec_search.fault_search import faulty_match
from rnn_harness.validation.spec_search.interpret import Interpreter
from rnn_harness.validation.spec_search.program_rewrites import with_assignments
from rnn_harness.validation.spec_search.search import TargetSearch
from rnn_harness.validation.spec_search.smooth_functions import smooth_functions
from tests.helpers.gap_cells import GrowingState, NegativeGap


class UnitOfOneGate(nn.Module):
    """An MGU with any function in its candidate."""

    function: Callable[[Tensor], Tensor] = staticmethod(torch.tanh)

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.gate = nn.Linear(input_size + hidden_size, hidden_size)
        self.candidate = nn.Linear(input_size + hidden_size, hidden_size)

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        f = torch.sigmoid(self.gate(torch.cat([x, h], 1)))
        return (1 - f) * h + f * self.function(self.candidate(torch.cat([x, f * h], 1)))


class Memory(nn.Module):
    """A Legendre memory unit, its memory wider than its state."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        n, d, q = input_size, hidden_size, hidden_size + 1
        self.e_x, self.e_h, self.e_m = (nn.Parameter(torch.randn(1, width)) for width in (n, d, q))
        self.A, self.B = nn.Parameter(torch.randn(q, q) / 2), nn.Parameter(torch.randn(q, 1) / 2)
        self.w_x, self.w_h, self.w_m = (nn.Linear(width, d, bias=False) for width in (n, d, q))

    def encode(self, x: Tensor, h: Tensor, m: Tensor) -> Tensor:
        return x @ self.e_x.T + h @ self.e_h.T + m @ self.e_m.T

    def remember(self, m: Tensor, u: Tensor) -> Tensor:
        return m @ self.A.T + u @ self.B.T

    def forward(self, x: Tensor, state: tuple[Tensor, Tensor]) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        h, m = state
        m = self.remember(m, self.encode(x, h, m))
        h = torch.tanh(self.w_x(x) + self.w_h(h) + self.w_m(m))
        return h, (h, m)


class MemoryWithBias(Memory):
    """What is written into its memory has a bias."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__(input_size, hidden_size)
        self.bias = nn.Parameter(torch.randn(1))

    def encode(self, x: Tensor, h: Tensor, m: Tensor) -> Tensor:
        return super().encode(x, h, m) + self.bias


class MemoryOfABiasedInput(Memory):
    """Its hidden state has a bias, where no equation has one of that width."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__(input_size, hidden_size)
        self.w_x = nn.Linear(input_size, hidden_size)


class MemoryThatMultipliesAll(Memory):
    """The matrix of its memory multiplies what is written too."""

    def remember(self, m: Tensor, u: Tensor) -> Tensor:
        return (m + u @ self.B.T) @ self.A.T


def _spec(name: str) -> Spec:
    return next(spec for spec in literature() if spec.id == name)


def _difference(cell: type, spec: Spec) -> str:
    search = TargetSearch(probe_target(target_of("cell", cell, state_names=tuple(spec.model.states))))
    assert search.match_spec(spec) is None
    found = faulty_match(search, spec)
    return "" if found is None else found.diagnosis().difference


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (functional.gelu, "gelu stands where tanh should"),
        (lambda v: functional.gelu(v, approximate="tanh"), "gelu by tanh stands where tanh should"),
        (lambda v: v * torch.sigmoid(1.702 * v), "gelu by a sigmoid stands where tanh should"),
        (functional.mish, "mish stands where tanh should"),
        (functional.selu, "selu stands where tanh should"),
        (functional.hardswish, "a hard swish stands where tanh should"),
        (lambda v: functional.leaky_relu(v, 0.2), "a leaky relu of slope 1/5 below zero stands where tanh should"),
        (functional.logsigmoid, "the logarithm of the sigmoid stands where tanh should"),
        (lambda v: 1.7159 * torch.tanh(2 * v / 3), "1.7159 tanh(2/3 x), as LeCun has it, stands where tanh should"),
        (torch.atan, "the arctangent stands where tanh should"),
        (torch.sin, "the sine stands where tanh should"),
    ],
    ids=[
        *("gelu", "gelu by tanh", "quick gelu", "mish", "selu", "hard swish", "leaky relu", "log sigmoid", "LeCun"),
        *("arctangent", "sine"),
    ],
)
def test_a_function_that_stands_where_tanh_should_is_named(function: Callable[[Tensor], Tensor], words: str) -> None:
    cell = type("Cell", (UnitOfOneGate,), {"function": staticmethod(function)})
    assert _difference(cell, _spec("mgu")).startswith(f"mgu-2: {words}")


@pytest.mark.parametrize(
    ("cell", "words"),
    [
        (MemoryWithBias, "lmu-1: a bias is added in u"),
        (MemoryOfABiasedInput, "lmu-3: a bias is added in h"),
        (MemoryThatMultipliesAll, "lmu-2: A multiplies B u too"),
    ],
)
def test_a_mistake_in_a_memory_is_named(cell: type, words: str) -> None:
    assert _difference(cell, _spec("lmu")).startswith(words)


@pytest.mark.parametrize(
    ("cell", "words"),
    [
        (GrowingState, "grud-2: the sign of relu(((W_d delta) + b_d)) is lost"),
        (NegativeGap, "grud-2: (W_d delta) + b_d has the other sign"),
    ],
)
def test_a_decay_with_a_wrong_sign_is_named(cell: type, words: str) -> None:
    assert _difference(cell, _spec("grud")).startswith(words)


def test_a_right_memory_equals_its_spec() -> None:
    search = TargetSearch(probe_target(target_of("cell", Memory, state_names=("h", "m"))))
    assert search.match_spec(_spec("lmu")) is not None


class _Bistable(nn.Module):
    """A bistable cell, right or with twice a sigmoid in the place of 1 + tanh."""

    range = staticmethod(lambda v: 1 + torch.tanh(v))

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.x = nn.Linear(input_size, 3 * hidden_size)
        self.v_a, self.v_c = (nn.Parameter(torch.randn(hidden_size)) for _ in range(2))

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        a, c, g = self.x(x).chunk(3, 1)
        a, c = self.range(a + self.v_a * h), torch.sigmoid(c + self.v_c * h)
        return c * h + (1 - c) * torch.tanh(g + a * h)


def test_twice_a_sigmoid_in_the_place_of_one_and_tanh_is_named() -> None:
    cell = type("Cell", (_Bistable,), {"range": staticmethod(lambda v: 2 * torch.sigmoid(v))})
    assert _difference(cell, _spec("brc")).startswith("brc-1: 2 sigmoid stands where 1 + tanh of")


def test_the_smooth_functions_are_those_of_torch() -> None:
    argument = Variable("a", (Dimension((("d", 1),)),), 0, Role.INPUT)
    changes = {change.words.split(" stands")[0]: change for change in smooth_functions(Apply(Function.TANH, argument))}
    program = _spec("indrnn.tanh").program()
    numbers = torch.linspace(-6, 6, 49, dtype=torch.float64)[None]
    functions: dict[str, Callable[[Tensor], Tensor]] = {
        "gelu": functional.gelu,
        "mish": functional.mish,
        "selu": functional.selu,
        "the sine": torch.sin,
        "the arctangent": torch.atan,
    }
    for name, function in functions.items():
        given = _evaluated(program, changes[name].expression, argument, numbers)
        assert torch.allclose(given, function(numbers), rtol=0, atol=1e-12)


def _evaluated(program: Program, expression: Node, argument: Variable, numbers: Tensor) -> Tensor:
    (only,) = program.assignments
    replaced = with_assignments(program, (replace(only, expression=expression),))
    state = program.states[0].name
    run = Interpreter(TorchArithmetic("float64")).run(replaced, {}, [{argument.name: numbers}], {state: numbers})
    return run.finals[state]
