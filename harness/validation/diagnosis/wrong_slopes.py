"""The reason for wrong gradients: which derivative of a gate's activation is missing, or is another one.

Torch differentiates the equations, but with a wrong derivative of one activation. Gradients that are equal to those
have that mistake.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from rnn_harness.arithmetic import Trajectory, evaluate
from rnn_harness.arithmetic.torch_arithmetic import TorchArithmetic
from rnn_harness.array_types import Array
from rnn_harness.evaluation.evaluation import Evaluation, final_states
from rnn_harness.specs.expression import Function
from rnn_harness.validation.diagnosis.gradient_pattern import is_near

if TYPE_CHECKING:
    from torch import Tensor

Slope = Callable[["Tensor", "Tensor"], "Tensor"]
"""From what an activation is taken of, and from its value, to its derivative."""
_RIGHT = {Function.SIGMOID: "y (1 - y)", Function.TANH: "1 - y^2"}
_WRONG: tuple[tuple[str, Slope], ...] = (
    ("left out", lambda _, y: y * 0 + 1),
    ("1 - y", lambda _, y: 1 - y),
    ("y", lambda _, y: y),
    ("1 - y^2", lambda _, y: 1 - y * y),
    ("y (1 - y)", lambda _, y: y * (1 - y)),
    ("1 - x^2, of what it is taken of", lambda x, _: 1 - x * x),
    ("x (1 - x), of what it is taken of", lambda x, _: x * (1 - x)),
)


class _Activation(NamedTuple):
    """An activation in one step.

    Attributes:
        function: What it applies, such as tanh.
        value: What it gives.
    """

    function: Function
    value: Tensor


class _WrongSlope(TorchArithmetic):
    """Eager torch with a wrong derivative of one activation; None for right derivatives.

    Attributes:
        activations: The activations in the order in which they were computed.
    """

    def __init__(self, place: int | None = None, slope: Slope | None = None) -> None:
        super().__init__("float64")
        self.activations: list[_Activation] = []
        self._place, self._slope = place, slope

    def apply(self, function: Function, argument: Tensor) -> Tensor:
        """Apply a function; the value is right, whatever the derivative is."""
        value = super().apply(function, argument)
        if function in _RIGHT:
            if len(self.activations) == self._place and self._slope is not None:
                slope = self._slope(argument, value).detach()
                value = value.detach() + (argument - argument.detach()) * slope
            self.activations.append(_Activation(function, value))
        return value


def explain_wrong_slope(evaluation: Evaluation) -> str:
    """Say which derivative of an activation is wrong, if that is what is wrong with the gradients of a cell.

    Args:
        evaluation: The cell on a case of one step.

    Returns:
        A clause; empty if it is something else.
    """
    gradients = evaluation.flat_gradients
    plain = _WrongSlope()
    trajectory = evaluate(evaluation.program, evaluation.values, plain)
    for place, activation in enumerate(plain.activations):
        for words, slope in _WRONG:
            if words != _RIGHT[activation.function] and _agree(
                gradients, _gradients(evaluation, _WrongSlope(place, slope))
            ):
                where = _symbol(activation, trajectory)
                name = f"the derivative of {activation.function.name.lower()}{where}"
                right = _RIGHT[activation.function]
                is_missing = words == "left out"
                return f"{name}, {right}, is left out" if is_missing else f"{name} is {words} in place of {right}"
    return ""


def _agree(gradients: Mapping[str, Array], expected: Mapping[str, Array]) -> bool:
    """Say whether all gradients are the expected ones."""
    return all(is_near(value, expected[name]) for name, value in gradients.items())


def _symbol(activation: _Activation, trajectory: Trajectory[Tensor]) -> str:
    """Name the symbol that an activation's value is, after ``in``; of a value without a symbol, nothing is said."""
    same = (name for name, value in trajectory.steps[0].items() if value is activation.value)
    name = next(same, "")
    return f" in {name}" if name else " of the new cell state"


def _gradients(evaluation: Evaluation, arithmetic: _WrongSlope) -> dict[str, Array]:
    """Differentiate the equations by torch; the names are those of `Evaluation.flat_gradients`."""
    trajectory = evaluate(evaluation.program, evaluation.values, arithmetic)
    d_outputs, d_finals = evaluation.spec_cotangents
    finals = final_states(evaluation.program, trajectory)
    tensor = arithmetic.torch.tensor
    total = sum((finals[name] * tensor(value)).sum() for name, value in d_finals.items())
    for name, value in d_outputs.items():
        total = total + (trajectory.steps[0][name] * tensor(value[0])).sum()
    total.backward()

    def gradient(leaf: Tensor) -> Array:
        return np.zeros(leaf.shape) if leaf.grad is None else leaf.grad.numpy()

    parameters = {name: gradient(leaf) for name, leaf in trajectory.parameters.items()}
    gathered = evaluation.subject.gradients(parameters, evaluation.arrays.parameters)
    gradients = {f"parameters.{name}": value for name, value in gathered.items()}
    gradients["inputs"] = np.stack([gradient(step[evaluation.subject.input_name]) for step in trajectory.inputs])
    for name, source in evaluation.subject.states.items():
        gradients[f"states.{source}"] = gradient(trajectory.initial[name])
    return gradients
