"""What is wrong with it, in words: mistakes that explain it; else where it begins to differ from the nearest cell."""

from __future__ import annotations

import itertools
from dataclasses import fields, replace

from rnn_harness.records.validation import Diagnosis
from rnn_harness.validation.cells.activations import ACTIVATIONS
from rnn_harness.validation.cells.cell_model import CellModel
from rnn_harness.validation.diagnosis.faults import NAMES, describe_fault
from rnn_harness.validation.diagnosis.nearest import base_models, partial_assignments
from rnn_harness.validation.identification.decode import Decoder, ParameterAssignment
from rnn_harness.validation.identification.identify import Identification, features
from rnn_harness.validation.identification.parameter_layout import Layout
from rnn_harness.validation.identification.probe import Probe


def explain_faults(match: Identification) -> Diagnosis:
    """A wrong cell that was found, in words."""
    rows = [describe_fault(match.model, fault) for fault in match.faults]
    right = replace(match, model=replace(match.model, faults=()))
    name = f"{right.spec} ({features(right)})" if right.spec else features(right)
    return Diagnosis(
        spec=name,
        part="forward: " + "; ".join(part for part, _ in rows),
        difference="; and ".join(what for _, what in rows),
    )


def explain_variant(match: Identification, expected: CellModel, name: str) -> Diagnosis:
    """A right cell that is another one than it should be."""
    rows = []
    for field in fields(CellModel):
        own, wanted = getattr(match.model, field.name), getattr(expected, field.name)
        if own != wanted and field.name != "faults":
            rows.append(_option(field.name, own, wanted))
        if field.name == "family" and rows:
            break  # the features of another family are none of this one
    parts, differences = zip(*rows, strict=True) if rows else (("bias",), ("it has other biases",))
    return Diagnosis(spec=name, part="forward: " + "; ".join(parts), difference="; and ".join(differences))


def explain_map(match: Identification, given: Identification) -> Diagnosis:
    """A right cell whose parameters are not where a map has them."""
    wrong = []
    wanted = {(piece.parameter, piece.block, piece.side): piece.name for piece in given.assignment.table.pieces}
    for piece in match.assignment.table.pieces:
        name = wanted.get((piece.parameter, piece.block, piece.side))
        if name is not None and name != piece.name:
            wrong.append(f"block {piece.block} of {piece.parameter} is {piece.name}, not {name}")
    told = "the parameters are not where the map has them" + (f": {'; '.join(wrong[:6])}" if wrong else "")
    return Diagnosis(spec=match.spec or features(match), part="forward: parameter map", difference=told)


def explain_unused(match: Identification) -> Diagnosis:
    """A cell that is right, but for parameters that it has and does not use."""
    names = ", ".join(match.unused)
    return Diagnosis(
        spec=match.spec or features(match), part=f"forward: parameter {names}", difference=f"{names} has no influence"
    )


_OPTIONS = {
    "family": ("family", "it is {own}, not {wanted}"),
    "gate": ("gates, activation", "the gates have {own} in the place of {wanted}"),
    "candidate": ("candidate, activation", "the candidate has {own} in the place of {wanted}"),
    "output": ("hidden state, activation", "the cell state goes through {own} in the place of {wanted}"),
    "update": ("update gate", "an open update gate {own}s, where it should {wanted}"),
    "reset": ("reset gate", "the reset gate acts {own} the recurrent product, not {wanted} it"),
    "forget": ("forget gate", "the forget gate is {own}, not {wanted}"),
    "offset": ("forget gate, bias", "{own:g} is added to the forget gate, not {wanted:g}"),
    "peephole": ("peepholes", "the peepholes are {own}, not {wanted}"),
    "seen": ("output gate, peephole", "the output gate's peephole sees the {own} cell state, not the {wanted} one"),
    "cell_clip": ("cell state, clipping", "the cell state is kept within {own:g}, not {wanted:g} (0: no limit)"),
    "clip": ("gates, clipping", "arguments are clipped at {own:g}, not {wanted:g} (0: no limit)"),
}
_WORDS = {
    "": "absent",
    "none": "absent",
    "own": "a gate of its own",
    "coupled": "coupled to the input gate",
    "coupling": "what the input gate is coupled to",
}


def _option(name: str, own: object, wanted: object) -> tuple[str, str]:
    part, text = _OPTIONS[name]
    if name == "family":
        own, wanted = (f"{'an' if one in ('rnn', 'lstm') else 'a'} {str(one).upper()}" for one in (own, wanted))
    if name in ("gate", "candidate", "output"):
        own, wanted = ACTIVATIONS[str(own)].wording, ACTIVATIONS[str(wanted)].wording
    elif name in ("forget", "peephole"):
        own, wanted = _WORDS.get(str(own), own), _WORDS.get(str(wanted), wanted)
    return part, text.format(own=own, wanted=wanted)


def explain_divergence(seen: Probe, possible: list[Layout], expected: CellModel | None, name: str) -> Diagnosis | None:
    """Where a target starts to differ from the nearest cell: the parameters that it uses otherwise."""
    best: tuple[int, CellModel, ParameterAssignment, tuple[str, ...]] | None = None
    for layout in possible:
        for model in base_models(layout, seen, expected) if expected is None else (expected,):
            for assignment, states in partial_assignments(seen, layout, model)[:1]:
                if best is None or assignment.matched > best[0]:
                    best = (assignment.matched, model, assignment, states)
    if best is None:
        return None
    _, model, assignment, states = best
    decoder = Decoder(seen, assignment.layout, model, states)
    named = dict(assignment.names)
    if not decoder.zero():
        where = "it differs already where all parameters are zero"
        return Diagnosis(
            spec=name or features(Identification(model, assignment, states, seen.convention)),
            part="forward: state",
            difference=where,
        )
    wrong = _first_wrong(seen, assignment, decoder)
    if wrong is None:
        return None
    told_as = " and ".join(sorted({_role(named[index][0]) for index in wrong}))
    plural = "are" if len(wrong) > 1 or told_as.startswith(("the input w", "the recurrent w")) else "is"
    near = name or features(Identification(model, assignment, states, seen.convention))
    return Diagnosis(
        spec=near, part=f"forward: {told_as}", difference=f"it differs as soon as {told_as} {plural} not zero"
    )


def _first_wrong(seen: Probe, assignment: ParameterAssignment, decoder: Decoder) -> tuple[int, ...] | None:
    """The fewest slots that make target and cell differ, the others being zero."""
    named = dict(assignment.names)
    for count in (1, 2, 3):
        for chosen in itertools.combinations(named, count):
            target = seen.masked(assignment.layout, frozenset(chosen))
            if not decoder.agree(target, decoder.predict({index: named[index] for index in chosen})):
                return chosen
    return None


def _role(name: str) -> str:
    """A parameter of the reference in words."""
    if name == "b_hg":
        return "the recurrent bias of the candidate"
    kinds = {"W_x": "input weights", "W_h": "recurrent weights", "W_c": "peephole", "b": "bias"}
    kind = next(one for one in kinds if name.startswith(one))
    letter = name.removeprefix(kind).lstrip("_")
    return f"the {kinds[kind]} of the {NAMES[letter]}"
