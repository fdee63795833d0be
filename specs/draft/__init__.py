"""A draft of spec files from a document: displayed equations, grouped into steps, with the shapes of their symbols."""

from __future__ import annotations

from rnn_harness.specs.draft.displayed import DisplayedEquation, displayed_equations
from rnn_harness.specs.draft.document import Draft, draft_document
from rnn_harness.specs.draft.grouping import EquationGroup

__all__ = ["DisplayedEquation", "Draft", "EquationGroup", "displayed_equations", "draft_document"]
