"""How many parameters: closed forms from the shapes of the specs, held against arrays, torch, Keras and the literature.

Dimension legend: n input size, d hidden size, k classes, L layers.
"""

from __future__ import annotations

import importlib.util
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from rnn_harness.families import FAMILIES, KERAS_LAYERS, TORCH_MODULES
from rnn_harness.records.measurement import ParameterCount, stamp
from rnn_harness.specs import Spec, library
from rnn_harness.specs.expression import variables

SIZES = ({"n": 3, "d": 4, "k": 2}, {"n": 16, "d": 32, "k": 5}, {"n": 100, "d": 20, "k": 3})
LAYERS = (1, 2, 3)


def closed_form(spec: Spec) -> Any:
    """The number of parameters as a SymPy expression in n, d, k and, of a stack, L."""
    import sympy  # type: ignore[import-untyped]

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
    program = spec.program(layers)
    # A spec may declare a second form of the same weights, for an alternative equation.
    used = {v.name for part in program.passes for one in part.assignments for v in variables(one.expression)}
    for one in (one for one in program.parameters if one.name in used):
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
    """Hochreiter & Schmidhuber 1997: `blocks` of `cells` cells and two gates, all units fed by all inputs and units."""
    units = blocks * (cells + 2)
    return units * (inputs + units) + biases + outputs * blocks * cells


@dataclass(frozen=True)
class Published:
    """A number of parameters that a paper prints, and what its formula gives."""

    where: str
    printed: int
    found: int
    formula: str


_HS97 = "(n + H) H + biases + k b S, H = b (S + 2)"
_REBER = (("b = 4, S = 1", 264, (7, 7, 4, 1, 8)), ("b = 3, S = 2", 276, (7, 7, 3, 2, 6)))
PUBLISHED = (
    *(Published(f"H&S 1997, 1, {told}", printed, hochreiter(*sizes), _HS97) for told, printed, sizes in _REBER),
    # Its own layout, with full connections between 101 inputs and as many outputs, and one cell without recurrence.
    Published("H&S 1997, 2a", 10504, 101 * 101 + 101 + 2 * 101, "101 101 + 101 + 2 101"),
    *(
        Published(f"H&S 1997, 2c, {p} symbols", printed, hochreiter(p + 4, 2, 2, 1, 0), _HS97)
        for p, printed in ((50, 364), (100, 664), (200, 1264), (500, 3064), (1000, 6064))
    ),
    Published("H&S 1997, 3", 102, hochreiter(1, 1, 3, 1, 9), _HS97),
    Published("H&S 1997, 4", 93, hochreiter(2, 1, 2, 2, 9), _HS97),
    Published("H&S 1997, 6a", 156, hochreiter(8, 4, 2, 2, 12), _HS97),
    Published("H&S 1997, 6b", 308, hochreiter(8, 8, 3, 2, 20), _HS97),
    Published("Chung 2014, speech, tanh 400", 168400, 400 * (400 + 20 + 1), "d (n + d + 1)"),
    Published("Chung 2014, speech, GRU 227", 168888, 3 * 227 * (227 + 20 + 1), "3 d (n + d + 1)"),
    Published("Chung 2014, speech, LSTM 195", 169065, 4 * 195 * (195 + 20 + 1) + 3 * 195, "4 d (n + d + 1) + 3 d"),
)
"""The counts of the literature, by the papers' own formulas. The sizes of experiment 2c, and the numbers of biases of
the 1997 paper, are those at which its formula gives what it prints.
"""


def parameters() -> Iterator[ParameterCount]:
    """The closed form of every cell's spec, and what it was held against; then the counts of the literature."""
    for spec in library().cells:
        if not spec.program(2).parameters:
            continue
        against = list(_against(spec))
        told = ", ".join(name for name, _ in against) or "nothing: it has no reference"
        wrong = [name for name, right in against if not right]
        sizes = SIZES[0]
        yield stamp(
            ParameterCount(
                subject=spec.id,
                spec=spec.id,
                origin="spec",
                sizes=sizes,
                count=count(spec, sizes, 2 if spec.model.layers else 1),
                agrees=not wrong,
                reason=f"differs from {', '.join(wrong)}" if wrong else f"held against {told}",
                formula=str(closed_form(spec)),
            )
        )
    yield from models()
    yield from literature()


def models() -> Iterator[ParameterCount]:
    """The two Keras models of 003, as meant: two layers of 20 units over one number, and a dense layer of k outputs."""
    for where, title, outputs in (("003:451-456", "Dense(1)", 1), ("003:462-467", "TimeDistributed(Dense(10))", 10)):
        total = count(library().spec("rnn.stacked"), {"n": 1, "d": 20, "k": outputs}, 2) + outputs * 21
        against = dict(_model(outputs))
        wrong = [name for name, found in against.items() if found != total]
        yield stamp(
            ParameterCount(
                subject=f"{where}, SimpleRNN(20) twice, {title}",
                spec="rnn.stacked",
                origin="model",
                sizes={"n": 1, "d": 20, "k": outputs, "layers": 2},
                count=total,
                agrees=not wrong,
                reason=f"differs from {', '.join(wrong)}" if wrong else f"held against {', '.join(against)}",
                formula="d (n + d + 1) + d (2 d + 1) + k (d + 1)",
            )
        )


def _model(outputs: int) -> Iterator[tuple[str, int]]:
    """(whose count, the count); torch's is less its second biases."""
    import torch

    layers = (torch.nn.RNN(1, 20, 2), torch.nn.Linear(20, outputs))
    named = (row for layer in layers for row in layer.named_parameters())
    yield "torch", sum(one.numel() for name, one in named if not name.startswith("bias_hh"))
    if importlib.util.find_spec("keras") is not None:
        from rnn_harness.validation.loading.adapters import choose_backend, import_library

        choose_backend()
        keras = import_library("keras", "keras")
        dense = keras.layers.Dense(outputs)
        top = dense if outputs == 1 else keras.layers.TimeDistributed(dense)
        first = keras.layers.SimpleRNN(20, return_sequences=True)
        second = keras.layers.SimpleRNN(20, return_sequences=outputs > 1)
        yield "Keras", int(keras.Sequential([keras.Input((None, 1)), first, second, top]).count_params())


def literature() -> Iterator[ParameterCount]:
    """What papers print, by their own formulas."""
    for one in PUBLISHED:
        right = one.found == one.printed
        reason = "held against the paper" if right else f"differs from the paper, which prints {one.printed}"
        yield stamp(
            ParameterCount(
                subject=one.where,
                spec="",
                origin="paper",
                count=one.found,
                agrees=right,
                reason=reason,
                formula=one.formula,
            )
        )


def _against(spec: Spec) -> Iterator[tuple[str, bool]]:
    """(whose count, whether the closed form equals it) at three sizes."""
    layers = 2 if spec.model.layers else 1
    if spec.reference is not None:
        yield "the reference's arrays", all(_arrays(spec, sizes) == count(spec, sizes, layers) for sizes in SIZES)
    if spec.id in TORCH_MODULES:
        yield "torch", all(_torch(spec, sizes, layers) for sizes in SIZES)
    if spec.id in KERAS_LAYERS and importlib.util.find_spec("keras") is not None:
        yield "Keras", all(_keras(spec, sizes) for sizes in SIZES)


def _arrays(spec: Spec, sizes: dict[str, int]) -> int:
    from rnn_harness.subjects.subject import Subject

    return sum(math.prod(shape) for shape in Subject.of(spec).parameter_shapes(sizes).values())


def _torch(spec: Spec, sizes: dict[str, int], layers: int) -> bool:
    """torch adds two biases where the equations have one: so many more, and no others."""
    import torch

    entry = TORCH_MODULES[spec.id]
    family = FAMILIES[entry.family]
    module = getattr(torch.nn, family.torch_class)(sizes["n"], sizes["d"], layers, bidirectional=entry.bidirectional)
    # The GRU's candidate has two biases in the equations too.
    doubled_gates = len(family.gates) - (family.name == "gru")
    doubled = doubled_gates * sizes["d"] * layers * (2 if entry.bidirectional else 1)
    total: int = sum(parameter.numel() for parameter in module.parameters())
    return total == count(spec, sizes, layers) + doubled


def _keras(spec: Spec, sizes: dict[str, int]) -> bool:
    from rnn_harness.validation.loading.adapters import choose_backend, import_library

    choose_backend()
    entry = KERAS_LAYERS[spec.id]
    layer = getattr(import_library("keras", "keras").layers, entry.layer_class)(sizes["d"], **entry.options)
    layer.build((None, None, sizes["n"]))
    return sum(int(np.prod(variable.shape)) for variable in layer.trainable_variables) == count(spec, sizes)
