"""``rnn-harness compare``: whether two cells are the same function, and where they differ."""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING, Annotated

import typer

from rnn_harness.cli._conclusion import Conclusion, print_conclusion
from rnn_harness.cli._json_output import JsonName, JsonOutput
from rnn_harness.cli._progress import progress_bar
from rnn_harness.cli._shared import exit_codes
from rnn_harness.cli._target_options import (
    Init,
    InitOfSecond,
    Memory,
    Timeout,
    hint_at_options_of_each,
    options_of_both,
    typed_for_both,
    typed_options,
)
from rnn_harness.cli._verbosity import is_quiet
from rnn_harness.cli.arguments import ensure_target_file
from rnn_harness.errors import ExitCode, HarnessError, NotRun

if TYPE_CHECKING:
    from rnn_harness.records.comparison import Comparison

_EXIT_CODES = {"same": ExitCode.AGREES, "different": ExitCode.REFUTED, "undecided": ExitCode.UNDECIDED}
_TARGET = "A cell as `validate` takes it, a spec file (.toml), or the id of a shipped spec (mgu)."


@exit_codes
def compare(
    first: Annotated[str, typer.Argument(metavar="A", help=_TARGET)],
    second: Annotated[str, typer.Argument(metavar="B", help=_TARGET)],
    spec: Annotated[
        str,
        typer.Option(
            metavar="SPEC",
            help="What both are compared with first: a shipped spec, a spec file (.toml), or auto: what each is "
            "identified as.",
        ),
    ] = "auto",
    init: Init = None,
    init_second: InitOfSecond = None,
    timeout: Timeout = 120,
    memory: Memory = 8,
    json_name: JsonName = None,
) -> None:
    """Say whether two cells are the same function, under which map of weights, or where they differ.

    Their equations are found by running them; that these are equal is then proved, for all weights. What ties the code
    to its equations are runs within the bounds of rounding: evidence, no proof. A difference is shown by numbers. Each
    cell runs in processes of its own.
    """
    from rnn_harness.comparison.compare import compare_targets
    from rnn_harness.records.comparison_text import comparison_text
    from rnn_harness.validation import Limits, ValidationRequest

    document = JsonOutput.of(json_name)
    for target in (first, second):
        ensure_target_file(target)
    options, options_of_b = options_of_both(init, init_second)
    requests = [
        ValidationRequest(target, arguments, spec, memory=memory)
        for target, arguments in ((first, options), (second, options_of_b))
    ]
    try:
        with hint_at_options_of_each((first, second), init, init_second), progress_bar(1) as on_start:
            on_start(f"comparing {first} with {second}")
            comparison = compare_targets(requests[0], requests[1], Limits(timeout))
    except HarnessError:
        raise
    except NotRun as reason:
        typer.echo(f"rnn-harness: nothing is decided: {reason}", err=True)
        raise typer.Exit(ExitCode.UNDECIDED) from None
    code = _EXIT_CODES[comparison.outcome]
    document.write(json.dumps(dataclasses.asdict(comparison), indent=1))
    if not document.is_printed:
        if not is_quiet():
            typer.echo(comparison_text(comparison))
        print_conclusion(_conclusion(comparison, typed_options(init, init_second)), code)
    raise typer.Exit(code)


def _conclusion(comparison: Comparison, options: tuple[str, str]) -> Conclusion:
    """Say whether two cells are the same function, and which command goes on from there.

    Args:
        comparison: The result.
        options: The options of the first target as they are typed, and those of the second, each with a space before.
    """
    first, second = comparison.left.target, comparison.right.target
    sides = list(zip((comparison.left, comparison.right), options, strict=True))
    cells = [f"{side.target}{typed}" for side, typed in sides if ":" in side.target and not side.is_model]
    models = [f"{side.target.rpartition(' ')[2]}{typed}" for side, typed in sides if side.is_model]
    if comparison.outcome == "same":
        # Of models the layers are converted, one by one.
        convert = f"rnn-harness convert {first} {second}{typed_for_both(options)} --code FILE"
        command = f"{convert}  (a function that converts their weights)" if len(cells) == 2 else ""
        return Conclusion(f"{first} and {second} are the same function", command)
    if comparison.outcome == "different":
        commands = [f"rnn-harness validate {name}  (what is wrong with it, if something is)" for name in models]
        commands += [f"rnn-harness explain {name}  (its equations)" for name in cells]
        verdict = f"{first} and {second} are not the same function: {comparison.sentence}"
        return Conclusion(verdict, commands[0] if commands else "")
    verdict = f"{first} and {second}: nothing is decided: {comparison.sentence}"
    names = [*models, *cells]
    return Conclusion(
        verdict, f"rnn-harness validate {names[0]}  (what it is, and whether it is right)" if names else ""
    )
