"""``rnn-harness mutants --spec``: the mistakes that a spec's own equations make, and the check that sees each."""

from __future__ import annotations

import typer

from rnn_harness.cli._conclusion import Conclusion, print_conclusion
from rnn_harness.errors import ExitCode, UsageError


def judge_rewrites(name: str, verbose: bool, unused: tuple[str, ...]) -> None:
    """Judge every rewrite of a spec as if it were a candidate, and print which the checks do not see.

    Args:
        name: The id of a spec, or a spec file.
        verbose: Whether every rewrite is printed with the check that refutes it.
        unused: Options that have no effect on it.

    Raises:
        UsageError: There is no such spec, or it is no cell of one step; or an option has no effect.
        typer.Exit: A rewrite is not seen; its code is that of a refutation.
    """
    if unused:
        raise UsageError(f"{', '.join(unused)} has no effect on the rewrites of a spec; leave it out")
    from rnn_harness.cli.arguments import known_spec
    from rnn_harness.comparison.spec_module import named_spec
    from rnn_harness.comparison.spec_mutants import killer, spec_mutants

    spec = named_spec(name)
    if spec is None:
        raise UsageError(f"{known_spec(name).id} is no cell whose equations make a step")
    survivors, count = [], 0
    for mutant in spec_mutants(spec):
        check = killer(mutant)
        count += 1
        if check is None:
            survivors.append(mutant.sentence)
            typer.echo(f"survives: {mutant.sentence}")
        elif verbose:
            typer.echo(f"{check}: {mutant.sentence}")
    verdict = f"{count - len(survivors)} of {count} rewrites of {spec.id} killed"
    code = ExitCode.REFUTED if survivors else ExitCode.AGREES
    print_conclusion(Conclusion(verdict, f"rnn-harness validate TARGET --spec {name}"), code)
    if survivors:
        raise typer.Exit(code)
