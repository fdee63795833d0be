"""Print what a name of the harness stands for: a check, a group, a family, a mutant, or an id of the specs."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

import typer

from rnn_harness.cli._show import is_known_id, show_id
from rnn_harness.cli._show_family import show_family
from rnn_harness.cli.print_field import print_field
from rnn_harness.errors import UsageError
from rnn_harness.families import FAMILIES

if TYPE_CHECKING:
    from rnn_harness.check_guide import CheckDescription
    from rnn_harness.mutants import Mutant


def explain_name(name: str) -> None:
    """Print what a name stands for.

    Args:
        name: A check, a group of checks, an id of an equation, spec, pair, erratum or document, a family or a mutant.

    Raises:
        UsageError: It is the name of nothing; the names that look like it are listed.
    """
    if name in FAMILIES:
        show_family(FAMILIES[name])
    elif is_known_id(name):
        show_id(name, backward=False)
        _print_deciding_checks(name)
    else:
        _explain_check_group_or_mutant(name)


def _explain_check_group_or_mutant(name: str) -> None:
    """Print a check, a group of checks or a mutant. Raises UsageError if the name is of none."""
    from rnn_harness.check_guide import GROUPS, describe_checks
    from rnn_harness.mutants import MUTANTS

    checks = describe_checks()
    mutants = {mutant.name: mutant for mutant in MUTANTS}
    if name in checks:
        _explain_check(checks[name], mutants)
    elif name.rstrip(".") in GROUPS:
        _explain_group(name.rstrip("."), [check for check in checks.values() if check.group == name.rstrip(".")])
    elif name in mutants:
        _explain_mutant(mutants[name], [check.name for check in checks.values() if name in check.kills])
    else:
        from rnn_harness.specs import library, literature

        names = [*checks, *GROUPS, *FAMILIES, *mutants, *(spec.id for spec in literature())]
        near = difflib.get_close_matches(name, names, n=3) or library().nearest(name)
        hint = f"; did you mean {', '.join(near)}?" if near else ""
        raise UsageError(
            f"there is no check, equation, spec, family or mutant {name!r}{hint} "
            "(rnn-harness explain metamorphic lists a group, rnn-harness specs all ids of the documents)"
        )


def _explain_check(check: CheckDescription, mutants: dict[str, Mutant]) -> None:
    """Print a check: what it does, its bound, where it can be decided, the mutants that it must kill."""
    print_field("check", check.name)
    print_field("does", check.summary)
    if check.detail:
        print_field("", check.detail)
    print_field("bound", check.bound)
    if check.witness:
        print_field("witness", check.witness)
    if check.dtypes:
        print_field("formats", ", ".join(check.dtypes))
    if check.kills:
        lines = [line for name in check.kills for line in (name, *(f"    {edit}" for edit in mutants[name].edit_lines))]
        print_field("must kill", "\n".join(lines))
    family = check.kills[0].partition(".")[0] if check.kills else ""
    if family in FAMILIES:
        typer.echo(f"next: rnn-harness mutants {family} -v judges the wrong references of that family.")


def _explain_group(group: str, checks: list[CheckDescription]) -> None:
    """Print the checks of a group, each with what it does."""
    from rnn_harness.check_guide import GROUPS

    print_field("group", f"{group}: {GROUPS[group]}")
    for check in checks:
        typer.echo(f"  {check.name}\n      {check.summary}")
    if checks:
        typer.echo(f"next: rnn-harness explain {checks[0].name} shows its bound and its mutants.")


def _explain_mutant(mutant: Mutant, killers: list[str]) -> None:
    """Print a mutant: its edit, and the checks that must kill it on their own."""
    print_field("mutant", f"{mutant.name} ({mutant.part}, {mutant.spec})")
    print_field("edit", "\n".join(mutant.edit_lines))
    if mutant.published_bug:
        print_field("like", mutant.published_bug)
    if killers:
        print_field("must fall to", "\n".join(killers))
    typer.echo(f"next: rnn-harness mutants '{mutant.name}' -v judges it.")


def _print_deciding_checks(name: str) -> None:
    """Print which checks decide an equation or an entry of a document, and the command that runs them."""
    from rnn_harness.checks.entry_checks import entry_checks
    from rnn_harness.specs import library

    entries = {known.upper(): known for known in library().entries}
    if name.upper() not in entries:
        if not name.upper().startswith("X-"):
            typer.echo(f"next: rnn-harness verify {name} checks it.")
        return
    spec, entry = library().entry(entries[name.upper()])
    names = [f"{check.name} ({check.witness})" for check in entry_checks(spec, entry, library(), seed=0)]
    if spec.is_cell and spec.reference is not None and entry in spec.equations:
        names.append("forward.equation (reference)")
    print_field("decided by", ", ".join(dict.fromkeys(names)))
    typer.echo(f"next: rnn-harness verify {entry.id} checks it; rnn-harness explain {names[0].split()[0]}.")
