"""Facts that the libraries themselves decide: torch, and ONNX Runtime and Keras where they are installed."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from rnn_harness.arithmetic.assumptions import SCREEN_SINGLE
from rnn_harness.array_types import Array
from rnn_harness.attributes import member
from rnn_harness.checks.facts.fact import Answer, Fact
from rnn_harness.errors import NotRun

_STEPS, _ROWS, _INPUTS, _UNITS = 3, 2, 3, 4
_GATES: Mapping[str, int] = {"RNN": 1, "GRU": 3, "LSTM": 4}
"""The layers of the libraries, with the number of blocks of their weights."""
DrawState = Callable[[tuple[int, ...]], Array]
"""Gives the state in which a sequence starts, of a shape."""
StartRun = tuple[str, Array, Array]
"""A layer's name, its outputs where no state is given, and where one is."""


def is_installed(package: str) -> bool:
    """Whether a library can be imported; it is not imported by that.

    Args:
        package: The name that is imported.
    """
    return importlib.util.find_spec(package) is not None


def _drawn(*shape: int, seed: int = 0) -> Array:
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def _zeros(shape: tuple[int, ...]) -> Array:
    return np.zeros(shape, np.float32)


def _random_numbers(shape: tuple[int, ...]) -> Array:
    return _drawn(*shape, seed=1)


def _torch_runs(draw: DrawState) -> Iterator[StartRun]:
    import torch

    inputs, state = torch.from_numpy(_drawn(_STEPS, _ROWS, _INPUTS)), torch.from_numpy(draw((1, _ROWS, _UNITS)))
    for name in _GATES:
        layer = member(torch.nn, name)(_INPUTS, _UNITS)
        with torch.no_grad():
            bare, begun = layer(inputs)[0], layer(inputs, (state, state) if name == "LSTM" else state)[0]
        yield f"torch.nn.{name}", bare.numpy(), begun.numpy()


def _onnx_runs(draw: DrawState) -> Iterator[StartRun]:
    import onnxruntime
    from onnx import TensorProto, helper

    inputs, state = _drawn(_STEPS, _ROWS, _INPUTS), draw((1, _ROWS, _UNITS))
    for name, gates in _GATES.items():
        feeds = {
            "X": inputs,
            "W": _drawn(1, gates * _UNITS, _INPUTS),
            "R": _drawn(1, gates * _UNITS, _UNITS),
            "initial_h": state,
        }
        feeds |= {"initial_c": state} if name == "LSTM" else {}
        begun_with = ["X", "W", "R", "", "", *(key for key in feeds if key.startswith("initial"))]
        outputs = []
        for names in (["X", "W", "R"], begun_with):
            node = helper.make_node(name, names, ["Y"], hidden_size=_UNITS)
            taken = {key: feeds[key] for key in names if key}
            described = [helper.make_tensor_value_info(k, TensorProto.FLOAT, v.shape) for k, v in taken.items()]
            result = helper.make_tensor_value_info("Y", TensorProto.FLOAT, None)
            graph = helper.make_graph([node], "start", described, [result])
            model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 14)], ir_version=8)
            session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
            outputs.append(session.run(None, taken)[0])
        yield f"ONNX {name}", outputs[0], outputs[1]


def _keras() -> Any:
    """Import Keras, on torch where nothing else is asked for.

    Raises:
        NotRun: It is not installed.
    """
    if not is_installed("keras"):
        raise NotRun("keras is not installed: pip install 'rnn-harness[keras]'")
    os.environ.setdefault("KERAS_BACKEND", "torch")
    import keras

    return keras


def _keras_runs(draw: DrawState) -> Iterator[StartRun]:
    keras = _keras()
    inputs, state = _drawn(_ROWS, _STEPS, _INPUTS), draw((_ROWS, _UNITS))
    for name in ("SimpleRNN", "GRU", "LSTM"):
        layer = member(keras.layers, name)(_UNITS, return_sequences=True)
        bare, begun = layer(inputs), layer(inputs, initial_state=[state, state] if name == "LSTM" else [state])
        yield f"keras.layers.{name}", _numbers(bare), _numbers(begun)


def _numbers(tensor: Any) -> Array:
    """Return a tensor of any backend of Keras as an array; torch wants it detached first."""
    numbers: Array = np.asarray(tensor.detach() if hasattr(tensor, "detach") else tensor)
    return numbers


_LIBRARIES: Mapping[tuple[str, ...], Callable[[DrawState], Iterator[StartRun]]] = {
    ("torch",): _torch_runs,
    ("onnx", "onnxruntime"): _onnx_runs,
    ("keras",): _keras_runs,
}
"""How a library's layers are run, by the packages that this needs."""


def _libraries_start_from(draw: DrawState) -> Answer:
    """Whether every layer of the libraries that are installed runs without a state as from the one that is drawn."""
    installed = {names[-1]: run for names, run in _LIBRARIES.items() if all(map(is_installed, names))}
    missing = [names[-1] for names in _LIBRARIES if names[-1] not in installed]
    equal = {name: np.array_equal(bare, begun) for run in installed.values() for name, bare, begun in run(draw)}
    start = "zeros" if draw is _zeros else "random numbers"
    libraries = f"{', '.join(installed)}" + (f" (not installed: {', '.join(missing)})" if missing else "")
    detail = f"{libraries}: without a state {sum(equal.values())} of {len(equal)} layers run as from {start}"
    different = [name for name, is_equal in equal.items() if not is_equal]
    return Answer(not different, detail + (f"; not {', '.join(different)}" if different else ""))


TimeLayer = Callable[[Any, Array], tuple[Array, Array]]
"""Runs a layer over a sequence (B, T, n), and the layer that it wraps on each step by itself."""


def _time_distributed(keras: Any, inputs: Array) -> tuple[Array, Array]:
    """TimeDistributed around a dense layer, beside that layer on every step."""
    layer = keras.layers.Dense(_UNITS)
    distributed = keras.layers.TimeDistributed(layer)(inputs)
    return _numbers(distributed), np.stack([_numbers(layer(step)) for step in inputs.swapaxes(0, 1)], axis=1)


def _layer_of_its_own(keras: Any, inputs: Array) -> tuple[Array, Array]:
    """A dense layer for each step, beside the first of them on every step."""
    layers = [keras.layers.Dense(_UNITS) for _ in range(inputs.shape[1])]
    steps = list(zip(layers, inputs.swapaxes(0, 1), strict=True))
    distributed = np.stack([_numbers(layer(step)) for layer, step in steps], axis=1)
    return distributed, np.stack([_numbers(layers[0](step)) for _, step in steps], axis=1)


def _layer_is_applied_to_every_step(run: TimeLayer) -> Answer:
    distributed, steps = run(_keras(), _drawn(_ROWS, _STEPS, _INPUTS))
    equal = [bool(np.abs(distributed[:, t] - steps[:, t]).max() <= SCREEN_SINGLE) for t in range(_STEPS)]
    detail = f"at {sum(equal)} of {_STEPS} steps it gives what the one layer gives there"
    return Answer(all(equal) and bool(np.ptp(distributed, axis=1).any()), detail)


def facts_of_libraries() -> tuple[Fact[Any], ...]:
    """Return the facts that libraries decide."""
    rows: tuple[Fact[Any], ...] = (
        Fact("libraries-start-from-zeros", _libraries_start_from, _zeros, _random_numbers, ("onnxruntime", "keras")),
        Fact(
            "one-layer-for-every-step",
            _layer_is_applied_to_every_step,
            _time_distributed,
            _layer_of_its_own,
            ("keras",),
        ),
    )
    return rows
