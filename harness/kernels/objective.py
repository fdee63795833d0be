"""A kernel's whole objective in torch, output layer included, so that torch can differentiate it in other ways.

Dimension legend: T time steps, B batch rows, n input size, d hidden size, k output size.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from rnn_harness.evaluation.evaluation import Evaluation
from rnn_harness.kernels.torch_reference import Tensors, TorchReference, held
from rnn_harness.subjects.parameter_role import OUTPUT_LAYER

if TYPE_CHECKING:
    from torch import Tensor


def bare(evaluation: Evaluation) -> dict[str, Any]:
    """The cell's own parameters, without the output layer's."""
    return {name: value for name, value in evaluation.arrays.parameters.items() if name not in OUTPUT_LAYER}


def kernel_of(evaluation: Evaluation) -> TorchReference:
    """The kernel on trial."""
    cell = evaluation.subject.cell
    assert isinstance(cell, TorchReference), "these checks are for kernels"
    return cell


@dataclass
class Objective:
    """Leaves, and the scalar sum(outputs * d_outputs) + sum(finals * d_finals) as a function of the inputs.

    `held`: what the kernel needs while a backward runs.
    """

    leaves: Tensors
    inputs: Tensor
    states: Tensors
    outputs: Callable[[Tensor], Tensor]
    scalar: Callable[[Tensor], Tensor]
    held: Callable[[], AbstractContextManager[None]]


def objective(evaluation: Evaluation) -> Objective:
    """The trial's objective in the kernel's dtype."""
    import torch

    cell, arrays, layer = kernel_of(evaluation), evaluation.arrays, evaluation.subject.output
    leaves = {name: cell.tensor(value) for name, value in cell.driver.table.pack(bare(evaluation)).items()}
    states = {name: cell.tensor(value) for name, value in arrays.states.items()}
    top = {name: cell.tensor(arrays.parameters[name]) for name in OUTPUT_LAYER if layer is not None}
    d_outputs = cell.tensor(arrays.d_outputs, leaf=False)
    d_finals = {name: cell.tensor(value, leaf=False) for name, value in arrays.d_finals.items()}
    functions: dict[str, Callable[[Tensor], Tensor]] = {
        "identity": lambda y: y,
        "sigmoid": torch.sigmoid,
        "softmax": lambda y: torch.softmax(y, dim=-1),
    }

    def run(x: Tensor) -> tuple[Tensor, Tensors]:
        hidden, finals = cell.driver.run(leaves, x, states, None)
        if layer is None:
            return hidden, finals
        return functions[layer.activation](hidden @ top["W_y"].T + top["b_y"]), finals

    def scalar(x: Tensor) -> Tensor:
        outputs, finals = run(x)
        total: Tensor = (outputs * d_outputs).sum()
        for name, cotangent in d_finals.items():
            total = total + (finals[name] * cotangent).sum()
        return total

    inputs = cell.tensor(arrays.inputs)

    def holding() -> AbstractContextManager[None]:
        return held(cell.driver, leaves, inputs, states)

    return Objective(leaves | top, inputs, states, lambda x: run(x)[0], scalar, holding)


def direction(evaluation: Evaluation) -> np.ndarray[Any, Any]:
    """A random direction in the space of the inputs."""
    return evaluation.directions["inputs"]
