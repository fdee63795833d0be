"""Steps that were exported to ONNX as the operations that they are made of, and loops of such steps, ``Scan``.

What takes states and gives states of their width is called as a cell is; of a graph with loops and something around
them each loop is judged alone.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from rnn_harness.array_types import Array
from rnn_harness.validation.cells.capabilities import CellSizes
from rnn_harness.validation.loading.adapters.adapter import FurtherInput, HeldPart, ModelInputs, import_library
from rnn_harness.validation.loading.adapters.array_bridge import ArrayFunction, ArrayLibraryModule

_FREE_SIZES = (3, 2)
"""What axes of any length have in a trial, by the order in which their names come."""


def axis_sizes(value: Any) -> tuple[int, ...]:
    """Return the lengths of an input's or output's axes; zeros where any length will do.

    Args:
        value: An ``onnx.ValueInfoProto`` of a tensor.
    """
    return tuple(int(axis.dim_value) for axis in value.type.tensor_type.shape.dim)


def axis_names(value: Any) -> tuple[str, ...]:
    """Return the names of an input's or output's axes; empty where they have none.

    Args:
        value: An ``onnx.ValueInfoProto`` of a tensor.
    """
    return tuple(str(axis.dim_param) for axis in value.type.tensor_type.shape.dim)


class StepsOfGraph(NamedTuple):
    """A graph that is given states and gives states.

    Attributes:
        names: Its inputs: the sequence or step, then the states.
        sizes: n, and the width of the first state.
        shapes: The shapes of the inputs in a trial.
        declared: The shapes of the inputs, 0 for any length.
    """

    names: tuple[str, ...]
    sizes: CellSizes
    shapes: tuple[tuple[int, ...], ...]
    declared: tuple[tuple[int, ...], ...]

    @property
    def fixed_lengths(self) -> tuple[int, ...]:
        """The numbers above one of steps and rows that a whole sequence must have, if any."""
        x = self.declared[0]
        return tuple(length for length in x[:2] if length > 1) if len(x) == 3 else ()

    @property
    def has_layers(self) -> bool:
        """Whether it is one step, and each state holds several layers."""
        x, *states = self.declared
        return len(x) == 2 and all(len(shape) == 3 and shape[0] > 1 and not shape[1] for shape in states)


def steps_of_graph(model: Any) -> StepsOfGraph | None:
    """Read a model that is given states and gives states; None if it is none.

    Args:
        model: An ONNX model.
    """
    held = {initializer.name for initializer in model.graph.initializer}
    data = [value for value in model.graph.input if value.name not in held]
    if len(data) < 2 or any(not axis_sizes(value) or not axis_sizes(value)[-1] for value in data):
        return None
    widths = [axis_sizes(value)[-1] for value in data]
    given = [axis_sizes(value)[-1:] for value in model.graph.output]
    if any(given.count((width,)) < widths[1:].count(width) for width in widths[1:]):
        return None
    names = dict.fromkeys(name for value in data for name in axis_names(value) if name)
    free = dict(zip(names, (*_FREE_SIZES, *[2] * len(names)), strict=False))
    shapes = tuple(
        tuple(size or free.get(name, 2) for size, name in zip(axis_sizes(value), axis_names(value), strict=True))
        for value in data
    )
    names_of_data = tuple(value.name for value in data)
    return StepsOfGraph(names_of_data, CellSizes(widths[0], widths[1]), shapes, tuple(map(axis_sizes, data)))


class OnnxStepsModule(ArrayLibraryModule):
    """A step of several layers, whose states each hold all layers, (L, B, d).

    Attributes:
        held_parts: None of its layers can be told apart.
        model_inputs: The input of the step, and its states.
    """

    def __init__(self, function: ArrayFunction, parameters: Mapping[str, Array], steps: StepsOfGraph) -> None:
        """Make the module.

        Args:
            function: The model as a function of its parameters and its inputs.
            parameters: Its float initialisers.
            steps: Its inputs.
        """
        super().__init__(function, parameters, differentiable=False)
        for parameter in self.parameters():
            parameter.requires_grad_(False)
        self.held_parts: tuple[HeldPart, ...] = ()
        states = zip(steps.names[1:], steps.declared[1:], strict=True)
        further = tuple(FurtherInput(name, "state", shape=shape) for name, shape in states)
        self.model_inputs = ModelInputs(steps.sizes.input_size, further=further, is_step=True)


def scan_parts(model: Any) -> Iterator[HeldPart]:
    """Yield the loops of a model, each as a model of its own.

    Args:
        model: An ONNX model.
    """
    for number, node in enumerate(node for node in model.graph.node if node.op_type == "Scan"):
        alone = _model_of_scan(model, node)
        steps = steps_of_graph(alone) if alone is not None else None
        if steps is not None:
            make: Any = lambda _, alone=alone: alone  # noqa: E731  # it has a type of its own
            yield HeldPart(f"Scan_{number}", "Scan", make, steps.sizes, any_sizes=False)


def _model_of_scan(model: Any, node: Any) -> Any:
    """A model of one loop, which reads onward and in the order of the first axis; None where its inputs are not known.

    The directions and axes of the loop are wiring, and not what its steps compute.
    """
    onnx = import_library("onnx", "onnx")
    make = onnx.helper.make_tensor_value_info
    attributes = {attribute.name: onnx.helper.get_attribute_value(attribute) for attribute in node.attribute}
    body, scanned = attributes["body"], int(attributes["num_scan_inputs"])
    states = len(node.input) - scanned
    if scanned != 1 or not states:
        return None
    initializers = {initializer.name: initializer for initializer in model.graph.initializer}
    inner = {name for step in body.node for name in step.output} | {value.name for value in body.input}
    read = {name for step in body.node for name in step.input} - inner - {i.name for i in body.initializer} - {""}
    if not read <= set(initializers):
        return None
    alone = copy.deepcopy(node)
    kept = [attribute for attribute in alone.attribute if attribute.name in ("body", "num_scan_inputs")]
    alone_attributes = [copy.deepcopy(attribute) for attribute in kept]
    del alone.attribute[:]
    alone.attribute.extend(alone_attributes)
    alone.input[:] = [*(f"state_{k}" for k in range(states)), "sequence"]
    alone.output[:] = [f"result_{k}" for k in range(len(node.output))]
    known = [(value.type.tensor_type.elem_type, axis_sizes(value)) for value in (*body.input, *body.output)]
    if any(not shape for _, shape in known):
        return None

    def value(name: str, known: tuple[int, tuple[int, ...]], leading: list[str]) -> Any:
        kind, shape = known
        axes = [*leading, *(size or (f"axis_{axis}" if axis else "rows") for axis, size in enumerate(shape))]
        return make(name, kind, axes)

    inputs = [
        value("sequence", known[states], ["steps"]),
        *(value(f"state_{k}", known[k], []) for k in range(states)),
    ]
    outputs = [
        value(name, known[len(body.input) + k], [] if k < states else ["steps"]) for k, name in enumerate(alone.output)
    ]
    graph = onnx.helper.make_graph([alone], "scan", inputs, outputs, [initializers[name] for name in sorted(read)])
    return onnx.helper.make_model(graph, opset_imports=model.opset_import, ir_version=model.ir_version)
