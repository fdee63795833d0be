"""Every reference's backward against complex steps through its own forward, entry by entry where it is small."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

from rnn_harness.arithmetic.assumptions import COMPLEX_STEP, COMPLEX_STEP_FLOOR
from rnn_harness.array_types import Array, IndexArray
from rnn_harness.references import Reference, get_reference

STEPS, BATCH, INPUTS, HIDDEN = 5, 3, 2, 4
OPTIONS: list[tuple[str, dict[str, Any]]] = [("feedforward", {"activation": a}) for a in ("sigmoid", "tanh")]
OPTIONS += [("rnn", {"activation": a, "bias": b}) for a in ("tanh", "sigmoid") for b in (True, False)]
OPTIONS += [
    ("gru", {"update": u, "reset": r, "candidate": c, "bias": b})
    for u, r, c, b in itertools.product(("keep", "write"), ("before", "after"), ("tanh", "sigmoid"), (True, False))
]
OPTIONS += [
    ("lstm", {"candidate": c, "output": o, "forget": f, "bias": b, "peephole": p})
    for c, o, f, b, p in itertools.product(
        ("tanh", "sigmoid"), ("tanh", "sigmoid"), (True, False), (True, False), (None, "full", "diagonal")
    )
]
OPTIONS += [("stacked", {"cell": c, "layers": 3}) for c in ("rnn", "gru", "lstm")]
OPTIONS += [("bidirectional", {"cell": "gru", "merge": m}) for m in ("concat", "sum", "mean", "mul")]
OPTIONS += [("bidirectional", {"cell": "lstm", "peephole": "full"})]
LENGTHS = [None, np.array([5, 2, 0])]


def name_of(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{k} {v}" for k, v in value.items())
    return "padded" if isinstance(value, np.ndarray) else "full length" if value is None else str(value)


def numbers(cell: Reference, seed: int = 0) -> dict[str, Array]:
    rng = np.random.default_rng(seed)
    rows = {f"p.{k}": rng.normal(size=s) for k, s in cell.parameter_shapes(INPUTS, HIDDEN).items()}
    rows |= {f"s.{k}": rng.normal(size=(BATCH, HIDDEN)) for k in cell.state_names}
    return rows | {"x": rng.normal(size=(STEPS, BATCH, INPUTS))}


def part(rows: dict[str, Array], prefix: str) -> dict[str, Array]:
    return {k.removeprefix(prefix): v for k, v in rows.items() if k.startswith(prefix)}


@pytest.mark.parametrize("lengths", LENGTHS, ids=name_of)
@pytest.mark.parametrize(("name", "options"), OPTIONS, ids=name_of)
def test_backward_is_the_derivative_of_the_forward(
    name: str, options: dict[str, Any], lengths: IndexArray | None
) -> None:
    cell = get_reference(name, **options)
    rows = numbers(cell)
    before = {k: v.copy() for k, v in rows.items()}
    run = cell.forward(part(rows, "p."), rows["x"], part(rows, "s.") or None, lengths)
    rng = np.random.default_rng(1)
    d_outputs = rng.normal(size=run.outputs.shape)
    d_finals = {k: rng.normal(size=v.shape) for k, v in run.finals.items()}
    found = cell.backward(run, d_outputs, d_finals)
    flat = {f"p.{k}": v for k, v in found.parameters.items()} | {f"s.{k}": v for k, v in found.states.items()}
    flat["x"] = found.inputs
    assert set(flat) == set(rows)
    for key, value in rows.items():
        direction = rng.normal(size=value.shape)
        moved = {k: v.astype(complex) for k, v in rows.items()}
        moved[key] = moved[key] + 1j * COMPLEX_STEP * direction
        ahead = cell.forward(part(moved, "p."), moved["x"], part(moved, "s.") or None, lengths)
        total = (ahead.outputs * d_outputs).sum() + sum((ahead.finals[k] * d_finals[k]).sum() for k in d_finals)
        measured = float(np.imag(total) / COMPLEX_STEP)
        products = flat[key] * direction
        mass = float(np.abs(products).sum()) + abs(measured)
        assert abs(float(products.sum()) - measured) <= COMPLEX_STEP_FLOOR * mass, key
    for key, value in rows.items():
        assert np.array_equal(value, before[key]), f"{key} was changed"


@pytest.mark.parametrize(("name", "options"), OPTIONS, ids=name_of)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_dtype_is_kept_everywhere(name: str, options: dict[str, Any], dtype: str) -> None:
    cell = get_reference(name, **options)
    rows = {k: v.astype(dtype) for k, v in numbers(cell).items()}
    run = cell.forward(part(rows, "p."), rows["x"], part(rows, "s.") or None)
    found = cell.backward(run, np.ones_like(run.outputs))
    arrays = [run.outputs, *run.finals.values(), *run.trace.values(), found.inputs]
    arrays += [*found.states.values(), *found.parameters.values()]
    assert {array.dtype for array in arrays} == {np.dtype(dtype)}


@pytest.mark.parametrize(
    ("steps", "batch", "inputs", "hidden"), [(0, 3, 2, 4), (4, 0, 2, 4), (1, 1, 1, 1), (3, 1, 2, 1)]
)
@pytest.mark.parametrize(("name", "options"), OPTIONS[::3], ids=name_of)
def test_empty_and_smallest_sequences_work(
    name: str, options: dict[str, Any], steps: int, batch: int, inputs: int, hidden: int
) -> None:
    cell = get_reference(name, **options)
    rng = np.random.default_rng(0)
    parameters = {k: rng.normal(size=s) for k, s in cell.parameter_shapes(inputs, hidden).items()}
    states = {k: rng.normal(size=(batch, hidden)) for k in cell.state_names}
    run = cell.forward(parameters, rng.normal(size=(steps, batch, inputs)), states)
    found = cell.backward(run, np.ones_like(run.outputs), {k: np.ones_like(v) for k, v in run.finals.items()})
    assert run.outputs.shape[:2] == (steps, batch)
    assert {k: v.shape for k, v in found.parameters.items()} == {k: v.shape for k, v in parameters.items()}
    if steps == 0:
        assert all(np.array_equal(run.finals[k], v) for k, v in states.items())
        assert all(np.array_equal(found.states[k], np.ones_like(v)) for k, v in states.items())
