"""A spec as a target: a torch module that runs the equations of a file, or of a shipped spec, step by step."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import nn

from rnn_harness.arithmetic.torch_arithmetic import TorchArithmetic
from rnn_harness.arithmetic.torch_dtype import torch_dtype
from rnn_harness.comparison.apply_rules import parameter_shapes
from rnn_harness.errors import UsageError
from rnn_harness.specs import Spec, library, literature
from rnn_harness.specs.program import Program
from rnn_harness.validation.cells.capabilities import CellSizes, TargetCapabilities
from rnn_harness.validation.judging.own_specs import load_spec_file, without_reference
from rnn_harness.validation.judging.spec_file import has_equal_sizes
from rnn_harness.validation.loading.target import TRIAL_SIZES, Target
from rnn_harness.validation.spec_search.interpret import Interpreter

if TYPE_CHECKING:
    from torch import Tensor

OUTPUT_SIZE = 2
"""The width of what a spec computes beside its states, such as the classes of its output layer."""


def named_spec(text: str) -> Spec | None:
    """Return the cell that a text names; None where it names no spec.

    Args:
        text: A file that ends in ``.toml``, or the id of a shipped spec.

    Raises:
        UsageError: The spec is of no cell of one step.
        SpecError: The file is no spec.
    """
    return load_spec_file(text) if text.endswith(".toml") else shipped_spec(text)


def shipped_spec(text: str) -> Spec | None:
    """Return the shipped cell of an id; None where there is none.

    Args:
        text: An id, or what else a target may be called.

    Raises:
        UsageError: The spec is of no cell of one step.
    """
    spec = next((spec for spec in (*library().cells, *literature()) if spec.id == text), None)
    return None if spec is None else without_reference(spec)


class _SpecStep(nn.Module):
    """One step of a spec whose states go in and come back in its order.

    Args:
        program: The program of the spec.
        sizes: The named sizes.
    """

    def __init__(self, program: Program, sizes: dict[str, int]) -> None:
        import torch

        super().__init__()
        self.program, self.interpreter = program, Interpreter(TorchArithmetic("float64"))
        self.shows_output = program.outputs[0].name not in [state.name for state in program.states]
        bound = 1 / sizes["d"] ** 0.5
        for name, shape in parameter_shapes(program, sizes).items():
            start = torch.empty(shape, dtype=torch_dtype("float64")).uniform_(-bound, bound)
            self.register_parameter(name, nn.Parameter(start))

    def step(self, x: Tensor, states: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        """Compute the output, where it is no state, and the new states.

        Args:
            x: The input (B, n); several side by side, in the order of the spec.
            states: The states (B, d) in the order of the spec.
        """
        names = [state.name for state in self.program.states]
        parameters = dict(self.named_parameters())
        table = dict(zip(names, states, strict=True))
        inputs = [variable.name for variable in self.program.inputs]
        apart = dict(zip(inputs, x.chunk(len(inputs), -1), strict=True))
        run = self.interpreter.run(self.program, parameters, [apart], table)
        output = self.program.outputs[0].name
        new = tuple(run.finals[name] for name in names)
        return (run.steps[0][output], *new) if self.shows_output else new


class OneStateStep(_SpecStep):
    """A step with one state."""

    def forward(self, x: Tensor, h: Tensor) -> Tensor | tuple[Tensor, ...]:
        """Compute a step.

        Args:
            x: The input (B, n).
            h: The state (B, d).
        """
        result = self.step(x, (h,))
        return result if self.shows_output else result[0]


class TwoStatesStep(_SpecStep):
    """A step with two states."""

    def forward(self, x: Tensor, states: tuple[Tensor, Tensor]) -> tuple[Tensor | tuple[Tensor, ...], ...]:
        """Compute a step; the states come back in a tuple of their own behind an output that is no state.

        Args:
            x: The input (B, n).
            states: Both states (B, d).
        """
        result = self.step(x, states)
        return (result[0], result[1:]) if self.shows_output else result


def spec_target(spec: Spec) -> Target:
    """Make a target of a spec, as one side of a comparison.

    Args:
        spec: A cell whose states are carried forward; its inputs go in side by side.

    Raises:
        UsageError: It is a spec of layers, has inputs of several widths or more than two states, or runs backward in
            time.
    """
    return target_of_program(spec, spec.program())


def target_of_program(spec: Spec, program: Program) -> Target:
    """Make a target of a program, right or wrong, that has the symbols of a spec.

    Args:
        spec: A cell whose states are carried forward; of several inputs, the target has one, with all side by side.
        program: What is computed: the spec's own program, or a wrong one.

    Raises:
        UsageError: It is a spec of layers, has more than two states or inputs of several widths, or runs backward in
            time.
    """
    inputs = len(program.inputs)
    is_forward = all(part.direction >= 0 for part in program.passes)
    if spec.model.layers or not is_forward or not inputs or not 1 <= len(program.states) <= 2:
        raise UsageError(f"{spec.id} is no bare cell of one step with one state or two; give the id of one that is")
    if len({variable.shape for variable in program.inputs}) > 1:
        raise UsageError(f"{spec.id} has inputs of several widths; give the id of a cell whose inputs are equally wide")
    step = OneStateStep if len(program.states) == 1 else TwoStatesStep
    hidden_size, equal = TRIAL_SIZES.hidden_size, has_equal_sizes(spec)
    width = hidden_size if equal else TRIAL_SIZES.input_size
    sizes = CellSizes(inputs * width, hidden_size) if equal or inputs > 1 else None
    symbols = {symbol for parameter in program.parameters for axis in parameter.shape for symbol in axis.symbols}

    def make(input_size: int, hidden_size: int) -> nn.Module:
        others = dict.fromkeys(symbols, OUTPUT_SIZE)
        return step(program, {**others, "n": input_size // inputs, "d": hidden_size})

    return Target(spec.id, make, TargetCapabilities(fixed_sizes=sizes))
