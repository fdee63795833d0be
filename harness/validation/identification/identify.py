"""What is it? From shapes and a few runs on generic numbers: family, variant, gate order, layout, or none known.

Dimension legend: T time steps, B batch rows, n input size, d hidden size.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from rnn_harness.arithmetic.assumptions import SCREEN_SINGLE
from rnn_harness.errors import UsageError
from rnn_harness.references import get_reference
from rnn_harness.specs import Spec, library
from rnn_harness.validation.cells.activations import ACTIVATIONS
from rnn_harness.validation.cells.calling_convention import CallingConvention
from rnn_harness.validation.cells.cell_model import CellModel, Fault
from rnn_harness.validation.identification.decode import Decoder, ParameterAssignment
from rnn_harness.validation.identification.parameter_layout import Layout, fits, layouts
from rnn_harness.validation.identification.probe import Probe, probe_target
from rnn_harness.validation.identification.variants import all_variants, with_cell_clip, with_offset
from rnn_harness.validation.loading.target import Target

WORDS = {"r": "reset", "z": "update", "g": "candidate", "i": "input", "f": "forget", "o": "output", "": "state"}


@dataclass(frozen=True)
class Identification:
    """One reading of a target. `model` holds the faults, if there are any; `unused` parameters have no influence."""

    model: CellModel
    assignment: ParameterAssignment
    states: tuple[str, ...]
    convention: CallingConvention
    unused: tuple[str, ...] = ()

    @property
    def faults(self) -> tuple[Fault, ...]:
        """What is wrong with it; empty if nothing is."""
        return self.model.faults

    @property
    def bias(self) -> bool:
        """Whether it has any."""
        return any(name.startswith("b") for _, (name, _) in self.assignment.names)

    @property
    def spec(self) -> str | None:
        """The shipped spec of that variant, if there is one."""
        options = reference_options(self.model, self.bias)
        return None if options is None else _specs().get((self.model.family, options))

    @property
    def absent(self) -> tuple[str, ...]:
        """What the spec has and the target has not: a second bias of the candidate, a state that cannot be given."""
        named = {name for _, (name, _) in self.assignment.names}
        lacking = tuple(
            name for name in self.model.roles("b") if self.bias and name.startswith("b") and name not in named
        )
        states = () if self.convention.states else tuple(f"states.{name}" for name in self.model.state_names)
        return lacking + states

    def sentence(self) -> str:
        """What it is, for a reader."""
        told = f"{features(self)}; {self.convention}"
        return f"{told}; {', '.join(self.unused)} without influence" if self.unused else told


def features(match: Identification) -> str:
    """The variant and the layout in words."""
    model, assignment = match.model, match.assignment
    parts = list(_variant(model))
    order = assignment.gate_order("x")
    gates = model.family != "rnn"
    if gates:
        laid = "interleaved" if assignment.layout.interleaved else "stacked"
        parts.append(f"gates {laid} " + ", ".join(WORDS[letter] for letter in order))
        recurrent = assignment.gate_order("h")
        if recurrent != order and sorted(recurrent) == sorted(order):
            parts.append("recurrent weights in the order " + ", ".join(WORDS[letter] for letter in recurrent))
    names = [name for _, (name, _) in assignment.names if name.startswith("b")]
    parts.append(_biases(model, names))
    if any(gate_block.side for gate_block in assignment.layout.gate_blocks):
        parts.append("weights on [h, x]" if assignment.layout.recurrent_first else "weights on [x, h]")
    if any(flipped and name.startswith("W") for _, (name, flipped) in assignment.names) or any(
        form.turned for _, form in assignment.layout.forms if not form.vector
    ):
        parts.append("weights transposed, (input, output)")
    if match.states == ("c", "h"):
        parts.append("the cell state comes first")
    return f"{ {'rnn': 'simple RNN', 'gru': 'GRU', 'lstm': 'LSTM'}[model.family] }: {'; '.join(parts)}"


def _variant(model: CellModel) -> Iterator[str]:
    def words(name: str) -> str:
        return ACTIVATIONS[name].wording

    if model.family == "rnn":
        yield f"{words(model.candidate)} activation"
        return
    if model.family == "gru":
        yield f"reset {model.reset} the recurrent product"
        yield f"an open update gate {model.update}s"
    if model.forget != "own":
        yield {"none": "no forget gate", "coupled": "forget gate coupled to the input gate"}.get(
            model.forget, "input gate coupled to the forget gate"
        )
    if model.peephole:
        yield f"{model.peephole} peepholes, the output gate's on the {model.seen} cell state"
    if model.gate != "sigmoid":
        yield f"{words(model.gate)} gates"
    if model.candidate != "tanh":
        yield f"{words(model.candidate)} candidate"
    if model.family == "lstm" and model.output != "tanh":
        yield f"{words(model.output)} output"
    if model.clip:
        yield f"arguments clipped at {model.clip:g}"
    if model.cell_clip:
        yield f"cell state kept within -{model.cell_clip:g} and {model.cell_clip:g}"
    if model.offset:
        yield f"{model.offset:g} is added to the forget gate"


def _biases(model: CellModel, names: list[str]) -> str:
    """How many biases there are."""
    count = len(names)
    each = " a gate" if model.family != "rnn" else ""
    own = len(model.letters)
    if not count:
        return "no bias"
    if count == own and len(set(names)) == own:
        if model.reset == "after" and model.family == "gru":
            return f"one bias{each}, the candidate's {'inside' if 'b_hg' in names else 'outside'} the reset"
        return f"one bias{each}"
    if count == 2 * own:
        return f"two biases{each}"
    told = [WORDS[name.removeprefix("b").lstrip("_")] if name != "b_hg" else "candidate's reset part" for name in names]
    return "biases for " + ", ".join(told)


def reference_options(model: CellModel, bias: bool) -> tuple[tuple[str, Any], ...] | None:
    """The options of the reference that computes a sketch; None if none does."""
    if model.gate != "sigmoid" or model.offset or model.clip or model.cell_clip or model.seen == "old":
        return None
    if model.forget in ("coupled", "coupling"):
        return None
    if {model.candidate, model.output} - {"tanh", "sigmoid"}:
        return None
    if model.family == "rnn":
        return _options(get_reference("rnn", activation=model.candidate, bias=bias))
    if model.family == "gru":
        own = {"update": model.update, "reset": model.reset, "candidate": model.candidate}
        return _options(get_reference("gru", **own, bias=bias))
    both: dict[str, Any] = {"candidate": model.candidate, "output": model.output}
    return _options(
        get_reference("lstm", **both, peephole=model.peephole or None, forget=model.forget == "own", bias=bias)
    )


def cell_model_of(spec: Spec) -> CellModel:
    """The sketch of a shipped spec. Raises UsageError for layers, and cells with an output layer."""
    link = spec.reference
    if link is None or link.name not in ("rnn", "gru", "lstm") or link.output:
        raise UsageError(
            f"{spec.id} is no bare cell of one step: a candidate cannot be held against it; those that can be are "
            + ", ".join(sorted(_specs().values()))
        )
    made: Any = get_reference(link.name, **link.options)
    if link.name == "rnn":
        return CellModel("rnn", candidate=made.activation)
    if link.name == "gru":
        return CellModel("gru", candidate=made.candidate, update=made.update, reset=made.reset)
    forget = "own" if made.forget else "none"
    peephole = made.peephole or ""
    return CellModel("lstm", candidate=made.candidate, output=made.output, forget=forget, peephole=peephole)


@functools.cache
def _specs() -> dict[tuple[str, tuple[tuple[str, Any], ...]], str]:
    """Spec by family and options, bias included; specs with an output layer are none of a bare cell."""
    found: dict[tuple[str, tuple[tuple[str, Any], ...]], str] = {}
    for spec in library().cells:
        link = spec.reference
        if link is not None and link.name in ("rnn", "gru", "lstm") and not link.output:
            found.setdefault((link.name, _options(get_reference(link.name, **link.options))), spec.id)
    return found


def _options(reference: Any) -> tuple[tuple[str, Any], ...]:
    fields = {k: v for k, v in vars(reference).items() if k not in ("name", "state_names")}
    return tuple(sorted(fields.items()))


def orders(model: CellModel, seen: Probe) -> tuple[tuple[str, ...], ...]:
    """The orders that a target's states may have."""
    if model.family != "lstm":
        return (("h",),)
    return (("h", "c"), ("c", "h")) if seen.convention.states else (("h", "c"),)


def target_layouts(target: Target, seen: Probe, silent: bool = True) -> list[Layout]:
    """The target's layouts. `silent`: with parameters without influence, where their shape fits. Raises UsageError."""
    n, d = seen.sizes
    shapes = {name: value.shape for name, value in seen.parameters.items()}
    kept = [name for name in shapes if name not in seen.ignored or (silent and fits(shapes[name], n, d))]
    found = layouts({name: shapes[name] for name in kept}, n, d)
    if not found:
        listed = ", ".join(f"{name} {shape}" for name, shape in shapes.items())
        raise UsageError(
            f"{target.name} has the parameters {listed}; input and recurrent weights of 1 to 4 gates are not among "
            f"them, for input size {n} and hidden size {d}"
        )
    return found


def identify(target: Target, seen: Probe | None = None) -> tuple[Identification, ...]:
    """Every right cell that the target equals: one, several that cannot be told apart, or none.

    Raises UsageError if it cannot be driven, or if its parameters fit no cell.
    """
    seen = seen or probe_target(target)
    possible = target_layouts(target, seen)
    n, d = seen.sizes
    silent = tuple(name for name in seen.ignored if fits(seen.parameters[name].shape, n, d))
    spare: list[Layout] = []
    if silent:
        with contextlib.suppress(UsageError):  # without them it may have no weights at all
            spare = target_layouts(target, seen, silent=False)
    # What is float64 in name alone still is what it is; that its bits are few is for the checks to say. So is what goes
    # wrong in a sequence of one step alone.
    attempts = [(seen.tolerance, seen.steps), (SCREEN_SINGLE, seen.steps)]
    attempts += [(seen.tolerance, 2)] if seen.convention.sequence and seen.steps == 1 else []
    for tolerance, steps in dict.fromkeys(attempts):
        seen.tolerance, seen.steps = tolerance, steps
        for layout, unused in (*((one, ()) for one in possible), *((one, silent) for one in spare)):
            found: dict[str, Identification] = {}
            for match in _matches(seen, layout, target.declared_model):
                found.setdefault(match.sentence(), replace(match, unused=unused))
            if found:
                return tuple(found.values())
    seen.tolerance, seen.steps = SCREEN_SINGLE, attempts[0][1]
    return ()


def _matches(seen: Probe, layout: Layout, claims: CellModel | None = None) -> Iterator[Identification]:
    usual = all_variants(layout, seen.convention.states)
    for model in dict.fromkeys((claims, *usual) if claims is not None else usual):
        for states in orders(model, seen):
            kept = with_cell_clip(seen, layout, model, states)
            for one in dict.fromkeys((with_offset(seen, layout, kept, states), kept, model)):
                decoder = Decoder(seen, layout, one, states)
                if not decoder.zero():
                    continue
                assignments = decoder.assignments()
                yield from (Identification(one, assignment, states, seen.convention) for assignment in assignments)
                if assignments:
                    break
