"""What is wrong with a cell, in words: its faults, or where it begins to differ from the closest cell."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, fields, replace

from rnn_harness.records.validation import Diagnosis
from rnn_harness.subjects.parameter_role import ParameterKind, parameter_role
from rnn_harness.validation.cells.activations import ACTIVATIONS
from rnn_harness.validation.cells.cell_model import CellModel
from rnn_harness.validation.diagnosis.faults import describe_fault
from rnn_harness.validation.diagnosis.nearest import closest_cell
from rnn_harness.validation.identification.decode import Decoder, ParameterAssignment
from rnn_harness.validation.identification.identification import Identification, describe_cell
from rnn_harness.validation.identification.parameter_layout import Layout
from rnn_harness.validation.identification.probe import Probe


def explain_faults(identification: Identification) -> Diagnosis:
    """Describe the faults of a wrong cell that was identified.

    Args:
        identification: A wrong cell, with the faults in its model.
    """
    descriptions = [describe_fault(identification.model, fault) for fault in identification.faults]
    right = replace(identification, model=replace(identification.model, faults=()))
    name = f"{right.spec} ({describe_cell(right)})" if right.spec else describe_cell(right)
    return Diagnosis(
        spec=name,
        part="forward: " + "; ".join(description.part for description in descriptions),
        difference="; and ".join(description.difference for description in descriptions),
    )


def explain_variant(identification: Identification, expected: CellModel, name: str) -> Diagnosis:
    """Describe how a right cell differs from the cell that it should be.

    Args:
        identification: The right cell.
        expected: The cell that it should be.
        name: What the expected cell is called.
    """
    actual, wanted = vars(identification.model), vars(expected)
    parts, differences = [], []
    for feature in (field.name for field in fields(CellModel) if field.name != "faults"):
        if actual[feature] == wanted[feature]:
            continue
        text = _FEATURES[feature]
        parts.append(text.part)
        values = {"actual": text.wording(actual[feature]), "wanted": text.wording(wanted[feature])}
        differences.append(text.difference.format(**values))
        if feature == "family":
            break  # the features of one family mean nothing in another
    return Diagnosis(
        spec=name,
        part="forward: " + ("; ".join(parts) or "bias"),
        difference="; and ".join(differences) or "it has other biases",
    )


def explain_map(identification: Identification, mapped: Identification) -> Diagnosis:
    """Describe how the parameters of a right cell are not where a map has them.

    Args:
        identification: The right cell.
        mapped: What the map says.
    """
    wanted = {(block.parameter, block.block, block.side): block.name for block in mapped.assignment.table.blocks}
    wrong = []
    for block in identification.assignment.table.blocks:
        name = wanted.get((block.parameter, block.block, block.side))
        if name is not None and name != block.name:
            wrong.append(f"block {block.block} of {block.parameter} is {block.name}, not {name}")
    difference = "the parameters are not where the map has them" + (f": {'; '.join(wrong[:6])}" if wrong else "")
    return Diagnosis(spec=_name_of(identification), part="forward: parameter map", difference=difference)


def explain_unused(identification: Identification) -> Diagnosis:
    """Describe a cell that is right, but has biases that it does not use.

    Args:
        identification: The cell, with the biases that are forgotten.
    """
    names = ", ".join(identification.forgotten)
    verb = "has" if len(identification.forgotten) == 1 else "have"
    return Diagnosis(
        spec=_name_of(identification), part=f"forward: parameter {names}", difference=f"{names} {verb} no influence"
    )


def _name_of(identification: Identification) -> str:
    return identification.spec or describe_cell(identification)


@dataclass(frozen=True)
class _FeatureText:
    """How a feature of a cell is described: the part, the sentence about both values, and each value in words."""

    part: str
    difference: str
    wording: Callable[[object], object] = lambda value: value


def _family(value: object) -> str:
    return f"{'an' if value in ('rnn', 'lstm') else 'a'} {str(value).upper()}"


def _activation(value: object) -> str:
    return ACTIVATIONS[str(value)].wording


def _update(value: object) -> str:
    return {"keep": "keeps the old state", "write": "takes the candidate"}[str(value)]


def _presence(value: object) -> str:
    words = {
        "": "absent",
        "none": "absent",
        "own": "a gate of its own",
        "coupled": "coupled to the input gate",
        "coupling": "what the input gate is coupled to",
    }
    return words.get(str(value), str(value))


_FEATURES = {
    "family": _FeatureText("family", "it is {actual}, not {wanted}", _family),
    "gate": _FeatureText("gates, activation", "the gates have {actual} in the place of {wanted}", _activation),
    "candidate": _FeatureText(
        "candidate, activation", "the candidate has {actual} in the place of {wanted}", _activation
    ),
    "output": _FeatureText(
        "hidden state, activation", "the cell state goes through {actual} in the place of {wanted}", _activation
    ),
    "update": _FeatureText("update gate", "update gate z = 1 {actual}; in the spec it {wanted}", _update),
    "reset": _FeatureText("reset gate", "the reset gate acts {actual} the recurrent product, not {wanted} it"),
    "forget": _FeatureText("forget gate", "the forget gate is {actual}, not {wanted}", _presence),
    "offset": _FeatureText("forget gate, bias", "{actual:g} is added to the forget gate, not {wanted:g}"),
    "peephole": _FeatureText("peepholes", "the peepholes are {actual}, not {wanted}", _presence),
    "peephole_state": _FeatureText(
        "output gate, peephole", "the output gate's peephole sees the {actual} cell state, not the {wanted} one"
    ),
    "cell_clip": _FeatureText(
        "cell state, clipping", "the cell state is kept within {actual:g}, not {wanted:g} (0: no limit)"
    ),
    "clip": _FeatureText("gates, clipping", "arguments are clipped at {actual:g}, not {wanted:g} (0: no limit)"),
}


def explain_divergence(probe: Probe, layouts: list[Layout], expected: CellModel | None, name: str) -> Diagnosis | None:
    """Say where a target begins to differ from the closest cell: which parameters it uses in another way.

    Args:
        probe: The target.
        layouts: The layouts that its parameters may have.
        expected: The cell that it should be; None to search the usual ones.
        name: What the expected cell is called; empty without one.

    Returns:
        The diagnosis, or None where no cell is close or no few parameters show the difference.
    """
    match = closest_cell(probe, layouts, expected)
    if match is None:
        return None
    assignment = match.assignment
    decoder = Decoder(probe, assignment.layout, match.model, match.states)
    spec = name or describe_cell(Identification(match.model, assignment, match.states, probe.convention))
    if not decoder.agrees_at_zero():
        difference = "it differs already where all parameters are zero"
        return Diagnosis(spec=spec, part="forward: state", difference=difference)
    wrong = _first_wrong(probe, assignment, decoder)
    if wrong is None:
        return None
    parameters = [parameter_role(name) for name in wrong]
    words = " and ".join(sorted({parameter.in_words() for parameter in parameters}))
    matrices = (ParameterKind.INPUT, ParameterKind.RECURRENT)
    verb = "are" if len(parameters) > 1 or parameters[0].kind in matrices else "is"
    return Diagnosis(spec=spec, part=f"forward: {words}", difference=f"it differs as soon as {words} {verb} not zero")


def _first_wrong(probe: Probe, assignment: ParameterAssignment, decoder: Decoder) -> tuple[str, ...] | None:
    """The names of the fewest blocks that make target and cell differ, the remaining ones being zero."""
    roles = dict(assignment.roles)
    for count in (1, 2, 3):
        for chosen in itertools.combinations(roles, count):
            target = probe.masked(assignment.layout, frozenset(chosen))
            if not decoder.agree(target, decoder.predict({index: roles[index] for index in chosen})):
                return tuple(roles[index].name for index in chosen)
    return None
