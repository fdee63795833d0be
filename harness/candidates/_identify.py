"""What is it? From shapes and one generic run: family, variant, gate order, layout; or the mutant that it equals.

Dimension legend: T time steps, B batch rows, n input size, d hidden size.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnn_harness.arithmetic.assumptions import SCREEN
from rnn_harness.candidates._convention import Convention, find
from rnn_harness.candidates._driver import TargetDriver
from rnn_harness.candidates._layout import Layout, Reading, read, readings
from rnn_harness.candidates._target import Target
from rnn_harness.errors import UsageError
from rnn_harness.mutants import MUTANTS, build
from rnn_harness.references import Reference, get
from rnn_harness.specs import Spec, library

Array = NDArray[Any]
N, D, STEPS, BATCH = 5, 3, 4, 2
_WORDS = {"r": "reset", "z": "update", "g": "candidate", "i": "input", "f": "forget", "o": "output", "": ""}


@dataclass(frozen=True)
class Match:
    """One reading of a target. `fault`: the edit of the right cell that it equals, empty if it is right."""

    family: str
    options: tuple[tuple[str, Any], ...]
    reading: Reading
    states: tuple[str, ...]
    convention: Convention
    fault: str = ""

    @property
    def spec(self) -> str | None:
        """The spec of that variant, if there is one."""
        return _specs().get((self.family, self.options))

    def sentence(self) -> str:
        """What it is, for a reader."""
        options = dict(self.options)
        name = {"rnn": "simple RNN", "gru": "GRU", "lstm": "LSTM"}[self.family]
        parts = [f"{options['activation']} activation"] if self.family == "rnn" else []
        if self.family == "gru":
            parts += [f"reset {options['reset']} the recurrent product", f"an open update gate {options['update']}s"]
        if self.family == "lstm" and not options["forget"]:
            parts.append("no forget gate")
        parts += [f"{options['candidate']} candidate"] if options.get("candidate", "tanh") != "tanh" else []
        parts += [f"{options['output']} output"] if options.get("output", "tanh") != "tanh" else []
        order = ", ".join(_WORDS[gate] for gate in self.reading.order) or "none"
        parts.append(f"gates stacked {order}" if self.reading.order else "no gates")
        parts.append(
            ("no bias", "one bias", "two biases")[self.reading.biases] + (" a gate" if self.reading.order else "")
        )
        if any(piece.beside for piece in self.reading.table.pieces):
            parts.append("weights on [h, x]" if self.reading.recurrent_first else "weights on [x, h]")
        if self.states == ("c", "h"):
            parts.append("the cell state comes first")
        if self.reading.absent:
            where = "inside" if "b_g" in self.reading.absent else "outside"
            parts.append(f"the only bias of the candidate {where} the reset gate")
        told = f"{name}: {'; '.join(parts)}; {self.convention}"
        return f"{told}. But: {self.fault}" if self.fault else told


@functools.cache
def _specs() -> dict[tuple[str, tuple[tuple[str, Any], ...]], str]:
    """Spec by family and options, bias included; specs with an output layer are none of a bare cell."""
    found: dict[tuple[str, tuple[tuple[str, Any], ...]], str] = {}
    for spec in library().cells:
        link = spec.reference
        if link is not None and link.name in ("rnn", "gru", "lstm") and not link.output:
            found.setdefault((link.name, _options(get(link.name, **link.options))), spec.id)
    return found


def _options(reference: Any) -> tuple[tuple[str, Any], ...]:
    fields = {k: v for k, v in vars(reference).items() if k not in ("name", "state_names")}
    return tuple(sorted(fields.items()))


def variants(layout: Layout, states: int) -> Iterator[Reference]:
    """The references whose gates and states a layout could have."""
    bias, both = bool(layout.biases), ("tanh", "sigmoid")
    if layout.gates == 1 and states == 1:
        yield from (get("rnn", activation=name, bias=bias) for name in both)
    if layout.gates == 3 and states == 1:
        for update, reset, name in itertools.product(("keep", "write"), ("before", "after"), both):
            yield get("gru", update=update, reset=reset, candidate=name, bias=bias)
    if states == 2 and layout.gates in (3, 4):
        for one, two in itertools.product(both, both):
            yield get("lstm", forget=layout.gates == 4, candidate=one, output=two, bias=bias)


@dataclass(frozen=True)
class Probe:
    """One generic run of a target: its parameters, inputs, states in its own order, and what came out."""

    parameters: dict[str, Array]
    inputs: Array
    states: tuple[Array, ...]
    outputs: Array
    finals: tuple[Array, ...]
    convention: Convention
    sizes: tuple[int, int]


def probe(target: Target, seed: int = 0) -> Probe:
    """Run a target once. Raises UsageError if it cannot be driven, which says nothing about what it computes."""
    import torch

    n, d = target.sizes or (N, D)
    module = target.make(n, d).double().eval()
    convention = find(module, n, d)
    if convention.states == 0:
        raise UsageError(f"{target.name} takes no initial state; a state that is always zero hides a wrong recurrence")
    rng = np.random.default_rng(seed)
    shapes = {name: tuple(value.shape) for name, value in module.named_parameters()}
    if not shapes:
        raise UsageError(f"{target.name} has no parameters")
    parameters = {name: rng.standard_normal(shape) / 2 for name, shape in shapes.items()}
    inputs = rng.standard_normal((STEPS, BATCH, n))
    states = tuple(rng.standard_normal((BATCH, d)) / 2 for _ in range(convention.states))
    names = tuple(str(i) for i in range(convention.states))
    driver = TargetDriver(lambda *_: module, convention, None, names)  # type: ignore[arg-type]
    leaves = {name: torch.tensor(value) for name, value in parameters.items()}
    if not convention.sequence and convention.states == 2:
        # Which of two states is the hidden one is found out later; here both are watched.
        runs = [_watched(driver, names[::turn], leaves, inputs, states) for turn in (1, -1)]
        outputs, finals = np.stack([run[0] for run in runs]), runs[0][1]
    else:
        outputs, finals = _watched(driver, names, leaves, inputs, states)
        outputs = outputs[None]
    return Probe(parameters, inputs, states, outputs, finals, convention, (n, d))


def _watched(driver: Any, names: tuple[str, ...], leaves: Any, inputs: Array, states: tuple[Array, ...]) -> Any:
    import torch

    renamed = {old: ("h" if old == names[0] else "c") for old in driver.states}
    own = TargetDriver(driver.make, driver.convention, driver.table, tuple(renamed[name] for name in driver.states))
    given = {renamed[name]: torch.tensor(value) for name, value in zip(driver.states, states, strict=True)}
    with torch.no_grad():
        outputs, finals = own.run(leaves, torch.tensor(inputs), given, None)
    ordered = tuple(finals[renamed[name]].numpy() for name in driver.states if renamed[name] in finals)
    return outputs.numpy(), ordered


def _equal(run: Any, seen: Probe, states: tuple[str, ...]) -> bool:
    outputs = seen.outputs[states.index("h") if len(seen.outputs) > 1 else 0]
    pairs = [(run.outputs, outputs), *((run.finals[name], own) for name, own in zip(states, seen.finals, strict=False))]
    return all(np.isfinite(b).all() and np.max(np.abs(a - b)) <= SCREEN for a, b in pairs)


def _matches(seen: Probe, layout: Layout, cells: list[tuple[Reference, str]]) -> Iterator[Match]:
    n, d = seen.sizes
    orders = (("h",),) if seen.convention.states == 1 else (("h", "c"), ("c", "h"))
    for cell, fault in cells:
        made: Any = cell
        gates = "rzg" if cell.name == "gru" else getattr(made, "gates", "")
        shapes = cell.parameter_shapes(n, d)
        for reading in readings(layout, gates, getattr(made, "reset", "") == "after"):
            own = reading.table.unpack(seen.parameters, shapes)
            own |= {name: np.zeros(shapes[name]) for name in reading.absent}
            if set(own) != set(shapes):
                continue
            for states in orders:
                given = dict(zip(states, seen.states, strict=True))
                try:
                    run = cell.forward(own, seen.inputs, given)
                except Exception:  # a wrong cell may raise anything; then it is not this one
                    continue
                if _equal(run, seen, states):
                    yield Match(cell.name, _options(cell), reading, states, seen.convention, fault)


def identify(target: Target) -> tuple[Match, ...]:
    """Every right cell that the target equals: one, several that cannot be told apart, or none.

    Where it equals none, the wrong ones that it does equal, with their fault. Raises UsageError.
    """
    seen = probe(target)
    n, d = seen.sizes
    layout = read({name: value.shape for name, value in seen.parameters.items()}, n, d)
    right = [(cell, "") for cell in variants(layout, seen.convention.states)]
    if not right:
        raise UsageError(
            f"{target.name} has {layout.gates} gates and {seen.convention.states} states, as no known cell has"
        )
    found = _distinct(_matches(seen, layout, right))
    if found:
        return found
    bias = bool(layout.biases)
    wrong: list[tuple[Reference, str]] = []
    for mutant in MUTANTS:
        spec: Spec = library().spec(mutant.spec)
        if mutant.part != "forward" or spec.reference is None or spec.reference.output:
            continue
        cell: Any = build(mutant, spec).cell
        if cell.name in {one.name for one, _ in right} and getattr(cell, "bias", True) == bias:
            wrong.append((cell, f"{mutant.name} ({mutant.edit})"))
    return _distinct(_matches(seen, layout, wrong))


def _distinct(found: Iterator[Match]) -> tuple[Match, ...]:
    """Matches that differ for a reader: where two biases stand for one sum, their order is no difference."""
    rows: dict[tuple[object, ...], Match] = {}
    for match in found:
        rows.setdefault((match.sentence(), match.states), match)
    return tuple(rows.values())
