"""ONNX models and single nodes, in the reference evaluator or in onnxruntime.

Float initializers become parameters. A model with one recurrent node is made for other sizes by its attributes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Protocol

import numpy as np

from rnn_harness.array_types import Array
from rnn_harness.errors import UsageError
from rnn_harness.options import Options
from rnn_harness.validation.cells.calling_convention import CallingConvention, plain_convention
from rnn_harness.validation.cells.capabilities import CellSizes, TargetCapabilities
from rnn_harness.validation.loading.adapters.adapter import DrivenModule, comes_from, import_library
from rnn_harness.validation.loading.adapters.array_bridge import (
    ArrayArguments,
    ArrayLibraryModule,
    ArrayResults,
    flat_arguments,
)
from rnn_harness.validation.loading.adapters.onnx_graphs import (
    DATA_INPUTS,
    LENGTHS_INPUT,
    RECURRENT_OPERATORS,
    OnnxNode,
    declared_model_of,
    input_name,
    model_in_dtype,
    model_of_node,
    node_attributes,
    open_parameters,
    resized_parameter,
)
from rnn_harness.validation.loading.adapters.onnx_scans import OnnxStepsModule, StepsOfGraph, steps_of_graph
from rnn_harness.validation.loading.adapters.onnx_stacks import (
    OnnxGraphModule,
    holds_several,
    recurrent_nodes,
    takes_tokens,
)

RUNTIMES = ("reference", "onnxruntime")


_PART_OF_MODEL = (
    "a function that returns one node can be named instead\n"
    "    import onnx\n"
    "    def make_node():\n"
    '        node = next(n for n in onnx.load("model.onnx").graph.node if n.op_type in ("RNN", "GRU", "LSTM"))\n'
    '        kept = [a for a in node.attribute if a.name not in ("direction", "layout")]\n'
    "        del node.attribute[:]; node.attribute.extend(kept)  # one direction, time first\n"
    "        return node"
)
"""What to write in the place of a node that is not driven alone."""


class _Session(Protocol):
    """A model loaded by a runtime."""

    def run(self, output_names: list[str] | None, feeds: Mapping[str, Array]) -> list[Array]:
        """Return every output, for inputs by name."""


class OnnxModelFunction:
    """A model in a runtime as an array function.

    Attributes:
        runtime: ``reference`` or ``onnxruntime``.
        data_names: The names of the model's inputs for the arguments, in order.
        lengths_name: The name of its input for the lengths of the rows; empty if it has none.

    Args:
        model: The ONNX model; it is copied for each dtype.
        runtime: ``reference`` or ``onnxruntime``.
        data_names: The names of its inputs for the arguments, in order.
        lengths_name: The name of its input for the lengths of the rows; empty if it has none.
    """

    def __init__(self, model: Any, runtime: str, data_names: list[str], lengths_name: str) -> None:
        self.runtime, self.data_names, self.lengths_name = runtime, data_names, lengths_name
        self._model = model
        self._sessions: dict[str, _Session] = {}

    def _session(self, dtype: str) -> _Session:
        """The model in that dtype, loaded once."""
        if dtype not in self._sessions:
            self._sessions[dtype] = _load_session(model_in_dtype(self._model, dtype), self.runtime)
        return self._sessions[dtype]

    def __call__(self, parameters: Mapping[str, Array], arguments: ArrayArguments, differentiate: bool) -> ArrayResults:
        """Run the model with these parameters as its initialisers."""
        arrays = flat_arguments(arguments)
        if self.runtime == "onnxruntime" and not min(arrays[0].shape[:2]):
            raise RuntimeError("onnxruntime is not asked for empty sequences: its GRU ends the process over one")
        feeds = dict(parameters) | dict(zip(self.data_names, arrays, strict=False))
        x = feeds[self.data_names[0]]
        if self.lengths_name:
            lengths = arrays[len(self.data_names) :]
            feeds[self.lengths_name] = lengths[0].astype(np.int32) if lengths else np.full(x.shape[1], len(x), np.int32)
        dtype = next((value.dtype for value in parameters.values()), x.dtype)
        results = self._session(str(dtype)).run(None, feeds)
        # Y is (T, directions, B, d): with one direction the axis says nothing.
        return ArrayResults(
            [result[:, 0] if result.ndim == 4 and result.shape[1] == 1 else result for result in results]
        )


def _load_session(model: Any, runtime: str) -> _Session:
    """Load a model. Raises UsageError if the runtime does not take it."""
    if runtime == "reference":
        session: _Session = import_library("onnx.reference", "onnx").ReferenceEvaluator(model)
        return session
    onnxruntime = import_library("onnxruntime", "onnx")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4
    try:
        session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's errors share no base class
        raise UsageError(f"onnxruntime does not take the model: {str(error).splitlines()[0][:200]}") from None
    return session


class OnnxAdapter:
    """Drives onnx.ModelProto and onnx.NodeProto. ``--init runtime=reference`` runs the reference evaluator."""

    name = "onnx"
    options: tuple[str, ...] = ("runtime",)

    def accepts(self, cell_type: type) -> bool:
        """Say whether a class is that of ONNX's models or nodes."""
        return comes_from(cell_type, "onnx") and cell_type.__name__ in ("ModelProto", "NodeProto")

    def defaults(self, cell_type: type) -> Options:
        """Return nothing: a model is not constructed."""
        return {}

    def drive(self, cell: Any, n: int, d: int, options: Options) -> DrivenModule:
        """Drive the model, its float initializers as parameters."""
        runtime = str(options.get("runtime", "onnxruntime"))
        if runtime not in RUNTIMES:
            raise UsageError(f"runtime is {runtime!r}; expected onnxruntime or reference")
        if not self.accepts(type(cell)):
            class_name = f"{type(cell).__module__}.{type(cell).__qualname__}"
            raise UsageError(f"a {class_name} is no ONNX model and no node of one: leave --adapter onnx out")
        model = model_of_node(cell) if type(cell).__name__ == "NodeProto" else cell
        has_node = any(node.op_type in RECURRENT_OPERATORS for node in model.graph.node)
        steps = None if has_node or not model.graph.initializer else steps_of_graph(model)
        if steps is not None:
            return _driven_steps(model, runtime, steps)
        nodes = recurrent_nodes(model)
        if not nodes:
            return _driven_graph(model, runtime)
        if holds_several(nodes):
            if model is not cell:
                raise UsageError(_not_alone(nodes[0]))
            return _driven_graph(model, runtime)
        node = nodes[0]
        # Alone, the node can be made for any sizes; what stands around it may fit its sizes alone.
        is_alone = len(model.graph.node) == 1
        is_reverse = node_attributes(node).get("direction") == b"reverse"
        if not is_alone and (is_reverse or takes_tokens(model)):
            return _driven_graph(model, runtime)
        opened, parameters = open_parameters(model, d if is_alone else None)
        lengths_name = input_name(node, LENGTHS_INPUT)
        inputs = [value.name for value in opened.graph.input if value.name not in parameters]
        if is_alone:
            data_names = [name for name in (input_name(node, position) for position in DATA_INPUTS) if name in inputs]
            parameters = {name: resized_parameter(node, name, value, n, d) for name, value in parameters.items()}
        else:
            data_names = [name for name in inputs if name != lengths_name]
        function = OnnxModelFunction(opened, runtime, data_names, lengths_name)
        if not is_alone and not _gives_states(function, parameters, _sizes_of(node, parameters)):
            return _driven_graph(model, runtime)
        sizes = CellSizes(n, d) if is_alone else _sizes_of(node, parameters)
        capabilities = TargetCapabilities(
            dtypes=_runnable_dtypes(function, parameters, sizes),
            calling_convention=_convention(len(data_names) - 1, is_reverse) if is_alone else None,
            fixed_sizes=None if is_alone else sizes,
            takes_lengths=bool(lengths_name) and not is_reverse,  # within its length a row would be turned over
            no_gradients_reason="ONNX nodes have no gradients",
            library="ONNX",
            absolute_function_error=runtime == "onnxruntime",
        )
        module = ArrayLibraryModule(function, parameters, differentiable=False)
        return DrivenModule(module, capabilities, declared_model_of(node))


def _convention(states: int, is_reverse: bool) -> CallingConvention:
    """How a single node is called that has inputs for so many states."""
    convention = plain_convention(True, states, packed=False, layered=True)
    return replace(convention, reading="backward") if is_reverse else convention


def _not_alone(node: OnnxNode) -> str:
    """What is said of a node that is named without its model and is judged within one alone."""
    attributes = node_attributes(node)
    direction = attributes.get("direction", b"forward").decode()
    what = "is batch first (layout 1)" if attributes.get("layout", 0) else f"reads in the direction {direction!r}"
    return (
        f"the {node.op_type} node {what}; expected the model that holds it, or a node that reads forward or reverse, "
        f"time first (layout 0): {_PART_OF_MODEL}"
    )


def _gives_states(function: OnnxModelFunction, parameters: Mapping[str, Array], sizes: CellSizes) -> bool:
    """Whether a graph gives something of the hidden size; else something stands between its states and its outputs."""
    n, d = sizes
    for dtype in ("float64", "float32"):
        values = {name: value.astype(dtype) for name, value in parameters.items()}
        data = tuple(np.zeros((1, 2, n if place == 0 else d), dtype) for place in range(len(function.data_names)))
        try:
            results = function(values, data, False).arrays
        except Exception:  # onnxruntime's errors share no base class
            continue
        return any(result.ndim > 1 and result.shape[-1] == d for result in results)
    return True


def _driven_graph(model: Any, runtime: str) -> DrivenModule:
    """Drive a model of several recurrent nodes, or of one that is not judged within its graph."""
    opened, parameters = open_parameters(model, None)
    names = [value.name for value in opened.graph.input if value.name not in parameters]
    function = OnnxModelFunction(opened, runtime, names, "")
    module = OnnxGraphModule(function, parameters, model)
    return DrivenModule(module, TargetCapabilities(module.model_inputs.dtypes, library="ONNX", has_parts=True))


def _driven_steps(model: Any, runtime: str, steps: StepsOfGraph) -> DrivenModule:
    """Drive a model without a recurrent node that is given states and gives states."""
    if steps.fixed_lengths:
        shape = ", ".join(str(length or "any") for length in steps.declared[0])
        raise UsageError(
            f"the model's input {steps.names[0]} has the fixed shape ({shape}): it was unrolled into so many steps or "
            "rows, and judging takes other numbers of both. Hand in the module that it was exported from; or export "
            "one step, x (B, n) and states (B, d) in and states out, with dynamic_axes={'x': {0: 'rows'}, ...}"
        )
    opened, parameters = open_parameters(model, None, fewest=2)
    function = OnnxModelFunction(opened, runtime, list(steps.names), "")
    if steps.has_layers:
        capabilities = TargetCapabilities(library="ONNX", has_parts=True)
        return DrivenModule(OnnxStepsModule(function, parameters, steps), capabilities)
    capabilities = TargetCapabilities(
        dtypes=_dtypes_of_trials(function, parameters, steps.shapes),
        fixed_sizes=steps.sizes,
        no_gradients_reason="ONNX graphs have no gradients",
        library="ONNX",
        absolute_function_error=runtime == "onnxruntime",
    )
    return DrivenModule(ArrayLibraryModule(function, parameters, differentiable=False), capabilities)


def _sizes_of(node: OnnxNode, parameters: Mapping[str, Array]) -> CellSizes:
    """The sizes of a node by its input weights W (1, G d, n) and its attribute."""
    weights = parameters.get(node.input[1])
    return CellSizes(0 if weights is None else int(weights.shape[2]), int(node_attributes(node).get("hidden_size", 0)))


def _runnable_dtypes(function: OnnxModelFunction, parameters: Mapping[str, Array], sizes: CellSizes) -> tuple[str, ...]:
    """The dtypes in which the runtime runs the model. Raises UsageError with its error if there is none."""
    n, d = sizes
    shapes = tuple((1, 2, n if place == 0 else d) for place in range(len(function.data_names)))
    return _dtypes_of_trials(function, parameters, shapes)


def _dtypes_of_trials(
    function: OnnxModelFunction, parameters: Mapping[str, Array], shapes: tuple[tuple[int, ...], ...]
) -> tuple[str, ...]:
    """The dtypes in which the runtime takes zeros of these shapes."""
    runnable, last_error = [], ""
    for dtype in ("float64", "float32"):
        values = {name: value.astype(dtype) for name, value in parameters.items()}
        data = tuple(np.zeros(shape, dtype) for shape in shapes)
        try:
            function(values, data, False)
        except Exception as error:  # onnxruntime's errors share no base class
            last_error = f"{type(error).__name__}: {str(error).splitlines()[0][:300]}"
        else:
            runnable.append(dtype)
    if not runnable:
        raise UsageError(f"the {function.runtime} runtime does not run the model: {last_error}")
    return tuple(runnable)
