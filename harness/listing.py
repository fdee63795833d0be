"""A counterexample as a short program that needs only NumPy and the candidate."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnn_harness.cases import Drawn
from rnn_harness.subjects import Subject

Array = NDArray[Any]


def _array(value: Array, dtype: str) -> str:
    if not np.any(value):
        return f"np.zeros({value.shape}{'' if dtype == 'float64' else ', np.float32'})"
    text = str(np.round(value, 17).tolist() if dtype == "float64" else value.tolist())
    return f"np.array({text}{'' if dtype == 'float64' else ', np.float32'})"


def _table(name: str, arrays: Mapping[str, Array], dtype: str) -> list[str]:
    rows = [f"{name} = {{"]
    rows += [f"    {key!r}: {_array(value, dtype)}," for key, value in arrays.items()]
    return [*rows, "}"]


def _made(subject: Subject) -> tuple[str, str]:
    if subject.construct is not None:
        return subject.construct
    link = subject.spec.reference
    assert link is not None, "a subject has a reference link"
    options = "".join(f", {name}={value!r}" for name, value in link.options.items())
    return "from rnn_harness.references import get", f"get({link.name!r}{options})"


def listing(subject: Subject, drawn: Drawn, what: str, expected: Array) -> str:
    """The program: `what` is ``outputs`` or the flat name of a gradient; it fails as long as the fault is there."""
    dtype = drawn.case.dtype
    load, make = _made(subject)
    top = subject.output
    lines = ["import numpy as np", load]
    if top:
        lines.append("from rnn_harness.references import OutputLayer")
    own = {k: v for k, v in drawn.parameters.items() if not (top and k in ("W_y", "b_y"))}
    lines += [f"cell = {make}", *_table("parameters", own, dtype)]
    lines.append(f"inputs = {_array(drawn.inputs, dtype)}")
    lines += _table("states", drawn.states, dtype) if drawn.states else ["states = {}"]
    lines.append("run = cell.forward(parameters, inputs, states)")
    found = "run.outputs"
    if top:
        layer = {k: drawn.parameters[k] for k in ("W_y", "b_y")}
        lines += _table("layer", layer, dtype)
        lines.append(f"y = OutputLayer({top.activation!r}).forward(layer, run.outputs)")
        found = "y"
    if what != "outputs":
        lines += _backward(drawn, top is not None, dtype, getattr(top, "activation", ""))
        kind, _, name = what.partition(".")
        found = f"gradients.{kind}[{name!r}]" if name else f"gradients.{kind}"
        if top and name in ("W_y", "b_y"):
            found = f"of_layer[{name!r}]"
    lines.append(f"expected = {_array(expected, 'float64')}  # what {subject.spec.id} gives")
    lines.append(f"print('found   ', {found})")
    lines.append("print('expected', expected)")
    lines.append(f"assert np.allclose({found}, expected)")
    return "\n".join(lines) + "\n"


def _backward(drawn: Drawn, top: bool, dtype: str, activation: str) -> list[str]:
    lines = [f"d_outputs = {_array(drawn.d_outputs, dtype)}"]
    finals = _table("d_finals", drawn.d_finals, dtype) if drawn.d_finals else ["d_finals = {}"]
    if top:
        step = f"OutputLayer({activation!r}).backward(layer, run.outputs, y, d_outputs)"
        lines.append(f"d_hidden, of_layer = {step}")
        return [*lines, *finals, "gradients = cell.backward(run, d_hidden, d_finals)"]
    return [*lines, *finals, "gradients = cell.backward(run, d_outputs, d_finals)"]
