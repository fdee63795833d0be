"""Which sets of faults a cell cannot have, by runs with all parameters zero and with one block of them alone.

A target that is the cell with these faults gives what that gives in those runs too. Most faults do not show in most of
them, so that few runs rule out most of the thousands of sets.
"""

from __future__ import annotations

from dataclasses import replace

from rnn_harness.validation.cells.cell_model import CellModel, Fault
from rnn_harness.validation.cells.visible_faults import SKIPPED_WEIGHTS, FaultVisibility
from rnn_harness.validation.identification.agreements import Agreements
from rnn_harness.validation.identification.decode import Decoder
from rnn_harness.validation.identification.parameter_layout import Layout
from rnn_harness.validation.identification.probe import Probe


class FaultFilter:
    """Rules out sets of faults that a target cannot have, taken for one cell with its states in one order.

    Args:
        probe: The target.
        layout: How its parameters are cut into blocks.
        model: The cell without the faults.
        states: The names of the target's states, in its order.
        agreements: What is known of the target already.
    """

    def __init__(
        self, probe: Probe, layout: Layout, model: CellModel, states: tuple[str, ...], agreements: Agreements
    ) -> None:
        self._base = Decoder(probe, layout, model, states, agreements)
        self._agreements = agreements
        self._alone = self._base.blocks_with_influence_alone()
        self._names = {index: frozenset(model.parameter_names(layout.gate_blocks[index].kind)) for index in self._alone}
        self._answers: dict[tuple[int | None, tuple[Fault, ...]], bool] = {}
        self._visible: dict[tuple[Fault, frozenset[str]], bool] = {}

    def admits(self, faults: tuple[Fault, ...]) -> bool:
        """Say whether the target may have faults.

        Args:
            faults: Faults of the cell.
        """
        return self._fits(None, faults) and all(self._fits(index, faults) for index in self._alone)

    def _fits(self, index: int | None, faults: tuple[Fault, ...]) -> bool:
        """Say whether the target may have faults, by the run with one block alone; without one, all are zero."""
        names = self._names[index] if index is not None else frozenset[str]()
        # Whether one of two faults in one place shows may depend on the other.
        are_apart = len({fault.where for fault in faults}) == len(faults) and SKIPPED_WEIGHTS not in faults
        key = index, tuple(fault for fault in faults if self._may_show(fault, names)) if are_apart else faults
        if key not in self._answers:
            base = self._base
            model = replace(base.model, faults=faults)
            decoder = Decoder(base.probe, base.layout, model, base.states, self._agreements)
            self._answers[key] = decoder.agrees_at_zero() if index is None else decoder.explains(index)
        return self._answers[key]

    def _may_show(self, fault: Fault, names: frozenset[str]) -> bool:
        """Say whether a fault by itself may show with some parameters."""
        key = fault, names
        if key not in self._visible:
            alone = replace(self._base.model, faults=(fault,))
            self._visible[key] = bool(FaultVisibility(alone, self._base.steps).visible(names))
        return self._visible[key]
