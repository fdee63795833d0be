"""What the documents say: equations as data, parsed as printed, typed by their shapes."""

from __future__ import annotations

from rnn_harness.specs.audit import audit, audit_entry
from rnn_harness.specs.audit_numbers import TableRow, audit_example, table_rows
from rnn_harness.specs.audit_program import KerasLayer, count_parameters, program_layers
from rnn_harness.specs.claims import Claim, Falsifier, claims
from rnn_harness.specs.documents import DOCUMENT_TITLES, document_title
from rnn_harness.specs.equivalences import Equivalence, equivalences
from rnn_harness.specs.errata import Contradiction, Misprint, contradictions, misprints
from rnn_harness.specs.literature_cells import literature, search_literature, specs_called
from rnn_harness.specs.load import Library, UnknownId, library, load_spec, parse_spec
from rnn_harness.specs.print_finding import PrintFinding
from rnn_harness.specs.schema import (
    Entry,
    Equation,
    Erratum,
    Example,
    Identity,
    Program,
    ReferenceLink,
    Shapes,
    Table,
)
from rnn_harness.specs.spec import Spec, SpecError

__all__ = [
    "DOCUMENT_TITLES",
    "Claim",
    "Contradiction",
    "Entry",
    "Equation",
    "Equivalence",
    "Erratum",
    "Example",
    "Falsifier",
    "Identity",
    "KerasLayer",
    "Library",
    "Misprint",
    "PrintFinding",
    "Program",
    "ReferenceLink",
    "Shapes",
    "Spec",
    "SpecError",
    "Table",
    "TableRow",
    "UnknownId",
    "audit",
    "audit_entry",
    "audit_example",
    "claims",
    "contradictions",
    "count_parameters",
    "document_title",
    "equivalences",
    "library",
    "literature",
    "load_spec",
    "misprints",
    "parse_spec",
    "program_layers",
    "search_literature",
    "specs_called",
    "table_rows",
]
