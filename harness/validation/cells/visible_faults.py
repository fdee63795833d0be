"""Without which parameters a fault of a cell does not show: what is wrong with a term that is zero changes nothing."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from rnn_harness.subjects.parameter_role import ParameterKind, ParameterRole
from rnn_harness.validation.cells.activations import ACTIVATIONS
from rnn_harness.validation.cells.cell_model import CellModel, Fault

_KINDS = {
    "input": ParameterKind.INPUT,
    "recurrent": ParameterKind.RECURRENT,
    "bias": ParameterKind.BIAS,
    "inner bias": ParameterKind.RECURRENT_BIAS,
    "peephole": ParameterKind.PEEPHOLE,
}
_CHANGES = ("dropped", "negated", "doubled", "transposed")
_SOURCE, _FUNCTION = "bias of ", "as "
SKIPPED_WEIGHTS = Fault("reset", "recurrent weights skipped")
"""A fault that gives the candidate an argument without any parameter."""
_BETWEEN_STEPS = frozenset(Fault("state", change) for change in ("not carried", "late", "reversed", "input late"))


class FaultVisibility:
    """Says which faults of a model show where it has some of its parameters alone, the others being zero.

    Args:
        model: The cell, with its faults.
        steps: The number of time steps.
    """

    def __init__(self, model: CellModel, steps: int) -> None:
        faults = (fault for fault in model.faults if steps > 1 or fault not in _BETWEEN_STEPS)
        self._needs = [(fault, _needed(model, fault)) for fault in faults]

    def visible(self, names: Collection[str]) -> tuple[Fault, ...]:
        """List the faults that may change what the model gives; all others change nothing.

        Args:
            names: The reference's names of the parameters that are not zero.
        """
        return tuple(fault for fault, needed in self._needs if needed is None or not needed.isdisjoint(names))


def _needed(model: CellModel, fault: Fault) -> frozenset[str] | None:
    """Name the parameters of which one at least must not be zero for a fault to show; None where it always may."""
    letter = fault.where
    if letter not in model.letters:
        return None
    sources = {each.change.removeprefix(_SOURCE) for each in model.faults if _takes_a_bias(each, letter)}
    biases = frozenset(ParameterRole(ParameterKind.BIAS, source).name for source in (letter, *sources))
    if _takes_a_bias(fault, letter):
        return biases
    if fault.change == "recurrent from cell":
        return frozenset((ParameterRole(ParameterKind.RECURRENT, letter).name,))
    if fault.change.startswith(_FUNCTION):
        # Of two functions in one place the first one counts.
        functions = sum(each.where == letter and each.change.startswith(_FUNCTION) for each in model.faults)
        has_other_terms = (letter == "f" and model.offset) or SKIPPED_WEIGHTS in model.faults
        if functions > 1 or has_other_terms or not _are_alike_at_zero(model, fault):
            return None
        return biases | {ParameterRole(kind, letter).name for kind in _KINDS.values()}
    term, _, change = fault.change.rpartition(" ")
    if change not in _CHANGES or term not in _KINDS:
        return None
    return biases if term == "bias" else frozenset((ParameterRole(_KINDS[term], letter).name,))


def _takes_a_bias(fault: Fault, letter: str) -> bool:
    """Say whether a fault is that a gate has the bias of another one."""
    return fault.where == letter and fault.change.startswith(_SOURCE)


def _are_alike_at_zero(model: CellModel, fault: Fault) -> bool:
    """Say whether the activation that a fault puts in a gate's place gives at zero what the right one gives."""
    right, actual = model.activation_name(fault.where), fault.change.removeprefix(_FUNCTION)
    zero = np.zeros(1)
    return bool(np.array_equal(ACTIVATIONS[right].apply(zero), ACTIVATIONS[actual].apply(zero)))
