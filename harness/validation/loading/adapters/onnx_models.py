"""ONNX models and single nodes, in the reference evaluator or in onnxruntime.

Float initializers become parameters. A model with one recurrent node is made for other sizes by its attributes.

Dimension legend: T time steps, B batch rows, n input size, d hidden size, G gates.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from rnn_harness.array_types import Array
from rnn_harness.errors import UsageError
from rnn_harness.validation.cells.calling_convention import CallingConvention
from rnn_harness.validation.cells.capabilities import CellSizes, TargetCapabilities
from rnn_harness.validation.cells.cell_model import CellModel
from rnn_harness.validation.loading.adapters.adapter import DrivenModule, comes_from, import_library
from rnn_harness.validation.loading.adapters.array_bridge import ArrayLibraryModule, Pullback

RECURRENT = ("RNN", "GRU", "LSTM")
_GATES = {"RNN": 1, "GRU": 3, "LSTM": 4}
_NAMES = {
    "Sigmoid": "sigmoid",
    "Tanh": "tanh",
    "Relu": "relu",
    "HardSigmoid": "hard sigmoid 0.2",
}


def _attributes(node: Any) -> dict[str, Any]:
    onnx = import_library("onnx", "onnx")
    return {one.name: onnx.helper.get_attribute_value(one) for one in node.attribute}


def declared_model_of(node: Any) -> CellModel:
    """What a node says it is, by its attributes. Raises UsageError for what has no sketch."""
    given = _attributes(node)
    family = {"RNN": "rnn", "GRU": "gru", "LSTM": "lstm"}[node.op_type]
    usual = {"rnn": ["Tanh"], "gru": ["Sigmoid", "Tanh"], "lstm": ["Sigmoid", "Tanh", "Tanh"]}[family]
    told = [one.decode() if isinstance(one, bytes) else one for one in given.get("activations", usual)]
    unknown = sorted(set(told) - set(_NAMES))
    if unknown or given.get("activation_alpha") or given.get("activation_beta"):
        raise UsageError(f"{node.op_type} with the activations {told} and own alpha or beta: none that is known here")
    names = [_NAMES[one] for one in told]
    clip = float(given.get("clip", 0.0))
    if family == "rnn":
        return CellModel("rnn", candidate=names[0], clip=clip)
    if family == "gru":
        reset = "after" if given.get("linear_before_reset", 0) else "before"
        return CellModel("gru", gate=names[0], candidate=names[1], reset=reset, clip=clip)
    forget = "coupled" if given.get("input_forget", 0) else "own"
    peephole = "diagonal" if len(node.input) > 7 and node.input[7] else ""
    return CellModel("lstm", names[0], names[1], names[2], forget=forget, peephole=peephole, clip=clip)


class OnnxRunner:
    """Feeds a model. `lengths`: the name of its input for lengths, if it has one."""

    def __init__(self, model: Any, runtime: str, data: list[str], lengths: str) -> None:
        self.data, self.lengths = data, lengths
        self.outputs = [one.name for one in model.graph.output]
        self._sessions: dict[str, Any] = {}
        self.model, self.runtime = model, runtime

    def _session(self, dtype: str) -> Any:
        if dtype not in self._sessions:
            self._sessions[dtype] = _session(_in_format(self.model, dtype), self.runtime)
        return self._sessions[dtype]

    def __call__(
        self, parameters: Mapping[str, Array], arguments: tuple[Any, ...], differentiate: bool
    ) -> tuple[Sequence[Array], Pullback | None]:
        if self.runtime == "onnxruntime" and not min(_arrays(arguments)[0].shape[:2]):
            raise RuntimeError("onnxruntime is not asked for empty sequences: its GRU ends the process over one")
        feeds = dict(parameters) | dict(zip(self.data, _arrays(arguments), strict=False))
        x = feeds[self.data[0]]
        if self.lengths:
            given = _arrays(arguments)[len(self.data) :]
            feeds[self.lengths] = given[0].astype(np.int32) if given else np.full(x.shape[1], len(x), np.int32)
        found = self._session(str(x.dtype)).run(None, feeds)
        # Y is (T, directions, B, d): with one direction the axis says nothing.
        return [one[:, 0] if one.ndim == 4 and one.shape[1] == 1 else one for one in found], None


def _arrays(arguments: tuple[Any, ...]) -> list[Array]:
    found: list[Array] = []
    for one in arguments:
        found += _arrays(one) if isinstance(one, tuple) else [one]
    return found


def _session(model: Any, runtime: str) -> Any:
    if runtime == "reference":
        return import_library("onnx.reference", "onnx").ReferenceEvaluator(model)
    onnxruntime = import_library("onnxruntime", "onnx")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4
    try:
        return onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's errors share no base class
        raise UsageError(f"onnxruntime does not take the model: {str(error).splitlines()[0][:200]}") from None


def _in_format(model: Any, dtype: str) -> Any:
    """The model with every float input and output in that dtype, and of any size."""
    onnx = import_library("onnx", "onnx")
    kind = {"float64": onnx.TensorProto.DOUBLE, "float32": onnx.TensorProto.FLOAT}[dtype]
    module = copy.deepcopy(model)
    for value in (*module.graph.input, *module.graph.output):
        if value.type.tensor_type.elem_type in (onnx.TensorProto.DOUBLE, onnx.TensorProto.FLOAT):
            value.type.tensor_type.elem_type = kind
    return module


def _opened(model: Any, d: int | None) -> tuple[Any, dict[str, Array]]:
    """The model with its float initializers as inputs, and their values. `d`: the hidden size its node gets."""
    onnx = import_library("onnx", "onnx")
    module = copy.deepcopy(model)
    graph, values = module.graph, {}
    for one in list(graph.initializer):
        if one.data_type in (onnx.TensorProto.FLOAT, onnx.TensorProto.DOUBLE) and len(one.dims):
            values[one.name] = onnx.numpy_helper.to_array(one)
            graph.initializer.remove(one)
    kept = [value for value in graph.input if value.name not in values]
    kind = next((v.type.tensor_type.elem_type for v in kept), onnx.TensorProto.FLOAT)
    own = [onnx.helper.make_tensor_value_info(k, kind, [None] * v.ndim) for k, v in values.items()]
    free = []
    for value in (*kept, *graph.output):
        rank = len(value.type.tensor_type.shape.dim)
        kind = value.type.tensor_type.elem_type
        free.append(onnx.helper.make_tensor_value_info(value.name, kind, [None] * rank))
    del graph.input[:], graph.value_info[:]
    count = len(kept)
    graph.input.extend([*free[:count], *own])
    del graph.output[:]
    graph.output.extend(free[count:])
    for node in graph.node:
        for attribute in node.attribute if d is not None and node.op_type in RECURRENT else ():
            if attribute.name == "hidden_size":
                attribute.i = d
    return module, values


def model_of_node(node: Any) -> Any:
    """A model of one recurrent node; what it needs and has no value becomes an initializer of some size."""
    onnx = import_library("onnx", "onnx")
    make, kind = onnx.helper, onnx.TensorProto.FLOAT
    d = int(_attributes(node).get("hidden_size", 3))
    gates, n = _GATES[node.op_type], 2
    shapes = {1: (1, gates * d, n), 2: (1, gates * d, d), 3: (1, 2 * gates * d), 7: (1, 3 * d)}
    ranks = {0: 3, 5: 3, 6: 3}
    initial, inputs = [], []
    for place, name in enumerate(node.input):
        if name and place in shapes:
            values = np.random.default_rng(place).standard_normal(shapes[place]).astype(np.float32)
            initial.append(onnx.numpy_helper.from_array(values, name))
        elif name and place == 4:
            inputs.append(make.make_tensor_value_info(name, onnx.TensorProto.INT32, [None]))
        elif name:
            inputs.append(make.make_tensor_value_info(name, kind, [None] * ranks[place]))
    ranks_out = [4, 3, 3]
    outputs = [make.make_tensor_value_info(o, kind, [None] * ranks_out[i]) for i, o in enumerate(node.output) if o]
    graph = make.make_graph([node], "node", inputs, outputs, initial)
    return make.make_model(graph, opset_imports=[make.make_opsetid("", 14)], ir_version=8)


class OnnxAdapter:
    """onnx.ModelProto and onnx.NodeProto. ``--init runtime=reference`` runs the reference evaluator."""

    name = "onnx"
    options: tuple[str, ...] = ("runtime",)

    def accepts(self, kind: type) -> bool:
        """Messages of ONNX."""
        return comes_from(kind, "onnx") and kind.__name__ in ("ModelProto", "NodeProto")

    def defaults(self, kind: type) -> Mapping[str, Any]:
        """None."""
        return {}

    def drive(self, module: Any, n: int, d: int, options: Mapping[str, Any]) -> DrivenModule:
        """The model, its float initializers as parameters."""
        runtime = str(options.get("runtime", "onnxruntime"))
        if runtime not in ("reference", "onnxruntime"):
            raise UsageError(f"runtime is {runtime!r}; expected onnxruntime or reference")
        if not self.accepts(type(module)):
            kind = f"{type(module).__module__}.{type(module).__qualname__}"
            raise UsageError(f"a {kind} is no ONNX model and no node of one: leave --adapter onnx out")
        model = model_of_node(module) if type(module).__name__ == "NodeProto" else module
        nodes = [node for node in model.graph.node if node.op_type in RECURRENT]
        if len(nodes) != 1:
            raise UsageError(f"the model has {len(nodes)} nodes of {', '.join(RECURRENT)}; expected one")
        node, alone = nodes[0], len(model.graph.node) == 1
        if _attributes(node).get("direction", b"forward") != b"forward" or _attributes(node).get("layout", 0):
            raise UsageError("only forward nodes in layout 0 (time first) are driven")
        opened, values = _opened(model, d if alone else None)
        lengths = node.input[4] if len(node.input) > 4 else ""
        wanted = [node.input[place] for place in (0, 5, 6) if len(node.input) > place and node.input[place]]
        inputs = [one.name for one in opened.graph.input if one.name not in values]
        data = [name for name in wanted if name in inputs] if alone else [one for one in inputs if one != lengths]
        if alone:
            values = {name: _resized(node, name, value, n, d) for name, value in values.items()}
        runner = OnnxRunner(opened, runtime, data, lengths)
        module = ArrayLibraryModule(runner, values, False)
        how = CallingConvention(True, len(data) - 1, packed=False, layered=True) if alone else None
        own = _attributes(node)
        shape = next((value.shape for name, value in values.items() if name == node.input[1]), (0, 0, 0))
        fixed = None if alone else CellSizes(int(shape[2]), int(own.get("hidden_size", 0)))
        capabilities = TargetCapabilities(
            dtypes=_dtypes(runner, values, n, d),
            calling_convention=how,
            fixed_sizes=fixed,
            takes_lengths=bool(lengths),
            no_gradients_reason="ONNX nodes have no gradients",
            library="ONNX",
            absolute_function_error=runtime == "onnxruntime",
        )
        return DrivenModule(module, capabilities, declared_model_of(node))


def _resized(node: Any, name: str, value: Array, n: int, d: int) -> Array:
    """A parameter of that name for other sizes, with small numbers."""
    gates = _GATES[node.op_type]
    shapes = {1: (1, gates * d, n), 2: (1, gates * d, d), 3: (1, 2 * gates * d), 7: (1, 3 * d)}
    place = list(node.input).index(name) if name in node.input else -1
    if place not in shapes:
        return value
    return np.random.default_rng(place).standard_normal(shapes[place]).astype(np.float32) / 4


def _dtypes(runner: OnnxRunner, values: Mapping[str, Array], n: int, d: int) -> tuple[str, ...]:
    """Those that the runtime runs. Raises UsageError with what it says if there is none."""
    found, told = [], ""
    for dtype in ("float64", "float32"):
        given = {name: value.astype(dtype) for name, value in values.items()}
        data = tuple(np.zeros((1, 2, n if i == 0 else d), dtype) for i in range(len(runner.data)))
        try:
            runner(given, data, False)
        except Exception as error:  # onnxruntime's errors share no base class
            told = f"{type(error).__name__}: {str(error).splitlines()[0][:300]}"
        else:
            found.append(dtype)
    if not found:
        raise UsageError(f"the {runner.runtime} runtime does not run the model: {told}")
    return tuple(found)
