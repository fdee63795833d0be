"""A kernel's whole objective in torch, output layer included, so that torch can differentiate it in other ways."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rnn_harness.array_types import Array
from rnn_harness.errors import NotRun
from rnn_harness.evaluation.evaluation import Evaluation
from rnn_harness.kernels.driver_protocol import Tensors
from rnn_harness.kernels.torch_reference import TorchReference
from rnn_harness.runtime.target_call import call_subject
from rnn_harness.subjects.parameter_role import OUTPUT_LAYER

if TYPE_CHECKING:
    from torch import Tensor


def cell_parameters(evaluation: Evaluation) -> dict[str, Array]:
    """Give the parameters of the cell by the reference's names, without those of the output layer.

    Args:
        evaluation: A subject on a case; its arrays are not copied.
    """
    parameters = evaluation.arrays.parameters
    if evaluation.subject.spec.reference is None:  # its names are its own: b_y may be any bias
        return dict(parameters)
    return {name: value for name, value in parameters.items() if name not in OUTPUT_LAYER}


def kernel_of(evaluation: Evaluation) -> TorchReference:
    """Give the kernel that is evaluated.

    Args:
        evaluation: Its subject is a kernel or a candidate in torch, never a reference.
    """
    cell = evaluation.subject.cell
    assert isinstance(cell, TorchReference), "these checks are for kernels"
    return cell


@dataclass
class Objective:
    """The scalar sum(outputs * d_outputs) + sum(finals * d_finals) as a function of the inputs.

    Attributes:
        leaves: The kernel's parameters by its names, and those of the output layer.
        inputs: (T, B, n), a leaf.
        states: Initial states (B, d) by name, leaves.
        outputs: Gives the outputs (T, B, d), or (T, B, k) behind an output layer of k units, for inputs.
        scalar: Gives the scalar for inputs.
        run: Gives the outputs, and the final states by name, for inputs, leaves and states.
        cotangents: The gradients for the outputs, and for the final states by name.
        parameters_swapped_in: Gives the context in which a backward must happen.
    """

    leaves: Tensors
    inputs: Tensor
    states: Tensors
    outputs: Callable[[Tensor], Tensor]
    scalar: Callable[[Tensor], Tensor]
    run: Callable[[Tensor, Tensors, Tensors], tuple[Tensor, Tensors]]
    cotangents: tuple[Tensor, Tensors]
    parameters_swapped_in: Callable[[], AbstractContextManager[None]]


def torch_objective(evaluation: Evaluation) -> Objective:
    """Build the objective of an evaluation in the kernel's dtype, on its device.

    Args:
        evaluation: A kernel on a case; its numbers are copied into leaves.

    Raises:
        NotRun: The kernel has no gradients.
    """
    import torch

    cell, arrays, layer = kernel_of(evaluation), evaluation.arrays, evaluation.subject.output
    if cell.driver.no_gradients_reason:
        raise NotRun(cell.driver.no_gradients_reason)
    leaves = {name: cell.tensor(value) for name, value in cell.driver.table.pack(cell_parameters(evaluation)).items()}
    states = {name: cell.tensor(value) for name, value in arrays.states.items()}
    top = {name: cell.tensor(arrays.parameters[name]) for name in OUTPUT_LAYER if layer is not None}
    d_outputs = cell.tensor(arrays.d_outputs, leaf=False)
    d_finals = {name: cell.tensor(value, leaf=False) for name, value in arrays.d_finals.items()}
    functions: dict[str, Callable[[Tensor], Tensor]] = {
        "identity": lambda y: y,
        "sigmoid": torch.sigmoid,
        "softmax": lambda y: torch.softmax(y, dim=-1),
    }

    all_leaves = leaves | top

    def run(x: Tensor, values: Tensors, initial: Tensors) -> tuple[Tensor, Tensors]:
        hidden, finals = call_subject(cell.driver.run, {name: values[name] for name in leaves}, x, initial, None)
        if layer is None:
            return hidden, finals
        return functions[layer.activation](hidden @ values["W_y"].T + values["b_y"]), finals

    def scalar(x: Tensor) -> Tensor:
        outputs, finals = run(x, all_leaves, states)
        total: Tensor = (outputs * d_outputs).sum()
        for name, cotangent in d_finals.items():
            total = total + (finals[name] * cotangent).sum()
        return total

    inputs = cell.tensor(arrays.inputs)

    def swapped_in() -> AbstractContextManager[None]:
        return cell.driver.parameters_swapped_in(leaves, inputs, states)

    return Objective(
        leaves=all_leaves,
        inputs=inputs,
        states=states,
        outputs=lambda x: run(x, all_leaves, states)[0],
        scalar=scalar,
        run=run,
        cotangents=(d_outputs, d_finals),
        parameters_swapped_in=swapped_in,
    )


def input_direction(evaluation: Evaluation) -> Array:
    """Give a random direction in the space of the inputs, (T, B, n).

    Args:
        evaluation: The seed of its case decides the direction.
    """
    return evaluation.directions["inputs"]
