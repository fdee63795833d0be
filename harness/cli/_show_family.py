"""A family of cells: its gates, its states, its specs, its mutants."""

from __future__ import annotations

import typer

from rnn_harness.cli.print_field import print_field
from rnn_harness.families import GATE_NAMES, Family

_MOST_MUTANTS = 8


def show_family(family: Family) -> None:
    """Print a family: gates, states, its specs, and the names of some wrong references.

    Args:
        family: One of the families of the documents.
    """
    from rnn_harness.mutants import MUTANTS
    from rnn_harness.specs import library

    print_field("family", f"{family.name}: {family.title}")
    print_field("gates", ", ".join(GATE_NAMES[letter] for letter in family.gates))
    print_field("states", ", ".join(family.states))
    print_field("torch", f"torch.nn.{family.torch_class} computes {family.spec}")
    specs = [spec for spec in library().specs if spec.reference is not None and spec.reference.name == family.name]
    print_field("specs", "\n".join(f"{spec.id}: {spec.title}" for spec in specs))
    mutants = [mutant.name for mutant in MUTANTS if mutant.name.startswith(f"{family.name}.")]
    more = f", and {len(mutants) - _MOST_MUTANTS} more" if len(mutants) > _MOST_MUTANTS else ""
    print_field("mutants", "\n".join([*mutants[:_MOST_MUTANTS], *([more.removeprefix(", ")] if more else [])]))
    typer.echo(f"next: rnn-harness verify {family.spec} checks it; rnn-harness mutants {family.name} its mutants.")
