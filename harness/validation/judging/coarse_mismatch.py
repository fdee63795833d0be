"""A candidate with coarse arithmetic inside it that equals no known cell: is its rounding enough to explain that?"""

from __future__ import annotations

from dataclasses import dataclass

from rnn_harness.arithmetic.assumptions import ROUNDING_MARGINS
from rnn_harness.errors import UsageError
from rnn_harness.records.validation import Diagnosis
from rnn_harness.validation.cells.cell_model import CellModel
from rnn_harness.validation.diagnosis.explain import explain_divergence, explain_faults
from rnn_harness.validation.diagnosis.nearest import identify_faulty
from rnn_harness.validation.identification.coarse_arithmetic import may_be_rounding, rounding_inside, with_rounding
from rnn_harness.validation.identification.parameter_layout import Layout
from rnn_harness.validation.identification.probe import Probe

_DIGITS = 2


@dataclass(frozen=True)
class BeyondRounding:
    """How a candidate differs from what it should be by more than its arithmetic rounds.

    Attributes:
        diagnosis: The difference.
        is_named: Whether the candidate equals the cell with a mistake, up to its rounding.
    """

    diagnosis: Diagnosis
    is_named: bool


def mistake_beyond_rounding(probe: Probe, layouts: list[Layout], model: CellModel, name: str) -> BeyondRounding | None:
    """Say how a candidate differs from what it should be by more than its arithmetic rounds.

    Args:
        probe: Runs of a candidate that computes coarsely.
        layouts: The layouts that its parameters may have.
        model: The cell that it should be.
        name: What that cell is called.

    Returns:
        The difference; None where what differs may be rounding.
    """
    try:
        rounding = rounding_inside(probe)
    except UsageError:  # it takes no such numbers, and so nothing is known
        return None
    if may_be_rounding(probe, layouts, model, rounding):
        return None
    near = (
        identify_faulty(with_rounding(probe, rounding.size * margin), layouts, model) for margin in ROUNDING_MARGINS
    )
    faulty = next((matches[0] for matches in near if matches), None)
    loose = with_rounding(probe, rounding.size * ROUNDING_MARGINS[-1])
    diagnosis = explain_faults(faulty) if faulty is not None else explain_divergence(loose, layouts, model, name)
    if diagnosis is None:
        diagnosis = Diagnosis(spec=name, part="forward: state", difference="it equals the cell in no layout")
    beyond = f"{diagnosis.difference}, by more than its coarse arithmetic rounds ({rounding.size:.{_DIGITS}g})"
    return BeyondRounding(diagnosis.model_copy(update={"difference": beyond}), faulty is not None)
