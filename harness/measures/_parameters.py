"""How many parameters: closed forms from the shapes of the specs, held against arrays, torch, Keras and the literature.

Dimension legend: n input size, d hidden size, k classes, L layers.
"""

from __future__ import annotations

import importlib.util
import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from rnn_harness.measures._measurement import Measurement, stamped
from rnn_harness.specs import Spec, library

SIZES = ({"n": 3, "d": 4, "k": 2}, {"n": 16, "d": 32, "k": 5}, {"n": 100, "d": 20, "k": 3})
LAYERS = (1, 2, 3)


def closed_form(spec: Spec) -> Any:
    """The number of parameters as a SymPy expression in n, d, k and, of a stack, L."""
    import sympy

    counts = [_counted(spec, layers) for layers in (LAYERS if spec.model.layers else (1,))]
    if len(counts) == 1:
        return sympy.factor(counts[0])
    first, second, third = counts
    upper = sympy.expand(second - first)
    assert sympy.expand(third - second - upper) == 0, "every layer above the first has as many"
    return sympy.factor(first) + (sympy.Symbol("L") - 1) * sympy.factor(upper)


def _counted(spec: Spec, layers: int) -> Any:
    import sympy

    total: Any = sympy.Integer(0)
    for one in spec.program(layers).parameters:
        product: Any = sympy.Integer(1)
        for axis in one.shape:
            terms = (factor * sympy.Symbol(name) for name, factor in axis.terms)
            product *= sympy.Integer(axis.constant) + sum(terms, sympy.Integer(0))
        total += product
    return sympy.expand(total)


def count(spec: Spec, sizes: dict[str, int], layers: int = 1) -> int:
    """The closed form at some sizes."""
    import sympy

    values = {sympy.Symbol(name): value for name, value in {**sizes, "L": layers}.items()}
    return int(closed_form(spec).subs(values))


def matched(spec: Spec, n: int, total: int) -> int:
    """The hidden size whose number of parameters comes nearest to `total`."""
    low, high = 1, 2
    while count(spec, {"n": n, "d": high, "k": 1}) < total:
        high *= 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if count(spec, {"n": n, "d": middle, "k": 1}) < total else (low, middle)
    return min((low, high), key=lambda d: abs(count(spec, {"n": n, "d": d, "k": 1}) - total))


def hochreiter(inputs: int, outputs: int, blocks: int, cells: int, biases: int) -> int:
    """Hochreiter & Schmidhuber 1997: `blocks` of `cells` cells and two gates, every unit fed by all inputs and units."""
    units = blocks * (cells + 2)
    return units * (inputs + units) + biases + outputs * blocks * cells


def parameters() -> Iterator[Measurement]:
    """The closed form of every cell's spec, and what it was held against."""
    for spec in library().cells:
        if not spec.program(2).parameters:
            continue
        against = list(_against(spec))
        wrong = [name for name, right in against if not right]
        sizes = SIZES[0]
        yield stamped(
            Measurement(
                kind="parameters",
                subject=spec.id,
                spec=spec.id,
                what="count",
                sizes=sizes,
                unit="parameters",
                middle=float(count(spec, sizes, 2 if spec.model.layers else 1)),
                agrees=not wrong,
                reason=f"differs from {', '.join(wrong)}" if wrong else "held against " + ", ".join(n for n, _ in against),
                text=str(closed_form(spec)),
            )
        )


def _against(spec: Spec) -> Iterator[tuple[str, bool]]:
    """(whose count, whether the closed form equals it) at three sizes."""
    layers = 2 if spec.model.layers else 1
    if spec.reference is not None:
        yield "the reference's arrays", all(_arrays(spec, sizes) == count(spec, sizes, layers) for sizes in SIZES)
    if spec.id in _TORCH:
        yield "torch", all(_torch(spec, sizes, layers) for sizes in SIZES)
    if spec.id in _KERAS and importlib.util.find_spec("keras") is not None:
        yield "Keras", all(_keras(spec, sizes) for sizes in SIZES)


def _arrays(spec: Spec, sizes: dict[str, int]) -> int:
    from rnn_harness.subjects import Subject

    return sum(math.prod(shape) for shape in Subject.of(spec).parameter_shapes(sizes).values())


_TORCH = {
    "rnn.tanh": ("RNN", 1, False),
    "gru.reset_after": ("GRU", 3, False),
    "lstm.column": ("LSTM", 4, False),
    "rnn.stacked": ("RNN", 1, False),
    "gru.stacked": ("GRU", 3, False),
    "lstm.stacked": ("LSTM", 4, False),
    "gru.bidirectional": ("GRU", 3, True),
    "lstm.bidirectional": ("LSTM", 4, True),
}
"""torch's module, its gates, and whether it has both directions."""
_KERAS = {"rnn.tanh": ("SimpleRNN", {}), "lstm.column": ("LSTM", {}), "gru.keep.column": ("GRU", {"reset_after": False})}


def _torch(spec: Spec, sizes: dict[str, int], layers: int) -> bool:
    """torch adds two biases where the equations have one: so many more, and no others."""
    import torch

    name, gates, both = _TORCH[spec.id]
    made = getattr(torch.nn, name)(sizes["n"], sizes["d"], layers, bidirectional=both)
    doubled = (gates - 1 if name == "GRU" else gates) * sizes["d"] * layers * (2 if both else 1)
    return sum(one.numel() for one in made.parameters()) == count(spec, sizes, layers) + doubled


def _keras(spec: Spec, sizes: dict[str, int]) -> bool:
    from rnn_harness.candidates.adapters import choose_backend, imported

    choose_backend()
    name, options = _KERAS[spec.id]
    made = getattr(imported("keras", "keras").layers, name)(sizes["d"], **options)
    made.build((None, None, sizes["n"]))
    return sum(int(np.prod(one.shape)) for one in made.trainable_variables) == count(spec, sizes)
